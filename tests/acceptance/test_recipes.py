"""The recipes are programs: each is run as it stands."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
import pytest
import uvicorn
from alembic import command
from alembic.config import Config
from helpers.blocks import ROOT, blocks_of, program
from helpers.stored import Program
from helpers.support import is_on_a_cluster, take_away, transcript, translation
from httpx import AsyncClient, Response
from sqlalchemy import create_engine, make_url
from websockets.asyncio.client import connect

from livetranslate_store import (
    DuplicateError,
    MissingReferenceError,
    NotFoundError,
    Outcome,
    Problem,
    SegmentReceipt,
    SessionPage,
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


async def test_the_service_creates_sessions_and_lists_them(service: str, store: Store) -> None:
    meeting = {"bot_id": "bot-7", "meeting_id": "abc", "external_id": "meet-42", "title": "Budget talk"}
    async with AsyncClient(base_url=f"http://{service}") as client:
        created = [(await client.post("/sessions", json=meeting)).json() for _ in range(2)]
        assert [each["outcome"] for each in created] == ["inserted", "unchanged"]
        other = await client.post("/sessions", json=meeting | {"bot_id": "bot-8"})
        assert problem_in(other).type == "urn:livetranslate-store:duplicate"
        answer = await client.get("/sessions", params={"text": "budg"})
        page = msgspec.json.decode(answer.content, type=SessionPage)
        assert page == await store.find_sessions(text="budg")
        assert [str(each.id) for each in page] == [created[0]["id"]]
        assert problem_in(await client.get("/sessions", params={"cursor": "wrong"})).status == 422


async def test_the_service_explains_each_refusal_as_a_problem_document(
    service: str, session_id: UUID
) -> None:
    nowhere, spoken = UUID(int=0), {"text": "Private.", "language": "en"}
    async with AsyncClient(base_url=f"http://{service}") as client:
        for path, parameters in (("timeline", {"language": "es"}), ("timeline", {"language": "no language"})):
            answer = await client.get(f"/sessions/{nowhere}/{path}", params=parameters)
            assert problem_in(answer).status == (404 if parameters["language"] == "es" else 422)
        empty = await client.get(f"/sessions/{session_id}/timeline", params={"language": "es"})
        assert (empty.status_code, empty.json()["items"]) == (200, [])
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


async def test_sessions_that_nobody_ended_end_at_their_last_activity(
    store: Store, other_program: Program
) -> None:
    end_stale_sessions = (await program("stale"))["end_stale_sessions"]
    async with store.unit_of_work() as uow:
        made = [(await uow.sessions.create(bot_id="b", meeting_id=f"{number}")).id for number in range(3)]
    for each in made[1:]:
        await store.record_segment(each, transcript=transcript())
    # As if the first two had been written three hours ago, and the third one began then.
    now = datetime.now(UTC)
    for table, key in (("sessions", "id"), ("transcripts", "session_id")):
        other_program.execute(
            f"UPDATE livetranslate.{table} SET created_at = %s WHERE {key} = ANY (%s)",
            [now - timedelta(hours=3), made if table == "sessions" else made[:2]],
        )
    other_program.execute("UPDATE livetranslate.sessions SET started_at = %s", [now - timedelta(hours=4)])
    other_program.commit()
    assert await end_stale_sessions(store, timedelta(hours=2)) == 2
    assert await end_stale_sessions(store, timedelta(hours=2)) == 0
    summaries = {each.id: each for each in await store.find_sessions()}
    assert [summaries[each].status for each in made] == ["ended", "ended", "active"]
    assert all((summaries[each].duration or 0) > 3000 for each in made[:2])


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


OwnTables = Callable[..., Awaitable[dict[str, Any]]]


@pytest.fixture
def own_tables(owner_url: str, other_program: Program) -> OwnTables:
    """What makes the tables of a recipe, on a cluster beside the store's, and returns what it defines."""

    async def make(recipe: str, *, distributed: bool = True) -> dict[str, Any]:
        names = await program(recipe)
        engine = create_engine(make_url(owner_url).set(drivername="postgresql+psycopg"))
        names["Base"].metadata.create_all(engine)
        engine.dispose()
        for table in names["Base"].metadata.tables:
            other_program.execute(f"GRANT ALL ON {table} TO PUBLIC".encode())
            if distributed and is_on_a_cluster(other_program):
                other_program.execute(
                    "SELECT create_distributed_table(%s, 'session_id',"
                    " colocate_with => 'livetranslate.sessions')",
                    [table],
                )
        other_program.commit()
        return names

    return make


