"""Whose audio a storage is: a store and another process that look at different places find out."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
import pytest
from helpers.stored import Program, objects
from helpers.support import audio, transcript

from livetranslate_store import (
    CorruptAudioError,
    InvalidInputError,
    SegmentInput,
    Store,
    StoreUnavailableError,
    UsageError,
)
from livetranslate_store.audio.objects import Objects
from livetranslate_store.audio.owner import MARKER, Owner, claim
from livetranslate_store.database.engine import Database
from livetranslate_store.settings import StoreSettings

Opened = Callable[[Path], AbstractAsyncContextManager[Store]]
NOW = timedelta()
MY_AUDIO = b"RIFF"


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    return tmp_path / "elsewhere"


@pytest.fixture
def opened(database_url: str) -> Opened:
    """Open a store of this database on a folder, as another process would."""
    return lambda folder: Store.open(database_url, audio_url=f"file:{folder}", min_connections=1)


def mark(folder: Path, owner: Owner) -> None:
    folder.mkdir(exist_ok=True)
    (folder / MARKER).write_bytes(msgspec.json.encode(owner))


def marked(folder: Path) -> Owner:
    return msgspec.json.decode((folder / MARKER).read_bytes(), type=Owner)


def segment(session_id: UUID, segment_key: str, start_time: float) -> SegmentInput:
    spoken = transcript(segment_key=segment_key)
    return SegmentInput(session_id=session_id, transcript=spoken, audio=audio(start_time=start_time))


SOMEBODY = Owner(system="7", oid="16384", name="other")


async def record(store: Store, session_id: UUID, start_time: float = 0.0) -> None:
    spoken = transcript(segment_key=f"seg-{start_time}")
    await store.record_segment(session_id, transcript=spoken, audio=audio(MY_AUDIO, start_time=start_time))


async def test_the_first_write_marks_the_storage_with_the_databases_identity(
    store: Store, session_id: UUID, audio_folder: Path, other_program: Program
) -> None:
    assert not (audio_folder / MARKER).exists()
    await record(store, session_id)
    row = other_program.execute(
        "SELECT system_identifier::text, oid::text, datname::text FROM pg_control_system(), pg_database "
        "WHERE datname = current_database()"
    ).fetchone()
    assert marked(audio_folder) == Owner(*row or ())
    assert (await store.health()).is_healthy


async def test_another_process_that_looks_at_another_folder_finds_out(
    store: Store,
    session_id: UUID,
    elsewhere: Path,
    opened: Opened,
) -> None:
    await record(store, session_id)
    async with opened(elsewhere) as other:
        problem = (await other.health()).problems["storage"]
        assert "does not hold this database's recordings" in problem
        with pytest.raises(StoreUnavailableError, match="set the audio_url that they were stored with"):
            await record(other, session_id, 1.0)
        with pytest.raises(StoreUnavailableError, match="stored with"):
            async with other.unit_of_work() as uow:
                await uow.audio_files.add(session_id, audio(start_time=1.0))
        imported = segment(session_id, "imported", 2.0)
        with pytest.raises(StoreUnavailableError, match="stored with"):
            await other.import_segments([imported])
        with pytest.raises(StoreUnavailableError, match="stored with"):
            await other.sweep_audio(older_than=NOW)
    assert not (elsewhere / MARKER).exists()
    assert objects(elsewhere) == []
    assert (await store.health()).is_healthy


async def test_a_database_keeps_out_of_the_storage_of_another_one(
    store: Store, session_id: UUID, audio_folder: Path
) -> None:
    mark(audio_folder, SOMEBODY)
    theirs = audio_folder / str(session_id) / str(session_id) / str(session_id)
    theirs.parent.mkdir(parents=True)
    theirs.write_bytes(b"theirs")
    with pytest.raises(StoreUnavailableError, match="belongs to another database, 'other' of the system 7"):
        await record(store, session_id)
    with pytest.raises(StoreUnavailableError, match="belongs to another database"):
        await store.sweep_audio(older_than=NOW)
    assert "belongs to another database" in (await store.health()).problems["storage"]
    assert objects(audio_folder) == [theirs.relative_to(audio_folder).as_posix()]
    assert marked(audio_folder) == SOMEBODY


async def test_a_database_that_was_moved_goes_on_writing_and_sweeps_once_the_marker_is_removed(
    store: Store, session_id: UUID, audio_folder: Path, opened: Opened
) -> None:
    await record(store, session_id)
    mine = marked(audio_folder)
    mark(audio_folder, SOMEBODY)  # as a restored dump finds it
    async with opened(audio_folder) as moved:
        await record(moved, session_id, 1.0)
        assert f"remove the object {MARKER}" in (await moved.health()).problems["storage"]
        with pytest.raises(StoreUnavailableError, match=f"remove the object {MARKER}"):
            await moved.sweep_audio(older_than=NOW, dry_run=True)
        # It may be a copy, whose rows are deleted while the original goes on.
        with pytest.raises(StoreUnavailableError, match=f"remove the object {MARKER}"):
            await delete(moved, session_id)
    assert len(objects(audio_folder)) == 2
    (audio_folder / MARKER).unlink()
    async with opened(audio_folder) as again:
        assert (await again.health()).is_healthy
        assert (await again.sweep_audio(older_than=NOW)).objects == 2
        await record(again, session_id, 2.0)
    assert marked(audio_folder) == mine


async def test_a_renamed_database_keeps_its_storage(
    store: Store, session_id: UUID, audio_folder: Path
) -> None:
    await record(store, session_id)
    mine = marked(audio_folder)
    mark(audio_folder, msgspec.structs.replace(mine, name="an older name"))
    assert (await store.health()).is_healthy


async def test_an_unmarked_storage_with_unknown_objects_is_not_swept(
    store: Store, session_id: UUID, audio_folder: Path
) -> None:
    assert (await store.sweep_audio(older_than=NOW)).objects == 0
    unknown = audio_folder / str(session_id) / str(session_id) / str(session_id)
    unknown.parent.mkdir(parents=True)
    unknown.write_bytes(b"whose?")
    with pytest.raises(StoreUnavailableError, match="Nothing shows that the audio storage belongs"):
        await store.sweep_audio(older_than=NOW)
    assert unknown.exists()


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    opened = Database(StoreSettings(database_url=database_url, min_connections=0))
    yield opened
    await opened.close()


class Raced(Objects):
    """Another first writer marks the storage between the look and the mark."""

    def __init__(self, folder: Path, faster: Owner) -> None:
        super().__init__(f"file:{folder}")
        self._folder_of_the_race, self._faster = folder, faster

    async def create(self, key: str, data: bytes) -> bool:
        mark(self._folder_of_the_race, self._faster)
        return await super().create(key, data)


async def test_of_two_first_writers_of_different_databases_one_is_refused(
    database: Database, elsewhere: Path
) -> None:
    with pytest.raises(StoreUnavailableError, match="belongs to another database"):
        await claim(Raced(elsewhere, SOMEBODY), database.fetch)
    assert marked(elsewhere) == SOMEBODY


async def test_two_first_writers_of_one_database_both_write(database: Database, elsewhere: Path) -> None:
    await claim(Objects(f"file:{elsewhere}"), database.fetch)
    mine = marked(elsewhere)
    (elsewhere / MARKER).unlink()
    await claim(Raced(elsewhere, mine), database.fetch)
    await asyncio.gather(*(claim(Objects(f"file:{elsewhere}"), database.fetch) for _ in range(8)))
    assert marked(elsewhere) == mine


async def test_the_first_audio_of_a_unit_needs_no_second_connection(
    database_url: str, session_id: UUID, audio_folder: Path
) -> None:
    limits: dict[str, Any] = {"min_connections": 1, "max_connections": 1}
    async with (
        Store.open(database_url, audio_url=f"file:{audio_folder}", connection_timeout=5.0, **limits) as store,
        store.unit_of_work() as uow,
    ):
        await uow.sessions.get(session_id)
        await uow.audio_files.add(session_id, audio())


async def test_a_store_without_an_address_refuses_audio_and_nothing_else(
    database_url: str, session_id: UUID, store: Store
) -> None:
    await record(store, session_id)
    async with Store.open(database_url, min_connections=1) as without:
        async with without.unit_of_work() as uow:
            empty = await uow.sessions.create(bot_id="b", meeting_id="m")
            await uow.sessions.delete(empty.id)
        await without.record_segment(session_id, transcript=transcript(segment_key="silent"))
        assert (await without.health()).is_healthy
        for refused in (
            record(without, session_id, 1.0),
            without.import_segments([segment(session_id, "imported", 2.0)]),
            without.sweep_audio(),
            delete(without, session_id),
        ):
            with pytest.raises(UsageError, match="set audio_url"):
                await refused
    async with store.read() as reader:
        (row,) = await reader.audio_files.list_for_session(session_id)
        assert await reader.audio_files.read(session_id, row.id) == MY_AUDIO


async def test_what_cannot_be_deleted_with_its_audio_stays_whole(
    database_url: str, session_id: UUID, store: Store
) -> None:
    await store.record_segment(session_id, transcript=transcript(speaker_label="A"), audio=audio())
    async with Store.open(database_url, min_connections=1) as without, without.unit_of_work() as uow:
        # A caller may go on: no statement has failed.
        with pytest.raises(UsageError, match="set audio_url"):
            await uow.speakers.forget(session_id, "A")
        with pytest.raises(UsageError, match="set audio_url"):
            await uow.sessions.delete(session_id)
    [entry] = await store.timeline(session_id)
    assert entry.speaker_label == "A"
    async with store.read() as reader:
        [row] = await reader.audio_files.list_for_session(session_id)
        assert await reader.audio_files.read(session_id, row.id) == MY_AUDIO


async def delete(store: Store, session_id: UUID) -> None:
    async with store.unit_of_work() as uow:
        await uow.sessions.delete(session_id)


async def test_a_folder_that_depends_on_the_working_directory_is_refused(database_url: str) -> None:
    whole = Path.cwd() / "recordings"
    with pytest.raises(InvalidInputError, match=f"write the whole path, e.g. file:{whole}"):
        async with Store.open(database_url, audio_url="file:recordings", min_connections=0):
            pytest.fail("it was taken")
    assert not whole.exists()


async def test_a_missing_object_is_told_once(store: Store, session_id: UUID, audio_folder: Path) -> None:
    await record(store, session_id)
    (audio_folder / objects(audio_folder)[0]).unlink()
    async with store.read() as reader:
        (row,) = await reader.audio_files.list_for_session(session_id)
    with pytest.raises(CorruptAudioError) as failure:
        await store.read_audio(session_id, row.id)
    assert str(failure.value) == "The bytes of a recording are missing from the audio storage."
