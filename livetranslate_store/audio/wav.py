"""Headers of WAV files: they are read, and made for the frames of several files."""

import struct
from collections.abc import Awaitable, Callable
from typing import NamedTuple, TypeAlias

from livetranslate_store.errors import InvalidInputError

#: Returns the bytes `[start, end)` of a file.
ReadRange: TypeAlias = Callable[[int, int], Awaitable[bytes]]

# Most headers have 44 bytes; some have notes of the recorder, too.
_HEAD_BYTES = 512
_MAX_HEADER_CHUNKS = 100
_MAX_FORMAT_BYTES = 200

_PCM, _FLOAT, _A_LAW, _MU_LAW, _EXTENSIBLE = 1, 3, 6, 7, 0xFFFE
# No frame depends on another one, so that frames of two files can follow each other.
_JOINABLE = {_PCM, _FLOAT, _A_LAW, _MU_LAW}
_SILENCE = {_A_LAW: b"\xd5", _MU_LAW: b"\xff"}

# In place of a size that is unknown, or too large for 32 bits.
_NO_SIZE = 0xFFFFFFFF


class WavFormat(NamedTuple):
    """The properties that two files must share for their frames to follow each other."""

    code: int
    channels: int
    sample_rate: int
    frame_bytes: int
    sample_bits: int

    @property
    def silence(self) -> bytes:
        """The byte that silence consists of."""
        if self.code == _PCM and self.sample_bits <= 8:  # noqa: PLR2004 (samples of a byte have no sign)
            return b"\x80"
        return _SILENCE.get(self.code, b"\0")

    def __str__(self) -> str:
        """Name the format in words."""
        name = {_PCM: "PCM", _FLOAT: "float", _A_LAW: "A-law", _MU_LAW: "µ-law"}.get(
            self.code, f"code {self.code}"
        )
        return f"{name} of {self.sample_bits} bits, {self.sample_rate} Hz, {self.channels} channels"


class WavFile(NamedTuple):
    """The format of a file, and the place of its frames."""

    format: WavFormat
    #: The `fmt ` chunk as it is.
    description: bytes
    start: int
    frames: int


async def read_wav(read: ReadRange, size_bytes: int) -> WavFile:
    """Read the header of a file; raises InvalidInputError that begins with "it"."""
    head = _Head(read, size_bytes)
    riff, riff_size, wave = struct.unpack("<4sI4s", await head.bytes(0, 12))
    if riff not in (b"RIFF", b"RF64") or wave != b"WAVE":
        raise InvalidInputError("it is no WAV file")
    place, long_size, description = 12, None, b""
    for _ in range(_MAX_HEADER_CHUNKS):
        name, size = struct.unpack("<4sI", await head.bytes(place, 8))
        place += 8
        if name == b"data":
            if not description:
                break
            left = size_bytes - place
            has_no_size = size == 0 and riff_size in (0, _NO_SIZE)
            stated = long_size if size == _NO_SIZE and long_size is not None else size
            # A recorder that was cut off, or wrote into a pipe, left the size open.
            data_bytes = left if has_no_size else min(stated, left)
            format_ = _format_of(description)
            return WavFile(format_, description, place, data_bytes // format_.frame_bytes)
        if name == b"ds64":
            long_size = struct.unpack("<Q", await head.bytes(place + 8, 8))[0]
        elif name == b"fmt ":
            if size > _MAX_FORMAT_BYTES:
                break
            description = await head.bytes(place, size)
        place += size + size % 2
    raise InvalidInputError("it has no WAV header that can be read")


class _Head:
    """The beginning of a file, which is read once; later bytes are read one by one."""

    def __init__(self, read: ReadRange, size_bytes: int) -> None:
        self._read = read
        self._size_bytes = size_bytes
        self._known = b""

    async def bytes(self, start: int, count: int) -> bytes:
        if start + count > self._size_bytes:
            raise InvalidInputError("it is no WAV file" if start == 0 else "it has a WAV header without data")
        if not self._known:
            self._known = await self._read(0, min(_HEAD_BYTES, self._size_bytes))
        if start + count <= len(self._known):
            return self._known[start : start + count]
        return await self._read(start, start + count)


def _format_of(description: bytes) -> WavFormat:
    if len(description) < 16:  # noqa: PLR2004 (the size of the six fields)
        raise InvalidInputError("it has no WAV header that can be read")
    code, channels, sample_rate, _, frame_bytes, bits = struct.unpack("<HHIIHH", description[:16])
    if code == _EXTENSIBLE and len(description) >= 26:  # noqa: PLR2004 (the code comes again at byte 24)
        (code,) = struct.unpack("<H", description[24:26])
    found = WavFormat(code, channels, sample_rate, frame_bytes, bits)
    if code not in _JOINABLE:
        raise InvalidInputError(f"it has a compressed format ({found})")
    if not channels or not sample_rate or frame_bytes != channels * ((bits + 7) // 8) or not frame_bytes:
        raise InvalidInputError(f"it has a WAV header that contradicts itself ({found})")
    return found


def wav_header(format_: WavFormat, description: bytes, frames: int) -> bytes:
    """Return the header for a number of frames: RIFF, or RF64 (EBU Tech 3306) above 4 GiB."""
    fmt = struct.pack("<4sI", b"fmt ", len(description)) + description + b"\0" * (len(description) % 2)
    data_bytes = frames * format_.frame_bytes
    riff_bytes = 4 + len(fmt) + 8 + data_bytes + data_bytes % 2
    if riff_bytes < _NO_SIZE:
        return (
            struct.pack("<4sI4s", b"RIFF", riff_bytes, b"WAVE")
            + fmt
            + struct.pack("<4sI", b"data", data_bytes)
        )
    sizes = struct.pack("<4sIQQQI", b"ds64", 28, riff_bytes + 36, data_bytes, frames, 0)
    return (
        struct.pack("<4sI4s", b"RF64", _NO_SIZE, b"WAVE")
        + sizes
        + fmt
        + struct.pack("<4sI", b"data", _NO_SIZE)
    )
