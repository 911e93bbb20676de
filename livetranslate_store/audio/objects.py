"""An object store: a local folder, or S3 and the like by URL.

obstore is called in threads of our own. Its own coroutines are finished by threads that Python does not know:
one that still wakes the event loop while the interpreter ends aborts the process (SIGABRT, seen on 3.11).
"""

import logging
import os
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import NamedTuple, TypeVar, TypeVarTuple

from obstore import open_writer, sign
from obstore.exceptions import AlreadyExistsError, BaseError
from obstore.store import AzureStore, GCSStore, LocalStore, ObjectStore, S3Store, from_url

from livetranslate_store.audio.failures import STORAGE_ERRORS, storage_failure
from livetranslate_store.audio.lane import Lane
from livetranslate_store.audio.upload import PART_BYTES, PARTS_AT_ONCE, Upload, discard
from livetranslate_store.errors import InvalidInputError, StoreUnavailableError, UsageError
from livetranslate_store.incidents import Incident
from livetranslate_store.settings import MAX_WAITING_BYTES, STORAGE_SECONDS
from livetranslate_store.tasks import for_each, run_to_end

logger = logging.getLogger(__name__)

# By its default of 10 and growing pauses an outage would be known after minutes.
RETRIES = 5

# Enough to hide the time of a request, and few beside the lane's threads.
REMOVED_AT_ONCE = 8

# obstore says it in its message and nowhere else.
_REQUEST_FAILED = "Error performing"

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


class StoredObject(NamedTuple):
    """An object in a listing."""

    key: str
    modified: datetime
    size_bytes: int


class _Attempt:
    """One put, as caller and thread see it: the later of both removes the object of a failed one."""

    def __init__(self) -> None:
        self.is_stored = False
        self.has_failed = False


