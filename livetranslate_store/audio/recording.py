"""Audio that is read in pieces, in bounded memory."""

import asyncio
import hashlib
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from typing import NamedTuple, TypeAlias

from livetranslate_store.audio.storage import AudioStorage
from livetranslate_store.errors import CorruptAudioError, InvalidInputError

#: The most bytes in memory at a time.
PIECE_BYTES = 1536 * 1024


class StoredBytes(NamedTuple):
    """The expected bytes of an audio file."""

    storage_key: str
    size_bytes: int
    sha256: str


class StoredPart(NamedTuple):
    """A part of a stored object, from its byte `start` on."""

    stored: StoredBytes
    start: int
    size_bytes: int


class Repeated(NamedTuple):
    """Known bytes: `data` once, or one byte as often as `size_bytes` says."""

    data: bytes
    size_bytes: int


Part: TypeAlias = StoredPart | Repeated


class Recording:
    """Audio that is read in pieces: an audio file, or the audio files of a session as one.

    It holds no connection, and can be read any number of times while the session exists. `start_time` is its
    first moment in seconds since the session's start, and `duration` its length in seconds; None if unknown.
    """

    def __init__(
        self,
        storage: AudioStorage,
        parts: Sequence[Part],
        *,
        format: str,  # noqa: A002 (the name of the column)
        sha256: str | None,
        start_time: float | None,
        duration: float | None,
    ) -> None:
        self._storage = storage
        self._parts = parts
        #: The name of the encoding.
        self.format = format
        #: The number of bytes.
        self.size_bytes = sum(part.size_bytes for part in parts)
        #: The SHA-256 in hexadecimal; None if the recording is made of several audio files.
        self.sha256 = sha256
        self.start_time = start_time
        self.duration = duration

    def __repr__(self) -> str:
        """Show format and size."""
        return f"Recording({self.size_bytes:,} bytes of {self.format!r}, start_time={self.start_time})"

    def stream(self, start: int = 0, end: int | None = None) -> AsyncGenerator[bytes, None]:
        """Yield the bytes `[start, end)`, of the whole recording by default, in pieces of 1.5 MiB at most.

        An audio file that is read whole is checked against its SHA-256 before its last piece is given; of
        others the size is checked. Raises InvalidInputError at the call for a range outside of the recording;
        CorruptAudioError if the stored bytes are missing or changed, and StoreUnavailableError.
        """
        return self._pieces(*self._checked(start, end))

    async def read(self, start: int = 0, end: int | None = None) -> bytes:
        """Return the bytes `[start, end)` at once; raises the errors of `stream`."""
        return b"".join([piece async for piece in self.stream(start, end)])

    def _checked(self, start: int, end: int | None) -> tuple[int, int]:
        end = self.size_bytes if end is None else end
        for value in (start, end):
            if isinstance(value, bool) or not isinstance(value, int):
                raise InvalidInputError(
                    f"start and end must be numbers of bytes, not {type(value).__name__}."
                )
        if not 0 <= start <= end <= self.size_bytes:
            raise InvalidInputError(
                f"The range from {start} to {end} lies outside of the recording, "
                f"which has {self.size_bytes} bytes."
            )
        return start, end

    async def _pieces(self, start: int, end: int) -> AsyncGenerator[bytes, None]:
        place = 0
        for part in self._parts:
            first, last = max(start - place, 0), min(end - place, part.size_bytes)
            if first < last:
                async for piece in self._pieces_of(part, first, last):
                    yield piece
            place += part.size_bytes
            if place >= end:
                return

    def _pieces_of(self, part: Part, first: int, last: int) -> AsyncIterator[bytes]:
        if isinstance(part, Repeated):
            return _repeated(part, first, last)
        if (first, last) == (0, part.size_bytes):
            return checked_pieces(self._storage, part)
        return self._range(part, part.start + first, part.start + last)

    async def _range(self, part: StoredPart, first: int, last: int) -> AsyncIterator[bytes]:
        key, size_bytes, _ = part.stored
        for place in range(first, last, PIECE_BYTES):
            until = min(place + PIECE_BYTES, last)
            yield await self._storage.get_range(key, place, until, size_bytes=size_bytes)


async def checked_pieces(storage: AudioStorage, part: StoredPart) -> AsyncIterator[bytes]:
    """Yield the bytes of a part while its whole object is read and checked.

    Raises CorruptAudioError, before the object's last piece, if the object is not the recorded one.
    """
    key, size_bytes, sha256 = part.stored
    digest = hashlib.sha256()
    for place in range(0, size_bytes, PIECE_BYTES):
        until = min(place + PIECE_BYTES, size_bytes)
        data = await storage.get_range(key, place, until, size_bytes=size_bytes)
        await asyncio.to_thread(digest.update, data)
        if until == size_bytes and digest.hexdigest() != sha256:
            raise CorruptAudioError
        wanted = data[max(part.start - place, 0) : max(part.start + part.size_bytes - place, 0)]
        if wanted:
            yield wanted


async def _repeated(part: Repeated, first: int, last: int) -> AsyncIterator[bytes]:
    if len(part.data) > 1:
        yield part.data[first:last]
        return
    for place in range(first, last, PIECE_BYTES):
        yield part.data * min(PIECE_BYTES, last - place)
