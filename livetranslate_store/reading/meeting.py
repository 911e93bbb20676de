"""The sessions of one meeting as one timeline.

Each session's timeline is read in parts, in its own order, and the parts are merged. So each statement reads
one session, whatever node of a cluster has it, and a deep page costs as much as the first.
"""

from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Collection, Sequence
from contextlib import aclosing
from datetime import datetime
from functools import lru_cache
from math import isfinite, ulp
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Integer, Text, bindparam, select

from livetranslate_store.checks import checked_integer, checked_name
from livetranslate_store.database.statement import BoundStatement, Statement
from livetranslate_store.errors import InvalidInputError
from livetranslate_store.reading.columns import SESSIONS
from livetranslate_store.reading.cursor import Cursor, EncodedCursor, read_digest
from livetranslate_store.reading.filters import START_FILTERS, CheckedFilters, checked_filters, checked_values
from livetranslate_store.reading.paging import STREAM_PAGE, Fetch, PageRequest
from livetranslate_store.reading.timeline import TIMELINE
from livetranslate_store.tasks import for_each
from livetranslate_store.tracing import Tracing
from livetranslate_store.values import (
    Detail,
    MeetingEntry,
    MeetingPage,
    TimelineEntry,
    TimelineFilters,
    TimelineOrder,
)

# Every page asks every session.
MAX_SESSIONS = 100
_SESSIONS_AT_ONCE = 4
# A session that says more than its share of a page is asked again.
_SMALLEST_PART = 25
_NOBODY = UUID(int=0)
_BEFORE_ALL = -1

#: Returns what runs the statements of one session, or for None of several.
FetchOf = Callable[[UUID | None], Fetch]


class MeetingCursor(EncodedCursor, frozen=True, array_like=True):
    """The entry next to the page: its session, and its place there."""

    meeting_digest: bytes
    started_at: datetime
    session_id: UUID
    entry: Cursor

    def check(self) -> None:
        """Raise ValueError if the start or the time is no moment."""
        if self.started_at.tzinfo is None or not isfinite(self.entry.timestamp):
            raise ValueError("not a moment")


class MeetingRequest(NamedTuple):
    """The page of a meeting that a caller asks for, checked; without a limit the whole meeting."""

    sessions: BoundStatement
    digest: bytes
    filters: CheckedFilters
    limit: int | None
    cursor: MeetingCursor | None


class _Place(NamedTuple):
    """The place of an entry among those of other sessions; in its own, the order of its timeline holds."""

    timestamp: float
    started_at: datetime
    session_id: UUID


class _Session(NamedTuple):
    id: UUID
    started_at: datetime
    #: Seconds since the start of the first session.
    offset: float

    def place(self, time: float) -> _Place:
        """Return the place in the meeting of a time in the session."""
        return _Place(self.offset + time, self.started_at, self.id)


def meeting_request(
    meeting_id: str,
    tenant: str,
    bounds: dict[str, datetime | None],
    filters: TimelineFilters,
    *,
    limit: int | None = None,
    cursor: str | None = None,
    order: TimelineOrder = "oldest",
    include: Collection[Detail] = (),
) -> MeetingRequest:
    """Return the request for a page of a meeting; raises InvalidInputError."""
    values = checked_values({name: each.check for name, each in START_FILTERS.items()}, bounds)
    named = {"meeting_id": checked_name(meeting_id, "meeting_id"), "tenant": tenant}
    moments = [values[name].timestamp() if name in values else None for name in START_FILTERS]
    request = MeetingRequest(
        _sessions_statement(frozenset(values)).bind({**values, **named, "limit": MAX_SESSIONS + 1}),
        read_digest([*named.values(), *moments]),
        checked_filters(TimelineFilters.__optional_keys__, filters).in_order(order).including(include),
        None if limit is None else checked_integer(limit, "limit", minimum=1),
        None if cursor is None else MeetingCursor.decoded(cursor),
    )
    if request.cursor is not None and request.cursor.meeting_digest != request.digest:
        raise InvalidInputError(
            "cursor continues another meeting: pass the meeting_id and the bounds of the page that it came "
            "with."
        )
    return request


async def read_meeting(fetch_of: FetchOf, request: MeetingRequest, tracing: Tracing) -> MeetingPage:
    """Return a page of a meeting."""
    with tracing.span("meeting_timeline") as span:
        meeting = await _open(fetch_of, request, tracing)
        entries: list[MeetingEntry] = []
        more = False
        async with aclosing(meeting.entries()) as found:
            async for entry in found:
                if more := len(entries) == request.limit:
                    break
                entries.append(entry)
        span.set(sessions=len(meeting.sessions), entries=len(entries))
    return MeetingPage(
        entries,
        meeting.cursor_at(entries[-1]) if more else None,
        meeting.cursor_at(entries[0]) if entries else None,
        meeting.sessions[0].started_at if meeting.sessions else None,
    )


async def stream_meeting(
    fetch_of: FetchOf, request: MeetingRequest, tracing: Tracing
) -> AsyncIterator[MeetingEntry]:
    """Yield the same, in bounded memory."""
    meeting = await _open(fetch_of, request, tracing)
    number = 0
    async with aclosing(meeting.entries()) as found:
        async for entry in found:
            yield entry
            number += 1
            if number == request.limit:
                return


