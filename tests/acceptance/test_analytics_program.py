"""An application's own tables and migrations beside the store's, on the store's own connections."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from alembic import command
from alembic.config import Config
from helpers.blocks import ROOT
from helpers.stored import Program
from helpers.support import is_on_a_cluster, transcript, translation
from programs.analytics import (
    ENVIRONMENT,
    Base,
    bill,
    characters_by_speaker,
    hours_of_team,
    invoice,
    unpaid,
)

from livetranslate_store import NotFoundError, SessionInput, Store

BEGAN = datetime(2026, 5, 1, 9, tzinfo=UTC)


@pytest.fixture
async def config(owner_url: str, tmp_path: Path) -> Config:
    """Migrations of the application's own, run with the address of the store."""
    folder = tmp_path / "migrations"
    (folder / "versions").mkdir(parents=True)
    (folder / "env.py").write_text(ENVIRONMENT, encoding="utf-8")
    template = (ROOT / "alembic" / "script.py.mako").read_text(encoding="utf-8")
    (folder / "script.py.mako").write_text(template, encoding="utf-8")
    config = Config()
    config.set_main_option("script_location", str(folder))
    async with Store.open(owner_url) as store:
        config.attributes["url"] = store.engine_url(driver="psycopg")
    config.attributes["metadata"] = Base.metadata

    def migrate() -> None:
        command.revision(config, "invoices", autogenerate=True)
        command.upgrade(config, "head")

    await asyncio.to_thread(migrate)
    return config


@pytest.fixture
async def meetings(config: Config, store: Store, other_program: Program) -> list[UUID]:  # noqa: ARG001 (it migrates)
    """Three meetings of an hour; in the first two there is speech."""
    other_program.execute("GRANT ALL ON public.invoices, public.messages TO PUBLIC")
    if is_on_a_cluster(other_program):
        other_program.execute(
            "SELECT create_distributed_table('invoices', 'session_id',"
            " colocate_with => 'livetranslate.sessions')"
        )
    other_program.commit()
    hour = timedelta(hours=1)
    starts = [BEGAN + number * timedelta(days=1) for number in range(3)]
    inputs = [
        SessionInput(
            bot_id="b",
            meeting_id="m",
            external_id=f"meet-{number}",
            title=f"Meeting {number}",
            status="ended",
            started_at=start,
            ended_at=start + hour,
            metadata={"team": "sales", "number": number},
        )
        for number, start in enumerate(starts)
    ]
    async with store.unit_of_work() as uow:
        ids = [each.id for each in await uow.sessions.create_many(inputs)]
    for session_id in ids[:2]:
        for second in (0.0, 60.0):
            spoken = transcript(
                "four", start_time=second, end_time=second + 30.0, speaker_label="S", speaker_name="Ana"
            )
            await store.record_segment(session_id, transcript=spoken, translations=[translation("cinco")])
    return ids


async def test_migrations_of_its_own_leave_the_tables_of_the_store_alone(
    config: Config, other_program: Program
) -> None:
    await asyncio.to_thread(command.check, config)
    [script] = (Path(config.get_main_option("script_location") or "") / "versions").glob("*.py")
    text = script.read_text(encoding="utf-8").replace("livetranslate.sessions.id", "")
    assert "livetranslate" not in text
    other_program.execute("SELECT version_num FROM public.alembic_version")
    other_program.execute("SELECT version_num FROM livetranslate.alembic_version")


async def test_an_invoice_and_its_message_are_written_once_and_together(
    store: Store, meetings: list[UUID], other_program: Program
) -> None:
    billed = [bill(store, meetings[0], cents_per_minute=100) for _ in range(5)]
    assert await asyncio.gather(*billed) == [100] * 5
    other_program.rollback()
    for table in ("invoices", "messages"):
        assert other_program.execute(f"SELECT count(*) FROM public.{table}".encode()).fetchone() == (1,)
    with pytest.raises(NotFoundError):
        await bill(store, UUID(int=0), cents_per_minute=100)


async def test_invoices_are_read_in_pages_with_their_meetings(store: Store, meetings: list[UUID]) -> None:
    for session_id in meetings:
        await bill(store, session_id, cents_per_minute=100)
    first = await unpaid(store, limit=2)
    assert [(row.title, row.cents) for row in first.rows] == [("Meeting 0", 100), ("Meeting 1", 100)]
    rest = await unpaid(store, limit=2, after=first.after)
    assert ([row.title for row in rest.rows], rest.after) == (["Meeting 2"], None)
    found = await invoice(store, meetings[1])
    assert (found.session.title, [each.name for each in found.session.speakers]) == ("Meeting 1", ["Ana"])


async def test_own_questions_are_asked_of_the_stores_models(store: Store, meetings: list[UUID]) -> None:
    assert await characters_by_speaker(store, meetings[0]) == {"Ana": (8, 10)}
    assert await characters_by_speaker(store, meetings[2]) == {}
    assert await hours_of_team(store, "sales") == 3.0
    assert await hours_of_team(store, "board") == 0.0


async def test_a_tenants_store_shows_its_invoices_only(store: Store, meetings: list[UUID]) -> None:
    for session_id in meetings:
        await bill(store, session_id, cents_per_minute=100)
    acme = store.for_tenant("acme")
    async with acme.unit_of_work() as uow:
        theirs = await uow.sessions.create(bot_id="b", meeting_id="m", title="Theirs")
    await bill(acme, theirs.id, cents_per_minute=100)
    assert [row.title for row in (await unpaid(acme, limit=9)).rows] == ["Theirs"]
    with pytest.raises(NotFoundError):
        await bill(acme, meetings[0], cents_per_minute=100)


async def test_a_deleted_meeting_takes_its_invoice_with_it(
    store: Store, meetings: list[UUID], other_program: Program
) -> None:
    await bill(store, meetings[0], cents_per_minute=100)
    async with store.unit_of_work() as uow:
        await uow.sessions.delete(meetings[0])
    assert other_program.execute("SELECT count(*) FROM public.invoices").fetchone() == (0,)
