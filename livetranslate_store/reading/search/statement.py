"""The one statement that answers a search on a single server.

Texts are ordered by their meeting, the newest first, and hits are ranked in blocks of that order: ranking all
hits of a common word would read all of them.

Each text is compared with the query as the language of the text reads it. The index looks up any reading.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    CTE,
    ColumnElement,
    FromClause,
    Select,
    Text,
    bindparam,
    case,
    func,
    literal_column,
    select,
    true,
    union_all,
)
from sqlalchemy.dialects.postgresql import array

from livetranslate_store.database.statement import Statement
from livetranslate_store.reading.search.hits import Hits, hits_in, is_its_reading, own_sessions_of
from livetranslate_store.reading.search.page import best_first, block_of, page_of, positions, shown
from livetranslate_store.reading.search.readings import Readings, query_readings
from livetranslate_store.reading.search.shape import SOURCES, SearchShape, words_of
from livetranslate_store.reading.translations import translation_into


@lru_cache(maxsize=256)
def search_statement(shape: SearchShape) -> Statement:
    """Return the statement; its rows begin with the fields of SearchHit that are not computed."""
    readings = query_readings()
    own = own_sessions_of(shape)
    hits = [hits_in(each, shape, readings, own) for each in SOURCES if each.kind in shape.filters.kinds]
    block, end = block_of(union_all(*(part for each in hits for part in each.selected())), shape)
    return Statement.compiled("search", _page(hits, block, end, shape, readings))


def _page(hits: Sequence[Hits], block: CTE, end: CTE, shape: SearchShape, readings: Readings) -> Select[Any]:
    page, reading = page_of(block, shape), readings.each
    hit = shown(
        page,
        page.join(end, true()),
        shape,
        translations=_first_translation,
        computed=["snippet", "highlights"],
    )
    return (
        select(
            *hit.columns,
            hit.matched.label("matched"),
            positions(words_of(hit.language, hit.matched), reading),
            *end.c,
            _walked(hits, shape).label("walked"),
        )
        .select_from(hit.rows.outerjoin(reading, is_its_reading(hit.language, shape, readings)))
        .order_by(*best_first(page))
    )


def _first_translation(spoken: FromClause) -> tuple[FromClause, ColumnElement[bool]]:
    first = translation_into(
        bindparam("translation_language", type_=Text),
        session_id=spoken.c.session_id,
        transcript_id=spoken.c.id,
        revision=spoken.c.revision,
        edits={},
    )
    return first.correlate(spoken).lateral("asked_for"), true()


def _walked(hits: Sequence[Hits], shape: SearchShape) -> ColumnElement[Any]:
    """Return the kinds whose hits the walk found, when a block is read for the first time."""
    if shape.is_known:
        return literal_column("NULL::text[]")
    kinds = [case((each.is_walk_enough, literal_column(f"'{each.source.kind}'", Text))) for each in hits]
    return func.array_remove(array(kinds), literal_column("NULL"))
