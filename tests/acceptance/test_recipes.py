"""The recipes are programs: each is run as it stands."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import msgspec
import pytest
import uvicorn
from alembic import command
from alembic.config import Config
from helpers.blocks import ROOT, blocks_of, program
from helpers.stored import Program
from helpers.support import take_away, transcript, translation
from httpx import AsyncClient, Response
from websockets.asyncio.client import connect

from livetranslate_store import (
    DuplicateError,
    Outcome,
    Problem,
    SegmentReceipt,
    Store,
    StoreUnavailableError,
    TimelineEntry,
    TimelinePage,
    TranscriptInput,
    WriteRejectedError,
)


@pytest.fixture
def environment(database_url: str, audio_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIVETRANSLATE_DATABASE_URL", database_url)
    monkeypatch.setenv("LIVETRANSLATE_AUDIO_URL", f"file:{audio_folder}")


@pytest.fixture
async def service(environment: None, store: Store) -> AsyncIterator[str]:  # noqa: ARG001 (its database)
    """The address of the service of the recipe: a real server, on a port of this test's own."""
    app = (await program("service"))["app"]
    config = uvicorn.Config(app, "127.0.0.1", 0, log_config=None, ws="websockets-sansio", lifespan="on")
    server = uvicorn.Server(config)
    running = asyncio.create_task(server.serve())
    async with asyncio.timeout(30):
        while not server.started:
            assert not running.done(), "the service did not start"
            await asyncio.sleep(0.005)
    host, port = server.servers[0].sockets[0].getsockname()
    yield f"{host}:{port}"
    server.should_exit = True
    await running


def problem_in(answer: Response) -> Problem:
    assert answer.headers["content-type"] == "application/problem+json"
    problem = msgspec.json.decode(answer.content, type=Problem)
    assert problem.status == answer.status_code
    return problem


async def test_the_service_answers_for_as_long_as_its_application_lives(
    service: str, store: Store, session_id: UUID
) -> None:
    for second in range(3):
        await store.record_segment(
            session_id,
            transcript=transcript(start_time=float(second)),
            translations=[translation(f"Hola {second}.")],
        )
    spoken = {"text": "Bye.", "language": "EN", "segment_key": "bye", "words": [{"text": "Bye."}]}
    async with AsyncClient(base_url=f"http://{service}") as client:
        answer = await client.get(f"/sessions/{session_id}/timeline", params={"language": "es"})
        page = msgspec.json.decode(answer.content, type=TimelinePage)
        assert page == await store.timeline(session_id, languages=["es"])
        assert [each.text for each in page] == ["Hola 0.", "Hola 1.", "Hola 2."]
        stored = await client.post(f"/sessions/{session_id}/segments", json=spoken)
        receipt = msgspec.json.decode(stored.content, type=SegmentReceipt)
        assert (stored.status_code, receipt.outcome) == (200, Outcome.INSERTED)
        assert (await client.get("/health")).status_code == 200
        schemas = (await client.get("/openapi.json")).json()["components"]["schemas"]
        assert {
            "TranscriptInput",
            "SegmentReceipt",
            "TimelinePage",
            "TimelineEntry",
            "Problem",
        } <= schemas.keys()


async def test_the_service_explains_each_refusal_as_a_problem_document(
    service: str, session_id: UUID
) -> None:
    nowhere, spoken = UUID(int=0), {"text": "Private.", "language": "en"}
    async with AsyncClient(base_url=f"http://{service}") as client:
        for path, parameters in (("timeline", {"language": "es"}), ("timeline", {"language": "no language"})):
            answer = await client.get(f"/sessions/{nowhere}/{path}", params=parameters)
            assert problem_in(answer).status == (404 if parameters["language"] == "es" else 422)
        empty = await client.get(f"/sessions/{session_id}/timeline", params={"language": "es"})
        assert (empty.status_code, empty.json()) == (200, {"items": [], "next_cursor": None})
        missing = await client.post(f"/sessions/{nowhere}/segments", json=spoken)
        assert problem_in(missing).type == "urn:livetranslate-store:missing-reference"
        for field in ({"txt": 1}, {"confidence": 2.0}, {"words": "none"}):
            refused = problem_in(await client.post(f"/sessions/{session_id}/segments", json=spoken | field))
            assert (refused.status, next(iter(field)) in refused.detail) == (422, True)
            assert "Private" not in refused.detail


async def test_a_database_that_is_away_is_a_503_that_names_no_server(
    service: str, session_id: UUID, other_program: Program
) -> None:
    give_back = take_away(other_program)
    async with AsyncClient(base_url=f"http://{service}", timeout=60) as client:
        answer = await client.post(f"/sessions/{session_id}/segments", json={"text": "a", "language": "en"})
        assert (await client.get("/health")).status_code == 503
    give_back()
    problem = problem_in(answer)
    assert (problem.status, problem.detail) == (503, StoreUnavailableError.default_message())


async def test_a_bot_sends_interim_revisions_over_a_websocket(
    service: str, store: Store, session_id: UUID
) -> None:
    def said(text: str, **fields: object) -> str:
        return json.dumps({"text": text, "language": "en", "segment_key": "1", "revision": 1} | fields)

    async with connect(f"ws://{service}/sessions/{session_id}/segments") as socket:
        documents = [
            said("Good"),
            said("Good mor", revision=2),
            said("Good mor", revision=2),
            said("Goo"),
            said("Good morning.", revision=3, is_final=True),
        ]
        for document in documents:
            await socket.send(document)
        receipts = [msgspec.json.decode(await socket.recv(), type=SegmentReceipt) for _ in documents]
        assert [each.outcome for each in receipts] == ["inserted", "updated", "unchanged", "stale", "updated"]
        for document, status in (
            (said("x", txt=1), 422),
            (said("x", language="no language"), 422),
            (said("x")[:-1], 400),
        ):
            await socket.send(document)
            assert msgspec.json.decode(await socket.recv(), type=Problem).status == status
        await socket.send(said("And on.", segment_key="2", start_time=1.0))
        assert msgspec.json.decode(await socket.recv(), type=SegmentReceipt).outcome == "inserted"
    assert await texts_of(store, session_id) == ["Good morning.", "And on."]


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
