"""What comes out of the timeline, and what a late translation needs to know of its transcript."""

from typing import Literal, TypeAlias
from uuid import UUID

from livetranslate_store.checks import JSONObject
from livetranslate_store.values.page import Page
from livetranslate_store.values.value import Value

EntryKind: TypeAlias = Literal["transcript", "translation"]
ENTRY_KINDS: tuple[EntryKind, ...] = ("transcript", "translation")


class SegmentLookup(Value, frozen=True, gc=False):
    """What a translation that arrives later needs to know of its transcript."""

    session_id: UUID
    transcript_id: UUID
    language: str
    revision: int


# Not tracked by the garbage collector, which would go over a long meeting again and again while it is read.
class TimelineEntry(Value, frozen=True, gc=False):
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


class TimelinePage(Page[TimelineEntry]):
    """A page of the timeline, in its order."""

    __slots__ = ()
