"""How a page of one block of hits is found: by one statement, or on a cluster in steps."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from itertools import starmap
from typing import Any, NamedTuple, TypeAlias
from uuid import UUID

import asyncpg
from msgspec.structs import astuple

from livetranslate_store.reading.columns import value_of
from livetranslate_store.reading.paging import Fetch
from livetranslate_store.reading.search.cursor import HitKey
from livetranslate_store.reading.search.in_steps import (
    candidates_statements,
    page_statement,
    readings_statement,
    shown_statement,
)
from livetranslate_store.reading.search.query import SearchQuery
from livetranslate_store.reading.search.readings import READING
from livetranslate_store.reading.search.snippet import snippet
from livetranslate_store.reading.search.statement import search_statement
from livetranslate_store.reading.search.walk import Candidates, Walk
from livetranslate_store.values import EntryKind, SearchHit

# Most candidates are hits. If they are not, the next step reads this many times as many.
GROWTH = 4

_KEY = HitKey.__struct_fields__


class Found(NamedTuple):
    """Hits of a block: one more than the limit if the block has more, and its end as it was found."""

    hits: Sequence[SearchHit]
    end: HitKey | None
    #: Whether hits follow the block.
    more: bool
    walked: frozenset[EntryKind] = frozenset()


#: Finds the hits that a query asks for.
Find: TypeAlias = Callable[[Fetch, SearchQuery], Awaitable[Found]]


async def find_at_once(fetch: Fetch, query: SearchQuery) -> Found:
    """Find the hits by the one statement of a single server."""
    rows = await fetch(search_statement(query.shape).bind(query.values()))
    hits = [_hit(query, row["matched"], row["positions"], tuple(row)) for row in rows]
    if not rows:
        return Found(hits, None, more=False)
    return Found(hits, _end(rows[0]), rows[0]["more"], frozenset(rows[0]["walked"] or ()))


async def find_in_steps(fetch: Fetch, query: SearchQuery) -> Found:
    """Find the hits on a cluster: the newest candidates, then the hits among them."""
    readings = await fetch(readings_statement().bind(query.values()))
    if not readings:  # no language was asked for
        return Found([], None, more=False)
    values = {
        **query.values(),
        "asked": readings[0]["asked"],
        **{f"reading_{name}": [row[name] for row in readings] for name in READING},
    }
    walk, wanted = Walk(fetch, query, values, shards=readings[0]["shards"]), query.block + 1
    while True:
        candidates = await walk.newest(wanted)
        if candidates is None:
            candidates = await _by_index(fetch, query, values, wanted, walk.sessions)
        found = await _among(fetch, query, values, candidates.keys)
        if found.more or candidates.are_all:
            return found
        wanted *= GROWTH


async def _by_index(
    fetch: Fetch, query: SearchQuery, values: Mapping[str, Any], wanted: int, sessions: Sequence[UUID] | None
) -> Candidates:
    """Return the newest candidates, `wanted` at most, or all of a block that was read before."""
    shape, values = query.shape, {**values, "candidates": wanted}
    if sessions is not None:
        # They narrow the index.
        filters = shape.filters._replace(given=shape.filters.given | {"session_ids"})
        shape, values["session_ids"] = shape._replace(filters=filters), sessions
    keys: list[HitKey] = []
    for statement in candidates_statements(shape):
        keys += starmap(HitKey, await fetch(statement.bind(values)))
    if shape.is_known or len(keys) < wanted:
        return Candidates(keys, are_all=True)
    return Candidates(sorted(keys, key=astuple, reverse=True)[:wanted], are_all=False)


async def _among(
    fetch: Fetch, query: SearchQuery, values: Mapping[str, Any], keys: Sequence[HitKey]
) -> Found:
    """Return the hits among candidates."""
    if not keys:
        return Found([], None, more=False)
    arrays = {f"candidate_{name}": [getattr(key, name) for key in keys] for name in _KEY}
    rows = await fetch(shown_statement(query.shape).bind({**values, **arrays}))
    # The first of several rows counts.
    shown = {_key(row): row for row in reversed(rows)}
    texts = {f"text_{name}": [getattr(key, name) for key in shown] for name in _KEY}
    texts["text_text_language"] = [row["matched_language"] for row in shown.values()]
    texts["text_text"] = [row["matched"] for row in shown.values()]
    page = await fetch(page_statement(query.shape).bind({**values, **texts}))
    hits = []
    for row in page:
        text = shown[HitKey(*(row[name] for name in _KEY))]
        hits.append(_hit(query, text["matched"], row["positions"], tuple(text), row["rank"]))
    return Found(hits, _end(page[0]), page[0]["more"]) if page else Found([], None, more=False)


def _hit(
    query: SearchQuery, matched: str, positions: Sequence[int], columns: Sequence[Any], *computed: Any
) -> SearchHit:
    extract = snippet(matched, positions, query.words.unspaced, query.similar)
    return value_of(SearchHit, columns, *computed, extract.text, extract.highlights)


def _key(row: asyncpg.Record) -> HitKey:
    return HitKey(row["session_started_at"], row["session_id"], row["transcript_id"], row["key_language"])


def _end(row: asyncpg.Record) -> HitKey:
    return HitKey(*(row[f"end_{name}"] for name in _KEY))