async def _open(fetch_of: FetchOf, request: MeetingRequest, tracing: Tracing) -> "_Meeting":
    rows = await fetch_of(None)(request.sessions)
    if len(rows) > MAX_SESSIONS:
        raise InvalidInputError(
            f"The meeting has more than {MAX_SESSIONS} sessions: give started_from and started_before of one "
            "occasion."
        )
    sessions = [
        _Session(row["id"], row["started_at"], (row["started_at"] - rows[0]["started_at"]).total_seconds())
        for row in rows
    ]
    return _Meeting(sessions, fetch_of, request, tracing)


class _Meeting:
    """The sessions of a meeting, each at the place where the page begins."""

    def __init__(
        self, sessions: Sequence[_Session], fetch_of: FetchOf, request: MeetingRequest, tracing: Tracing
    ) -> None:
        self.sessions = sessions
        self._request = request
        share = STREAM_PAGE if request.limit is None else request.limit // max(len(sessions), 1)
        size = min(max(share, _SMALLEST_PART), STREAM_PAGE)
        self._sources = [
            _Source(each, fetch_of(each.id), self._part(each, size), tracing) for each in sessions
        ]

    async def entries(self) -> AsyncGenerator[MeetingEntry, None]:
        """Yield the entries of all sessions, merged."""
        await for_each(self._sources, _Source.advance, at_once=_SESSIONS_AT_ONCE)
        following = max if self._request.filters.shape.is_newest_first else min
        left = [each for each in self._sources if each.head is not None]
        while left:
            source = following(left, key=_Source.place)
            assert source.head is not None  # noqa: S101 (those without one are not left)
            yield source.head
            await source.advance()
            if source.head is None:
                left.remove(source)

    def cursor_at(self, found: MeetingEntry) -> str:
        """Return the cursor at an entry."""
        started_at = next(each.started_at for each in self.sessions if each.id == found.session_id)
        return MeetingCursor(
            self._request.digest, started_at, found.session_id, Cursor.at(found.entry)
        ).encoded()

    def _part(self, session: _Session, size: int) -> PageRequest:
        """Return the request for the first part of a session, from the cursor on."""
        filters, cursor = self._request.filters, self._request.cursor
        shifted = {
            name: value - session.offset if name in {"start", "end"} else value
            for name, value in filters.values.items()
        }
        part = PageRequest(session.id, filters._replace(values=shifted), size, cursor=None)
        if cursor is None:
            return part
        if cursor.session_id == session.id:
            return part._replace(cursor=cursor.entry)
        # The session of the cursor may have been deleted since.
        offset = (cursor.started_at - self.sessions[0].started_at).total_seconds()
        place = _Place(offset + cursor.entry.timestamp, cursor.started_at, cursor.session_id)
        return part._replace(cursor=_cursor_in(session, place))


def _cursor_in(session: _Session, place: _Place) -> Cursor:
    """Return the place in a session that parts its entries before and behind a place in the meeting.

    It is found by halves: the sum of an offset and a time is rounded, so that a difference is not exact.
    """
    time = place.timestamp - session.offset
    slack = 4 * ulp(max(abs(place.timestamp), abs(session.offset), abs(time)))
    before, behind = time - slack, time + slack
    while (middle := (before + behind) / 2) not in {before, behind}:
        if session.place(middle) > place:
            behind = middle
        else:
            before = middle
    return Cursor(behind, _BEFORE_ALL, _NOBODY, "")


class _Source:
    """The entries of one session, in the order of the read; `head` is the next one, None at the end."""

    def __init__(self, session: _Session, fetch: Fetch, part: PageRequest, tracing: Tracing) -> None:
        self.session = session
        self.head: MeetingEntry | None = None
        self._fetch = fetch
        self._part: PageRequest | None = part
        self._tracing = tracing
        self._waiting: deque[TimelineEntry] = deque()

    async def advance(self) -> None:
        """Go to the next entry."""
        while not self._waiting and self._part is not None:
            entries, more = await TIMELINE.items(self._fetch, self._part, self._tracing)
            self._waiting.extend(entries)
            self._part = self._part._replace(cursor=Cursor.at(entries[-1])) if more else None
        if not self._waiting:
            self.head = None
            return
        entry = self._waiting.popleft()
        self.head = MeetingEntry(self.session.id, self.session.place(entry.timestamp).timestamp, entry)

    def place(self) -> _Place:
        """Return the place of the next entry."""
        assert self.head is not None  # noqa: S101 (its caller has looked)
        return self.session.place(self.head.entry.timestamp)


@lru_cache(maxsize=4)
def _sessions_statement(bounds: Collection[str]) -> Statement:
    kept = [each.keeps(SESSIONS) for name, each in START_FILTERS.items() if name in bounds and each.keeps]
    order: Any = (SESSIONS.c.started_at, SESSIONS.c.id)
    statement = select(SESSIONS.c.id, SESSIONS.c.started_at).where(
        SESSIONS.c.meeting_id == bindparam("meeting_id", type_=Text),
        SESSIONS.c.tenant_id == bindparam("tenant", type_=Text),
        *kept,
    )
    limited = statement.order_by(*order).limit(bindparam("limit", type_=Integer))
    return Statement.compiled("meeting_sessions", limited)
