"""Audio in an object store: a local folder, or S3 and its like by URL.

A key is made of ids alone, `<session>/<audio file>/<attempt>`: no part of it comes from a caller, and each
attempt to write has an object of its own, so that cleaning up after one never takes another's bytes.

obstore is called in threads of our own. Its own coroutines are finished by threads that Python does not know:
one that still rings up the event loop while the interpreter ends aborts the process (SIGABRT, seen on 3.11).
"""

import asyncio
import hashlib
import logging
import os
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import NamedTuple, TypeVar, TypeVarTuple
from uuid import UUID

from obstore.exceptions import BaseError
from obstore.store import LocalStore, ObjectStore, from_url

from livetranslate_store.errors import CorruptAudioError, InvalidInputError, StoreUnavailableError
from livetranslate_store.ids import audio_file_id_for, new_id
from livetranslate_store.incidents import Incident
from livetranslate_store.tasks import run_to_end
from livetranslate_store.values import AudioInput

logger = logging.getLogger(__name__)

# Below this, hashing takes less time than handing it to a thread.
HASH_IN_THREAD_BYTES = 256 * 1024

# As many objects are on their way at once, whatever else waits for them: an object store is mostly waiting.
THREADS = 32

# session, audio file, attempt
KEY_PARTS = 3

_STORAGE_ERRORS = (BaseError, OSError)

# What a probe writes looks like any other object, so that the sweep finds what a crash left of it.
_PROBE_SESSION = UUID(int=0)
_PROBE = AudioInput(data=b"probe", format="probe")

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


class StagedAudio(NamedTuple):
    """A chunk on its way in: its id, the key that its bytes will have, and their SHA-256."""

    audio_file_id: UUID
    storage_key: str
    sha256: str
    audio: AudioInput


class StoredObject(NamedTuple):
    """An object as the store lists it."""

    key: str
    modified: datetime


class AudioStorage:
    """The object store behind `url`: `file:FOLDER`, `s3://BUCKET/PREFIX` and the like."""

    def __init__(self, url: str) -> None:
        store = _opened(url)
        if store is None:
            raise InvalidInputError(
                "audio_url cannot be opened; it is file:FOLDER, or s3://BUCKET/PREFIX and its like."
            )
        self._store = store
        #: The folder of a local store.
        self._folder = store.prefix if isinstance(store, LocalStore) else None
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="audio-storage")
        self._outage = Incident(logger, "storage_unavailable", "the audio storage is unavailable")

    async def stage(self, session_id: UUID, audio: AudioInput) -> StagedAudio:
        """Return where `audio` will be stored; nothing is written yet."""
        sha256 = await digest_of(audio.data)
        audio_file_id = audio_file_id_for(session_id, sha256, audio.start_time)
        return StagedAudio(audio_file_id, f"{session_id}/{audio_file_id}/{new_id()}", sha256, audio)

    async def put(self, staged: StagedAudio) -> None:
        """Store a staged chunk as `put_bytes` does."""
        await self.put_bytes(staged.storage_key, staged.audio.data)

    async def put_bytes(self, storage_key: str, data: bytes) -> None:
        """Store the bytes durably.

        A cancellation waits for the end, so that whoever cleans up afterwards finds the object.
        """
        await run_to_end(self._put(storage_key, data))

    async def _put(self, key: str, data: bytes) -> None:
        try:
            await self._in_thread(self._write, key, data)
        except _STORAGE_ERRORS as error:
            raise self._failure("The audio storage cannot be written.", error) from error
        self._outage.over()

    async def get(self, storage_key: str, *, size_bytes: int, sha256: str) -> bytes:
        """Return the bytes; raises CorruptAudioError where they are not those that were stored."""
        try:
            data = await self._in_thread(self._read, storage_key)
        except FileNotFoundError as error:
            raise CorruptAudioError("The audio's bytes are missing from the storage.") from error
        except _STORAGE_ERRORS as error:
            raise self._failure("The audio storage cannot be read.", error) from error
        if len(data) != size_bytes or await digest_of(data) != sha256:
            raise CorruptAudioError
        return data

    async def remove(self, *keys: str) -> None:
        """Remove the objects that are there."""
        for key in keys:
            try:
                await self._in_thread(self._store.delete, key)
            except FileNotFoundError:
                continue  # gone already, which is what was wanted
            except _STORAGE_ERRORS as error:
                raise self._failure("The audio storage cannot be written.", error) from error

    async def discard(self, storage_key: str) -> None:
        """Remove an object that no row refers to; where that fails it is left to the sweep."""
        try:
            await self.remove(storage_key)
        except StoreUnavailableError:
            # Why has been told: this may happen to every write as long as the storage is not there.
            logger.debug(
                "an orphan is left in the audio storage",
                extra={"event": "orphan_left", "storage_key": storage_key},
            )

    async def list(self, session_id: UUID | None = None) -> AsyncIterator[list[StoredObject]]:
        """Yield the stored objects in batches, of one session or of all."""
        prefix = None if session_id is None else str(session_id)
        try:
            batches = self._store.list(prefix)
            while (batch := await self._in_thread(next, batches, None)) is not None:
                yield [StoredObject(item["path"], item["last_modified"]) for item in batch]
        except _STORAGE_ERRORS as error:
            raise self._failure("The audio storage cannot be listed.", error) from error

    async def check(self) -> None:
        """Write an object and remove it; raises StoreUnavailableError."""
        probe = await self.stage(_PROBE_SESSION, _PROBE)
        await self.put(probe)
        await self.remove(probe.storage_key)

    async def remove_unfinished(self, before: datetime) -> int:
        """Remove what a killed process left of objects that it was writing, and return how many there were.

        A local folder holds them under names that no listing shows; other stores keep them to themselves.
        """
        if self._folder is None:
            return 0
        try:
            return await self._in_thread(_remove_unfinished, self._folder, before.timestamp())
        except OSError as error:
            raise StoreUnavailableError("The audio storage cannot be written.") from error

    async def remove_session(self, session_id: UUID) -> None:
        """Remove every object of a session, those that no row refers to as well."""
        async for batch in self.list(session_id):
            await self.remove(*(stored.key for stored in batch))

    async def _in_thread(self, work: Callable[[*Ts], T], *arguments: *Ts) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work, *arguments)

    def _write(self, key: str, data: bytes) -> None:
        self._store.put(key, data)
        if self._folder is not None:
            _make_durable(self._folder / key)

    def _read(self, key: str) -> bytes:
        return bytes(self._store.get(key).bytes())

    def _failure(self, message: str, error: Exception) -> StoreUnavailableError:
        failure = StoreUnavailableError(message)
        self._outage.met(failure, cause=type(error).__name__)
        return failure


