"""What comes out of the timeline, and what a late translation needs to know of its transcript."""

from collections.abc import Sequence
from typing import Literal, TypeAlias, overload
from uuid import UUID

from msgspec import Struct

from livetranslate_store.checks import JSONObject

EntryKind: TypeAlias = Literal["transcript", "translation"]
ENTRY_KINDS: tuple[EntryKind, ...] = ("transcript", "translation")


class SegmentLookup(Struct, frozen=True, gc=False):
    """What a translation that arrives later needs to know of its transcript."""

    session_id: UUID
    transcript_id: UUID
    language: str
    revision: int


# Not tracked by the garbage collector, which would go over a long meeting again and again while it is read.
class TimelineEntry(Struct, frozen=True, gc=False):
    """A transcript or a translation at its place in the meeting.

    `timestamp` is the start, or the end where only that is known, or 0.0 where neither is; `duration` is
    0.0 where either is unknown. For a translation `source` is the service that made it, `revision` the
    transcript revision that it was made from, `is_final` its transcript's, and `is_stale` tells that the
    transcript has moved on since.
    """

    kind: EntryKind
    id: UUID
    transcript_id: UUID
    timestamp: float
    duration: float
    start_time: float | None
    end_time: float | None
    text: str
    language: str
    source_language: str
    speaker_label: str | None
    speaker_name: str | None
    confidence: float | None
    segment_index: int
    source: str
    revision: int
    is_final: bool
    is_stale: bool
    metadata: JSONObject


class TimelinePage(Sequence[TimelineEntry]):
    """A sequence of entries in order; `next_cursor` continues after the last, None at the end."""

    __slots__ = ("_entries", "next_cursor")

    def __init__(self, entries: Sequence[TimelineEntry], next_cursor: str | None) -> None:
        self._entries = entries
        self.next_cursor = next_cursor

    @overload
    def __getitem__(self, index: int) -> TimelineEntry: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[TimelineEntry]: ...
    def __getitem__(self, index: int | slice) -> TimelineEntry | Sequence[TimelineEntry]:
        return self._entries[index]

    def __len__(self) -> int:
        return len(self._entries)

    def __repr__(self) -> str:
        return f"TimelinePage({len(self)} entries, next_cursor={self.next_cursor!r})"