def rows_in(owner: Program, table: str) -> int:
    [count] = owner.execute(f"SELECT count(*) FROM {table}".encode()).fetchone() or (0,)
    owner.rollback()
    return int(count)


async def test_notes_and_summaries_are_found_and_deleted_with_their_meeting(
    store: Store, session_id: UUID, own_tables: OwnTables, other_program: Program
) -> None:
    names = await own_tables("notes")
    transcript_id = (
        await store.record_segment(session_id, transcript=transcript(), translations=[translation("Hola.")])
    ).transcript_id
    await names["annotate"](store, session_id, transcript_id, "ana", "Ask for the budget")
    with pytest.raises(MissingReferenceError):
        await names["annotate"](store, session_id, UUID(int=0), "ana", "nowhere")
    for words in ("A first draft", "The budget was agreed on"):
        await names["summarize"](store, session_id, "en", words)
    [note] = await names["notes_of"](store, session_id)
    assert (note.author, note.transcript.text) == ("ana", "Good morning.")
    assert [each.text for each in note.transcript.translations] == ["Hola."]
    found = await names["find"](store, "budget -nothing")
    assert sorted(text for _, _, text in found) == ["Ask for the budget", "The budget was agreed on"]
    assert {session for session, _, _ in found} == {session_id}
    assert await names["find"](store, "draft") == []
    async with store.unit_of_work() as uow:
        await uow.transcripts.delete(session_id, transcript_id)
    assert (rows_in(other_program, "notes"), rows_in(other_program, "summaries")) == (0, 1)
    async with store.unit_of_work() as uow:
        await uow.sessions.delete(session_id)
    assert rows_in(other_program, "summaries") == 0


async def test_participants_join_leave_and_come_back(
    store: Store, session_id: UUID, own_tables: OwnTables, other_program: Program
) -> None:
    names = await own_tables("participants")
    async with store.read() as reader:
        began = (await reader.sessions.get(session_id)).started_at

    def at(seconds: float) -> datetime:
        return began + timedelta(seconds=seconds)

    for _ in range(2):  # events come twice
        await names["joined"](store, session_id, "1", "Ana", at(-10.0))
        await names["joined"](store, session_id, "2", "Bo", at(-5.0))
        await names["left"](store, session_id, "1", at(-4.0))
    await names["joined"](store, session_id, "1", "Ana", at(-2.0))
    seconds = (-11.0, -10.0, -4.5, -4.0, -2.0, 3600.0)
    present = [list(await names["present"](store, session_id, each)) for each in seconds]
    assert present == [[], ["Ana"], ["Ana", "Bo"], ["Bo"], ["Ana", "Bo"], ["Ana", "Bo"]]
    await names["end"](store, session_id)
    assert await names["present"](store, session_id, 3600.0) == []
    assert rows_in(other_program, "participants") == 3
    with pytest.raises(NotFoundError):
        await names["end"](store, UUID(int=0))
    async with store.unit_of_work() as uow:
        await uow.sessions.delete(session_id)
    assert rows_in(other_program, "participants") == 0


async def test_a_message_exists_if_its_segment_does(
    store: Store, session_id: UUID, own_tables: OwnTables, other_program: Program
) -> None:
    names = await own_tables("outbox", distributed=False)
    for text in ("Good", "Good morning.", "Good morning."):
        await names["record"](store, session_id, transcript(text, segment_key="1"))
    assert rows_in(other_program, "outbox") == 2
    with pytest.raises(MissingReferenceError):
        await names["record"](store, UUID(int=0), transcript())
    assert rows_in(other_program, "outbox") == 2


