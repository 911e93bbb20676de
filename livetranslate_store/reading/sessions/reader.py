"""Reads a page of a list of sessions."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from livetranslate_store.reading.columns import value_of
from livetranslate_store.reading.paging import Fetch
from livetranslate_store.reading.sessions.query import SessionQuery
from livetranslate_store.reading.sessions.statement import (
    keys_statement,
    page_statement,
    summaries_statement,
    total_statement,
)
from livetranslate_store.tracing import Tracing
from livetranslate_store.values import SessionPage, SessionSummary


class _Found(NamedTuple):
    """The sessions of a page, and the place of the last one if the list goes on."""

    sessions: Sequence[SessionSummary]
    end: tuple[datetime, UUID] | None


async def read_sessions(fetch: Fetch, query: SessionQuery, tracing: Tracing) -> SessionPage:
    """Return a page of sessions, and the length of the list if the query counts it."""
    with tracing.span("sessions") as span:
        sessions, end = await (_find_in_steps if query.in_steps else _find_at_once)(fetch, query)
        total = None
        if query.counts:
            rows = await fetch(total_statement(query.shape).bind(query.values()))
            total = rows[0]["total"]
        span.set(sessions=len(sessions))
    return SessionPage(sessions, None if end is None else query.cursor_after(*end), total)


async def _find_at_once(fetch: Fetch, query: SessionQuery) -> _Found:
    """Find them by the one statement of a single server."""
    rows = await fetch(page_statement(query.shape).bind(query.values()))
    # One row more than the limit shows that the list goes on.
    sessions = [value_of(SessionSummary, tuple(row)) for row in rows[: query.limit]]
    last = sessions[-1] if len(rows) > query.limit else None
    return _Found(sessions, None if last is None else (last.started_at, last.id))


async def _find_in_steps(fetch: Fetch, query: SessionQuery) -> _Found:
    """Find them on a cluster: first their places, on all shards, then what is shown of each."""
    places = [tuple(row) for row in await fetch(keys_statement(query.shape).bind(query.values()))]
    page = places[: query.limit]
    ids = [session_id for _, session_id in page]
    rows = await fetch(summaries_statement(query.shape).bind({"ids": ids})) if ids else []
    found = {row["id"]: value_of(SessionSummary, tuple(row)) for row in rows}
    # A session may have been deleted since.
    sessions = [found[session_id] for session_id in ids if session_id in found]
    return _Found(sessions, page[-1] if len(places) > query.limit else None)
