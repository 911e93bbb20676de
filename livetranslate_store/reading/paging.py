"""Pages and streams of what a session holds, in the order of its timeline."""

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from functools import lru_cache
from itertools import starmap
from typing import Any, Generic, NamedTuple, TypeAlias, TypedDict, TypeVar
from uuid import UUID

import asyncpg
from sqlalchemy import CompoundSelect, Select

from livetranslate_store.checks import checked_integer, checked_uuid
from livetranslate_store.database.statement import BoundStatement, Statement
from livetranslate_store.reading.cursor import Cursor
from livetranslate_store.reading.filters import CheckedFilters, Shape
from livetranslate_store.tracing import Tracing
from livetranslate_store.values import Detail, Page, TimelineEntry, TimelineOrder, TranscriptRow

# Large enough that round trips do not count, small enough to hold a few pages in memory.
STREAM_PAGE = 1000

#: Runs a statement and returns the driver's rows.
Fetch: TypeAlias = Callable[[BoundStatement], Awaitable[Sequence[asyncpg.Record]]]

Item = TypeVar("Item", bound=TimelineEntry | TranscriptRow)
PageOf = TypeVar("PageOf", bound=Page[Any])


class PageRequest(NamedTuple):
    """The page of a session that a caller asks for, checked; without a limit all that matches."""

    session_id: UUID
    filters: CheckedFilters
    limit: int | None
    cursor: Cursor | None


class PageOptions(TypedDict, total=False):
    """How a session is paged through: at most `limit` items after `cursor`, in an order, with details."""

    limit: int | None
    cursor: str | None
    order: TimelineOrder
    include: Collection[Detail]


def checked_request(
    session_id: UUID,
    filters: CheckedFilters,
    *,
    limit: int | None = None,
    cursor: str | None = None,
    order: TimelineOrder = "oldest",
    include: Collection[Detail] = (),
) -> PageRequest:
    """Return the request for a page; raises InvalidInputError."""
    return PageRequest(
        checked_uuid(session_id, "session_id"),
        filters.in_order(order).including(include),
        None if limit is None else checked_integer(limit, "limit", minimum=1),
        None if cursor is None else Cursor.decoded(cursor),
    )


class PageReader(Generic[Item, PageOf]):
    """Reads one kind of page: `query` selects its rows, `item` returns what makes values of them."""

    def __init__(
        self,
        name: str,
        counted: str,
        query: Callable[[Shape], CompoundSelect[Any] | Select[Any]],
        item: Callable[[Shape], Callable[..., Item]],
        page: Callable[[Sequence[Item], str | None, str | None], PageOf],
    ) -> None:
        self._name = name
        self._counted = counted
        self._statement = lru_cache(maxsize=256)(lambda shape: Statement.compiled(name, query(shape)))
        self._item: Callable[[Shape], Callable[..., Item]] = item
        self._page: Callable[[Sequence[Item], str | None, str | None], PageOf] = page

    async def read(self, fetch: Fetch, request: PageRequest, tracing: Tracing) -> PageOf:
        """Return the page."""
        items, more = await self.items(fetch, request, tracing)
        following = Cursor.at(items[-1]).encoded() if more else None
        return self._page(items, following, Cursor.at(items[0]).encoded() if items else None)

    async def stream(self, fetch: Fetch, request: PageRequest, tracing: Tracing) -> AsyncIterator[Item]:
        """Yield the same page by page: no connection is held while the caller works on an item."""
        left, cursor = request.limit, request.cursor
        while True:
            size = STREAM_PAGE if left is None else min(left, STREAM_PAGE)
            items, more = await self.items(fetch, request._replace(limit=size, cursor=cursor), tracing)
            for item in items:
                yield item
            if not more or left == size:
                return
            left = None if left is None else left - size
            cursor = Cursor.at(items[-1])

    def bound(self, request: PageRequest) -> BoundStatement:
        """Return the statement of a request, which reads one row more than the limit, if more exist."""
        (given, kinds), values = request.filters
        values = {**values, "session_id": request.session_id}
        if request.limit is not None:
            given, values["limit"] = given | {"limit"}, request.limit + 1
        if request.cursor is not None:
            given, values = given | {"cursor"}, values | request.cursor.values()
        return self._statement(Shape(given, kinds)).bind(values)

    async def items(self, fetch: Fetch, request: PageRequest, tracing: Tracing) -> tuple[list[Item], bool]:
        """Return the items of the page, and whether more exist."""
        bound = self.bound(request)
        with tracing.span(self._name, session_id=request.session_id) as span:
            items = list(starmap(self._item(request.filters.shape), await fetch(bound)))
            span.set(**{self._counted: len(items)})
        more = request.limit is not None and len(items) > request.limit
        return items[: request.limit] if more else items, more
