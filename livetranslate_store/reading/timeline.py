"""The timeline of a session: rows of the driver become values, with nothing between."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from itertools import starmap
from typing import Any, TypeAlias

import asyncpg

from livetranslate_store.reading.cursor import Cursor
from livetranslate_store.reading.timeline_query import TimelineQuery
from livetranslate_store.tracing import Tracing
from livetranslate_store.values import TimelineEntry, TimelinePage

# Large enough that the round trips do not count, small enough to hold a few of them in memory.
STREAM_PAGE = 1000

#: Runs a text with its arguments and returns the driver's rows.
Fetch: TypeAlias = Callable[[str, Sequence[Any]], Awaitable[Sequence[asyncpg.Record]]]

# Rows have the columns of TimelineEntry in its order.
_entry: Callable[..., TimelineEntry] = TimelineEntry


async def read_page(fetch: Fetch, query: TimelineQuery, tracing: Tracing) -> TimelinePage:
    """Return the entries that match, all of them or the page that the limit and the cursor name."""
    # One more than asked for tells whether anything follows.
    limit = None if query.limit is None else query.limit + 1
    text, arguments = query._replace(limit=limit).statement()
    with tracing.span("timeline", session_id=query.session_id) as span:
        rows = await fetch(text, arguments)
        entries = list(starmap(_entry, rows))
        span.tell(entries=len(entries))
    if query.limit is None or len(entries) <= query.limit:
        return TimelinePage(entries, None)
    del entries[query.limit :]
    return TimelinePage(entries, Cursor.after(entries[-1]).encoded())


async def stream(fetch: Fetch, query: TimelineQuery, tracing: Tracing) -> AsyncIterator[TimelineEntry]:
    """Yield the entries that match, page by page: no connection is held while the caller takes its time."""
    left, after = query.limit, query.after
    while True:
        size = STREAM_PAGE if left is None else min(left, STREAM_PAGE)
        page = await read_page(fetch, query._replace(limit=size, after=after), tracing)
        for entry in page:
            yield entry
        if page.next_cursor is None or left == size:
            return
        left = None if left is None else left - size
        after = Cursor.after(page[-1])
