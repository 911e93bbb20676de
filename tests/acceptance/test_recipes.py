"""The recipes are programs: each is run as it stands."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import pytest
from alembic import command
from alembic.config import Config
from helpers.blocks import ROOT, blocks_of, program
from helpers.stored import Program
from helpers.support import transcript, translation
from httpx import ASGITransport, AsyncClient

from livetranslate_store import (
    DuplicateError,
    SegmentReceipt,
    Store,
    StoreUnavailableError,
    TimelineEntry,
    TranscriptInput,
    WriteRejectedError,
)


@pytest.fixture
def environment(database_url: str, audio_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIVETRANSLATE_DATABASE_URL", database_url)
    monkeypatch.setenv("LIVETRANSLATE_AUDIO_URL", f"file:{audio_folder}")


@pytest.mark.usefixtures("environment")
async def test_the_service_answers_for_as_long_as_its_application_lives(
    store: Store, session_id: UUID
) -> None:
    for second in range(3):
        await store.record_segment(
            session_id,
            transcript=transcript(start_time=float(second)),
            translations=[translation(f"Hola {second}.")],
        )
    app = (await program("service"))["app"]
    client = AsyncClient(transport=ASGITransport(app), base_url="http://service")
    async with app.router.lifespan_context(app), client:
        answer = await client.get(f"/sessions/{session_id}/timeline", params={"language": "es"})
        assert [each["text"] for each in answer.json()["entries"]] == ["Hola 0.", "Hola 1.", "Hola 2."]
        wrong = await client.get(f"/sessions/{session_id}/timeline", params={"language": "no language"})
        assert (wrong.status_code, "language" in wrong.json()["detail"]) == (422, True)
        spoken = {"text": "Bye.", "language": "EN", "segment_key": "bye", "words": [{"text": "Bye."}]}
        stored = await client.post(f"/sessions/{session_id}/segments", json=spoken)
        assert (stored.status_code, stored.json()["transcript"]["outcome"]) == (200, "inserted")
        nowhere = await client.post(f"/sessions/{UUID(int=0)}/segments", json=spoken)
        assert nowhere.status_code == 404
        assert (await client.get("/health")).status_code == 200
        schemas = (await client.get("/openapi.json")).json()["components"]["schemas"]
        assert {"TranscriptInput", "SegmentReceipt", "TimelineEntry", "Page"} <= schemas.keys()


async def heard() -> AsyncIterator[TranscriptInput]:
    for number in range(3):
        start = float(number)
        yield transcript("Good", start_time=start, segment_key=f"{number}")
        yield transcript("Good morning.", start_time=start, segment_key=f"{number}", is_final=True)


async def translate(text: str, language: str) -> str:
    return f"{text} ({language})"


async def texts_of(store: Store, session_id: UUID) -> list[str]:
    return [each.text for each in await store.timeline(session_id)]


async def test_the_bot_writes_each_version_and_translates_what_is_final(store: Store) -> None:
    join = (await program("bot"))["join"]
    session_id = await join(store, "abc-defg-hij", "1", heard(), translate)
    assert await texts_of(store, session_id) == ["Good morning.", "Good morning. (es)"] * 3
    async with store.read() as reader:
        assert (await reader.sessions.get(session_id)).status == "ended"


async def test_a_bot_that_comes_back_overwrites_nothing(store: Store) -> None:
    join = (await program("bot"))["join"]

    async def heard_later() -> AsyncIterator[TranscriptInput]:
        # The transcriber counts from zero again.
        yield transcript("Hello again.", start_time=0.0, segment_key="0", is_final=True)

    first = await join(store, "abc-defg-hij", "1", heard(), translate)
    second = await join(store, "abc-defg-hij", "2", heard_later(), translate)
    assert await texts_of(store, first) == ["Good morning.", "Good morning. (es)"] * 3
    assert await texts_of(store, second) == ["Hello again.", "Hello again. (es)"]
    with pytest.raises(DuplicateError, match="is over"):
        await join(store, "abc-defg-hij", "1", heard_later(), translate)
    assert await texts_of(store, first) == ["Good morning.", "Good morning. (es)"] * 3


async def test_a_bot_survives_a_translator_and_a_database_that_fail(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = await program("bot")
    names["record"].__globals__["PAUSES"] = (0.0,)
    failures = {"Good morning.": 1}

    async def failing(text: str, language: str) -> str:
        failures[text] -= 1
        if failures[text] == 0:
            raise ZeroDivisionError
        return await translate(text, language)

    record_segment = store.record_segment
    refused = [StoreUnavailableError("away"), WriteRejectedError()]

    async def unsteady(session_id: UUID, *, transcript: TranscriptInput) -> SegmentReceipt:
        if refused:
            raise refused.pop()
        return await record_segment(session_id, transcript=transcript)

    monkeypatch.setattr(store, "record_segment", unsteady)
    session_id = await names["join"](store, "abc-defg-hij", "1", heard(), failing)
    texts = await texts_of(store, session_id)
    assert (texts.count("Good morning."), texts.count("Good morning. (es)")) == (3, 2)
    async with store.read() as reader:
        assert (await reader.sessions.get(session_id)).status == "ended"
    assert len(await store.missing_translations(session_id, "es")) == 1


async def test_the_viewer_shows_what_is_new_and_what_is_corrected(store: Store, session_id: UUID) -> None:
    follow = (await program("viewer"))["follow"]
    shown: list[str] = []

    async def show() -> None:
        entry: TimelineEntry
        async for entry in follow(store, session_id, "en", every=0.01):
            shown.append(entry.text)  # noqa: PERF401 (it never ends)

    async def write(text: str, key: str) -> None:
        seen = len(shown)
        await store.record_segment(
            session_id, transcript=transcript(text, segment_key=key, start_time=float(key))
        )
        async with asyncio.timeout(10):
            while len(shown) == seen:
                await asyncio.sleep(0.005)

    viewer = asyncio.create_task(show())
    for text, key in (("Good", "1"), ("Good morning.", "1"), ("How are you?", "2"), ("Late.", "0")):
        await write(text, key)
    viewer.cancel()
    assert shown == ["Good", "Good morning.", "How are you?", "Late."]


async def test_the_store_and_the_application_migrate_side_by_side(
    owner_url: str, other_program: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (block,) = [each for each in blocks_of(ROOT / "docs" / "recipes.md") if each.name == "env"]
    monkeypatch.setenv("LIVETRANSLATE_DATABASE_URL", owner_url)
    config = Config()
    config.set_main_option("script_location", str(tmp_path / "migrations"))
    (tmp_path / "migrations" / "versions").mkdir(parents=True)
    (tmp_path / "migrations" / "env.py").write_text(block.text, encoding="utf-8")
    template = (ROOT / "alembic" / "script.py.mako").read_text(encoding="utf-8")
    (tmp_path / "migrations" / "script.py.mako").write_text(template, encoding="utf-8")

    def migrate() -> None:
        command.revision(config, "invoices", autogenerate=True)
        command.upgrade(config, "head")
        command.check(config)

    await asyncio.to_thread(migrate)
    (script,) = (tmp_path / "migrations" / "versions").glob("*.py")
    assert "livetranslate" not in script.read_text(encoding="utf-8").replace("livetranslate.sessions.id", "")
    other_program.execute("SELECT session_id FROM public.invoices")
    other_program.execute("SELECT version_num FROM public.alembic_version")
    other_program.execute("SELECT version_num FROM livetranslate.alembic_version")


async def test_the_settings_for_pgbouncer_are_settings() -> None:
    assert (await program("pgbouncer"))["settings"].pgbouncer is True
    (block,) = [each for each in blocks_of(ROOT / "docs" / "recipes.md") if each.language == "ini"]
    assert "pool_mode = transaction" in block.text  # as in test_pgbouncer.py, where it is run
