"""A meeting that several sessions make up, as one timeline."""

from datetime import datetime
from uuid import UUID

from livetranslate_store.values.page import Page
from livetranslate_store.values.timeline import TimelineEntry
from livetranslate_store.values.value import Value


class MeetingEntry(Value, frozen=True, gc=False):
    """An entry of one of the meeting's sessions.

    `timestamp` is in seconds since the start of the first session; the times in `entry` are in seconds since
    the start of its own session.
    """

    session_id: UUID
    timestamp: float
    entry: TimelineEntry


class MeetingPage(Page[MeetingEntry], frozen=True):
    """A page of a meeting, in the order that was asked for.

    `previous_cursor` continues before its first entry: pass it with the other order. None if it is empty.
    `started_at` is the start of the first session, None if the meeting has no session.
    """

    previous_cursor: str | None = None
    started_at: datetime | None = None
