"""Headers of WAV files: those of the field are read, and a made one is read by other programs."""

import struct

import pytest
from helpers.wavs import read_back, wav
from hypothesis import given
from hypothesis import strategies as st

from livetranslate_store import InvalidInputError
from livetranslate_store.audio.wav import WavFile, WavFormat, read_wav, wav_header

FRAMES = bytes(range(100))


async def parsed(data: bytes, size: int | None = None) -> WavFile:
    async def read(start: int, end: int) -> bytes:
        assert 0 <= start < end <= len(data)
        return data[start:end]

    return await read_wav(read, len(data) if size is None else size)


def chunk(name: bytes, data: bytes, size: int | None = None) -> bytes:
    return struct.pack("<4sI", name, len(data) if size is None else size) + data + b"\0" * (len(data) % 2)


def riff(*chunks: bytes, name: bytes = b"RIFF", size: int | None = None) -> bytes:
    body = b"WAVE" + b"".join(chunks)
    return struct.pack("<4sI", name, len(body) if size is None else size) + body


def fmt(code: int = 1, channels: int = 1, rate: int = 8000, frame: int = 2, bits: int = 16) -> bytes:
    return chunk(b"fmt ", struct.pack("<HHIIHH", code, channels, rate, rate * frame, frame, bits))


UNKNOWN = 0xFFFFFFFF
# Extensible: 16 bits in a frame of two channels; the code comes in its second half.
EXTENSIBLE = struct.pack("<HHIIHHHHIH", 0xFFFE, 2, 48_000, 192_000, 4, 16, 22, 16, 3, 1) + bytes(14)


@pytest.mark.parametrize(
    ("data", "start", "frames"),
    [
        (wav(FRAMES), 44, 50),
        (riff(fmt(), chunk(b"LIST", b"abc"), chunk(b"data", FRAMES), chunk(b"id3 ", b"after")), 56, 50),
        (riff(chunk(b"bext", bytes(1000)), fmt(), chunk(b"data", FRAMES)), 1052, 50),
        (riff(chunk(b"fmt ", EXTENSIBLE), chunk(b"data", FRAMES)), 68, 25),
        (riff(fmt(), chunk(b"data", b"")), 44, 0),
        # Of recorders that were cut off, or that wrote into a pipe.
        (riff(fmt(), chunk(b"data", FRAMES, size=1000), size=1036), 44, 50),
        (riff(fmt(), chunk(b"data", FRAMES, size=UNKNOWN), size=UNKNOWN), 44, 50),
        (riff(fmt(), chunk(b"data", FRAMES, size=0), size=0), 44, 50),
        (riff(fmt(), chunk(b"data", FRAMES + b"x")), 44, 50),
        (
            riff(
                chunk(b"ds64", struct.pack("<QQQI", 0, 100, 0, 0)),
                fmt(),
                chunk(b"data", FRAMES, size=UNKNOWN),
                chunk(b"id3 ", b"after"),
                name=b"RF64",
                size=UNKNOWN,
            ),
            80,
            50,
        ),
    ],
)
async def test_the_frames_of_a_file_are_found(data: bytes, start: int, frames: int) -> None:
    found = await parsed(data)
    assert (found.start, found.frames) == (start, frames)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "no WAV file"),
        (b"RIFF", "no WAV file"),
        (b"OggS" + bytes(100), "no WAV file"),
        (b"ID3" + bytes(100), "no WAV file"),
        (b"RIFF" + bytes(4) + b"AVI " + bytes(100), "no WAV file"),
        (riff(fmt()), "without data"),
        (riff(chunk(b"data", FRAMES)), "can be read"),
        (riff(*[chunk(b"junk", b"")] * 200), "can be read"),
        (riff(chunk(b"fmt ", b"short"), chunk(b"data", FRAMES)), "can be read"),
        (riff(chunk(b"fmt ", bytes(1000)), chunk(b"data", FRAMES)), "can be read"),
        (riff(fmt(code=0x11, bits=4), chunk(b"data", FRAMES)), "compressed format"),
        (riff(fmt(code=0x55), chunk(b"data", FRAMES)), "compressed format"),
        (riff(fmt(channels=0), chunk(b"data", FRAMES)), "contradicts itself"),
        (riff(fmt(rate=0), chunk(b"data", FRAMES)), "contradicts itself"),
        (riff(fmt(frame=3), chunk(b"data", FRAMES)), "contradicts itself"),
        (riff(fmt(frame=0, bits=0), chunk(b"data", FRAMES)), "contradicts itself"),
    ],
)
async def test_what_cannot_be_joined_says_why(data: bytes, message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        await parsed(data)


@given(st.binary(max_size=200))
async def test_any_bytes_are_a_wav_file_or_an_error(data: bytes) -> None:
    for candidate in (data, riff(data), riff(fmt(), data)):
        try:
            found = await parsed(candidate)
        except InvalidInputError:
            continue
        end = found.start + found.frames * found.format.frame_bytes
        assert 0 < found.start <= end <= len(candidate)


@pytest.mark.parametrize(("channels", "sample_bytes"), [(1, 1), (1, 2), (2, 2), (2, 3)])
async def test_a_made_header_is_read_by_another_program(channels: int, sample_bytes: int) -> None:
    frames = FRAMES[: 10 * channels * sample_bytes]
    file = await parsed(wav(frames, channels=channels, sample_bytes=sample_bytes))
    made = wav_header(file.format, file.description, file.frames) + frames
    assert read_back(made) == (frames, channels, sample_bytes, 8000)


@pytest.mark.parametrize("frames", [2**31 - 100, 2**31, 2**40])
async def test_more_than_four_gigabytes_are_rf64(frames: int) -> None:
    file = await parsed(wav(b""))
    header = wav_header(file.format, file.description, frames)
    assert header[:4] == (b"RF64" if frames > 2**31 - 100 else b"RIFF")
    found = await parsed(header + bytes(500), size=len(header) + 2 * frames)
    assert (found.start, found.frames) == (len(header), frames)


@pytest.mark.parametrize(
    ("code", "bits", "silence"),
    [(1, 8, b"\x80"), (1, 16, b"\0"), (1, 24, b"\0"), (3, 32, b"\0"), (6, 8, b"\xd5"), (7, 8, b"\xff")],
)
def test_silence_is_the_middle_of_a_format(code: int, bits: int, silence: bytes) -> None:
    assert WavFormat(code, 1, 8000, bits // 8, bits).silence == silence
