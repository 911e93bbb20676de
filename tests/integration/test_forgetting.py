"""Deletion: what one speaker said, or a whole session, with all that hangs on it, and nothing else."""

import asyncio
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from helpers.stored import Program, objects
from helpers.support import audio, counts, transcript, translation, until, waiting_for_a_lock

from livetranslate_store import (
    DeletedSpeakerContent,
    InvalidInputError,
    MissingReferenceError,
    NotFoundError,
    SegmentReceipt,
    Store,
    UsageError,
)
from livetranslate_store.audio.storage import AudioStorage
from livetranslate_store.ids import new_id

ADA, GRACE = "SPEAKER_00", "SPEAKER_01"


async def say(store: Store, session_id: UUID, label: str, number: int, **fields: Any) -> SegmentReceipt:
    """Write a segment of a speaker, with a translation and audio of its own."""
    return await store.record_segment(
        session_id,
        transcript=transcript(f"{label} {number}", speaker_label=label, speaker_name=f"name of {label}"),
        translations=[translation()],
        audio=audio(start_time=float(number), **fields),
    )


async def forget(store: Store, session_id: UUID, label: str) -> DeletedSpeakerContent:
    async with store.unit_of_work() as uow:
        return await uow.speakers.forget(session_id, label)


async def test_what_a_speaker_said_goes_with_all_that_hangs_on_it_and_nothing_else(
    store: Store, session_id: UUID, other_program: Program, audio_folder: Path
) -> None:
    async with store.unit_of_work() as uow:
        elsewhere = await uow.sessions.create(bot_id="b", meeting_id="m")
    for number in range(3):
        await say(store, session_id, ADA, number)
    kept = [await say(store, session_id, GRACE, 10), await say(store, elsewhere.id, ADA, 11)]
    async with store.read() as reader:
        keys = {
            (await reader.audio_files.get(each.session_id, each.audio_file_id or new_id())).storage_key
            for each in kept
        }

    deleted = await forget(store, session_id, ADA)

    assert deleted == DeletedSpeakerContent(session_id, ADA, transcripts=3, translations=3, audio_files=3)
    assert {e.speaker_label for e in await store.timeline(session_id)} == {GRACE}
    assert len(await store.timeline(elsewhere.id)) == 2
    assert objects(audio_folder) == sorted(keys)
    assert counts(other_program) == {
        "sessions": 2,
        "audio_files": 2,
        "transcripts": 2,
        "translations": 2,
        "speakers": 2,
    }


async def test_audio_that_others_are_heard_on_stays(
    store: Store, session_id: UUID, other_program: Program, audio_folder: Path
) -> None:
    async with store.unit_of_work() as uow:
        shared = await uow.audio_files.add(session_id, audio(b"both of them"))
        for label in (ADA, ADA, GRACE):
            await uow.transcripts.add(
                session_id, transcript(speaker_label=label, audio_file_id=shared.audio_file_id)
            )
    assert (await forget(store, session_id, ADA)).audio_files == 0
    assert await store.read_audio(session_id, shared.audio_file_id) == b"both of them"
    assert (await forget(store, session_id, GRACE)).audio_files == 1
    assert objects(audio_folder) == []
    assert counts(other_program)["audio_files"] == 0


async def test_nothing_goes_when_the_unit_is_rolled_back(
    store: Store, session_id: UUID, other_program: Program, audio_folder: Path
) -> None:
    receipt = await say(store, session_id, ADA, 1)
    before, files = counts(other_program), objects(audio_folder)
    with pytest.raises(ZeroDivisionError):
        async with store.unit_of_work() as uow:
            await uow.speakers.forget(session_id, ADA)
            # Objects go after the commit only: until then it may not happen.
            assert objects(audio_folder) == files
            raise ZeroDivisionError
    assert (counts(other_program), objects(audio_folder)) == (before, files)
    assert store.cache.knows((session_id, receipt.transcript_id))


async def test_the_cache_forgets_too(store: Store, session_id: UUID) -> None:
    ada, grace = await say(store, session_id, ADA, 1), await say(store, session_id, GRACE, 2)
    async with store.unit_of_work() as uow:
        await uow.speakers.forget(session_id, ADA)
        assert store.cache.knows((session_id, ada.transcript_id))  # it may not happen yet
    assert not store.cache.knows((session_id, ada.transcript_id))
    assert store.cache.knows((session_id, grace.transcript_id))
    with pytest.raises(MissingReferenceError):
        await store.add_translation(session_id, ada.transcript_id, translation("late", "ja"))
    async with store.unit_of_work() as uow:
        await uow.speakers.forget(session_id, GRACE)
        with pytest.raises(MissingReferenceError):
            await uow.translations.add(session_id, grace.transcript_id, translation("late", "ja"))


