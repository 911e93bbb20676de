"""Bulk import: as if each segment were recorded after the other."""

import asyncio
from collections.abc import AsyncIterator
from hashlib import sha256
from pathlib import Path
from uuid import UUID

from helpers.imports import bare, many, nothing, rows, segment
from helpers.stored import Program, objects
from helpers.support import audio, counts, transcript, translation

from livetranslate_store import (
    ImportCounts,
    ImportProgress,
    ImportReport,
    SegmentInput,
    Store,
)
from livetranslate_store.database.transaction import Transaction
from livetranslate_store.ids import audio_file_id_for


async def test_everything_goes_in_and_is_counted(
    store: Store, session_id: UUID, other_session: UUID, other_program: Program, audio_folder: Path
) -> None:
    report = await store.import_segments([*many(session_id, 30), *many(other_session, 20)])
    fifty = ImportCounts(inserted=50)
    assert report == ImportReport(fifty, fifty, fifty, 0, [])
    assert counts(other_program) == {
        "sessions": 2,
        "audio_files": 50,
        "transcripts": 50,
        "translations": 50,
        "speakers": 2,
    }
    assert len(objects(audio_folder)) == 50
    entries = await store.timeline(session_id, kinds=["translation"])
    assert {(entry.language, entry.source_language, entry.is_stale) for entry in entries} == {
        ("es", "en", False)
    }
    async with store.read() as reader:
        recorded = await reader.audio_files.list_for_session(session_id)
    assert {await store.read_audio(session_id, each.id) for each in recorded} == {
        f"seg-{n}".encode() for n in range(30)
    }


async def test_the_same_import_again_changes_no_row_and_leaves_no_object(
    store: Store, session_id: UUID, other_program: Program, audio_folder: Path
) -> None:
    await store.import_segments(many(session_id, 30))
    before = rows(other_program)
    report = await store.import_segments(many(session_id, 30))
    assert report.transcripts == report.translations == report.audio_files == ImportCounts(unchanged=30)
    assert rows(other_program) == before
    assert len(objects(audio_folder)) == 30


async def test_an_import_continues_what_single_writes_began(
    store: Store, session_id: UUID, transactions: list[Transaction]
) -> None:
    for each in many(session_id, 5):
        await store.record_segment(
            session_id, transcript=each.transcript, translations=each.translations, audio=each.audio
        )
    transactions.clear()
    report = await store.import_segments(many(session_id, 20))
    assert report.transcripts == report.audio_files == ImportCounts(inserted=15, unchanged=5)
    # It was seen before anything was tried.
    assert len(transactions) == 1


async def test_an_asynchronous_source_is_read_too(store: Store, session_id: UUID) -> None:
    async def source() -> AsyncIterator[SegmentInput]:
        for each in many(session_id, 12):
            await asyncio.sleep(0)
            yield each

    assert (await store.import_segments(source())).transcripts.inserted == 12


async def test_an_empty_source_is_a_report_of_nothing(store: Store) -> None:
    seen: list[ImportProgress] = []
    report = await store.import_segments([], progress=seen.append)
    assert report == ImportReport(ImportCounts(), ImportCounts(), ImportCounts(), 0, [])
    assert seen == []


async def test_revisions_of_one_segment_follow_each_other_in_the_order_of_the_source(
    store: Store, session_id: UUID, transactions: list[Transaction]
) -> None:
    texts = ["Good", "Good mor", "Good", "Good morning.", "Good mor"]
    source = [
        SegmentInput(
            session_id=session_id,
            transcript=transcript(text, segment_key=f"seg-{key}", is_final=text.endswith(".")),
            translations=[translation(text)],
        )
        for text in texts
        for key in range(10)
    ]
    transactions.clear()
    report = await store.import_segments(source)
    assert len(transactions) == 1
    assert report.transcripts == ImportCounts(inserted=10, updated=30, stale=10)
    assert report.translations == ImportCounts(inserted=10, updated=30, stale=10)
    entries = await store.timeline(session_id)
    assert {entry.text for entry in entries} == {"Good morning."}
    assert not any(entry.is_stale for entry in entries)


