"""The entries of a timeline, and the facts of a transcript that a late translation needs."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal, TypeAlias, get_args
from uuid import UUID

from livetranslate_store.checks import JSONObject
from livetranslate_store.values.inputs import Word
from livetranslate_store.values.page import Page
from livetranslate_store.values.value import Value

EntryKind: TypeAlias = Literal["transcript", "translation"]
ENTRY_KINDS: tuple[EntryKind, ...] = get_args(EntryKind)
#: The order of a page: from the beginning of the meeting on, or from its end back.
TimelineOrder: TypeAlias = Literal["oldest", "newest"]
TIMELINE_ORDERS: tuple[TimelineOrder, ...] = get_args(TimelineOrder)
#: What a read leaves out unless it is asked for.
Detail: TypeAlias = Literal["words", "audio_file_id", "edits"]
DETAILS: tuple[Detail, ...] = get_args(Detail)


class SegmentLookup(Value, frozen=True, gc=False):
    """The facts of a transcript that a late translation needs."""

    session_id: UUID
    transcript_id: UUID
    language: str
    revision: int


# gc=False: the garbage collector would traverse a long meeting again and again while it is read.
class TimelineEntry(Value, frozen=True, gc=False):
    """A transcript or a translation at its place in the meeting.

    Times are seconds since the session's start. `timestamp` is the start, or the end if only the end is
    known, or 0.0 if neither is; `duration` is 0.0 if either is unknown. For a translation, `source` is the
    service that made it, `revision` the transcript revision that it was made from, `is_final` that of its
    transcript, and `is_stale` whether the transcript has a newer revision.

    The last four fields are None unless a read includes them: the transcript's words, the audio file that it
    was heard in (for a translation that of its transcript), and who edited this text, and when.
    """

    kind: EntryKind
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
    words: Sequence[Word] | None = None
    audio_file_id: UUID | None = None
    edited_by: str | None = None
    edited_at: datetime | None = None


class TimelinePage(Page[TimelineEntry], frozen=True):
    """A page of the timeline, in the order that was asked for.

    `previous_cursor` continues before its first entry: pass it with the other order. None if it is empty.
    """

    previous_cursor: str | None = None
