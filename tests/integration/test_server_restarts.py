"""A server that goes and comes back: what may be repeated survives it, nothing is stored partly or twice."""

import asyncio
import os
import shutil
import signal
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from time import monotonic
from typing import Any
from uuid import UUID

import psycopg
import pytest
from helpers.stored import objects
from helpers.support import audio, transcript, translation, until

from livetranslate_store import (
    OutcomeUnknownError,
    SegmentInput,
    SegmentReceipt,
    Store,
    StoreUnavailableError,
    UnitOfWork,
)
from livetranslate_store.embedded.server import DATABASE, EmbeddedServer
from livetranslate_store.schema.upgrade import upgrade

pytestmark = pytest.mark.slow


class Server:
    """A server of these tests' own, which they stop, start and kill."""

    def __init__(self, folder: Path) -> None:
        self.embedded = EmbeddedServer(folder)
        self.embedded.start()
        upgrade(self.embedded.url)

    @property
    def url(self) -> str:
        return self.embedded.url

    async def stop(self) -> None:
        await asyncio.to_thread(self.embedded.stop)

    async def start(self) -> None:
        await asyncio.to_thread(self.embedded.start)

    def kill(self) -> None:
        """Kill it as a crash would; whoever looks after it starts it again at once."""
        pid = (self.embedded.folder / "data" / "postmaster.pid").read_text().split("\n", 1)[0]
        os.kill(int(pid), signal.SIGKILL)


@pytest.fixture(scope="module")
def one_server() -> Iterator[Server]:
    folder = Path(tempfile.mkdtemp(prefix="livetranslate-restart-"))
    folder.chmod(0o755)
    server = Server(folder / "server")
    yield server
    server.embedded.stop()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
async def server(one_server: Server) -> AsyncIterator[Server]:
    yield one_server
    await one_server.start()
    # The next test keeps its audio in another folder, where these recordings would be missing.
    embedded = one_server.embedded
    with psycopg.connect(
        host=str(embedded.host), port=embedded.port, user="postgres", dbname=DATABASE
    ) as owner:
        owner.execute("TRUNCATE livetranslate.sessions CASCADE")


@pytest.fixture
def settings(server: Server, audio_folder: Path) -> dict[str, Any]:
    return {
        "database_url": server.url,
        "audio_url": f"file:{audio_folder}",
        "min_connections": 1,
        "max_connections": 8,
    }


async def session_in(store: Store) -> UUID:
    async with store.unit_of_work() as uow:
        return (await uow.sessions.create(bot_id="bot-7", meeting_id="abc-defg-hij")).id


class Load:
    """Twenty writers and a reader, until it is enough."""

    def __init__(self, store: Store, session_id: UUID) -> None:
        self.store = store
        self.session_id = session_id
        self.acknowledged: list[str] = []
        self.enough = False

    async def write(self, writer: int) -> None:
        number = 0
        while not self.enough:
            key = f"{writer}-{number}"
            receipt = await self.store.record_segment(
                self.session_id,
                transcript=transcript(key, segment_key=key),
                translations=[translation()],
                audio=audio(key.encode()),
            )
            japanese = translation(target_language="ja")
            await self.store.add_translation(self.session_id, receipt.transcript_id, japanese)
            self.acknowledged.append(key)
            number += 1

    async def read(self) -> None:
        while not self.enough:
            await self.store.timeline(self.session_id, limit=10)
            await asyncio.sleep(0.01)

    async def some_more(self) -> None:
        enough = len(self.acknowledged) + 50
        await until(lambda: len(self.acknowledged) > enough)


