"""Row-level security by the shipped script: the database itself shows a login one tenant only."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest
from conftest import PASSWORD, url_of
from helpers.blocks import ROOT, blocks_of
from helpers.support import audio, counts, transcript, translation

from livetranslate_store import SegmentInput, Store, StoreUnavailableError
from livetranslate_store.cli.__main__ import main
from livetranslate_store.exchange import backup_session, restore_session
from livetranslate_store.ids import new_id
from livetranslate_store.schema.roles import tenants_script

LOGIN = "tenant_under_test"
MAKE_LOGIN = f"""
    DO $$ BEGIN
        CREATE ROLE {LOGIN} LOGIN PASSWORD '{PASSWORD}' IN ROLE livetranslate_tenant;
    EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;
    INSERT INTO livetranslate_tenants.logins VALUES ('{LOGIN}', 'acme')
"""


@pytest.fixture
def secured(other_program: psycopg.Connection[Any]) -> psycopg.Connection[Any]:
    """The database with policies, run twice, and a login of the tenant acme."""
    for _ in range(2):
        other_program.execute(tenants_script().encode())
    other_program.execute(MAKE_LOGIN.encode())
    other_program.commit()
    return other_program


@pytest.fixture
def login_url(secured: psycopg.Connection[Any]) -> str:
    info = secured.info
    return url_of(LOGIN, PASSWORD, info.host, info.port, info.dbname)


@pytest.fixture
async def acme(login_url: str, audio_folder: Path) -> AsyncIterator[Store]:
    """The tenant's store under the tenant's login."""
    async with Store.open(login_url, audio_url=f"file:{audio_folder}", min_connections=1) as store:
        yield store.for_tenant("acme")


@pytest.fixture
async def others(store: Store) -> UUID:
    """A session of another tenant with a segment."""
    beta = store.for_tenant("beta")
    async with beta.unit_of_work() as uow:
        session = await uow.sessions.create(bot_id="b", meeting_id="m")
    await beta.record_segment(session.id, transcript=transcript(speaker_label="A"), audio=audio())
    return session.id


def as_login(url: str) -> psycopg.Connection[Any]:
    return psycopg.connect(url.replace("+asyncpg", ""), autocommit=True)


@pytest.mark.usefixtures("others")
async def test_a_tenants_login_does_all_that_its_store_does(
    acme: Store, secured: psycopg.Connection[Any]
) -> None:
    async with acme.unit_of_work() as uow:
        session = (await uow.sessions.create(bot_id="b", meeting_id="m", external_id="x")).id
    spoken = transcript("The lighthouse.", segment_key="1", speaker_label="A", is_final=False)
    receipt = await acme.record_segment(
        session, transcript=spoken, translations=[translation()], audio=audio(b"mine")
    )
    await acme.record_segment(session, transcript=transcript("The lighthouse!", segment_key="1"))
    await acme.add_translation(session, receipt.transcript_id, translation("灯台。", "ja"))
    async with acme.unit_of_work() as uow:
        await uow.transcripts.edit(session, receipt.transcript_id, text="A lighthouse.", edited_by="ana")
        await uow.speakers.rename(session, "A", "Ana")
        await uow.transcripts.add(session, transcript("More.", segment_key="2"))
    assert len(await acme.timeline(session)) == 4
    assert len(await acme.transcript_view(session, ["es"])) == 2
    assert (await acme.session_statistics(session)).segments == 2
    assert [hit.text for hit in await acme.search("lighthouse")] == ["A lighthouse."]
    assert len(await acme.find_sessions(count=True)) == 1
    assert len(await acme.text_history(session, receipt.transcript_id)) > 1
    assert (await acme.health()).problems == {}
    lines = [line async for line in backup_session(acme, session)]
    async with acme.unit_of_work() as uow:
        assert (await uow.sessions.delete(session)).transcripts == 2

    async def each() -> AsyncIterator[bytes]:
        for line in lines:
            yield line

    await restore_session(acme, each())
    assert len(await acme.timeline(session)) == 4
    assert counts(secured)["sessions"] == 2


async def test_an_import_goes_through_temporary_tables(acme: Store, others: UUID) -> None:
    async with acme.unit_of_work() as uow:
        session = (await uow.sessions.create(bot_id="b", meeting_id="m")).id
    segments = [
        SegmentInput(
            session_id=each,
            transcript=transcript(f"Text {number}", segment_key=str(number), speaker_label="A"),
            translations=[translation()],
        )
        for number in range(20)
        for each in (session, others)
    ]
    for kind in ("inserted", "unchanged"):
        report = await acme.import_segments(segments)
        assert getattr(report.transcripts, kind) == 20
        assert report.refused == 20


async def test_no_statement_of_the_login_reaches_another_tenant(login_url: str, others: UUID) -> None:
    with as_login(login_url) as login:
        for table in ("sessions", "transcripts", "speakers", "audio_files", "translations", "text_versions"):
            assert login.execute(f"SELECT count(*) FROM livetranslate.{table}".encode()).fetchone() == (0,)
            assert login.execute(f"DELETE FROM livetranslate.{table}".encode()).rowcount == 0
        for statement in (
            f"INSERT INTO livetranslate.speakers (session_id, label) VALUES ('{others}', 'ME')",
            f"INSERT INTO livetranslate.sessions VALUES ('{new_id()}', 'beta', 'b', 'm')",
            "SET ROLE livetranslate_app",
            "SET SESSION AUTHORIZATION postgres",
            f"UPDATE livetranslate_tenants.logins SET tenant_id = 'beta' WHERE login = '{LOGIN}'",
            "SELECT * FROM livetranslate_tenants.logins",
            "SET row_security = off; SELECT * FROM livetranslate.sessions",
            "ALTER TABLE livetranslate.sessions DISABLE ROW LEVEL SECURITY",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                login.execute(statement.encode())


async def test_the_login_cannot_write_for_another_tenant_through_any_store(
    login_url: str, others: UUID
) -> None:
    async with Store.open(login_url, min_connections=1) as whole:
        for store in (whole, whole.for_tenant("beta")):
            with pytest.raises(StoreUnavailableError, match="lacks a privilege"):
                async with store.unit_of_work() as uow:
                    await uow.sessions.create(bot_id="b", meeting_id="m")
            assert not await store.timeline(others)
            assert not await store.find_sessions()


@pytest.mark.usefixtures("secured")
async def test_other_logins_see_all_tenants_as_before(store: Store, others: UUID, reader_url: str) -> None:
    assert len(await store.timeline(others)) == 1
    async with Store.open(reader_url, min_connections=1) as reading:
        assert len(await reading.timeline(others)) == 1
    await store.import_segments([SegmentInput(session_id=others, transcript=transcript(segment_key="1"))])
    assert len(await store.timeline(others)) == 2


def test_a_login_without_a_tenant_sees_nothing(login_url: str, secured: psycopg.Connection[Any]) -> None:
    secured.execute("DELETE FROM livetranslate_tenants.logins")
    made = (
        "INSERT INTO livetranslate.sessions (id, tenant_id, bot_id, meeting_id) VALUES (%s, 'acme', 'b', 'm')"
    )
    secured.execute(made.encode(), [new_id()])
    secured.commit()
    with as_login(login_url) as login:
        assert login.execute("SELECT count(*) FROM livetranslate.sessions").fetchone() == (0,)


def test_every_table_has_the_policies(secured: psycopg.Connection[Any]) -> None:
    rows = secured.execute(
        "SELECT relname, relrowsecurity, count(p) FROM pg_class c LEFT JOIN pg_policy p ON polrelid = c.oid "
        "WHERE relnamespace = 'livetranslate'::regnamespace AND relkind IN ('r', 'p') "
        "AND relname <> 'alembic_version' GROUP BY 1, 2"
    ).fetchall()
    assert len(rows) >= 6
    assert {row[1:] for row in rows} == {(True, 2)}


def test_the_statements_of_the_page_bind_a_login(secured: psycopg.Connection[Any]) -> None:
    [block] = [each for each in blocks_of(ROOT / "docs" / "tenants.md") if each.language == "sql"]
    secured.execute(block.text.encode())
    assert secured.execute("SELECT login FROM livetranslate_tenants.logins ORDER BY 1").fetchall() == [
        ("acme_bots",),
        (LOGIN,),
    ]
    secured.rollback()


def test_the_command_line_prints_the_script(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["roles", "--tenants"]) == 0
    assert capsys.readouterr().out == tenants_script()
