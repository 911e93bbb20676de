"""Search: a page of a common word, of a rare one, and of one in a script without spaces, with its extracts.

The floor answers the same page, and knows beforehand what the store has to find out: in which language and
table the word is, and whether to walk through the newest texts or to ask the index.
"""

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

import asyncpg

from benchmarks.clock import medians
from benchmarks.results import Figure
from benchmarks.sides import Sides
from livetranslate_store import SearchPage
from livetranslate_store.reading.search_query import BLOCK_HITS

PAGE_HITS = 20
RARE_TEXTS = 15
RARE = "Zanzibar"
PAGES_PER_READING = 2

_MAKE_RARE = f"""
    UPDATE livetranslate.transcripts SET text = text || ' {RARE}'
    WHERE (session_id, id) IN (
        SELECT session_id, id FROM livetranslate.transcripts ORDER BY 1, 2 LIMIT {RARE_TEXTS}
    )
"""


class _Asked(NamedTuple):
    query: str
    configuration: str
    kind: str
    common: bool


CASES = {
    "search_common": _Asked("everyone", "livetranslate.search_english", "transcript", common=True),
    "search_rare": _Asked(RARE, "livetranslate.search_english", "transcript", common=False),
    "search_unspaced": _Asked("予算", "simple", "translation", common=True),
}


async def searches(sides: Sides, readings: int) -> dict[str, Figure]:
    """Measure the first page of each query."""
    await sides.pool.execute(_MAKE_RARE)
    await sides.pool.execute("VACUUM (ANALYZE) livetranslate.transcripts, livetranslate.translations")
    figures = {}
    for name, asked in CASES.items():
        ours = partial(sides.store.search, asked.query, limit=PAGE_HITS)
        theirs = partial(sides.pool.fetch, _by_hand(asked))
        _check(await ours(), await theirs())
        turns = readings * PAGES_PER_READING
        figures[name] = Figure(*await medians([ours] * turns, [theirs] * turns, warm_up=2))
    return figures


def _by_hand(asked: _Asked) -> str:
    query = f"to_tsquery('{asked.configuration}', '{asked.query}')"
    table = f"livetranslate.{asked.kind}s"
    order = "started_at DESC, session_id DESC, id DESC"
    source = f"livetranslate.sessions AS s JOIN {table} AS e ON e.session_id = s.id AND e.search @@ {query}"
    if asked.common:
        source = f"""livetranslate.sessions AS s CROSS JOIN LATERAL (
            SELECT session_id, id, search FROM {table} AS e WHERE e.session_id = s.id AND e.search @@ {query}
            ORDER BY id DESC LIMIT {BLOCK_HITS + 1}
        ) AS e"""
    return f"""
        SELECT h.*, s.title, s.meeting_id, t.timestamp, t.speaker_label, p.name, t.text, t.language,
               t.is_final, x.text AS translation, x.target_language,
               ts_headline('{asked.configuration}', coalesce(x.text, t.text), {query})
        FROM (
            SELECT started_at, session_id, id, ts_rank(search, {query}, 1) AS rank FROM (
                SELECT s.started_at, e.session_id, e.id, e.search FROM {source}
                ORDER BY s.started_at DESC, s.id DESC, e.id DESC LIMIT {BLOCK_HITS}
            ) AS block ORDER BY rank DESC, {order} LIMIT {PAGE_HITS}
        ) AS h
        LEFT JOIN livetranslate.translations AS x
            ON '{asked.kind}' = 'translation' AND x.session_id = h.session_id AND x.id = h.id
        JOIN livetranslate.transcripts AS t
            ON t.session_id = h.session_id AND t.id = coalesce(x.transcript_id, h.id)
        JOIN livetranslate.sessions AS s ON s.id = h.session_id
        LEFT JOIN livetranslate.speakers AS p ON p.session_id = h.session_id AND p.label = t.speaker_label
        ORDER BY h.rank DESC, h.started_at DESC, h.session_id DESC, h.id DESC
    """


def _check(page: SearchPage, rows: Sequence[asyncpg.Record]) -> None:
    theirs = [row["id"] for row in rows]
    if [hit.id for hit in page] != theirs or not theirs:
        raise RuntimeError("Both sides must find the same page.")