async def test_writes_and_reads_survive_a_crash_of_the_server_under_load(
    server: Server, settings: dict[str, Any], audio_folder: Path
) -> None:
    async with Store.open(**settings) as store:
        load = Load(store, await session_in(store))
        # Whoever met an error would end the group.
        async with asyncio.TaskGroup() as tasks:
            for writer in range(20):
                tasks.create_task(load.write(writer))
            tasks.create_task(load.read())
            await load.some_more()
            for _ in range(2):
                server.kill()
                await load.some_more()
            load.enough = True

        entries = await store.timeline(load.session_id)
        spoken = [entry for entry in entries if entry.kind == "transcript"]
        assert sorted(entry.text for entry in spoken) == sorted(load.acknowledged)
        assert len(entries) == 3 * len(spoken)
        assert len(objects(audio_folder)) == len(spoken)
        async with store.read() as reader:
            stored = await reader.transcripts.list_for_session(load.session_id)
        for each in stored[:: len(stored) // 20]:
            assert each.audio_file_id is not None
            assert await store.read_audio(load.session_id, each.audio_file_id) == each.text.encode()
        now = store.statistics()
        assert now.retries.recovered > 0
        assert now.retries.exhausted == now.breakers.writes.opened == now.breakers.reads.opened == 0
        assert now.gate.failed == now.gate.in_flight == now.pool.in_use == 0


async def test_everything_that_may_be_repeated_waits_for_a_server_that_is_down(
    server: Server, settings: dict[str, Any]
) -> None:
    async with Store.open(**settings) as store:
        session_id = await session_in(store)
        first = await store.record_segment(session_id, transcript=transcript("first"))
        await server.stop()

        async def in_a_unit(uow: UnitOfWork) -> UUID:
            receipt = await uow.transcripts.add(session_id, transcript("unit", segment_key="unit"))
            return receipt.transcript_id

        imported = SegmentInput(
            session_id=session_id, transcript=transcript("imported", segment_key="imported"), audio=audio()
        )
        calls: list[asyncio.Future[Any]] = [
            asyncio.ensure_future(call)
            for call in (
                store.record_segment(session_id, transcript=transcript("recorded"), audio=audio(b"2")),
                store.add_translation(session_id, first.transcript_id, translation()),
                store.import_segments([imported]),
                store.run_in_unit_of_work(in_a_unit),
                store.timeline(session_id),
            )
        ]
        await until(lambda: store.statistics().retries.repeated > 20)
        assert not any(call.done() for call in calls)
        await server.start()
        began = monotonic()
        recorded, _, report, unit, timeline = await asyncio.gather(*calls)
        assert monotonic() - began < 5
        assert recorded.outcome == "inserted"
        assert report.transcripts.inserted == 1
        assert timeline[0].text == "first"
        texts = {entry.text for entry in await store.timeline(session_id, kinds=["transcript"])}
        assert texts == {"first", "recorded", "imported", "unit"}
        async with store.read() as reader:
            assert (await reader.transcripts.get(session_id, unit)).text == "unit"


async def test_a_call_gives_up_when_its_time_is_up_and_leaves_no_object(
    server: Server, settings: dict[str, Any], audio_folder: Path
) -> None:
    async with Store.open(**settings, retry_timeout=0.5) as store:
        session_id = await session_in(store)
        await store.record_segment(session_id, transcript=transcript(), audio=audio(b"before"))
        await server.stop()
        results = await asyncio.gather(
            *(
                store.record_segment(session_id, transcript=transcript(), audio=audio(bytes([n])))
                for n in range(60)
            ),
            return_exceptions=True,
        )
        assert {type(result) for result in results} <= {StoreUnavailableError, OutcomeUnknownError}
        # Sixty writers are a few groups, and each was a failure or two.
        assert store.statistics().retries.exhausted <= 10
        with pytest.raises(StoreUnavailableError):
            await store.timeline(session_id)
        if {type(result) for result in results} == {StoreUnavailableError}:
            assert len(objects(audio_folder)) == 1
        assert store.statistics().gate.in_flight == 0


async def test_a_cancelled_caller_leaves_the_repetition_at_once_and_takes_its_object_along(
    server: Server, settings: dict[str, Any], audio_folder: Path
) -> None:
    async with Store.open(**settings) as store:
        session_id = await session_in(store)
        await store.record_segment(session_id, transcript=transcript(), audio=audio(b"before"))
        await server.stop()
        tasks = [
            asyncio.create_task(
                store.record_segment(session_id, transcript=transcript(), audio=audio(bytes([n])))
            )
            for n in range(10)
        ]
        await until(lambda: store.statistics().retries.repeated > 3 and len(objects(audio_folder)) == 11)
        for task in tasks:
            task.cancel()
        async with asyncio.timeout(1):
            await asyncio.wait(tasks)
        assert all(task.cancelled() for task in tasks)
        assert len(objects(audio_folder)) == 1
        assert store.statistics().gate.in_flight == 0


async def test_the_breaker_opens_while_the_server_is_away_and_closes_when_it_is_back(
    server: Server, settings: dict[str, Any], audio_folder: Path
) -> None:
    async with Store.open(**settings, retry_timeout=60, breaker_timeout=1) as store:
        session_id = await session_in(store)
        await server.stop()
        began = monotonic()
        # It was to be repeated for a minute: the breaker ends that.
        with pytest.raises(StoreUnavailableError, match="unreachable for writes since"):
            await store.record_segment(session_id, transcript=transcript())
        assert 1 <= monotonic() - began < 10
        now = store.statistics().breakers
        assert now.writes.state == "open"
        assert now.reads.state == "closed"
        with pytest.raises(StoreUnavailableError, match="refused until the next probe"):
            await store.record_segment(session_id, transcript=transcript(), audio=audio())
        assert len(objects(audio_folder)) == 0

        await server.start()
        receipt: SegmentReceipt | None = None
        async with asyncio.timeout(5):
            while receipt is None:
                try:
                    receipt = await store.record_segment(session_id, transcript=transcript("back"))
                except StoreUnavailableError:
                    await asyncio.sleep(0.05)
        assert store.statistics().breakers.writes.state == "closed"
        assert [entry.text for entry in await store.timeline(session_id)] == ["back"]
