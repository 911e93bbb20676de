"""Pages and streams of what a session holds, in the order of its timeline."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from itertools import starmap
from typing import Any, Generic, Protocol, Self, TypeAlias, TypeVar
from uuid import UUID

import asyncpg

from livetranslate_store.database.statement import BoundStatement
from livetranslate_store.reading.cursor import Cursor
from livetranslate_store.tracing import Tracing
from livetranslate_store.values import Page, TimelineEntry, TranscriptRow

# Large enough that the round trips do not count, small enough to hold a few of them in memory.
STREAM_PAGE = 1000

#: Runs a statement and returns the driver's rows.
Fetch: TypeAlias = Callable[[BoundStatement], Awaitable[Sequence[asyncpg.Record]]]

Item = TypeVar("Item", bound=TimelineEntry | TranscriptRow)
PageOf = TypeVar("PageOf", bound=Page[Any])


class PagedQuery(Protocol):
    """What a caller asks for, checked: a tuple with names."""

    @property
    def session_id(self) -> UUID:
        """The session that is read."""

    @property
    def limit(self) -> int | None:
        """How many at most."""

    @property
    def cursor(self) -> Cursor | None:
        """Where to continue."""

    def statement(self) -> BoundStatement:
        """Return the statement with the values bound."""

    def paged(self, limit: int | None, cursor: Cursor | None) -> Self:
        """Return the same for another page."""


class PageReader(Generic[Item, PageOf]):
    """Reads pages of one kind: `item` makes a value of a row's columns, `page` a page of such values."""

    def __init__(
        self,
        span: str,
        counted: str,
        item: Callable[..., Item],
        page: Callable[[Sequence[Item], str | None], PageOf],
    ) -> None:
        self._span = span
        self._counted = counted
        self._item: Callable[..., Item] = item
        self._page: Callable[[Sequence[Item], str | None], PageOf] = page

    async def read(self, fetch: Fetch, query: PagedQuery, tracing: Tracing) -> PageOf:
        """Return what matches, all of it or the page that the limit and the cursor name."""
        items, more = await self._read(fetch, query, tracing)
        return self._page(items, Cursor.after(items[-1]).encoded() if more else None)

    async def stream(self, fetch: Fetch, query: PagedQuery, tracing: Tracing) -> AsyncIterator[Item]:
        """Yield what matches, page by page: no connection is held while the caller takes its time."""
        left, cursor = query.limit, query.cursor
        while True:
            size = STREAM_PAGE if left is None else min(left, STREAM_PAGE)
            items, more = await self._read(fetch, query.paged(size, cursor), tracing)
            for item in items:
                yield item
            if not more or left == size:
                return
            left = None if left is None else left - size
            cursor = Cursor.after(items[-1])

    async def _read(self, fetch: Fetch, query: PagedQuery, tracing: Tracing) -> tuple[list[Item], bool]:
        # One more than asked for tells whether anything follows.
        limit = None if query.limit is None else query.limit + 1
        bound = query.paged(limit, query.cursor).statement()
        with tracing.span(self._span, session_id=query.session_id) as span:
            items = list(starmap(self._item, await fetch(bound)))
            span.set(**{self._counted: len(items)})
        more = query.limit is not None and len(items) > query.limit
        return items[: query.limit] if more else items, more
