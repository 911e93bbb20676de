"""Audio: the object before its row, no row without its bytes, no bytes without a row for long."""

import asyncio
import threading
from collections.abc import AsyncIterator
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from helpers.stored import Program, objects
from helpers.support import audio, counts, transcript

from livetranslate_store import (
    CorruptAudioError,
    InvalidInputError,
    MissingReferenceError,
    NotFoundError,
    Outcome,
    Store,
    StoreUnavailableError,
    SweepReport,
)
from livetranslate_store.audio.owner import MARKER
from livetranslate_store.audio.storage import AudioStorage
from livetranslate_store.ids import new_id

NOW = timedelta()


@pytest.fixture
async def store(database_url: str, audio_url: str) -> AsyncIterator[Store]:
    async with Store.open(database_url, audio_url=audio_url, min_connections=1) as opened:
        yield opened


async def keys(storage: AudioStorage, session_id: UUID) -> list[str]:
    return [stored.key async for batch in storage.list(session_id) for stored in batch]


async def test_what_was_recorded_comes_back(store: Store, storage: AudioStorage, session_id: UUID) -> None:
    recording = bytes(range(256)) * 4096
    receipt = await store.record_segment(
        session_id, transcript=transcript(), audio=audio(recording, start_time=1.5, sample_rate=16_000)
    )
    assert receipt.audio_file_id is not None
    assert await store.read_audio(session_id, receipt.audio_file_id) == recording
    async with store.read() as reader:
        (row,) = await reader.audio_files.list_for_session(session_id)
    assert (row.size_bytes, row.sha256) == (len(recording), sha256(recording).hexdigest())
    assert await keys(storage, session_id) == [row.storage_key]


async def test_the_same_chunk_is_stored_once_however_often_it_is_written(
    store: Store, storage: AudioStorage, session_id: UUID, other_program: Program
) -> None:
    same = audio(start_time=1.0)
    receipts = [
        await store.record_segment(session_id, transcript=transcript(segment_key="seg-1"), audio=same)
        for _ in range(3)
    ]
    outcomes = [receipt.audio.outcome for receipt in receipts if receipt.audio]
    assert outcomes == [Outcome.INSERTED, Outcome.UNCHANGED, Outcome.UNCHANGED]
    async with store.unit_of_work() as uow:
        assert (await uow.audio_files.add(session_id, same)).outcome is Outcome.UNCHANGED
        assert (await uow.audio_files.add(session_id, audio(start_time=2.0))).outcome is Outcome.INSERTED
    assert counts(other_program)["audio_files"] == len(await keys(storage, session_id)) == 2


async def test_a_row_that_refers_to_the_very_object_is_the_writers_own(
    store: Store, storage: AudioStorage, session_id: UUID
) -> None:
    # What a repeated write meets whose first answer was lost: the object must not be taken for a double.
    first, second = [await storage.stage(session_id, audio()) for _ in range(2)]
    outcomes = []
    for staged in (first, first, second, first):
        async with store.unit_of_work() as uow:
            outcomes.append((await uow.audio_files._write_row(session_id, staged)).outcome)
    assert outcomes == [Outcome.INSERTED, Outcome.INSERTED, Outcome.UNCHANGED, Outcome.INSERTED]


async def test_a_refused_write_leaves_no_object(store: Store, storage: AudioStorage) -> None:
    nobody = new_id()
    with pytest.raises(MissingReferenceError, match="no session"):
        await store.record_segment(nobody, transcript=transcript(), audio=audio())
    with pytest.raises(MissingReferenceError, match="no session"):
        async with store.unit_of_work() as uow:
            await uow.audio_files.add(nobody, audio())
    assert await keys(storage, nobody) == []


async def test_a_rolled_back_unit_removes_its_objects_and_nobody_elses(
    store: Store, storage: AudioStorage, session_id: UUID
) -> None:
    kept = await store.record_segment(session_id, transcript=transcript(), audio=audio(start_time=1.0))
    with pytest.raises(ZeroDivisionError):
        async with store.unit_of_work() as uow:
            await uow.audio_files.add(session_id, audio(start_time=1.0))
            await uow.audio_files.add(session_id, audio(start_time=2.0))
            raise ZeroDivisionError
    assert kept.audio_file_id is not None
    assert await store.read_audio(session_id, kept.audio_file_id) == b"RIFF"
    assert len(await keys(storage, session_id)) == 1