async def test_two_workers_send_each_message_once(
    store: Store, database_url: str, session_id: UUID, own_tables: OwnTables, other_program: Program
) -> None:
    names = await own_tables("outbox", distributed=False)
    for number in range(30):
        await names["record"](store, session_id, transcript(f"{number}", segment_key=f"{number}"))
    sent: dict[str, list[int]] = {"a": [], "b": []}
    both = asyncio.Barrier(2)

    async def work(worker: str, own: Store) -> None:
        async def send(message: Any) -> None:
            if not sent[worker]:
                await both.wait()  # each has a message at the same time
            sent[worker].append(message.id)

        while await names["send_next"](own, send):
            pass

    async with Store.open(database_url, min_connections=0) as other, asyncio.timeout(60):
        await asyncio.gather(work("a", store), work("b", other))
    assert len({*sent["a"], *sent["b"]}) == len(sent["a"] + sent["b"]) == 30
    assert sent["a"]
    assert sent["b"]
    assert rows_in(other_program, "outbox") == 0


#: What follows the recipe in the process of a worker that stops within a message.
DYING = """
SECONDS_TO_SEND = 600.0
async def hang(message):
    print(message.id, flush=True)
    await asyncio.sleep(600)

async def main():
    async with Store.open(min_connections=0) as store:
        await send_next(store, hang)

asyncio.run(main())
"""


@pytest.mark.usefixtures("environment")
async def test_the_message_of_a_worker_that_was_killed_is_sent_by_another_one(
    store: Store, session_id: UUID, own_tables: OwnTables, tmp_path: Path
) -> None:
    names = await own_tables("outbox", distributed=False)
    for number in range(3):
        await names["record"](store, session_id, transcript(f"{number}", segment_key=f"{number}"))
    (block,) = [each for each in blocks_of(ROOT / "docs" / "recipes.md") if each.name == "outbox"]
    (tmp_path / "worker.py").write_text(block.text + DYING, encoding="utf-8")
    worker = await asyncio.create_subprocess_exec(
        *(sys.executable, "worker.py"), cwd=tmp_path, stdout=asyncio.subprocess.PIPE
    )
    assert worker.stdout is not None
    async with asyncio.timeout(60):
        held = int(await worker.stdout.readline())
    sent: list[int] = []

    async def send(message: Any) -> None:
        sent.append(message.id)

    async with asyncio.timeout(30):
        while await names["send_next"](store, send):
            pass
    assert (len(sent), held in sent) == (2, False)
    worker.kill()
    await worker.wait()
    async with asyncio.timeout(60):
        while not await names["send_next"](store, send):
            await asyncio.sleep(0.01)  # until the server has seen that the connection is gone
    assert (len(sent), sent[-1]) == (3, held)
    assert not await names["send_next"](store, send)


async def test_a_message_that_was_refused_is_sent_later(
    store: Store, session_id: UUID, own_tables: OwnTables, other_program: Program
) -> None:
    names = await own_tables("outbox", distributed=False)
    await names["record"](store, session_id, transcript())

    async def refuse(_message: Any) -> None:
        raise ZeroDivisionError

    assert await names["send_next"](store, refuse) is True
    assert await names["send_next"](store, refuse) is False
    assert other_program.execute("SELECT attempts, due > now() FROM outbox").fetchall() == [(1, True)]
    other_program.execute("UPDATE outbox SET due = now()")
    other_program.commit()
    sent = asyncio.Event()

    async def send(_message: Any) -> None:
        sent.set()

    working = asyncio.create_task(names["work"](store, send, every=0.01))
    async with asyncio.timeout(30):
        await sent.wait()
        while rows_in(other_program, "outbox"):
            await asyncio.sleep(0.01)
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)


async def test_the_store_and_the_application_migrate_side_by_side(
    owner_url: str, other_program: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (block,) = [each for each in blocks_of(ROOT / "docs" / "recipes.md") if each.name == "env"]
    # As the store takes it, without a driver.
    plain = make_url(owner_url).set(drivername="postgresql").render_as_string(hide_password=False)
    monkeypatch.setenv("LIVETRANSLATE_DATABASE_URL", plain)
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
