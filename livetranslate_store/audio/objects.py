"""An object store: a local folder, or S3 and the like by URL.

obstore is called in threads of our own. Its own coroutines are finished by threads that Python does not know:
one that still wakes the event loop while the interpreter ends aborts the process (SIGABRT, seen on 3.11).
"""

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple, TypeVar, TypeVarTuple

from obstore.exceptions import AlreadyExistsError, BaseError
from obstore.store import LocalStore, ObjectStore, from_url

from livetranslate_store.errors import InvalidInputError, StoreUnavailableError
from livetranslate_store.incidents import Incident
from livetranslate_store.tasks import run_to_end

logger = logging.getLogger(__name__)

# Number of objects in transfer at once: an object store mostly waits.
THREADS = 32

_STORAGE_ERRORS = (BaseError, OSError)

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


class StoredObject(NamedTuple):
    """An object in a listing."""

    key: str
    modified: datetime
    size_bytes: int


class Objects:
    """The object store behind `url`: `file:` with an absolute folder, `s3://BUCKET/PREFIX` and the like.

    Every method raises StoreUnavailableError if the object store fails.
    """

    def __init__(self, url: str) -> None:
        self._store = _opened(url)
        self._folder = self._store.prefix if isinstance(self._store, LocalStore) else None
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="audio-storage")
        self._outage = Incident(logger, "storage_unavailable", "the audio storage is unavailable")

    async def put(self, key: str, data: bytes) -> None:
        """Store the bytes durably; a cancellation waits for the end, so that a clean-up finds the object."""
        await run_to_end(self._writing(self._put, key, data))

    async def create(self, key: str, data: bytes) -> bool:
        """Store the bytes unless the object exists; return whether they were stored."""
        return await run_to_end(self._writing(self._create, key, data))

    async def get(self, key: str) -> bytes | None:
        """Return the bytes of an object, None if it does not exist."""
        try:
            return await self._in_thread(self._read, key)
        except FileNotFoundError:
            return None
        except _STORAGE_ERRORS as error:
            raise self._failure("The audio storage cannot be read.", error) from error

    async def exists(self, key: str) -> bool:
        """Return whether the object exists."""
        try:
            await self._in_thread(self._store.head, key)
        except FileNotFoundError:
            return False
        except _STORAGE_ERRORS as error:
            raise self._failure("The audio storage cannot be read.", error) from error
        return True

    async def remove(self, *keys: str) -> None:
        """Remove the objects; a missing one is fine."""
        for key in keys:
            await self._writing(self._delete, key)

    async def list(self, prefix: str | None = None) -> AsyncIterator[Sequence[StoredObject]]:
        """Yield the objects in batches, those below `prefix` or all."""
        try:
            batches = self._store.list(prefix)
            while (batch := await self._in_thread(next, batches, None)) is not None:
                yield [StoredObject(item["path"], item["last_modified"], item["size"]) for item in batch]
        except _STORAGE_ERRORS as error:
            raise self._failure("The audio storage cannot be listed.", error) from error

    async def unfinished(self, before: datetime) -> Sequence[StoredObject]:
        """Return the files that killed processes began to write before that moment.

        A local folder has them under names that no listing shows; other stores hide or discard them.
        """
        if self._folder is None:
            return []
        return await self._writing(_unfinished, self._folder, before)

    async def remove_unfinished(self, found: Sequence[StoredObject]) -> None:
        """Remove files that `unfinished` returned; a missing one is fine."""
        for each in found:
            if self._folder is not None:
                await self._writing((self._folder / each.key).unlink, True)

    async def _writing(self, work: Callable[[*Ts], T], *arguments: *Ts) -> T:
        try:
            result = await self._in_thread(work, *arguments)
        except _STORAGE_ERRORS as error:
            raise self._failure("The audio storage cannot be written.", error) from error
        self._outage.over()
        return result

    async def _in_thread(self, work: Callable[[*Ts], T], *arguments: *Ts) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work, *arguments)

    def _put(self, key: str, data: bytes) -> None:
        self._store.put(key, data)
        if self._folder is not None:
            _make_durable(self._folder, key)

    def _create(self, key: str, data: bytes) -> bool:
        try:
            self._store.put(key, data, mode="create")
        except AlreadyExistsError:
            return False
        if self._folder is not None:
            _make_durable(self._folder, key)
        return True

    def _delete(self, key: str) -> None:
        with suppress(FileNotFoundError):
            self._store.delete(key)

    def _read(self, key: str) -> bytes:
        return bytes(self._store.get(key).bytes())

    def _failure(self, message: str, error: Exception) -> StoreUnavailableError:
        failure = StoreUnavailableError(message)
        self._outage.met(failure, cause=type(error).__name__)
        return failure


def _opened(url: str) -> ObjectStore:
    folder = _folder(url.removeprefix("file:")) if url.startswith("file:") else None
    try:
        return from_url(url) if folder is None else LocalStore(folder, mkdir=True)
    except (BaseError, ValueError, TypeError):
        # Raised below: the library's error repeats the secrets of the URL, and would be the context.
        pass
    raise InvalidInputError(
        "audio_url cannot be opened; write file:/FOLDER, or s3://BUCKET/PREFIX and the like."
    )


def _folder(folder: str) -> Path:
    folder = folder.removeprefix("//") if folder.startswith("///") else folder
    path = Path(folder).expanduser()
    if not path.is_absolute():
        raise InvalidInputError(
            f"audio_url names the folder {folder!r}, which depends on the working directory: "
            f"write the whole path, e.g. file:{Path(folder).absolute()}."
        )
    return path


def _unfinished(folder: Path, before: datetime) -> Sequence[StoredObject]:
    # obstore writes KEY#NUMBER, and renames it once it is whole.
    found = []
    for path in folder.glob("*/*/*#*"):
        with suppress(FileNotFoundError):  # finished meanwhile
            status = path.stat()
            modified = datetime.fromtimestamp(status.st_mtime, UTC)
            if path.name.rpartition("#")[2].isdecimal() and modified < before:
                found.append(StoredObject(path.relative_to(folder).as_posix(), modified, status.st_size))
    return found


def _make_durable(folder: Path, key: str) -> None:
    # The row is committed with fsync; a power failure must not take its bytes.
    path = folder / key
    for place in (path, *path.parents):
        handle = os.open(place, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
        if place == folder:
            break
