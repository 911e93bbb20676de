"""The audio files of a session as one: what overlaps is heard once, gaps are left out or silence."""

import asyncio
from collections.abc import Sequence
from uuid import UUID

import pytest
from helpers.wavs import read_back, wav
from hypothesis import given
from hypothesis import strategies as st

from livetranslate_store import CorruptAudioError, InvalidInputError, Recording
from livetranslate_store.audio import joined as joined_module
from livetranslate_store.audio import recording as recording_module
from livetranslate_store.audio.joined import AudioChunk, joined
from livetranslate_store.audio.recording import StoredBytes
from livetranslate_store.audio.storage import AudioStorage, digest_of

# A frame is a millisecond.
RATE = 1000


async def stored(
    storage: AudioStorage, number: int, data: bytes, start: float | None, kind: str = "wav"
) -> AudioChunk:
    key = f"chunk/{number}"
    await storage.put_bytes(key, data)
    known = StoredBytes(key, len(data), await digest_of(data))
    return AudioChunk(UUID(int=number), known, kind, start, None)


async def join(*chunks: tuple[float | None, bytes], fill_gaps: bool = False) -> Recording:
    storage = AudioStorage("memory:///")
    rows = [await stored(storage, number, data, start) for number, (start, data) in enumerate(chunks)]
    return await joined(storage, rows, fill_gaps=fill_gaps)


def sound(frames: int, value: int = 1) -> bytes:
    return wav(value.to_bytes(2, "little") * frames, rate=RATE)


def samples(frames: bytes) -> list[int]:
    return list(memoryview(frames).cast("H"))


async def heard(*chunks: tuple[float | None, bytes], fill_gaps: bool = False) -> list[int]:
    recording = await join(*chunks, fill_gaps=fill_gaps)
    whole = await recording.read()
    assert len(whole) == recording.size_bytes
    back = read_back(whole)
    assert (back.channels, back.sample_bytes, back.rate) == (1, 2, RATE)
    assert recording.duration == len(back.frames) / 2 / RATE
    return samples(back.frames)


async def test_files_follow_each_other_under_one_header() -> None:
    chunks = ((1.0, sound(1000, 1)), (2.0, sound(500, 2)), (2.5, sound(1, 3)))
    assert await heard(*chunks) == [1] * 1000 + [2] * 500 + [3]
    recording = await join(*chunks)
    assert (recording.format, recording.start_time, recording.sha256) == ("wav", 1.0, None)


async def test_gaps_are_left_out_or_silence() -> None:
    chunks = ((10.0, sound(100, 1)), (10.5, sound(100, 2)))
    assert await heard(*chunks) == [1] * 100 + [2] * 100
    assert await heard(*chunks, fill_gaps=True) == [1] * 100 + [0] * 400 + [2] * 100


@pytest.mark.parametrize("fill_gaps", [False, True])
async def test_an_overlap_is_heard_once_from_the_earlier_file(fill_gaps: bool) -> None:
    chunks = ((0.0, sound(300, 1)), (0.2, sound(300, 2)), (0.25, sound(100, 3)), (0.3, sound(300, 4)))
    assert await heard(*chunks, fill_gaps=fill_gaps) == [1] * 300 + [2] * 200 + [4] * 100


@pytest.mark.parametrize("fill_gaps", [False, True])
async def test_rounded_start_times_cut_and_add_nothing(fill_gaps: bool) -> None:
    # The last one begins too early by 40 ms, the others too late by up to 49.
    starts = (0.0, 0.149, 0.249, 0.349, 0.36)
    chunks = [(start, sound(100, number)) for number, start in enumerate(starts, 1)]
    expected = [number for number in range(1, 6) for _ in range(100)]
    assert await heard(*chunks, fill_gaps=fill_gaps) == expected


async def test_a_clock_that_drifts_is_set_right_once_it_is_off_by_more_than_the_tolerance() -> None:
    # Each file lasts 10 ms less than until the next one begins.
    chunks = [(number * 0.11, sound(100, 7)) for number in range(20)]
    frames = await heard(*chunks, fill_gaps=True)
    assert abs(len(frames) - (19 * 110 + 100)) <= 50
    assert frames.count(7) == 2000


