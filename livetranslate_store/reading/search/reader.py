"""The search over transcripts and translations: rows of the driver become hits with their extracts."""

import asyncpg
from msgspec.structs import replace

from livetranslate_store.reading.columns import value_of
from livetranslate_store.reading.paging import Fetch
from livetranslate_store.reading.search.cursor import HitKey, SearchCursor
from livetranslate_store.reading.search.query import SearchQuery
from livetranslate_store.reading.search.snippet import snippet
from livetranslate_store.tracing import Tracing
from livetranslate_store.values import SearchHit, SearchPage


async def read_hits(fetch: Fetch, query: SearchQuery, tracing: Tracing) -> SearchPage:
    """Return a page of hits; a page that reaches the end of its block goes on with the next block."""
    hits: list[SearchHit] = []
    with tracing.span("search") as span:
        cursor: SearchCursor | None = query.cursor
        while cursor is not None and len(hits) < query.limit:
            part = query._replace(cursor=cursor, limit=query.limit - len(hits))
            found, cursor = await _read_block(fetch, part)
            hits += found
        span.set(hits=len(hits))
    return SearchPage(hits, None if cursor is None else cursor.encoded())


async def _read_block(fetch: Fetch, query: SearchQuery) -> tuple[list[SearchHit], SearchCursor | None]:
    """Return hits of one block, and where to continue."""
    rows = await fetch(query.bound())
    hits = [_hit(row, query) for row in rows[: query.limit]]
    block = query.cursor
    if rows and block.end is None:
        row = rows[0]
        end = HitKey(*(row[f"end_{name}"] for name in HitKey.__struct_fields__))
        block = replace(block, end=end, more=row["more"], walked=frozenset(row["walked"]))
    if len(rows) > query.limit:
        last = hits[-1]
        language = last.matched_language if last.kind == "translation" else ""
        after = HitKey(last.session_started_at, last.session_id, last.transcript_id, language)
        return hits, replace(block, rank=last.rank, after=after)
    return hits, SearchCursor.block_after(block.end) if block.more else None


def _hit(row: asyncpg.Record, query: SearchQuery) -> SearchHit:
    extract = snippet(row["matched"], row["positions"], query.words.unspaced, query.similar)
    return value_of(SearchHit, tuple(row), extract.text, extract.highlights)
