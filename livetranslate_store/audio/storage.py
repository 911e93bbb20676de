"""The bytes of recordings.

A key is made of ids alone, `<session>/<audio file>/<attempt>`: no part of it comes from a caller, and each
attempt to write has an object of its own, so that a clean-up after one never takes another's bytes. The id
of an audio file is derived from its SHA-256, which a stream has at its end: its key has `STREAMED` there.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from livetranslate_store.audio.objects import Objects, StoredObject
from livetranslate_store.audio.owner import (
    MARKER,
    Fetch,
    check_may_delete,
    check_may_sweep,
    claim,
    ownership,
)
from livetranslate_store.audio.upload import Upload
from livetranslate_store.errors import CorruptAudioError, StoreUnavailableError, UsageError
from livetranslate_store.ids import audio_file_id_for, new_id
from livetranslate_store.settings import MAX_WAITING_BYTES, STORAGE_SECONDS
from livetranslate_store.tasks import Shared, run_to_end
from livetranslate_store.values import AudioInput

# Hashing less than this takes less time than handing it to a thread.
HASH_IN_THREAD_BYTES = 256 * 1024

_MISSING = "The bytes of a recording are missing from the audio storage."

# session, audio file, attempt
KEY_PARTS = 3

# In place of the audio file's id, in the key of bytes that came as a stream.
STREAMED = UUID(int=0)

# The object of a probe has an ordinary key, so that the sweep finds it after a crash.
_PROBE_SESSION = UUID(int=0)
_PROBE = AudioInput(data=b"probe", format="probe")


class StagedAudio(NamedTuple):
    """A chunk before its row exists: its id, the key of its bytes, their SHA-256 and number, its facts."""

    audio_file_id: UUID
    storage_key: str
    sha256: str
    size_bytes: int
    #: Without data if the bytes came as a stream.
    audio: AudioInput


class AudioStorage:
    """The recordings in the object store behind `url`; without one, every use is a UsageError."""

    def __init__(
        self,
        url: str | None,
        seconds: float = STORAGE_SECONDS,
        *,
        max_waiting_bytes: int = MAX_WAITING_BYTES,
    ) -> None:
        self._configured = None if url is None else Objects(url, seconds, max_waiting_bytes=max_waiting_bytes)
        self._claimed = False
        self._is_not_anothers = False
        self._probe = Shared(self._write_and_remove)
        # The removals under way, by key.
        self._discards: dict[str, asyncio.Task[None]] = {}

    def cut_off(self) -> None:
        """Fail the running calls at once: the store closes."""
        if self._configured is not None:
            self._configured.cut_off()

    async def close(self) -> None:
        """Finish the removals, and fail every later call."""
        if self._discards:
            await asyncio.wait(self._discards.values())
        if self._configured is not None:
            self._configured.close()

    @property
    def is_configured(self) -> bool:
        """Whether the store has a place for audio."""
        return self._configured is not None

    def check_configured(self) -> None:
        """Raise UsageError if the store has no place for audio."""
        _ = self._objects

    @property
    def _objects(self) -> Objects:
        if self._configured is None:
            raise UsageError(
                "This store has no audio storage: set audio_url (LIVETRANSLATE_AUDIO_URL), "
                "e.g. file:/var/lib/livetranslate/audio or s3://bucket/prefix."
            )
        return self._configured

    async def claim(self, fetch: Fetch) -> None:
        """Make sure, once, that the storage is this database's; comes before the first write.

        `fetch` asks the database on a connection that the caller can have. Raises StoreUnavailableError if
        the storage is another database's, or this database's recordings are elsewhere.
        """
        if not self._claimed:
            self._is_not_anothers = await claim(self._objects, fetch)
            self._claimed = True

    async def check_may_sweep(self, fetch: Fetch) -> None:
        """Raise StoreUnavailableError unless the storage is known to be this database's."""
        await check_may_sweep(self._objects, fetch)

    async def check_may_delete(self, fetch: Fetch) -> None:
        """Make sure, once, that the storage is no other database's; comes before a row of audio is deleted.

        A copy of a database has rows of the original's recordings. Raises StoreUnavailableError.
        """
        if not self._is_not_anothers:
            await check_may_delete(self._objects, fetch)
            self._is_not_anothers = True

    async def stage(self, session_id: UUID, audio: AudioInput) -> StagedAudio:
        """Return the key that `audio` will have; nothing is written yet."""
        self.check_configured()
        sha256 = await digest_of(audio.data)
        audio_file_id = audio_file_id_for(session_id, sha256, audio.start_time)
        key = f"{session_id}/{audio_file_id}/{new_id()}"
        return StagedAudio(audio_file_id, key, sha256, len(audio.data), audio)

    def upload(self, session_id: UUID) -> Upload:
        """Return the upload of a recording whose bytes come as a stream; nothing is written yet."""
        return self._objects.upload(f"{session_id}/{STREAMED}/{new_id()}")

    async def put(self, staged: StagedAudio) -> None:
        """Store a staged chunk as `put_bytes` does."""
        await self.put_bytes(staged.storage_key, staged.audio.data)

    async def put_bytes(self, storage_key: str, data: bytes) -> None:
        """Store the bytes durably; after an error or a cancellation the object is removed, or the sweep's."""
        await self._objects.put(storage_key, data)

    async def get(self, storage_key: str, *, size_bytes: int, sha256: str) -> bytes:
        """Return the bytes; raises CorruptAudioError if they are missing, or not the recorded ones."""
        data = await self._objects.get(storage_key)
        if data is None:
            raise CorruptAudioError(_MISSING)
        if len(data) != size_bytes or await digest_of(data) != sha256:
            raise CorruptAudioError
        return data

    async def get_range(self, storage_key: str, start: int, end: int, *, size_bytes: int) -> bytes:
        """Return the bytes `[start, end)` of a recording that has `size_bytes`.

        Raises CorruptAudioError if the recording is missing, or has another size.
        """
        found = await self._objects.get_range(storage_key, start, end)
        if found is None:
            raise CorruptAudioError(_MISSING)
        data, size = found
        if size != size_bytes or len(data) != end - start:
            raise CorruptAudioError
        return data

    async def signed_url(self, storage_key: str, expires_in: timedelta) -> str:
        """Return an address that anybody can read a recording at; raises UsageError if there is none."""
        return await self._objects.signed_url(storage_key, expires_in)

    async def remove(self, *keys: str) -> None:
        """Remove objects; a missing one is fine."""
        await self._objects.remove(*keys)

    def begin_discard(self, storage_key: str) -> None:
        """Begin to remove an object that no row refers to; if that takes long or fails, the sweep will."""
        task = asyncio.get_running_loop().create_task(self._objects.discard(storage_key))
        self._discards[storage_key] = task
        task.add_done_callback(lambda _: self._discards.pop(storage_key, None))

    async def until_discarded(self, storage_key: str) -> None:
        """Wait for the removal that was begun, if there is one."""
        if storage_key in self._discards:
            await run_to_end(asyncio.wait([self._discards[storage_key]]))

    async def discard(self, storage_key: str) -> None:
        """Remove an object that no row refers to; if that takes long or fails, the sweep will."""
        self.begin_discard(storage_key)
        await self.until_discarded(storage_key)

    async def list(self, session_id: UUID | None = None) -> AsyncIterator[Sequence[StoredObject]]:
        """Yield the stored objects in batches, of one session or of all; the marker is none of them."""
        async for batch in self._objects.list(None if session_id is None else str(session_id)):
            yield [each for each in batch if each.key != MARKER]

    async def check(self) -> None:
        """Write an object and remove it; raises StoreUnavailableError. Fine without a storage.

        One probe runs at a time and all callers share it: while the storage hangs, they take one place.
        """
        if self._configured is not None:
            await self._probe()

    async def _write_and_remove(self) -> None:
        probe = await self.stage(_PROBE_SESSION, _PROBE)
        await self.put(probe)
        await self.remove(probe.storage_key)

    async def check_owner(self, fetch: Fetch) -> None:
        """Look for the marker and for recordings of the database that `fetch` asks.

        Raises StoreUnavailableError if the storage is another database's, or the recordings are elsewhere.
        Fine without a storage.
        """
        if self._configured is not None:
            problem = (await ownership(self._configured, fetch)).problem
            if problem is not None:
                raise StoreUnavailableError(problem)

    async def unfinished(self, before: datetime) -> Sequence[StoredObject]:
        """Return the recordings that killed processes began to write before that moment."""
        found = await self._objects.unfinished(before)
        return [each for each in found if ids_in(each.key.rpartition("#")[0]) is not None]

    async def remove_unfinished(self, found: Sequence[StoredObject]) -> None:
        """Remove recordings that `unfinished` returned."""
        await self._objects.remove_unfinished(found)

    async def keys_of(self, session_id: UUID) -> set[str]:
        """Return the keys of all objects of a session, also those without a row; none without a storage."""
        if self._configured is None:
            return set()
        return {each.key async for batch in self.list(session_id) for each in batch}


def ids_in(storage_key: str) -> tuple[UUID, UUID] | None:
    """Return the session's and the audio file's id in a key, None if it is another kind of key."""
    parts = storage_key.split("/")
    if len(parts) != KEY_PARTS:
        return None
    try:
        ids = [*map(UUID, parts)]
    except ValueError:
        return None
    # Other spellings are names of other programs.
    return (ids[0], ids[1]) if [*map(str, ids)] == parts else None


async def digest_of(data: bytes) -> str:
    """Return the SHA-256 of `data` in hexadecimal; large data does not block the event loop."""
    if len(data) < HASH_IN_THREAD_BYTES:
        return hashlib.sha256(data).hexdigest()
    return (await asyncio.to_thread(hashlib.sha256, data)).hexdigest()
