"""A move that is repeated or interrupted ends with the same rows."""

import asyncio
from pathlib import Path

import pytest
from helpers.moved_rows import SESSION, rows, session_of
from helpers.older_system import (
    STARTED,
    generate,
    insert_audio,
    insert_session,
    insert_transcript,
    insert_translation,
)
from helpers.stored import Program
from helpers.support import counts

from livetranslate_store import Store
from livetranslate_store.legacy import (
    LegacyProgress,
    import_legacy,
    segments,
)
from livetranslate_store.values import ImportCounts

pytestmark = pytest.mark.slow


async def test_a_move_that_is_repeated_changes_no_row(
    store: Store, older: Program, url: str, recordings: Path, other_program: Program
) -> None:
    generate(older, recordings, 1, sessions=3, transcripts=20)
    report = await import_legacy(store, url, audio_folder=recordings)
    assert (report.verified, report.refused, report.mismatches) == (3, 0, [])
    before = rows(other_program)
    report = await import_legacy(store, url, audio_folder=recordings)
    assert (report.already_moved, report.verified) == (3, 0)
    assert rows(other_program) == before


async def test_rows_that_are_here_already_are_not_written_again(
    *,
    store: Store,
    older: Program,
    url: str,
    recordings: Path,
    other_program: Program,
) -> None:
    expected = generate(older, recordings, 2, sessions=3, transcripts=20)
    await import_legacy(store, url, audio_folder=recordings)
    before = rows(other_program)
    other_program.execute("UPDATE livetranslate.sessions SET metadata = metadata #- '{legacy,verified}'")
    other_program.commit()
    report = await import_legacy(store, url, audio_folder=recordings)
    assert (report.verified, report.speakers_named) == (3, 0)
    assert report.transcripts == ImportCounts(unchanged=expected.transcripts)
    assert report.translations == ImportCounts(unchanged=expected.translations)
    after = rows(other_program)
    del before["sessions"], after["sessions"]  # these alone are marked anew
    assert after == before


async def test_a_session_that_changed_at_its_source_is_brought_up_to_date(
    store: Store, older: Program, url: str
) -> None:
    insert_session(older, status="active")
    insert_transcript(older, "transcript_1")
    insert_translation(older, "translation_1", "transcript_1")
    older.commit()
    assert (await import_legacy(store, url)).complete
    insert_transcript(older, "transcript_2", start_timestamp=9.0, end_timestamp=9.5)
    older.execute(
        "UPDATE bot_sessions.transcripts SET transcript_text = 'Other.' WHERE transcript_id = 'transcript_1'"
    )
    older.execute("UPDATE bot_sessions.sessions SET status = 'error', end_time = start_time")
    older.commit()
    report = await import_legacy(store, url)
    assert report.complete
    assert report.transcripts == ImportCounts(inserted=1, updated=1)
    entries = list(await store.timeline(SESSION))
    assert [entry.text for entry in entries] == ["Other.", "Texto de translation_1.", "Text of transcript_2."]
    assert not any(entry.is_stale for entry in entries)
    session = await session_of(store)
    assert (session.status, session.ended_at) == ("error", session.started_at)


async def test_what_is_changed_here_afterwards_is_not_undone(store: Store, older: Program, url: str) -> None:
    insert_session(older)
    insert_transcript(older, "transcript_1", speaker_id="SPEAKER_00", speaker_name="Ada")
    older.commit()
    await import_legacy(store, url)
    async with store.unit_of_work() as uow:
        await uow.speakers.rename(SESSION, "SPEAKER_00", "Grace")
        await uow.sessions.update(SESSION, title="Renamed")
    report = await import_legacy(store, url)
    assert report.already_moved == 1
    assert (await session_of(store)).title == "Renamed"
    assert {entry.speaker_name for entry in await store.timeline(SESSION)} == {"Grace"}


@pytest.mark.parametrize("seed", range(4))
async def test_whatever_a_meeting_holds_every_row_is_here_or_told(
    *, store: Store, older: Program, url: str, recordings: Path, other_program: Program, seed: int
) -> None:
    expected = generate(older, recordings, seed, sessions=3, transcripts=30)
    report = await import_legacy(store, url, audio_folder=recordings)
    assert report.refusals == []
    assert report.mismatches == []
    found = counts(other_program)
    assert (found["sessions"], found["transcripts"], found["translations"]) == expected[:3]
    assert (report.verified, report.superseded) == (expected.sessions, expected.superseded)


async def test_a_move_that_is_cancelled_anywhere_ends_with_the_same_rows(
    *,
    store: Store,
    older: Program,
    url: str,
    recordings: Path,
    other_program: Program,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(segments, "SEGMENTS_AT_ONCE", 7)
    generate(older, recordings, 5, sessions=3, transcripts=25)
    done = 0

    async def cancelled_at(step: int) -> bool:
        """Move until the given step, and tell whether it was cancelled there."""
        seen = 0

        def progress(_progress: LegacyProgress) -> None:
            nonlocal seen
            seen += 1
            if seen == step:
                task.cancel()

        task = asyncio.create_task(import_legacy(store, url, audio_folder=recordings, progress=progress))
        try:
            await task
        except asyncio.CancelledError:
            return True
        return False

    step = 1
    while await cancelled_at(step):
        done += 1
        step += done % 3
    assert done > 3
    volatile = ("created_at", "updated_at", "storage_key")
    interrupted = rows(other_program, without=volatile)

    async with store.unit_of_work() as uow:
        for session in await uow.sessions.get_many(uow.sessions.statement()):
            await uow.sessions.delete(session.id)
    report = await import_legacy(store, url, audio_folder=recordings)
    assert report.mismatches == []
    assert rows(other_program, without=volatile) == interrupted


async def test_a_session_that_is_not_all_here_is_not_written_again_either(
    store: Store, older: Program, url: str, recordings: Path, other_program: Program
) -> None:
    insert_session(older, status="error", end_time=STARTED, session_metadata={"room": "A"})
    insert_audio(older, "audio_1", recordings, b"RIFF")
    insert_transcript(older, "transcript_1", audio_file_id="audio_1")
    older.commit()
    assert (await import_legacy(store, url)).refused == 1
    before = rows(other_program)
    assert (await import_legacy(store, url)).refused == 1
    assert rows(other_program) == before