async def test_the_data_of_an_odd_number_of_bytes_is_padded() -> None:
    one = wav(b"\x90" * 101, sample_bytes=1, rate=RATE)
    recording = await join((0.0, one), (0.5, wav(b"\x70" * 100, sample_bytes=1, rate=RATE)), fill_gaps=True)
    whole = await recording.read()
    assert len(whole) % 2 == 0
    frames = read_back(whole).frames
    assert frames == b"\x90" * 101 + b"\x80" * 399 + b"\x70" * 100
    odd = await (await join((0.0, one), (1.0, wav(b"", sample_bytes=1, rate=RATE)))).read()
    assert len(odd) == 44 + 101 + 1
    assert read_back(odd).frames == b"\x90" * 101


async def test_one_file_of_any_format_is_given_as_it_is() -> None:
    storage = AudioStorage("memory:///")
    recording = await joined(
        storage, [await stored(storage, 1, b"OggS and so on", None, "ogg")], fill_gaps=True
    )
    assert (await recording.read(), recording.format) == (b"OggS and so on", "ogg")
    assert recording.sha256 == await digest_of(b"OggS and so on")


@pytest.mark.parametrize(
    ("second", "message"),
    [
        ((1.0, b"OggS and so on"), f"{UUID(int=1)} of format 'wav' cannot be joined with others: it is no"),
        ((1.0, wav(b"", rate=16_000)), f"{UUID(int=1)} cannot be joined .*16000 Hz.* and not .* 1000 Hz"),
        ((1.0, wav(b"", rate=RATE, channels=2)), "2 channels, and not"),
        ((None, sound(1)), f"{UUID(int=1)} has no start_time"),
    ],
)
async def test_a_file_that_cannot_be_joined_is_named(
    second: tuple[float | None, bytes], message: str
) -> None:
    with pytest.raises(InvalidInputError, match=message):
        await join((0.0, sound(10)), second)


async def test_a_gap_of_more_than_a_day_is_not_filled() -> None:
    chunks = ((0.0, sound(10)), (1_700_000_000.0, sound(10)))
    with pytest.raises(InvalidInputError, match=f"Before audio file {UUID(int=1)} there are .* s without"):
        await join(*chunks, fill_gaps=True)
    assert len(await heard(*chunks)) == 20


async def test_a_changed_file_is_noticed_also_if_a_part_of_it_is_heard() -> None:
    storage = AudioStorage("memory:///")
    rows = [await stored(storage, number, sound(300, number), number * 0.2) for number in range(2)]
    recording = await joined(storage, rows, fill_gaps=False)
    await storage.put_bytes("chunk/1", sound(300, 9))
    with pytest.raises(CorruptAudioError, match="SHA-256"):
        await recording.read()


CHUNKS = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 30)), min_size=2, max_size=8).map(sorted)


@given(CHUNKS, st.booleans(), st.integers(0, 250), st.integers(0, 250), st.integers(1, 100))
def test_every_moment_is_heard_once_from_the_first_file_that_has_it(
    chunks: Sequence[tuple[int, int]], fill_gaps: bool, one: int, two: int, piece: int
) -> None:
    begin = next((start for start, frames in chunks if frames), 0)
    painted: dict[int, int] = {}
    for number, (start, frames) in enumerate(chunks):
        for moment in range(start, start + frames):
            painted.setdefault(moment - begin, 1000 * (number + 1) + moment - start)
    last = max(painted, default=-1)
    expected = [painted.get(moment, 0) for moment in range(last + 1) if fill_gaps or moment in painted]

    async def read() -> tuple[bytes, bytes, tuple[int, int]]:
        files = [
            (
                start / RATE,
                wav(
                    b"".join((1000 * (number + 1) + n).to_bytes(2, "little") for n in range(frames)),
                    rate=RATE,
                ),
            )
            for number, (start, frames) in enumerate(chunks)
        ]
        recording = await join(*files, fill_gaps=fill_gaps)
        whole = await recording.read()
        first, end = sorted((min(one, len(whole)), min(two, len(whole))))
        return whole, await recording.read(first, end), (first, end)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(joined_module, "TOLERANCE_SECONDS", 0.0)
        patched.setattr(recording_module, "PIECE_BYTES", piece)
        whole, part, (first, end) = asyncio.run(read())
    assert samples(read_back(whole).frames) == expected
    assert part == whole[first:end]