async def test_a_label_that_nothing_is_known_of_is_not_found(store: Store, session_id: UUID) -> None:
    with pytest.raises(NotFoundError, match="has no speaker 'SPEAKER_00'"):
        await forget(store, session_id, ADA)
    with pytest.raises(NotFoundError):
        await forget(store, new_id(), ADA)
    with pytest.raises(InvalidInputError):
        await forget(store, session_id, "")
    async with store.read() as reader:
        with pytest.raises(UsageError, match="cannot write"):
            await reader.speakers.forget(session_id, ADA)
    async with store.unit_of_work() as uow:
        await uow.speakers.rename(session_id, ADA, "named, and silent")
    assert (await forget(store, session_id, ADA)).transcripts == 0


async def test_a_transcript_whose_speaker_another_program_did_not_make_goes_as_well(
    store: Store, session_id: UUID, other_program: Program
) -> None:
    other_program.execute(
        "INSERT INTO livetranslate.transcripts (session_id, id, text, language, speaker_label)"
        " VALUES (%s, %s, 'x', 'en', %s)",
        (session_id, new_id(), ADA),
    )
    other_program.commit()
    assert (await forget(store, session_id, ADA)).transcripts == 1


async def test_a_reference_to_the_audio_that_is_made_meanwhile_keeps_it(
    store: Store, session_id: UUID, other_program: Program
) -> None:
    ada, grace = await say(store, session_id, ADA, 1), await say(store, session_id, GRACE, 2)
    other_program.execute(
        "UPDATE livetranslate.transcripts SET audio_file_id = %s WHERE session_id = %s AND id = %s",
        (ada.audio_file_id, session_id, grace.transcript_id),
    )
    forgetting = asyncio.create_task(forget(store, session_id, ADA))
    await until(lambda: waiting_for_a_lock(other_program))
    other_program.commit()
    assert (await forgetting).audio_files == 0
    assert ada.audio_file_id is not None
    assert await store.read_audio(session_id, ada.audio_file_id) == b"RIFF"


async def test_what_is_said_meanwhile_waits_and_is_stored_afterwards(
    store: Store, session_id: UUID, other_program: Program
) -> None:
    await say(store, session_id, ADA, 1)
    async with store.unit_of_work() as uow:
        await uow.speakers.forget(session_id, ADA)
        saying = asyncio.create_task(say(store, session_id, ADA, 2))
        await until(lambda: waiting_for_a_lock(other_program))
    audio_file_id = (await saying).audio_file_id
    assert audio_file_id is not None
    assert await store.read_audio(session_id, audio_file_id) == b"RIFF"
    assert [entry.text for entry in await store.timeline(session_id, kinds=["transcript"])] == [f"{ADA} 2"]


async def test_a_long_meeting_is_forgotten_in_a_few_statements(
    store: Store, session_id: UUID, other_program: Program
) -> None:
    # More than a statement may have parameters.
    other_program.execute(
        "INSERT INTO livetranslate.transcripts (session_id, id, text, language, speaker_label)"
        " SELECT %s, gen_random_uuid(), 'x', 'en', %s FROM generate_series(1, 33000)",
        (session_id, ADA),
    )
    other_program.commit()
    assert (await forget(store, session_id, ADA)).transcripts == 33_000


async def test_a_deleted_session_takes_the_objects_along_that_no_row_refers_to(
    store: Store, session_id: UUID, audio_folder: Path
) -> None:
    storage = AudioStorage(f"file:{audio_folder}")
    await say(store, session_id, ADA, 1)
    await storage.put(await storage.stage(session_id, audio(b"what a crash left behind")))
    assert len(objects(audio_folder)) == 2
    async with store.unit_of_work() as uow:
        deleted = await uow.sessions.delete(session_id)
    assert (deleted.transcripts, deleted.translations, deleted.speakers, deleted.audio_files) == (1, 1, 1, 1)
    assert objects(audio_folder) == []