async def test_a_final_that_is_stored_is_not_overwritten_by_an_interim_that_is_imported(
    store: Store, session_id: UUID
) -> None:
    await store.import_segments([bare(session_id, "a", "Good morning.", is_final=True)])
    report = await store.import_segments([bare(session_id, "a", "Good mor"), bare(session_id, "b")])
    assert report.transcripts == ImportCounts(inserted=1, stale=1)


async def test_a_translation_is_stale_once_an_imported_revision_moved_on(
    store: Store, session_id: UUID
) -> None:
    await store.import_segments([segment(session_id, "a", "Good")])
    await store.import_segments([bare(session_id, "a", "Good morning")])
    (entry,) = await store.timeline(session_id, kinds=["translation"])
    assert entry.is_stale


async def test_the_first_name_of_a_speaker_counts_whatever_the_order_of_revisions(
    store: Store, session_id: UUID
) -> None:
    named = {"speaker_label": "SPEAKER_00"}
    source = [
        bare(session_id, "a", "Good", **named),
        bare(session_id, "a", "Good morning", **named, speaker_name="Ada"),
        bare(session_id, "b", "Hello", **named, speaker_name="Bob"),
    ]
    await store.import_segments(source)
    assert {entry.speaker_name for entry in await store.timeline(session_id)} == {"Ada"}


async def test_the_same_audio_in_two_segments_is_stored_once(
    store: Store, session_id: UUID, audio_folder: Path
) -> None:
    source = [segment(session_id, f"seg-{n}", audio=audio()) for n in range(5)]
    report = await store.import_segments(source)
    assert report.audio_files == ImportCounts(inserted=1, unchanged=4)
    assert report.transcripts == ImportCounts(inserted=5)
    async with store.read() as reader:
        (row,) = await reader.audio_files.list_for_session(session_id)
    assert await store.read_audio(session_id, row.id) == b"RIFF"
    assert len(objects(audio_folder)) == 1


async def test_audio_may_be_referred_to_once_it_came(
    store: Store, session_id: UUID, transactions: list[Transaction]
) -> None:
    audio_file_id = audio_file_id_for(session_id, sha256(b"a").hexdigest(), None)
    refers = bare(session_id, "b", audio_file_id=audio_file_id)
    report = await store.import_segments([refers, segment(session_id, "a")])
    assert [refusal.line for refusal in report.refusals] == [1]
    async with store.unit_of_work() as uow:
        other = (await uow.sessions.create(bot_id="b", meeting_id="m")).id
    audio_file_id = audio_file_id_for(other, sha256(b"a").hexdigest(), None)
    refers = bare(other, "b", audio_file_id=audio_file_id)
    # The audio comes with a second revision, and what refers to it after that.
    transactions.clear()
    report = await store.import_segments([bare(other, "a", "Well"), segment(other, "a"), refers])
    assert (report.refused, len(transactions)) == (0, 1)


async def test_a_late_translation_sees_the_revision_that_was_imported(store: Store, session_id: UUID) -> None:
    receipt = await store.record_segment(session_id, transcript=bare(session_id, "a", "Good").transcript)
    key = (session_id, receipt.transcript_id)
    await store.import_segments(
        [bare(session_id, "a", "Good morning"), bare(session_id, "a", "Bon", language="fr")]
    )
    (known,) = (await store.cache.get_many([key], nothing)).values()
    assert (known.revision, known.language) == (2, "fr")
    async with store.unit_of_work() as uow:
        late = await uow.translations.add(*key, translation())
    assert late.transcript_revision == 2
    (entry,) = await store.timeline(session_id, kinds=["translation"])
    assert not entry.is_stale
