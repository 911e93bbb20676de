"""Bulk import: broken connections, lost answers, a full storage, and other writers of the same rows."""

import asyncio
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from helpers.imports import bare, lose_the_answer, many
from helpers.stored import Program, objects
from helpers.support import counts, end_waiting_connections, until, waiting_for_a_lock

from livetranslate_store import (
    ImportCounts,
    OutcomeUnknownError,
    Store,
    StoreUnavailableError,
)
from livetranslate_store.ids import transcript_id_for

pytestmark = pytest.mark.slow


async def test_a_connection_that_breaks_before_the_commit_is_replaced_once(
    store: Store, session_id: UUID, other_program: Program, audio_folder: Path
) -> None:
    other_program.execute("LOCK TABLE livetranslate.transcripts IN EXCLUSIVE MODE")
    task = asyncio.create_task(store.import_segments(many(session_id, 10)))
    await until(lambda: end_waiting_connections(other_program))
    await until(lambda: waiting_for_a_lock(other_program))
    other_program.rollback()
    assert (await task).transcripts == ImportCounts(inserted=10)
    assert len(objects(audio_folder)) == 10


async def test_a_database_that_goes_ends_the_import_and_what_is_committed_stays(
    store: Store, session_id: UUID, other_program: Program, audio_folder: Path
) -> None:
    store._database.retries.stop()
    await store.import_segments(many(session_id, 10))
    other_program.execute("LOCK TABLE livetranslate.transcripts IN EXCLUSIVE MODE")
    task = asyncio.create_task(store.import_segments(many(session_id, 20)))
    for _ in range(2):
        await until(lambda: end_waiting_connections(other_program))
    with pytest.raises(StoreUnavailableError):
        await task
    other_program.rollback()
    assert counts(other_program)["transcripts"] == len(objects(audio_folder)) == 10
    assert (await store.import_segments(many(session_id, 20))).transcripts.inserted == 10


async def test_a_batch_whose_answer_was_lost_is_stored_again_and_keeps_its_objects(
    store: Store, session_id: UUID, audio_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lose_the_answer(monkeypatch)
    report = await store.import_segments(many(session_id, 10))
    assert report.transcripts == ImportCounts(unchanged=10)
    # The rows refer to these very objects.
    assert report.audio_files == ImportCounts(inserted=10)
    assert len(objects(audio_folder)) == 10
    async with store.read() as reader:
        for row in await reader.audio_files.list_for_session(session_id):
            await store.read_audio(session_id, row.id)
    assert store.statistics().retries.recovered == 1


async def test_an_unknown_outcome_ends_the_import_and_keeps_the_objects(
    store: Store, session_id: UUID, audio_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store._database.retries.stop()
    with monkeypatch.context() as patch:
        lose_the_answer(patch)
        with pytest.raises(OutcomeUnknownError):
            await store.import_segments(many(session_id, 10))
    assert len(objects(audio_folder)) == 10
    report = await store.import_segments(many(session_id, 10))
    assert report.transcripts == report.audio_files == ImportCounts(unchanged=10)
    async with store.read() as reader:
        for row in await reader.audio_files.list_for_session(session_id):
            await store.read_audio(session_id, row.id)


async def test_storage_that_fails_ends_the_import_without_a_row_or_an_object(
    store: Store,
    session_id: UUID,
    other_program: Program,
    audio_folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    put = store._storage.put
    written = 0

    async def full(staged: Any) -> None:
        nonlocal written
        written += 1
        if written > 5:
            raise StoreUnavailableError("The audio storage cannot be written.")
        await put(staged)

    monkeypatch.setattr(store._storage, "put", full)
    with pytest.raises(StoreUnavailableError, match="audio storage"):
        await store.import_segments(many(session_id, 10))
    assert counts(other_program)["transcripts"] == len(objects(audio_folder)) == 0


@pytest.mark.parametrize("number", [1, 10])
async def test_a_segment_that_somebody_stores_meanwhile_is_judged_by_the_rules(
    store: Store, session_id: UUID, other_program: Program, number: int
) -> None:
    transcript_id = transcript_id_for(session_id, "transcriber", "seg-0")
    other_program.execute(
        "INSERT INTO livetranslate.transcripts (session_id, id, text, language, segment_key, is_final)"
        " VALUES (%s, %s, 'Final.', 'en', 'seg-0', true)",
        (session_id, transcript_id),
    )
    task = asyncio.create_task(store.import_segments(many(session_id, number)))
    await until(lambda: waiting_for_a_lock(other_program))
    other_program.commit()
    report = await task
    assert (report.transcripts, report.refused) == (ImportCounts(inserted=number - 1, stale=1), 0)
    assert "Final." in {entry.text for entry in await store.timeline(session_id)}


async def test_an_unknown_outcome_leaves_nothing_in_the_cache(
    store: Store, session_id: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    await store.record_segment(session_id, transcript=bare(session_id, "a", "Good").transcript)
    store._database.retries.stop()
    lose_the_answer(monkeypatch)
    with pytest.raises(OutcomeUnknownError):
        await store.import_segments([bare(session_id, "a", "Good morning")])
    assert store.statistics().cache.size == 0
