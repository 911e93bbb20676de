"""WAV files, made and read by the standard library, and bytes that come as streams."""

import io
import wave
from collections.abc import AsyncIterator
from typing import NamedTuple

RATE = 8000


class Wav(NamedTuple):
    """What a WAV file holds."""

    frames: bytes
    channels: int
    sample_bytes: int
    rate: int


def wav(frames: bytes, *, channels: int = 1, sample_bytes: int = 2, rate: int = RATE) -> bytes:
    """Return a WAV file."""
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(channels)
        writer.setsampwidth(sample_bytes)
        writer.setframerate(rate)
        writer.writeframes(frames)
    return file.getvalue()


def read_back(data: bytes) -> Wav:
    """Return what a WAV file holds, as another program reads it."""
    with wave.open(io.BytesIO(data), "rb") as reader:
        frames = reader.readframes(reader.getnframes())
        return Wav(frames, reader.getnchannels(), reader.getsampwidth(), reader.getframerate())


async def in_pieces(data: bytes, size: int) -> AsyncIterator[bytes]:
    """Yield the bytes in pieces."""
    for start in range(0, len(data), size):
        yield data[start : start + size]
