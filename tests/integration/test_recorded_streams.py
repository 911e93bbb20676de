"""Recordings that come as streams: in bounded memory, and nothing is left of those that fail."""

import asyncio
import random
import tracemalloc
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID

import boto3  # type: ignore[import-untyped]  # it has no types of its own
import pytest
from helpers.stored import BUCKET, Program, objects
from helpers.support import audio, counts, transcript, until
from helpers.wavs import in_pieces

from livetranslate_store import (
    AudioReceipt,
    ConflictError,
    InvalidInputError,
    MissingReferenceError,
    Outcome,
    OutcomeUnknownError,
    Store,
    StoreUnavailableError,
)
from livetranslate_store.audio.storage import STREAMED, AudioStorage
from livetranslate_store.audio.upload import PART_BYTES
from livetranslate_store.database.transaction import Transaction
from livetranslate_store.ids import new_id
from livetranslate_store.writing.protocol import write_rows

#: Two whole parts and the beginning of a third.
LONG = random.Random(1).randbytes(2 * PART_BYTES + 12_345)
LIMIT = len(LONG)
NOW = timedelta()


@pytest.fixture
async def store(database_url: str, audio_url: str) -> AsyncIterator[Store]:
    async with Store.open(
        database_url,
        audio_url=audio_url,
        min_connections=1,
        max_concurrent_writes=1,
        max_streamed_audio_bytes=LIMIT,
    ) as opened:
        yield opened


async def left(storage: AudioStorage, audio_url: str) -> list[str]:
    """Return what the storage holds, uploads that are not complete included."""
    found = [stored.key async for batch in storage.list() for stored in batch]
    if audio_url.startswith("s3:"):
        prefix = audio_url.removeprefix(f"s3://{BUCKET}/")
        uploads = await asyncio.to_thread(boto3.client("s3").list_multipart_uploads, Bucket=BUCKET)
        return found + [each["Key"] for each in uploads.get("Uploads", []) if each["Key"].startswith(prefix)]
    assert sorted(found) == objects(Path(audio_url.removeprefix("file:")))
    return found


def nothing_is_held(store: Store) -> bool:
    figures = store.statistics()
    return figures.pool.in_use == figures.gate.in_flight == figures.gate.waiting == 0


@pytest.mark.parametrize("size", [1, 1000, PART_BYTES, LIMIT])
async def test_a_stream_comes_back_as_it_was_sent(store: Store, session_id: UUID, size: int) -> None:
    data = LONG[:size]
    receipt = await store.record_audio(
        session_id, in_pieces(data, 999_999), format="flac", start_time=1.5, metadata={"take": 1}
    )
    assert receipt.outcome is Outcome.INSERTED
    assert await store.read_audio(session_id, receipt.audio_file_id) == data
    async with store.read(min_position=receipt.position) as reader:
        row = await reader.audio_files.get(session_id, receipt.audio_file_id)
    assert (row.size_bytes, row.sha256) == (size, sha256(data).hexdigest())
    assert (row.format, row.start_time, row.metadata_) == ("flac", 1.5, {"take": 1})


async def test_the_same_recording_is_one_audio_file_as_a_stream_or_in_one_piece(
    store: Store, storage: AudioStorage, audio_url: str, session_id: UUID
) -> None:
    async def streamed(data: bytes, start: float) -> AudioReceipt:
        return await store.record_audio(session_id, in_pieces(data, 7), format="wav", start_time=start)

    async def at_once(data: bytes, start: float) -> AudioReceipt:
        async with store.unit_of_work() as uow:
            return await uow.audio_files.add(session_id, audio(data, start_time=start))

    for first in (streamed, at_once):
        data = first.__name__.encode()
        stored = await first(data, 1.0)
        for again in (streamed, at_once):
            receipt = await again(data, 1.0)
            assert (receipt.audio_file_id, receipt.outcome) == (stored.audio_file_id, Outcome.UNCHANGED)
            assert (await again(data, 2.0)).audio_file_id != stored.audio_file_id
        assert await store.read_audio(session_id, stored.audio_file_id) == data
    assert len(await left(storage, audio_url)) == 4


async def failing() -> AsyncIterator[bytes]:
    yield LONG
    raise ZeroDivisionError("the recorder broke")


