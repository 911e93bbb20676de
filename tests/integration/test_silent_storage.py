"""An object store that accepts calls and does not answer: every call ends in time, and holds up no other."""

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from time import monotonic
from typing import Any
from uuid import UUID

import pytest
from helpers.silent_peers import Manner, silent_peer
from helpers.support import audio, transcript, until
from helpers.wavs import in_pieces
from sqlalchemy import text

from livetranslate_store import (
    SegmentInput,
    Store,
    StoreError,
    StoreUnavailableError,
    WriteRejectedError,
)
from livetranslate_store.audio import lane
from livetranslate_store.audio.storage import AudioStorage
from livetranslate_store.audio.upload import PART_BYTES, Upload
from livetranslate_store.exchange.backup import backup_session
from livetranslate_store.exchange.restore import restore_session

STORAGE_SECONDS = 1.0
# A call asks the storage up to four times, and the tests share a machine.
CALL_SECONDS = 4 * STORAGE_SECONDS + 2.0
LEAVE_SECONDS = 2.0


@asynccontextmanager
async def store_with(
    manner: Manner, database_url: str, monkeypatch: pytest.MonkeyPatch, **settings: Any
) -> AsyncIterator[Store]:
    async with silent_peer(manner) as port:
        for name, value in {
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": "us-east-1",
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
            "AWS_ALLOW_HTTP": "true",
        }.items():
            monkeypatch.setenv(name, value)
        given = {"storage_timeout": STORAGE_SECONDS, "min_connections": 1, **settings}
        async with Store.open(database_url, audio_url="s3://bucket/audio", **given) as store:
            yield store


async def new_session(store: Store) -> UUID:
    async with store.unit_of_work() as uow:
        return (await uow.sessions.create(bot_id="b", meeting_id="m")).id


def claimed(store: Store) -> None:
    """Skip the question whose the storage is, so that the put itself meets the peer."""
    store._storage._claimed = True


async def record(store: Store, session_id: UUID) -> None:
    await store.record_segment(session_id, transcript=transcript(), audio=audio())


async def put(store: Store, session_id: UUID) -> None:
    claimed(store)
    await record(store, session_id)


async def in_a_unit(store: Store, session_id: UUID) -> None:
    claimed(store)
    async with store.unit_of_work() as uow:
        await uow.audio_files.add(session_id, audio())


async def imported(store: Store, session_id: UUID) -> None:
    claimed(store)
    spoken = transcript(segment_key="k")
    await store.import_segments(
        SegmentInput(session_id=session_id, transcript=spoken, audio=audio(start_time=float(n)))
        for n in range(3)
    )


async def streamed(store: Store, session_id: UUID) -> None:
    claimed(store)
    await store.record_audio(session_id, in_pieces(bytes(PART_BYTES + 1), 1_000_000), format="wav")


async def read_in_pieces(store: Store, _session_id: UUID) -> None:
    session_id = await session_with_a_recording(store)
    async for _ in (await store.open_session_audio(session_id)).stream():
        pass


async def read(store: Store, session_id: UUID) -> None:
    await store._storage.get(f"{session_id}/a/b", size_bytes=1, sha256="")


async def swept(store: Store, _session_id: UUID) -> None:
    await store.sweep_audio(older_than=timedelta())


async def listed(store: Store, session_id: UUID) -> None:
    async for _ in store._storage.list(session_id):
        pass


async def session_with_a_recording(store: Store) -> UUID:
    """Return a session with the row of a recording, whose bytes nobody can ask for."""
    session_id = await new_session(store)
    staged = await store._storage.stage(session_id, audio())
    async with store.unit_of_work() as uow:
        await uow.audio_files._write_row(session_id, staged)
    return session_id


async def backed_up(store: Store, _session_id: UUID) -> None:
    async for _ in backup_session(store, await session_with_a_recording(store)):
        pass


async def restored(store: Store, _session_id: UUID) -> None:
    session_id = await session_with_a_recording(store)
    lines = [line async for line in backup_session(store, session_id, audio=False)]
    async with store.unit_of_work() as uow:
        await uow.session.execute(
            text(f"DELETE FROM livetranslate.audio_files WHERE session_id = '{session_id}'")
        )

    async def each() -> AsyncIterator[bytes]:
        for line in lines:
            yield line

    await restore_session(store, each())


Call = Callable[[Store, UUID], Awaitable[None]]
CALLS: tuple[Call, ...] = (
    record,
    put,
    in_a_unit,
    imported,
    streamed,
    read_in_pieces,
    read,
    swept,
    listed,
    backed_up,
    restored,
)


