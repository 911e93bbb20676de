"""Bulk import: bounded memory, and live writers beside it."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest
from helpers.imports import bare, many, nothing, segment
from helpers.support import audio, transcript

from livetranslate_store import (
    ImportProgress,
    SegmentInput,
    Store,
)
from livetranslate_store.writing.bulk import batch as bulk_batch

pytestmark = pytest.mark.slow


async def test_memory_is_bounded_by_two_batches_whatever_the_length(
    store: Store, session_id: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk_batch, "BATCH_SEGMENTS", 2_000)
    produced = done = most = 0

    def source() -> Iterator[SegmentInput]:
        nonlocal produced, most
        for n in range(50_000):
            produced += 1
            most = max(most, produced - done)
            yield bare(session_id, f"seg-{n}")

    def progress(reached: ImportProgress) -> None:
        nonlocal done
        done = reached.segments

    report = await store.import_segments(source(), progress=progress)
    assert report.transcripts.inserted == 50_000
    # One is stored while one is read.
    assert most <= 2 * 2_000


async def test_large_recordings_fill_a_batch_sooner(
    store: Store, session_id: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk_batch, "BATCH_BYTES", 100_000)
    seen: list[int] = []
    source = (segment(session_id, f"{n}", audio=audio(bytes([n]) * 60_000)) for n in range(5))
    await store.import_segments(source, progress=lambda done: seen.append(done.segments))
    assert seen == [2, 4, 5]


async def test_an_import_leaves_the_cache_to_the_live_writers(store: Store, session_id: UUID) -> None:
    receipt = await store.record_segment(session_id, transcript=transcript())
    await store.import_segments(many(session_id, 20))
    await store.import_segments(many(session_id, 20))
    assert store.statistics().cache.size == 1
    assert await store.cache.get_many([(session_id, receipt.transcript_id)], nothing)


async def test_live_writers_go_on_during_an_import(
    database_url: str, audio_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk_batch, "BATCH_SEGMENTS", 200)
    async with Store.open(
        database_url, audio_url=f"file:{audio_folder}", min_connections=1, max_connections=3
    ) as store:
        async with store.unit_of_work() as uow:
            session = await uow.sessions.create(bot_id="b", meeting_id="m")
        store.gate.limit = 2
        most = 0
        source = [bare(session.id, f"seg-{n}") for n in range(4_000)]

        def progress(_: ImportProgress) -> None:
            nonlocal most
            most = max(most, store.statistics().gate.in_flight)

        task = asyncio.create_task(store.import_segments(source, progress=progress))
        written = 0
        while not task.done():
            await store.record_segment(session.id, transcript=transcript(f"live {written}"))
            written += 1
        assert (await task).transcripts.inserted == 4_000
        assert written >= 20
        assert most <= 2
        assert len(await store.timeline(session.id)) == 4_000 + written