class Objects:
    """The object store behind `url`: `file:` with an absolute folder, `s3://BUCKET/PREFIX` and the like.

    Every call takes at most `seconds`. Every method raises StoreUnavailableError if the object store fails.
    """

    def __init__(
        self, url: str, seconds: float = STORAGE_SECONDS, *, max_waiting_bytes: int = MAX_WAITING_BYTES
    ) -> None:
        self._store = _opened(url, seconds)
        self._folder = self._store.prefix if isinstance(self._store, LocalStore) else None
        self._lane = Lane(seconds, max_waiting_bytes=max_waiting_bytes)
        self._outage = Incident(logger, "storage_unavailable", "the audio storage is unavailable")

    def cut_off(self) -> None:
        """Fail the running calls at once: the store closes."""
        self._lane.cut_off()

    def close(self) -> None:
        """Fail the running calls, and every later one."""
        self._lane.close()

    async def put(self, key: str, data: bytes) -> None:
        """Store the bytes durably; after an error or a cancellation the object is removed, or the sweep's."""
        attempt = _Attempt()
        try:
            await self._calling("written", self._put, key, data, attempt, size=len(data))
        except BaseException:
            attempt.has_failed = True
            if attempt.is_stored:
                await run_to_end(self.discard(key))
            raise

    async def create(self, key: str, data: bytes) -> bool:
        """Store the bytes unless the object exists; return whether they were stored."""
        return await self._calling("written", self._create, key, data)

    def upload(self, key: str) -> Upload:
        """Return the upload of an object in parts; nothing is written yet."""
        return Upload(
            key,
            self._calling,
            open_writer=partial(
                open_writer, self._store, buffer_size=PART_BYTES, max_concurrency=PARTS_AT_ONCE
            ),
            make_durable=self._make_durable,
            delete=self._delete,
        )

    async def get(self, key: str) -> bytes | None:
        """Return the bytes of an object, None if it does not exist."""
        return await self._calling("read", self._read, key)

    async def get_range(self, key: str, start: int, end: int) -> tuple[bytes, int] | None:
        """Return the bytes `[start, end)` of an object and its size, None if it does not exist.

        The bytes are fewer if the object ends before `end`.
        """
        return await self._calling("read", self._read_range, key, start, end)

    async def signed_url(self, key: str, expires_in: timedelta) -> str:
        """Return an address that anybody can read the object at for a while.

        Raises UsageError if the object store has no such addresses.
        """
        if not isinstance(self._store, S3Store | GCSStore | AzureStore):
            raise UsageError(
                "The audio storage has no addresses for other programs: only S3, GCS and Azure have. "
                "Serve the bytes with open_audio()."
            )
        return await self._calling("read", _signed_url, self._store, key, expires_in)

    async def exists(self, key: str) -> bool:
        """Return whether the object exists."""
        return await self._calling("read", self._exists, key)

    async def remove(self, *keys: str) -> None:
        """Remove the objects; a missing one is fine."""

        async def remove(key: str) -> None:
            await self._calling("written", self._delete, key)

        await for_each(keys, remove, at_once=REMOVED_AT_ONCE)

    async def discard(self, key: str) -> None:
        """Remove an object that no row refers to; one that is not removed in a moment is the sweep's."""
        await discard(self._calling, self._delete, key)

    async def list(self, prefix: str | None = None) -> AsyncIterator[Sequence[StoredObject]]:
        """Yield the objects in batches, those below `prefix` or all."""
        batches = self._store.list(prefix)
        while (batch := await self._calling("listed", next, batches, None)) is not None:
            yield [StoredObject(item["path"], item["last_modified"], item["size"]) for item in batch]

    async def unfinished(self, before: datetime) -> Sequence[StoredObject]:
        """Return the files that killed processes began to write before that moment.

        A local folder has them under names that no listing shows; other stores hide or discard them.
        """
        if self._folder is None:
            return []
        return await self._calling("listed", _unfinished, self._folder, before)

    async def remove_unfinished(self, found: Sequence[StoredObject]) -> None:
        """Remove files that `unfinished` returned; a missing one is fine."""
        for each in found:
            if self._folder is not None:
                await self._calling("written", (self._folder / each.key).unlink, True)

    async def _calling(
        self,
        task: str,
        work: Callable[[*Ts], T],
        *arguments: *Ts,
        size: int = 0,
        seconds: float | None = None,
    ) -> T:
        try:
            result = await self._lane.run(work, *arguments, size=size, seconds=seconds)
        except STORAGE_ERRORS as error:
            failure = storage_failure(error, task)
            self._outage.met(failure, cause=type(error).__name__)
            raise failure from error
        except StoreUnavailableError as failure:
            self._outage.met(failure)
            raise
        if task == "written":
            self._outage.over()
        return result

    def _put(self, key: str, data: bytes, attempt: _Attempt) -> None:
        self._store.put(key, data)
        attempt.is_stored = True
        if attempt.has_failed:
            self._delete(key)
        else:
            self._make_durable(key)

    def _create(self, key: str, data: bytes) -> bool:
        try:
            self._store.put(key, data, mode="create")
        except AlreadyExistsError:
            return False
        self._make_durable(key)
        return True

    def _make_durable(self, key: str) -> None:
        if self._folder is not None:
            _make_durable(self._folder, key)

    def _delete(self, key: str) -> None:
        with suppress(FileNotFoundError):
            self._store.delete(key)

    def _read(self, key: str) -> bytes | None:
        try:
            return bytes(self._store.get(key).bytes())
        except FileNotFoundError:
            return None

    def _read_range(self, key: str, start: int, end: int) -> tuple[bytes, int] | None:
        try:
            found = self._store.get(key, options={"range": (start, end)})
            return bytes(found.bytes()), found.meta["size"]
        except FileNotFoundError:
            return None
        except BaseError:
            # A range behind the end of an object is an error too.
            size = self._store.head(key)["size"]
            if start < size:
                raise
            return b"", size

    def _exists(self, key: str) -> bool:
        try:
            self._store.head(key)
        except FileNotFoundError:
            return False
        return True


def _opened(url: str, seconds: float) -> ObjectStore:
    folder = _folder(url.removeprefix("file:")) if url.startswith("file:") else None
    try:
        if folder is not None:
            # A key has folders of its own, which go with its object.
            return LocalStore(folder, mkdir=True, automatic_cleanup=True)
        # A request has obstore's own limit, 30 s; a thread ends soon after its caller has left.
        return from_url(
            url, retry_config={"max_retries": RETRIES, "retry_timeout": timedelta(seconds=seconds / 2)}
        )
    except (BaseError, ValueError, TypeError):
        # Raised below: the library's error repeats the secrets of the URL, and would be the context.
        pass
    raise InvalidInputError(
        "audio_url cannot be opened; write file:/FOLDER, or s3://BUCKET/PREFIX and the like."
    )


def _signed_url(store: S3Store | GCSStore | AzureStore, key: str, expires_in: timedelta) -> str:
    try:
        return sign(store, "GET", key, expires_in)
    except BaseError as error:
        if _REQUEST_FAILED in str(error):
            raise
        raise UsageError(
            "The audio storage cannot sign an address with these credentials: "
            "give it a key in the environment."
        ) from error


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