def ids_in(storage_key: str) -> tuple[UUID, UUID] | None:
    """Return the session's and the audio file's id in a key, None where it is no key of ours."""
    parts = storage_key.split("/")
    if len(parts) != KEY_PARTS:
        return None
    try:
        session_id, audio_file_id, _ = map(UUID, parts)
    except ValueError:
        return None
    return session_id, audio_file_id


async def digest_of(data: bytes) -> str:
    """Return the SHA-256 of `data` in hexadecimal, large data without holding up the loop."""
    if len(data) < HASH_IN_THREAD_BYTES:
        return hashlib.sha256(data).hexdigest()
    return (await asyncio.to_thread(hashlib.sha256, data)).hexdigest()


def _opened(url: str) -> ObjectStore | None:
    """Return the store at `url`, None where there is none: the library's error would repeat its secrets."""
    try:
        return _local(url) if url.startswith("file:") else from_url(url)
    except (BaseError, ValueError, TypeError):
        return None


def _local(url: str) -> LocalStore:
    folder = url.removeprefix("file:")
    folder = folder.removeprefix("//") if folder.startswith("///") else folder
    return LocalStore(Path(folder).expanduser().absolute(), mkdir=True)


def _remove_unfinished(folder: Path, before: float) -> int:
    # obstore writes KEY#NUMBER, and gives it its name once it is whole.
    removed = 0
    for path in folder.glob("*/*/*#*"):
        key, _, number = str(path.relative_to(folder)).rpartition("#")
        if number.isdecimal() and ids_in(key) is not None:
            with suppress(FileNotFoundError):  # finished meanwhile
                if path.stat().st_mtime < before:
                    path.unlink()
                    removed += 1
    return removed


def _make_durable(path: Path) -> None:
    # The row is committed with fsync; its bytes must not be what a power failure takes.
    for place in (path, *list(path.parents)[:3]):
        handle = os.open(place, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