async def test_cancellation_at_any_await_of_a_segment_leaves_row_and_object_or_neither(
    store: Store, storage: AudioStorage, session_id: UUID, other_program: Program
) -> None:
    for awaits in range(0, 40, 2):
        task = asyncio.create_task(
            store.record_segment(session_id, transcript=transcript(), audio=audio(start_time=float(awaits)))
        )
        for _ in range(awaits):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        found = counts(other_program)
        assert found["audio_files"] == found["transcripts"] == len(await keys(storage, session_id))
    assert store.statistics().pool.in_use == store.statistics().gate.in_flight == 0


async def test_deleting_a_session_removes_its_rows_and_its_audio_and_says_what_it_was(
    store: Store, storage: AudioStorage, session_id: UUID, other_program: Program
) -> None:
    async with store.unit_of_work() as uow:
        other = await uow.sessions.create(bot_id="b", meeting_id="m")
    for each in (session_id, other.id):
        spoken = transcript(speaker_label="SPEAKER_00")
        await store.record_segment(each, transcript=spoken, audio=audio(start_time=1.0))
    with pytest.raises(ZeroDivisionError):
        async with store.unit_of_work() as uow:
            await uow.sessions.delete(session_id)
            raise ZeroDivisionError
    assert len(await keys(storage, session_id)) == 1

    async with store.unit_of_work() as uow:
        deleted = await uow.sessions.delete(session_id)
    assert (deleted.transcripts, deleted.translations, deleted.speakers, deleted.audio_files) == (1, 0, 1, 1)
    assert await keys(storage, session_id) == []
    assert len(await keys(storage, other.id)) == 1
    assert counts(other_program) == {
        "sessions": 1,
        "audio_files": 1,
        "transcripts": 1,
        "translations": 0,
        "speakers": 1,
    }
    async with store.unit_of_work() as uow:
        with pytest.raises(NotFoundError):
            await uow.sessions.delete(session_id)


async def test_a_session_that_is_deleted_and_made_anew_keeps_its_new_audio(store: Store) -> None:
    async def made() -> UUID:
        return (await uow.sessions.create(bot_id="b", meeting_id="m", external_id="stay-1")).id

    async with store.unit_of_work() as uow:
        await uow.audio_files.add(await made(), audio(b"old"))
    async with store.unit_of_work() as uow:
        await uow.sessions.delete(await made())
        session_id = await made()
        receipt = await uow.audio_files.add(session_id, audio(b"new"))
    assert await store.read_audio(session_id, receipt.audio_file_id) == b"new"


def below(folder: Path) -> list[str]:
    return [path.name for path in folder.rglob("*")]


async def test_a_folder_keeps_no_empty_folders(database_url: str, audio_folder: Path) -> None:
    async with Store.open(database_url, audio_url=f"file:{audio_folder}", min_connections=1) as store:
        async with store.unit_of_work() as uow:
            session = await uow.sessions.create(bot_id="b", meeting_id="m")
            await uow.audio_files.add(session.id, audio())
        async with store.unit_of_work() as uow:
            await uow.sessions.delete(session.id)
    assert below(audio_folder) == [MARKER]


@pytest.mark.parametrize("older_than", [timedelta(seconds=-1), timedelta.max, 5])
async def test_a_sweep_of_no_length_of_time_is_refused(store: Store, older_than: Any) -> None:
    with pytest.raises(InvalidInputError, match="older_than must be"):
        await store.sweep_audio(older_than=older_than)


async def test_the_sweep_removes_old_orphans_and_nothing_else(
    store: Store, storage: AudioStorage, session_id: UUID
) -> None:
    await store.record_segment(session_id, transcript=transcript(), audio=audio())
    orphan = await storage.stage(session_id, audio(b"what a crash left behind"))
    await storage.put(orphan)
    await storage.put_bytes(f"{session_id}/somebody-elses/file.txt", b"not ours")

    # It may belong to a unit of work that has not committed yet.
    assert (await store.sweep_audio()).orphans_removed == 0
    found = (3, 1, len(b"what a crash left behind"))
    listed = (orphan.storage_key,)
    dry = await store.sweep_audio(older_than=NOW, dry_run=True)
    assert dry == SweepReport(*found, orphans_removed=0, keys=listed)
    assert len(await keys(storage, session_id)) == 3
    report = await store.sweep_audio(older_than=NOW)
    assert report == SweepReport(*found, orphans_removed=1, keys=listed)
    left = await keys(storage, session_id)
    assert len(left) == 2
    assert orphan.storage_key not in left


