"""A batch of a bulk import: its segments are checked, put into waves, and turned into rows.

A key may come more than once within a batch, because a live transcriber sends each segment many times. Waves
keep the order of the source for each key: a later version goes with a later wave.
"""

import asyncio
from collections.abc import (
    AsyncGenerator,
    AsyncIterable,
    AsyncIterator,
    Collection,
    Iterable,
    Iterator,
    Mapping,
)
from typing import TypeAlias

from livetranslate_store.audio.storage import AudioStorage, StagedAudio
from livetranslate_store.checks import encode_json
from livetranslate_store.errors import InvalidInputError, UsageError
from livetranslate_store.ids import number_key
from livetranslate_store.size_limits import SizeLimits
from livetranslate_store.values import (
    Refusal,
    SegmentInput,
    SegmentLookup,
    TranscriptInput,
    TranslationInput,
)
from livetranslate_store.writing.encoding import (
    Key,
    Row,
    WriteKey,
    audio_row,
    transcript_row,
)
from livetranslate_store.writing.segments import Segment, checked_segment, speakers_of, translation_rows

Items: TypeAlias = AsyncIterable[SegmentInput | Refusal] | Iterable[SegmentInput | Refusal]

# Measured: smaller ones pay more for their round trips, larger ones gain nothing more.
BATCH_SEGMENTS = 4000
# Recordings and long texts fill a batch sooner: this many bytes are held once or twice.
BATCH_BYTES = 32 * 1024 * 1024
# Its times and its confidence, beside its text.
BYTES_OF_A_WORD = 100
# Reading goes on while the server works; other tasks must not wait for a whole batch of it.
ITEMS_AT_ONCE = 16

_NO_NAME = (
    "A transcript without id or segment_key cannot be imported: it would be another segment each time. "
    "Give one of them."
)


class Wave:
    """Segments whose keys all differ, so that one statement can write them, and their rows."""

    def __init__(self) -> None:
        self.segments: list[Segment] = []
        self.audio_files: list[Row] = []
        self.transcripts: list[Row] = []
        self.translation_count = 0

    def add(self, segment: Segment) -> None:
        """Add a segment and make its rows."""
        self.segments.append(segment)
        if segment.audio is not None:
            self.audio_files.append(audio_row(segment.session_id, segment.audio))
        self.transcripts.append(
            transcript_row(
                segment.session_id, segment.transcript_id, segment.audio_file_id, segment.transcript
            )
        )
        self.translation_count += len(segment.translations)

    def translations(self, *, are_new: bool) -> Iterator[Row]:
        """Yield the rows of the translations; see `translation_rows`."""
        return translation_rows(self.segments, are_new=are_new)

    def objects_of(self, keys: Collection[Key]) -> list[str]:
        """Return the storage keys that were meant for these audio files."""
        return [
            each.audio.storage_key
            for each in self.segments
            if each.audio is not None and (each.session_id, each.audio.audio_file_id) in keys
        ]

    def lookups_of(self, revisions: Mapping[Key, int]) -> list[SegmentLookup]:
        """Return the lookups of transcripts that have new `revisions`."""
        return [
            SegmentLookup(*key, each.transcript.language, revisions[key])
            for each in self.segments
            if (key := (each.session_id, each.transcript_id)) in revisions
        ]


