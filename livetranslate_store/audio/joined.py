"""The audio files of a session as one recording.

Files of one WAV format follow each other by their start times. An overlap is heard once, from the earlier
file; a gap is left out, or filled with silence.
"""

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple
from uuid import UUID

from livetranslate_store.audio.recording import Part, Recording, Repeated, StoredBytes, StoredPart
from livetranslate_store.audio.storage import AudioStorage
from livetranslate_store.audio.wav import WavFile, WavFormat, read_wav, wav_header
from livetranslate_store.errors import InvalidInputError
from livetranslate_store.models import AudioFile
from livetranslate_store.tasks import for_each

# Start times are rounded, and clocks differ: a smaller gap or overlap does not count.
TOLERANCE_SECONDS = 0.05
# A longer gap means start times of two kinds, such as seconds and a Unix epoch.
MAX_GAP_SECONDS = 24 * 3600
# The lane has 32 places, and writes need them more.
HEADERS_AT_ONCE = 8


class AudioChunk(NamedTuple):
    """An audio file: its bytes, and its place in the session."""

    audio_file_id: UUID
    stored: StoredBytes
    format: str
    start_time: float | None
    duration: float | None


class _Placed(NamedTuple):
    chunk: AudioChunk
    wav: WavFile
    #: The first frame's place, in frames since the first chunk's start.
    place: int


def chunk_of(row: AudioFile) -> AudioChunk:
    """Return the chunk of a row."""
    stored = StoredBytes(row.storage_key, row.size_bytes, row.sha256)
    return AudioChunk(row.id, stored, row.format, row.start_time, row.duration)


def whole_file(storage: AudioStorage, chunk: AudioChunk) -> Recording:
    """Return the recording of one audio file, as it is."""
    return Recording(
        storage,
        [StoredPart(chunk.stored, 0, chunk.stored.size_bytes)],
        format=chunk.format,
        sha256=chunk.stored.sha256,
        start_time=chunk.start_time,
        duration=chunk.duration,
    )


async def joined(storage: AudioStorage, chunks: Sequence[AudioChunk], *, fill_gaps: bool) -> Recording:
    """Return the recording of all chunks, which are in the order of their start times.

    It reads the header of each. A single chunk of any format is given as it is. Raises InvalidInputError if
    the chunks cannot be joined, CorruptAudioError and StoreUnavailableError.
    """
    if len(chunks) == 1:
        return whole_file(storage, chunks[0])
    files = await _headers(storage, chunks)
    first = files[0]
    for chunk, wav in zip(chunks, files, strict=True):
        if wav.format != first.format:
            raise InvalidInputError(
                f"Audio file {chunk.audio_file_id} cannot be joined with {chunks[0].audio_file_id}: "
                f"it is {wav.format}, and not {first.format}."
            )
    placed = _placed(chunks, files)
    frames, parts = _laid_out(placed, first.format, fill_gaps=fill_gaps)
    header = wav_header(first.format, first.description, frames)
    # The data of a WAV file ends at an even byte.
    pad = Repeated(b"\0", frames * first.format.frame_bytes % 2)
    return Recording(
        storage,
        [Repeated(header, len(header)), *parts, pad],
        format="wav",
        sha256=None,
        start_time=(placed[0].chunk if placed else chunks[0]).start_time,
        duration=frames / first.format.sample_rate,
    )


async def _headers(storage: AudioStorage, chunks: Sequence[AudioChunk]) -> list[WavFile]:
    found: dict[UUID, WavFile] = {}

    async def read(chunk: AudioChunk) -> None:
        key, size_bytes, _ = chunk.stored
        try:
            found[chunk.audio_file_id] = await read_wav(
                partial(storage.get_range, key, size_bytes=size_bytes), size_bytes
            )
        except InvalidInputError as error:
            raise InvalidInputError(
                f"Audio file {chunk.audio_file_id} of format {chunk.format!r} cannot be joined with others: "
                f"{error}. Only PCM, float, A-law and µ-law in WAV files can."
            ) from None

    for chunk in chunks:
        if chunk.start_time is None:
            raise InvalidInputError(
                f"Audio file {chunk.audio_file_id} has no start_time, so its place in the session is unknown."
            )
    await for_each(chunks, read, at_once=HEADERS_AT_ONCE)
    return [found[chunk.audio_file_id] for chunk in chunks]


def _placed(chunks: Sequence[AudioChunk], files: Sequence[WavFile]) -> list[_Placed]:
    """Return the files that have frames, with their places."""
    heard = [(chunk, wav) for chunk, wav in zip(chunks, files, strict=True) if wav.frames]
    starts = [chunk.start_time or 0.0 for chunk, _ in heard]
    return [
        _Placed(chunk, wav, round((start - starts[0]) * wav.format.sample_rate))
        for (chunk, wav), start in zip(heard, starts, strict=True)
    ]


def _laid_out(placed: Sequence[_Placed], wav_format: WavFormat, *, fill_gaps: bool) -> tuple[int, list[Part]]:
    """Return the number of frames, and the parts that they are made of."""
    tolerance = round(TOLERANCE_SECONDS * wav_format.sample_rate)
    parts: list[Part] = []
    # In frames since the first chunk's start: the end of the sound so far, and the gaps that were left out.
    heard = left_out = 0
    for each in placed:
        gap = each.place - heard
        skipped = 0
        if gap > tolerance:
            if fill_gaps:
                _check_gap(each, gap)
                parts.append(Repeated(wav_format.silence, gap * wav_format.frame_bytes))
            else:
                left_out += gap
            heard = each.place
        elif gap < -tolerance:
            skipped = min(-gap, each.wav.frames)
        frames = each.wav.frames - skipped
        if frames:
            start = each.wav.start + skipped * wav_format.frame_bytes
            parts.append(StoredPart(each.chunk.stored, start, frames * wav_format.frame_bytes))
            heard += frames
    return heard - left_out, parts


def _check_gap(placed: _Placed, gap: int) -> None:
    seconds = gap / placed.wav.format.sample_rate
    if seconds > MAX_GAP_SECONDS:
        raise InvalidInputError(
            f"Before audio file {placed.chunk.audio_file_id} there are {seconds:,.0f} s without audio; "
            f"at most {MAX_GAP_SECONDS:,} are filled. Check its start_time {placed.chunk.start_time}."
        )