@pytest.mark.parametrize("manner", Manner)
async def test_every_call_ends_in_time_with_a_transient_error_and_gives_everything_back(
    manner: Manner, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with store_with(manner, database_url, monkeypatch) as store:
        session_id = await new_session(store)

        async def timed(call: Call) -> float:
            began = monotonic()
            with pytest.raises(StoreUnavailableError, match="audio storage") as raised:
                await call(store, session_id)
            assert raised.value.is_transient, call.__name__
            return monotonic() - began

        took = await asyncio.gather(*map(timed, CALLS))
        assert max(took) < CALL_SECONDS
        now = store.statistics()
        assert now.gate.in_flight == now.gate.waiting == now.pool.in_use == 0


@pytest.mark.parametrize("call", CALLS)
async def test_a_cancelled_caller_leaves_within_two_seconds(
    call: Call, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with store_with(Manner.SILENT, database_url, monkeypatch, storage_timeout=60.0) as store:
        session_id = await new_session(store)
        task = asyncio.ensure_future(call(store, session_id))
        await asyncio.sleep(0.3)
        began = monotonic()
        task.cancel()
        await asyncio.wait([task])
        assert monotonic() - began < LEAVE_SECONDS + 0.5
        assert task.cancelled()
        assert store.statistics().gate.in_flight == store.statistics().pool.in_use == 0


async def test_hanging_audio_holds_no_slot_and_no_text_waits_for_it(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = {
        "storage_timeout": 60.0,
        "max_concurrent_writes": 1,
        "write_timeout": 2.0,
        "close_timeout": 0.5,
    }
    async with store_with(Manner.SILENT, database_url, monkeypatch, **settings) as store:
        session_id = await new_session(store)
        claimed(store)
        hanging = [asyncio.create_task(record(store, session_id)) for _ in range(lane.THREADS + 5)]
        await asyncio.sleep(0.2)
        for number in range(20):
            await store.record_segment(session_id, transcript=transcript(f"{number}"))
        assert store.statistics().gate.rejected == 0
        assert not any(each.done() for each in hanging)
        began = monotonic()
    # Closing cuts them off.
    assert monotonic() - began < 5.0
    errors = await asyncio.gather(*hanging, return_exceptions=True)
    assert {type(each) for each in errors} == {StoreUnavailableError}
    assert {str(each) for each in errors} == {"The store closed before the audio storage answered."}


async def test_audio_that_waits_for_its_storage_takes_bounded_memory(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = {"storage_timeout": 60.0, "max_waiting_bytes": 10, "close_timeout": 0.1}
    async with store_with(Manner.SILENT, database_url, monkeypatch, **settings) as store:
        session_id = await new_session(store)
        claimed(store)
        hanging = [asyncio.create_task(record(store, session_id)) for _ in range(lane.THREADS + 2)]
        await asyncio.sleep(0.2)
        # Two chunks of four bytes wait; a third finds no room.
        with pytest.raises(WriteRejectedError, match="8 bytes of audio wait"):
            await record(store, session_id)
    await asyncio.gather(*hanging, return_exceptions=True)


async def test_many_probes_of_a_storage_that_hangs_take_one_place(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with store_with(Manner.SILENT, database_url, monkeypatch, storage_timeout=60.0) as store:
        answers = await asyncio.gather(*(store.health(time_limit=0.3) for _ in range(40)))
        assert {health.problems["storage"] for health in answers} == {"No answer within 0.3 s."}
        objects = store._storage._configured
        assert objects is not None
        assert objects._lane._places._value == lane.THREADS - 1


async def test_a_late_put_removes_its_object(
    store: Store, session_id: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The thread goes on when its caller has left.
    goes_on = threading.Event()
    objects = store._storage._configured
    assert objects is not None
    real = objects._store.put

    class Slow:
        def put(self, key: str, data: bytes) -> None:
            goes_on.wait(10)
            real(key, data)

        def __getattr__(self, name: str) -> Any:
            return getattr(original, name)

    original = objects._store
    await record(store, session_id)
    before = await keys(store._storage, session_id)
    monkeypatch.setattr(objects, "_store", Slow())
    task = asyncio.create_task(record(store, session_id))
    await asyncio.sleep(0.1)
    task.cancel()
    await asyncio.wait([task])
    goes_on.set()
    await until(lambda: objects._lane._places._value == lane.THREADS)
    assert await keys(store._storage, session_id) == before
    with pytest.raises(StoreError):
        await store.read_audio(session_id, session_id)


async def test_a_late_end_of_an_upload_removes_its_object(
    store: Store, session_id: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    goes_on, is_closing = threading.Event(), threading.Event()
    objects = store._storage._configured
    assert objects is not None

    class Slow:
        """A writer that refuses a second end while the first one takes its time."""

        def __init__(self, writer: Any) -> None:
            self._writer = writer

        def write(self, part: bytes) -> None:
            self._writer.write(part)

        def close(self) -> None:
            if is_closing.is_set():
                raise OSError("Writer already closed.")
            is_closing.set()
            goes_on.wait(10)
            self._writer.close()

    upload = objects.upload

    def slowly(key: str) -> Upload:
        made = upload(key)
        open_writer = made._open_writer
        made._open_writer = lambda key: Slow(open_writer(key))  # type: ignore[assignment, return-value]
        return made

    await record(store, session_id)
    before = await keys(store._storage, session_id)
    monkeypatch.setattr(objects, "upload", slowly)
    task = asyncio.create_task(streamed(store, session_id))
    await until(is_closing.is_set)
    task.cancel()
    await asyncio.wait([task])
    goes_on.set()
    await until(lambda: objects._lane._places._value == lane.THREADS)
    assert await keys(store._storage, session_id) == before


async def keys(storage: AudioStorage, session_id: UUID) -> list[str]:
    return [stored.key async for batch in storage.list(session_id) for stored in batch]