async def with_words() -> AsyncIterator[Any]:
    yield LONG
    yield "text"


@pytest.mark.parametrize(
    "refused",
    [
        (failing, ZeroDivisionError, "the recorder broke"),
        (with_words, InvalidInputError, "must be bytes, not str"),
        (lambda: in_pieces(b"", 1), InvalidInputError, "is empty"),
        (lambda: in_pieces(LONG + b"x", 999_999), InvalidInputError, rf"more than {LIMIT:,} .*max_streamed"),
        (lambda: LONG, InvalidInputError, "pieces must be of AsyncIterable, not bytes"),
    ],
    ids=["its own error", "no bytes", "empty", "too large", "no stream"],
)
async def test_a_stream_that_fails_leaves_nothing(
    store: Store,
    storage: AudioStorage,
    audio_url: str,
    session_id: UUID,
    refused: tuple[Callable[[], Any], type[Exception], str],
) -> None:
    pieces, error, message = refused
    with pytest.raises(error, match=message):
        await store.record_audio(session_id, pieces(), format="wav")
    assert await left(storage, audio_url) == []
    async with store.read() as reader:
        assert await reader.audio_files.list_for_session(session_id) == []
    assert nothing_is_held(store)


async def test_wrong_facts_and_a_missing_session_are_refused_before_the_first_piece(
    store: Store, session_id: UUID
) -> None:
    async def untouched() -> AsyncIterator[bytes]:
        pytest.fail("no piece is needed to know it")
        yield b""

    wrong: dict[str, Any]
    for wrong in ({"start_time": 2.0, "end_time": 1.0}, {"status": "lost"}, {"channels": 0}):
        with pytest.raises(InvalidInputError):
            await store.record_audio(session_id, untouched(), format="wav", **wrong)
    with pytest.raises(InvalidInputError, match="session_id"):
        await store.record_audio("meet-42", untouched(), format="wav")  # type: ignore[arg-type]
    with pytest.raises(MissingReferenceError, match="no session"):
        await store.record_audio(new_id(), untouched(), format="wav")


async def test_a_session_that_is_deleted_meanwhile_leaves_nothing(
    store: Store, storage: AudioStorage, audio_url: str, session_id: UUID
) -> None:
    async def slow() -> AsyncIterator[bytes]:
        yield LONG
        async with store.unit_of_work() as uow:
            await uow.sessions.delete(session_id)

    with pytest.raises(MissingReferenceError, match="no session"):
        await store.record_audio(session_id, slow(), format="wav")
    assert await left(storage, audio_url) == []


async def test_a_slow_stream_holds_no_connection_and_no_slot(store: Store, session_id: UUID) -> None:
    goes_on, is_sent = asyncio.Event(), asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield LONG
        is_sent.set()
        await goes_on.wait()

    recording = asyncio.create_task(store.record_audio(session_id, slow(), format="wav"))
    await is_sent.wait()
    # The gate has one slot: these writes have it.
    for n in range(3):
        await store.record_segment(session_id, transcript=transcript(), audio=audio(start_time=float(n)))
        figures = store.statistics()
        assert (figures.pool.in_use, figures.gate.in_flight) == (0, 0)
    assert not recording.done()
    goes_on.set()
    assert (await recording).outcome is Outcome.INSERTED


async def test_a_cancelled_stream_leaves_row_and_object_or_neither(
    store: Store, storage: AudioStorage, audio_url: str, session_id: UUID, other_program: Program
) -> None:
    for awaits in (*range(0, 40, 4), 100, 200, 400):
        pieces = in_pieces(LONG, 3_000_000)
        task = asyncio.create_task(
            store.record_audio(session_id, pieces, format="wav", start_time=float(awaits))
        )
        for _ in range(awaits):
            await asyncio.sleep(0 if awaits < 100 else 0.001)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert counts(other_program)["audio_files"] == len(await left(storage, audio_url))
    assert nothing_is_held(store)


