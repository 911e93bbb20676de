"""The statements that answer a list of sessions.

A list is walked in its order until the page is full. If a filter keeps few sessions, that would take long: so
the walk ends after some steps, and an index finds all sessions that the filter keeps.
"""

from functools import lru_cache
from typing import Any

from sqlalchemy import (
    ARRAY,
    CTE,
    BigInteger,
    ColumnElement,
    FromClause,
    Integer,
    Select,
    Text,
    Uuid,
    any_,
    bindparam,
    cast,
    func,
    literal_column,
    select,
    tuple_,
    union_all,
)
from sqlalchemy.dialects.postgresql import DOUBLE_PRECISION

from livetranslate_store.database.statement import Statement
from livetranslate_store.reading.columns import SESSIONS, SPEAKERS, TRANSCRIPTS, columns_of
from livetranslate_store.reading.filters import MOMENT
from livetranslate_store.reading.search.readings import materialized, number
from livetranslate_store.reading.sessions.conditions import CONDITIONS, Condition, started_within
from livetranslate_store.reading.sessions.heard import has_recordings, heard_at
from livetranslate_store.reading.sessions.query import ListShape
from livetranslate_store.values import SessionSummary

_LIMIT: ColumnElement[int] = bindparam("limit", type_=Integer)
_PLACE = ("started_at", "id")


@lru_cache(maxsize=256)
def page_statement(shape: ListShape) -> Statement:
    """Return the statement of a single server; its rows have the fields of SessionSummary."""
    page = _page(shape)
    columns = _columns(page, shape)
    return Statement.compiled("sessions", select(*columns).select_from(page).order_by(*_order(page, shape)))


@lru_cache(maxsize=256)
def total_statement(shape: ListShape) -> Statement:
    """Return the count of the whole list."""
    kept = [(each.indexed or each.keeps)(SESSIONS, shape) for each in _given(shape).values()]
    total = select(func.count().label("total")).select_from(SESSIONS)
    return Statement.compiled("sessions.total", total.where(*kept, *started_within(SESSIONS, shape)))


@lru_cache(maxsize=256)
def keys_statement(shape: ListShape) -> Statement:
    """Return the choice of a page on a cluster, which plans each of its statements for their values."""
    kept = [condition.keeps(SESSIONS, shape) for condition in _given(shape).values()]
    keys = select(SESSIONS.c.started_at, SESSIONS.c.id).where(*kept, *_place_in(SESSIONS, shape))
    return Statement.compiled("sessions.keys", _first(keys, SESSIONS, shape))


@lru_cache(maxsize=256)
def summaries_statement(shape: ListShape) -> Statement:
    """Return the read of a page's sessions on a cluster, each from its shard."""
    columns = _columns(SESSIONS, shape)
    asked = bindparam("ids", type_=ARRAY(Uuid))
    return Statement.compiled("sessions.summaries", select(*columns).where(SESSIONS.c.id == any_(asked)))


def _given(shape: ListShape) -> dict[str, Condition]:
    return {name: condition for name, condition in CONDITIONS.items() if name in shape.given}


def _page(shape: ListShape) -> CTE:
    """Return the sessions of the page, and one more if the list goes on."""
    given = _given(shape)
    lead = next((name for name, each in given.items() if each.is_ordered), None)
    others = {name: each for name, each in given.items() if name != lead}
    ends = [each.walked for each in others.values() if each.indexed is not None]
    leads = [] if lead is None else [given[lead].keeps(SESSIONS, shape)]
    walk = select(SESSIONS).where(*leads, *_place_in(SESSIONS, shape))
    if not ends:
        kept = [each.keeps(SESSIONS, shape) for each in others.values()]
        return materialized(_first(walk.where(*kept), SESSIONS, shape), "page")
    passed = walk.order_by(*_order(SESSIONS, shape)).limit(number(min(ends))).subquery("passed")
    kept = [each.keeps(passed, shape) for each in others.values()]
    walked = materialized(_first(select(passed).where(*kept), passed, shape), "walked")
    count = select(func.count()).select_from(walked).scalar_subquery()
    indexed = _indexed(shape)
    rest = select(indexed).where(*_unindexed(indexed, shape), *_place_in(indexed, shape))
    found = materialized(_first(rest, indexed, shape), "found")
    # A condition inside of `found` would be asked after the server has started processes to read it.
    either = union_all(select(walked).where(count > _LIMIT), select(found).where(count <= _LIMIT))
    return materialized(either, "page")


def _indexed(shape: ListShape) -> FromClause:
    """Return the sessions that the filters with an index keep, found by one of these."""
    kept = [each.indexed(SESSIONS, shape) for each in _given(shape).values() if each.indexed is not None]
    # OFFSET keeps the other conditions out: the planner takes a window of time for a narrow one.
    return select(SESSIONS).where(*kept).offset(number(0)).subquery("indexed")


def _unindexed(sessions: FromClause, shape: ListShape) -> list[ColumnElement[bool]]:
    return [each.keeps(sessions, shape) for each in _given(shape).values() if each.indexed is None]


def _place_in(sessions: FromClause, shape: ListShape) -> list[ColumnElement[bool]]:
    """Return the bounds of the start, and that the cursor is passed."""
    bounds = started_within(sessions, shape)
    if shape.is_later:
        place = tuple_(*(sessions.c[name] for name in _PLACE))
        cursor = tuple_(
            bindparam("cursor_started_at", type_=MOMENT), bindparam("cursor_session_id", type_=Uuid)
        )
        bounds.append(place < cursor if shape.order == "newest" else place > cursor)
    return bounds


def _order(sessions: FromClause, shape: ListShape) -> list[ColumnElement[Any]]:
    newest = shape.order == "newest"
    return [sessions.c[name].desc() if newest else sessions.c[name].asc() for name in _PLACE]


def _first(rows: Select[Any], sessions: FromClause, shape: ListShape) -> Select[Any]:
    return rows.order_by(*_order(sessions, shape)).limit(_LIMIT + number(1))


def _columns(sessions: FromClause, shape: ListShape) -> list[Any]:
    counted = select(func.count()).where(TRANSCRIPTS.c.session_id == sessions.c.id)
    spoken = _all_of(func.distinct(TRANSCRIPTS.c.language), TRANSCRIPTS, sessions)
    names = func.distinct(func.coalesce(SPEAKERS.c.name, SPEAKERS.c.label))
    length = func.extract("epoch", sessions.c.ended_at - sessions.c.started_at)
    return columns_of(
        SessionSummary,
        [sessions],
        duration=cast(length, DOUBLE_PRECISION),
        last_activity=func.coalesce(sessions.c.ended_at, heard_at(sessions)),
        spoken_languages=_or_none_of(spoken)
        if "spoken_languages" in shape.included
        else literal_column("NULL", ARRAY(Text)),
        speakers=_or_none_of(_all_of(names, SPEAKERS, sessions)),
        has_audio=has_recordings(sessions),
        segments=counted.correlate(sessions).scalar_subquery()
        if "segments" in shape.included
        else literal_column("NULL", BigInteger),
    )


def _all_of(values: ColumnElement[Any], rows: FromClause, sessions: FromClause) -> ColumnElement[Any]:
    found = select(func.array_agg(values)).where(rows.c.session_id == sessions.c.id)
    return found.correlate(sessions).scalar_subquery()


def _or_none_of(array: ColumnElement[Any]) -> ColumnElement[Any]:
    return func.coalesce(array, literal_column("'{}'", ARRAY(Text)))
