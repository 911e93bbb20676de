"""A batch of a bulk import: what is read is checked, given its turn, and turned into rows.

Within a batch a key may come again, as in a recording of a live transcriber, which sends each segment many
times. Turns keep the order that the source has, key by key: a later version waits for the turn after.
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
from uuid import UUID

from livetranslate_store.audio.storage import AudioStorage, StagedAudio
from livetranslate_store.errors import InvalidInputError, UsageError
from livetranslate_store.size_limits import SizeLimits
from livetranslate_store.values import Refusal, SegmentInput, SegmentLookup
from livetranslate_store.writing.encoding import (
    Key as WriteKey,
)
from livetranslate_store.writing.encoding import (
    Row,
    audio_row,
    key_of,
    speaker_rows,
    transcript_row,
)
from livetranslate_store.writing.segments import Segment, check_segment, make_segment, translation_rows

Items: TypeAlias = AsyncIterable[SegmentInput | Refusal] | Iterable[SegmentInput | Refusal]
Key: TypeAlias = tuple[UUID, UUID]

# Measured: smaller ones pay more for their round trips, larger ones gain nothing more.
BATCH_SEGMENTS = 4000
# Recordings and long texts fill a batch sooner: as many bytes are held once or twice, whatever is imported.
BATCH_BYTES = 32 * 1024 * 1024
# Reading goes on while the server works; others on the event loop must not wait for a whole batch of it.
ITEMS_AT_ONCE = 16

_NO_NAME = (
    "A transcript without id or segment_key cannot be imported: it would be another segment each time. "
    "Give one of them."
)


class Turn:
    """Segments whose keys all differ, so that one statement can write them, and their rows."""

    def __init__(self) -> None:
        self.segments: list[Segment] = []
        self.audio_files: list[Row] = []
        self.transcripts: list[Row] = []
        self.translation_count = 0

    def add(self, segment: Segment) -> None:
        """Make the rows of a segment."""
        session_id, transcript_id, transcript, _, _, audio = segment
        self.segments.append(segment)
        if audio is not None:
            self.audio_files.append(audio_row(session_id, audio))
        audio_file_id = None if audio is None else audio.audio_file_id
        self.transcripts.append(transcript_row(session_id, transcript_id, audio_file_id, transcript))
        self.translation_count += len(segment.translations)

    def translations(self, *, are_new: bool) -> Iterator[Row]:
        """Return the rows of translations; of new segments with what they take from their transcripts."""
        return translation_rows(self.segments, are_new=are_new)

    def objects_of(self, keys: Collection[Key]) -> list[str]:
        """Return the storage keys that were meant for these audio files."""
        return [
            each.audio.storage_key
            for each in self.segments
            if each.audio is not None and (each.session_id, each.audio.audio_file_id) in keys
        ]

    def lookups_of(self, revisions: Mapping[Key, int]) -> list[SegmentLookup]:
        """Return what late translations need to know of these transcripts, which have new revisions."""
        return [
            SegmentLookup(*key, each.transcript.language, revisions[key])
            for each in self.segments
            if (key := (each.session_id, each.transcript_id)) in revisions
        ]


class Batch:
    """Segments that are stored together, turn by turn, and what was refused among them."""

    def __init__(self) -> None:
        #: How many items of the source are dealt with in here.
        self.items = 0
        self.refusals: list[Refusal] = []
        self.lines: list[int] = []
        self.segments: list[Segment] = []
        self.turns: list[Turn] = []
        self._bytes = 0
        # The turn in which a key is written last, and that in which an audio file is last referred to.
        self._written: dict[WriteKey, int] = {}
        self._referred: dict[WriteKey, int] = {}

    def __len__(self) -> int:
        return len(self.segments)

    @property
    def is_full(self) -> bool:
        """Whether there is enough to be stored."""
        return self.items >= BATCH_SEGMENTS or self._bytes >= BATCH_BYTES

    @property
    def size_bytes(self) -> int:
        """How many bytes of texts and audio are held for it."""
        return self._bytes

    @property
    def audio(self) -> list[StagedAudio]:
        """The audio of all segments."""
        return [segment.audio for segment in self.segments if segment.audio is not None]

    def add(self, line: int, segment: Segment) -> None:
        """Take a segment in, after all those that it repeats."""
        self.lines.append(line)
        self.segments.append(segment)
        turn = self._next_turn(segment)
        if turn == len(self.turns):
            self.turns.append(Turn())
        self.turns[turn].add(segment)
        self._bytes += len(segment.transcript.text) + sum(len(each.text) for each in segment.translations)
        if segment.audio is not None:
            self._bytes += len(segment.audio.audio.data)

    def speakers(self) -> list[Row]:
        """Return the rows of the speakers: whoever names one first, whatever the turn, wins."""
        return speaker_rows((each.session_id, each.transcript) for each in self.segments)

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

    def _next_turn(self, segment: Segment) -> int:
        written, referred = self._written, self._referred
        turn = 0
        for key in segment.keys:
            turn = max(turn, written.get(key, -1) + 1, referred.get(key, -1) + 1)
        if segment.transcript.audio_file_id is not None:
            reference = key_of(segment.session_id, segment.transcript.audio_file_id)
            # References are checked at the end of a statement: what it refers to may come with the same one.
            turn = max(turn, written.get(reference, 0))
            referred[reference] = max(turn, referred.get(reference, 0))
        for key in segment.keys:
            written[key] = turn
        return turn


async def batches(items: Items, storage: AudioStorage, limits: SizeLimits) -> AsyncGenerator[Batch, None]:
    """Yield what `items` has in batches; no audio is stored yet.

    Raises UsageError for an item of another type, and whatever `items` raises.
    """
    batch = Batch()
    position = 0
    async for item in _each(items):
        position += 1
        batch.items += 1
        if isinstance(item, Refusal):
            batch.refusals.append(item)
        elif isinstance(item, SegmentInput):
            await _take_in(batch, item, position, storage, limits)
        else:
            raise UsageError(f"An import takes SegmentInput and Refusal, not {type(item).__name__}.")
        if batch.is_full:
            yield batch
            batch = Batch()
        elif position % ITEMS_AT_ONCE == 0:
            await asyncio.sleep(0)
    if batch.items:
        yield batch


async def _take_in(
    batch: Batch, item: SegmentInput, position: int, storage: AudioStorage, limits: SizeLimits
) -> None:
    line = position if item.line is None else item.line
    try:
        _check(item)
        limits.check_segment(item.transcript, item.translations, item.audio)
    except InvalidInputError as error:
        batch.refusals.append(Refusal(line, str(error)))
        return
    staged = None if item.audio is None else await storage.stage(item.session_id, item.audio)
    batch.add(line, make_segment(item.session_id, item.transcript, item.translations, staged))


def _check(item: SegmentInput) -> None:
    check_segment(item.session_id, item.transcript, item.translations, item.audio)
    if item.transcript.id is None and item.transcript.segment_key is None:
        raise InvalidInputError(_NO_NAME)


async def _each(items: Items) -> AsyncIterator[SegmentInput | Refusal]:
    if isinstance(items, AsyncIterable):
        async for item in items:
            yield item
    else:
        for item in items:
            yield item
