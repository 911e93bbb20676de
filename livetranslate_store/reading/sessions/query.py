"""The list of sessions that a caller asks for, checked, and the cursors of its pages."""

from collections.abc import Collection
from datetime import datetime
from typing import Any, Literal, NamedTuple, TypeAlias
from uuid import UUID

import msgspec

from livetranslate_store.checks import checked_choice, checked_flag, checked_integer
from livetranslate_store.errors import InvalidInputError
from livetranslate_store.reading.cursor import EncodedCursor, read_digest
from livetranslate_store.reading.filters import checked_details
from livetranslate_store.reading.sessions.filters import ListFilters, checked_list_filters
from livetranslate_store.values import SESSION_DETAILS, SessionDetail, SessionFilters

MAX_PAGE_SESSIONS = 1_000

SessionOrder: TypeAlias = Literal["newest", "oldest"]
SESSION_ORDERS: tuple[SessionOrder, ...] = ("newest", "oldest")


class SessionCursor(EncodedCursor, frozen=True, array_like=True):
    """The session before the page, and which list it is in."""

    list_digest: bytes
    started_at: datetime
    session_id: UUID

    def check(self) -> None:
        """Raise ValueError if the moment has no time zone."""
        if self.started_at.tzinfo is None:
            raise ValueError("not a moment")


class ListShape(NamedTuple):
    """What the text of a statement depends on.

    It `is_later` unless it reads the first page.
    """

    given: frozenset[str]
    status: str | None
    order: SessionOrder
    is_later: bool
    included: frozenset[SessionDetail]


class SessionQuery(NamedTuple):
    """A page of a list of sessions; a cluster finds it `in_steps`."""

    filters: ListFilters
    order: SessionOrder
    limit: int
    cursor: SessionCursor | None
    counts: bool
    included: frozenset[SessionDetail]
    in_steps: bool

    @property
    def shape(self) -> ListShape:
        """What the text of the statements depends on."""
        return ListShape(
            self.filters.given,
            self.filters.status,
            self.order,
            is_later=self.cursor is not None,
            included=self.included,
        )

    def values(self) -> dict[str, Any]:
        """Return the values to bind: one session more than the limit shows whether more exist."""
        place = (None, None) if self.cursor is None else (self.cursor.started_at, self.cursor.session_id)
        return {
            **self.filters.values,
            "limit": self.limit,
            "cursor_started_at": place[0],
            "cursor_session_id": place[1],
        }

    def cursor_after(self, started_at: datetime, session_id: UUID) -> str:
        """Return the cursor of the page after a session."""
        return SessionCursor(_digest(self.filters, self.order), started_at, session_id).encoded()


def checked_list(
    filters: SessionFilters,
    *,
    order: SessionOrder = "newest",
    limit: int = 50,
    cursor: str | None = None,
    count: bool = False,
    include: Collection[SessionDetail] = (),
) -> SessionQuery:
    """Return the page that the arguments describe; raises InvalidInputError."""
    checked = checked_list_filters(filters)
    order = checked_choice(order, "order", SESSION_ORDERS)
    query = SessionQuery(
        checked,
        order,
        limit=checked_integer(limit, "limit", minimum=1, maximum=MAX_PAGE_SESSIONS),
        cursor=None if cursor is None else SessionCursor.decoded(cursor),
        counts=checked_flag(count, "count"),
        included=checked_details(include, SESSION_DETAILS),
        in_steps=False,
    )
    if query.cursor is not None and query.cursor.list_digest != _digest(checked, order):
        raise InvalidInputError(
            "cursor continues a list with other filters or another order: pass those of the page that it "
            "came with."
        )
    return query


def _digest(filters: ListFilters, order: SessionOrder) -> bytes:
    """Return what tells one list from another, whatever order and time zones its filters are given in."""
    values: dict[str, Any] = {
        name: value.timestamp() if isinstance(value, datetime) else value
        for name, value in filters.values.items()
    }
    if "metadata" in values:
        values["metadata"] = msgspec.json.decode(values["metadata"])
    return read_digest((order, filters.status, values))
