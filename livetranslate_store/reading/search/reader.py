"""The search over transcripts and translations: pages of hits, block by block."""

from collections.abc import Sequence

from msgspec.structs import replace

from livetranslate_store.reading.paging import Fetch
from livetranslate_store.reading.search.cursor import HitKey, SearchCursor
from livetranslate_store.reading.search.finding import Find
from livetranslate_store.reading.search.query import SearchQuery
from livetranslate_store.tracing import Tracing
from livetranslate_store.values import SearchHit, SearchPage


async def read_hits(find: Find, fetch: Fetch, query: SearchQuery, tracing: Tracing) -> SearchPage:
    """Return a page of hits; a page that reaches the end of its block goes on with the next block."""
    hits: list[SearchHit] = []
    with tracing.span("search") as span:
        cursor: SearchCursor | None = query.cursor
        while cursor is not None and len(hits) < query.limit:
            part = query._replace(cursor=cursor, limit=query.limit - len(hits))
            found, cursor = await _read_block(find, fetch, part)
            hits += found
        span.set(hits=len(hits))
    return SearchPage(hits, None if cursor is None else cursor.encoded())


async def _read_block(
    find: Find, fetch: Fetch, query: SearchQuery
) -> tuple[Sequence[SearchHit], SearchCursor | None]:
    """Return hits of one block, and where to continue."""
    found = await find(fetch, query)
    hits, block = found.hits[: query.limit], query.cursor
    if found.hits and block.end is None:
        block = replace(block, end=found.end, more=found.more, walked=found.walked)
    if len(found.hits) > query.limit:
        last = hits[-1]
        language = last.matched_language if last.kind == "translation" else ""
        after = HitKey(last.session_started_at, last.session_id, last.transcript_id, language)
        return hits, replace(block, rank=last.rank, after=after)
    return hits, SearchCursor.block_after(block.end) if block.more else None