async def test_the_sweep_removes_what_a_killed_process_has_begun_to_write(
    database_url: str, audio_folder: Path
) -> None:
    folder = audio_folder / str(new_id()) / str(new_id())
    folder.mkdir(parents=True)
    # The names that the object store gives to what is not whole yet, and one that it would never give.
    begun, other = folder / f"{new_id()}#1", folder / "somebody-elses#1"
    for file in (begun, other):
        file.write_bytes(b"RI")
    async with Store.open(database_url, audio_url=f"file:{audio_folder}", min_connections=1) as store:
        async with store.unit_of_work() as uow:
            session = await uow.sessions.create(bot_id="b", meeting_id="m")
            await uow.audio_files.add(session.id, audio())
        assert (await store.sweep_audio()).orphans_removed == 0
        assert (await store.sweep_audio(older_than=NOW)).orphans_removed == 1
    assert list(folder.iterdir()) == [other]


async def test_changed_and_missing_bytes_are_noticed_on_reading(
    store: Store, storage: AudioStorage, session_id: UUID
) -> None:
    receipt = await store.record_segment(session_id, transcript=transcript(), audio=audio(b"RIFF"))
    assert receipt.audio_file_id is not None
    (key,) = await keys(storage, session_id)
    for changed in (b"RIFX", b"RIF", b""):
        await storage.put_bytes(key, changed)
        with pytest.raises(CorruptAudioError, match="SHA-256"):
            await store.read_audio(session_id, receipt.audio_file_id)
    await storage.remove(key)
    with pytest.raises(CorruptAudioError, match="missing"):
        await store.read_audio(session_id, receipt.audio_file_id)
    with pytest.raises(NotFoundError):
        await store.read_audio(session_id, new_id())


async def test_no_part_of_a_path_comes_from_a_caller(database_url: str, audio_folder: Path) -> None:
    hostile = "../../../../etc/passwd"
    async with Store.open(database_url, audio_url=f"file:{audio_folder}", min_connections=1) as store:
        async with store.unit_of_work() as uow:
            session = await uow.sessions.create(bot_id=hostile, meeting_id=hostile, external_id=hostile)
        named = audio(format=hostile, metadata={"file_name": hostile})
        spoken = transcript(segment_key=hostile, source=hostile, speaker_label=hostile)
        receipt = await store.record_segment(session.id, transcript=spoken, audio=named)
        assert receipt.audio_file_id is not None
        assert await store.read_audio(session.id, receipt.audio_file_id) == b"RIFF"
        async with store.read() as reader:
            row = await reader.audio_files.get(session.id, receipt.audio_file_id)
    assert (row.format, row.metadata_) == (hostile, {"file_name": hostile})
    assert objects(audio_folder) == [row.storage_key]
    assert ".." not in row.storage_key


async def test_a_storage_that_cannot_be_written_is_a_typed_error_and_leaves_no_row(
    database_url: str, audio_folder: Path, other_program: Program
) -> None:
    async with Store.open(database_url, audio_url=f"file:{audio_folder}", min_connections=1) as store:
        async with store.unit_of_work() as uow:
            session = await uow.sessions.create(bot_id="b", meeting_id="m")
        # A file where the session's folder should be: nobody, not even root, can write below it.
        await asyncio.to_thread((audio_folder / str(session.id)).write_text, "in the way")
        with pytest.raises(StoreUnavailableError, match="audio storage cannot be written"):
            await store.record_segment(session.id, transcript=transcript(), audio=audio())
        assert store.statistics().pool.in_use == store.statistics().gate.in_flight == 0
    assert counts(other_program)["transcripts"] == 0


async def test_no_thread_unknown_to_python_rings_up_the_loop(
    storage: AudioStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Such a thread is not waited for when the interpreter ends, and aborts the process where it meets that.
    calls: list[threading.Thread] = []
    loop = asyncio.get_running_loop()
    wake = loop.call_soon_threadsafe

    def heard(*arguments: Any, **options: Any) -> asyncio.Handle:
        calls.append(threading.current_thread())
        return wake(*arguments, **options)

    monkeypatch.setattr(loop, "call_soon_threadsafe", heard)
    await storage.check()
    staged = await storage.stage(new_id(), audio(b"bytes"))
    await storage.put(staged)
    await storage.get(staged.storage_key, size_bytes=5, sha256=staged.sha256)
    assert len(await keys(storage, UUID(staged.storage_key.split("/")[0]))) == 1
    await storage.remove(staged.storage_key)
    assert calls
    assert not [thread for thread in calls if isinstance(thread, threading._DummyThread)]


@pytest.mark.parametrize("url", ["nonsense", "ftp://somewhere/else", "s3:", ""])
async def test_an_address_that_is_none_says_what_would_be_one(database_url: str, url: str) -> None:
    with pytest.raises(InvalidInputError, match="audio_url cannot be opened"):
        async with Store.open(database_url, audio_url=url, min_connections=0):
            pytest.fail("there is no such storage")