class Batch:
    """Segments that are stored together, wave by wave, and the refused ones among them."""

    def __init__(self) -> None:
        #: How many items of the source this batch covers.
        self.items = 0
        self.refusals: list[Refusal] = []
        self.lines: list[int] = []
        self.segments: list[Segment] = []
        self.waves: list[Wave] = []
        self._bytes = 0
        # The last wave that writes a key, and the last one that refers to an audio file.
        self._written: dict[WriteKey, int] = {}
        self._referred: dict[WriteKey, int] = {}

    def __len__(self) -> int:
        return len(self.segments)

    @property
    def is_full(self) -> bool:
        """Whether it is to be stored before more is read."""
        return self.items >= BATCH_SEGMENTS or self._bytes >= BATCH_BYTES

    @property
    def size_bytes(self) -> int:
        """About how many bytes of texts, words, metadata and audio it holds."""
        return self._bytes

    @property
    def audio(self) -> list[StagedAudio]:
        """The audio of all segments."""
        return [segment.audio for segment in self.segments if segment.audio is not None]

    def add(self, line: int, segment: Segment) -> None:
        """Add a segment to the first wave after all those that it repeats."""
        self.lines.append(line)
        self.segments.append(segment)
        wave = self._next_wave(segment)
        if wave == len(self.waves):
            self.waves.append(Wave())
        self.waves[wave].add(segment)
        self._bytes += _size_of(segment)

    def speakers(self) -> list[Row]:
        """Return the rows of the speakers: the first name in the source wins, whatever its wave."""
        return speakers_of(self.segments)

    def halves(self) -> "tuple[Batch, Batch]":
        """Return the first and the second half."""
        middle = len(self) // 2
        return self.part(range(middle)), self.part(range(middle, len(self)))

    def part(self, places: Iterable[int]) -> "Batch":
        """Return the batch of the segments at these places."""
        batch = Batch()
        for place in places:
            batch.add(self.lines[place], self.segments[place])
        return batch

    def _next_wave(self, segment: Segment) -> int:
        written, referred = self._written, self._referred
        wave = 0
        for key in segment.keys:
            wave = max(wave, written.get(key, -1) + 1, referred.get(key, -1) + 1)
        if segment.transcript.audio_file_id is not None:
            reference = number_key(segment.session_id, segment.transcript.audio_file_id)
            # The server checks references at the end of a statement: both may come with the same one.
            wave = max(wave, written.get(reference, 0))
            referred[reference] = max(wave, referred.get(reference, 0))
        for key in segment.keys:
            written[key] = wave
        return wave


async def batches(items: Items, storage: AudioStorage, limits: SizeLimits) -> AsyncGenerator[Batch, None]:
    """Yield `items` in batches; no audio is stored yet.

    Raises UsageError for an item of another type, and every error that `items` raises.
    """
    batch = Batch()
    position = 0
    async for item in _each(items):
        position += 1
        batch.items += 1
        if isinstance(item, Refusal):
            batch.refusals.append(item)
        elif isinstance(item, SegmentInput):
            await _add(batch, item, position, storage, limits)
        else:
            raise UsageError(f"An import takes SegmentInput and Refusal, not {type(item).__name__}.")
        if batch.is_full:
            yield batch
            batch = Batch()
        elif position % ITEMS_AT_ONCE == 0:
            await asyncio.sleep(0)
    if batch.items:
        yield batch


def _size_of(segment: Segment) -> int:
    texts: list[TranscriptInput | TranslationInput] = [segment.transcript, *segment.translations]
    size = sum(len(each.text) + (len(encode_json(each.metadata)) if each.metadata else 0) for each in texts)
    size += sum(len(each.text) + BYTES_OF_A_WORD for each in segment.transcript.words or ())
    return size if segment.audio is None else size + len(segment.audio.audio.data)


async def _add(
    batch: Batch, item: SegmentInput, position: int, storage: AudioStorage, limits: SizeLimits
) -> None:
    line = position if item.line is None else item.line
    try:
        segment = _checked(item)
        limits.check_segment(item.transcript, item.translations, item.audio)
    except InvalidInputError as error:
        batch.refusals.append(Refusal(line, str(error)))
        return
    if item.audio is not None:
        segment = segment.with_audio(await storage.stage(item.session_id, item.audio))
    batch.add(line, segment)


def _checked(item: SegmentInput) -> Segment:
    segment = checked_segment(item.session_id, item.transcript, item.translations, item.audio)
    if item.transcript.id is None and item.transcript.segment_key is None:
        raise InvalidInputError(_NO_NAME)
    return segment


async def _each(items: Items) -> AsyncIterator[SegmentInput | Refusal]:
    if isinstance(items, AsyncIterable):
        async for item in items:
            yield item
    else:
        for item in items:
            yield item
