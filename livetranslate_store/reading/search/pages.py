"""The search over transcripts and translations: rows of the driver become hits with their extracts."""

import asyncpg
from msgspec.structs import replace

from livetranslate_store.reading.paging import Fetch
from livetranslate_store.reading.search.cursor import HitKey, SearchCursor
from livetranslate_store.reading.search.query import SearchQuery
from livetranslate_store.reading.search.snippet import snippet
from livetranslate_store.tracing import Tracing
from livetranslate_store.values import SearchHit, SearchPage


async def read_hits(fetch: Fetch, query: SearchQuery, tracing: Tracing) -> SearchPage:
    """Return a page of hits; one that reaches the end of its block goes on with the next block."""
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
    """Return hits of one block, and where to go on."""
    rows = await fetch(query.statement())
    hits = [_hit(row, query) for row in rows[: query.limit]]
    block = query.cursor
    if rows and block.end is None:
        row = rows[0]
        end = HitKey(row["end_started_at"], row["end_session_id"], row["end_id"])
        block = replace(block, end=end, more=row["more"], walked=frozenset(row["walked"]))
    if len(rows) > query.limit:
        last = hits[-1]
        after = HitKey(last.session_started_at, last.session_id, last.id)
        return hits, replace(block, rank=last.rank, after=after)
    return hits, SearchCursor.block_before(block.end) if block.more else None


def _hit(row: asyncpg.Record, query: SearchQuery) -> SearchHit:
    similar = [word for branch in query.words.branches for word in branch.similar] if query.fuzzy else []
    extract = snippet(row["matched"], row["positions"], query.words.unspaced, similar)
    return SearchHit(
        session_id=row["session_id"],
        session_title=row["title"],
        meeting_id=row["meeting_id"],
        session_started_at=row["started_at"],
        kind=row["kind"],
        id=row["id"],
        transcript_id=row["transcript_id"],
        timestamp=row["timestamp"],
        speaker_label=row["speaker_label"],
        speaker_name=row["speaker_name"],
        snippet=extract.text,
        highlights=extract.highlights,
        text=row["text"],
        language=row["language"],
        translation=row["translation"],
        translation_language=row["translation_language"],
        is_final=row["is_final"],
        is_stale=row["is_stale"],
        rank=row["rank"],
    )