async def test_a_transient_failure_of_the_row_does_not_take_the_object(
    store: Store, session_id: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    failures = [ConflictError(), StoreUnavailableError(transient=True)]

    async def failing_twice(*arguments: Any) -> Any:
        written = await write_rows(*arguments)
        if failures:
            raise failures.pop()
        return written

    monkeypatch.setattr("livetranslate_store.writing.recordings.write_rows", failing_twice)
    receipt = await store.record_audio(session_id, in_pieces(b"RIFF", 1), format="wav")
    assert (receipt.outcome, failures) == (Outcome.INSERTED, [])
    assert await store.read_audio(session_id, receipt.audio_file_id) == b"RIFF"


async def test_an_object_whose_row_may_exist_is_left_to_the_sweep(
    store: Store, storage: AudioStorage, audio_url: str, session_id: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    end = Transaction.end

    async def unheard(self: Any, *, commit: bool) -> None:
        await end(self, commit=commit)
        raise OutcomeUnknownError(transient=False)

    with monkeypatch.context() as patched:
        patched.setattr(Transaction, "end", unheard)
        with pytest.raises(OutcomeUnknownError):
            await store.record_audio(session_id, in_pieces(b"RIFF", 1), format="wav")
    (key,) = await left(storage, audio_url)
    again = await store.record_audio(session_id, in_pieces(b"RIFF", 1), format="wav")
    assert again.outcome is Outcome.UNCHANGED
    assert await left(storage, audio_url) == [key]
    assert await store.read_audio(session_id, again.audio_file_id) == b"RIFF"


async def test_the_sweep_keeps_streamed_recordings_and_removes_those_without_a_row(
    store: Store, storage: AudioStorage, audio_url: str, session_id: UUID
) -> None:
    receipt = await store.record_audio(session_id, in_pieces(b"RIFF", 1), format="wav")
    (kept,) = await left(storage, audio_url)
    orphans = [f"{session_id}/{STREAMED}/{new_id()}", f"{new_id()}/{STREAMED}/{new_id()}"]
    for orphan in orphans:
        await storage.put_bytes(orphan, b"what a crash left behind")
    report = await store.sweep_audio(older_than=NOW)
    assert (report.objects, report.orphans_removed, sorted(report.keys)) == (3, 2, sorted(orphans))
    assert await left(storage, audio_url) == [kept]
    assert await store.read_audio(session_id, receipt.audio_file_id) == b"RIFF"
    async with store.unit_of_work() as uow:
        await uow.sessions.delete(session_id)
    assert await left(storage, audio_url) == []


async def test_a_long_stream_takes_bounded_memory(database_url: str, audio_folder: Path) -> None:
    piece = bytes(1_000_000)

    async def long() -> AsyncIterator[bytes]:
        for _ in range(100):
            yield piece

    async with Store.open(database_url, audio_url=f"file:{audio_folder}", min_connections=1) as store:
        async with store.unit_of_work() as uow:
            session_id = (await uow.sessions.create(bot_id="b", meeting_id="m")).id
        tracemalloc.start()
        try:
            receipt = await store.record_audio(session_id, long(), format="raw")
            recording = await store.open_audio(session_id, receipt.audio_file_id)
            assert sum([len(each) async for each in recording.stream()]) == 100_000_000
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert peak < 6 * PART_BYTES


async def test_closing_waits_for_a_stream_and_cuts_it_off_in_the_end(
    database_url: str, audio_folder: Path
) -> None:
    goes_on = asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield LONG
        await goes_on.wait()

    async def opened_until_closed(*, end: bool) -> "asyncio.Task[AudioReceipt]":
        patience = 60 if end else 0.5
        url = f"file:{audio_folder}"
        async with Store.open(database_url, audio_url=url, close_timeout=patience) as store:
            async with store.unit_of_work() as uow:
                session_id = (await uow.sessions.create(bot_id="b", meeting_id="m")).id
            task = asyncio.create_task(store.record_audio(session_id, slow(), format="wav"))
            await until(lambda: any("#" in each for each in objects(audio_folder)))
            if end:
                asyncio.get_running_loop().call_later(0.1, goes_on.set)
        goes_on.set()
        return task

    assert (await (await opened_until_closed(end=True))).outcome is Outcome.INSERTED
    goes_on.clear()
    with pytest.raises(StoreUnavailableError, match="closed"):
        await (await opened_until_closed(end=False))
