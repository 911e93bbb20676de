"""Bulk import: it ends early without a half batch, and a later one goes on."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import UUID

import pytest
from helpers.imports import bare, many
from helpers.stored import Program, objects
from helpers.support import counts, until, waiting_for_a_lock

from livetranslate_store import (
    ImportCounts,
    ImportProgress,
    InvalidInputError,
    SegmentInput,
    Store,
    WriteRejectedError,
)

pytestmark = pytest.mark.slow


async def test_progress_tells_how_many_items_can_be_skipped(
    store: Store, session_id: UUID, other_program: Program, small_batches: int
) -> None:
    seen: list[tuple[int, int]] = []

    def progress(done: ImportProgress) -> None:
        seen.append((done.segments, counts(other_program)["transcripts"]))

    await store.import_segments(many(session_id, 35), progress=progress)
    assert seen == [(n, n) for n in (small_batches, 20, 30, 35)]


async def test_progress_has_the_whole_number_if_it_is_known(store: Store, session_id: UUID) -> None:
    seen: list[ImportProgress] = []
    source = many(session_id, 3)
    await store.import_segments(source, progress=seen.append)
    await store.import_segments(iter(source), progress=seen.append)
    await store.import_segments(iter(source), total=7, progress=seen.append)
    assert seen == [ImportProgress(3, 3), ImportProgress(3), ImportProgress(3, 7)]
    with pytest.raises(InvalidInputError, match="total"):
        await store.import_segments(source, total=-1)


async def test_a_source_that_fails_ends_the_import_and_the_rest_can_follow(
    store: Store, session_id: UUID, other_program: Program, audio_folder: Path, small_batches: int
) -> None:
    done = ImportProgress(0)

    def progress(reached: ImportProgress) -> None:
        nonlocal done
        done = reached

    def source() -> Iterator[SegmentInput]:
        yield from many(session_id, 25)
        raise OSError("the disk is gone")

    with pytest.raises(OSError, match="the disk is gone"):
        await store.import_segments(source(), progress=progress)
    assert (
        done.segments
        == counts(other_program)["transcripts"]
        == len(objects(audio_folder))
        == 2 * small_batches
    )
    report = await store.import_segments(many(session_id, 30)[done.segments :])
    assert report.transcripts == report.audio_files == ImportCounts(inserted=10)
    assert counts(other_program)["translations"] == len(objects(audio_folder)) == 30


async def test_a_progress_that_fails_ends_the_import_and_what_is_committed_stays(
    store: Store, session_id: UUID, other_program: Program, audio_folder: Path, small_batches: int
) -> None:
    def progress(_: ImportProgress) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await store.import_segments(many(session_id, 45), progress=progress)
    assert counts(other_program)["transcripts"] == len(objects(audio_folder)) == small_batches


@pytest.mark.usefixtures("small_batches")
@pytest.mark.parametrize("turns", range(0, 400, 23))
async def test_a_cancelled_import_leaves_whole_batches_and_nothing_else(
    store: Store, session_id: UUID, other_program: Program, audio_folder: Path, turns: int
) -> None:
    task = asyncio.create_task(store.import_segments(many(session_id, 60)))
    for _ in range(turns):
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    stored = counts(other_program)
    assert stored["transcripts"] % 10 == 0
    assert (
        stored["transcripts"] == stored["translations"] == stored["audio_files"] == len(objects(audio_folder))
    )
    assert store.statistics().gate.in_flight == store.statistics().pool.in_use == 0
    report = await store.import_segments(many(session_id, 60))
    assert report.transcripts.unchanged == stored["transcripts"]
    assert counts(other_program)["audio_files"] == len(objects(audio_folder)) == 60


@pytest.mark.usefixtures("small_batches")
@pytest.mark.parametrize("is_reading", [True, False])
async def test_an_import_that_waits_for_the_server_can_be_cancelled(
    store: Store, session_id: UUID, other_program: Program, audio_folder: Path, is_reading: bool
) -> None:
    async def source() -> AsyncIterator[SegmentInput]:
        for each in many(session_id, 15 if is_reading else 10):
            yield each
        if is_reading:
            await asyncio.Event().wait()

    other_program.execute("LOCK TABLE livetranslate.transcripts IN EXCLUSIVE MODE")
    task = asyncio.create_task(store.import_segments(source()))
    await until(lambda: waiting_for_a_lock(other_program))
    task.cancel()
    done, _ = await asyncio.wait([task], timeout=10)
    other_program.rollback()
    assert done
    assert task.cancelled()
    assert len(objects(audio_folder)) == counts(other_program)["transcripts"] == 0
    assert (await store.import_segments(many(session_id, 10))).transcripts.inserted == 10


async def test_a_gate_that_stays_full_ends_the_import(database_url: str) -> None:
    async with Store.open(database_url, min_connections=1, write_timeout=0.1) as store:
        store.gate.limit = 1
        async with store.unit_of_work() as uow:
            session = await uow.sessions.create(bot_id="b", meeting_id="m")
            with pytest.raises(WriteRejectedError):
                await store.import_segments([bare(session.id, "a")])
