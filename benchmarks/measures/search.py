"""Measure a page of search with its extracts: a common word, a rare one, and one in a script without spaces.

The floor answers the same page from the same tables. It is written for meetings in these five languages and
reads the query in each of them. It also knows beforehand whether to walk through the newest texts of a table
or to ask its index; the store has to find that out.
"""

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

import asyncpg

from benchmarks.contenders import Contenders
from benchmarks.measures.clock import medians
from benchmarks.report.results import Figure
from livetranslate_store import SearchPage
from livetranslate_store.reading.search.query import BLOCK_HITS

PAGE_HITS = 20
RARE_TEXTS = 15
RARE = "Zanzibar"
# At most; every search for a rare word reads them.
DRAFTS = 5_000
PAGES_PER_READING = 2

_MAKE_RARE = f"""
    UPDATE livetranslate.transcripts SET text = text || ' {RARE}'
    WHERE (session_id, id) IN (
        SELECT session_id, id FROM livetranslate.transcripts ORDER BY 1, 2 LIMIT {RARE_TEXTS}
    )
"""

_MAKE_DRAFTS = f"""
    UPDATE livetranslate.transcripts SET draft = text, text = NULL, is_final = false
    WHERE (session_id, id) IN (
        SELECT session_id, id FROM livetranslate.transcripts ORDER BY 1, 2 OFFSET {RARE_TEXTS} LIMIT {DRAFTS}
    )
"""


class _Asked(NamedTuple):
    query: str
    #: The tables that have the word often.
    common_in: frozenset[str]


CASES = {
    "search_common": _Asked("everyone", frozenset({"transcripts"})),
    "search_rare": _Asked(RARE, frozenset()),
    "search_unspaced": _Asked("予算", frozenset({"translations"})),
}
# Of the languages of the workload; Japanese has no stemmer.
_CONFIGURATIONS = {
    "en": "livetranslate.search_english",
    "es": "livetranslate.search_spanish",
    "de": "livetranslate.search_german",
    "ja": "simple",
    "fr": "livetranslate.search_french",
}
# The language of a text, and the end of its key.
_TABLES = {
    "transcripts": ("e.language", "e.id", "''::text"),
    "translations": ("e.target_language", "e.transcript_id", "e.target_language"),
}
_KEY = ("started_at", "session_id", "transcript_id", "target_language")
_ORDER = ", ".join(f"{name} DESC" for name in _KEY)


async def searches(contenders: Contenders, readings: int) -> dict[str, Figure]:
    """Measure the first page of each query."""
    await contenders.pool.execute(_MAKE_RARE)
    await contenders.pool.execute("VACUUM (ANALYZE) livetranslate.transcripts, livetranslate.translations")
    figures = {}
    for name, asked in CASES.items():
        ours = partial(contenders.store.search, asked.query, limit=PAGE_HITS)
        theirs = partial(contenders.pool.fetch, _by_hand(asked), asked.query)
        _check(await ours(), await theirs())
        turns = readings * PAGES_PER_READING
        figures[name] = Figure(*await medians([ours] * turns, [theirs] * turns, warm_up=2))
    return figures


async def draft(contenders: Contenders, readings: int) -> Figure:
    """Measure what a search takes for each draft that it reads; texts become drafts, and stay so."""
    search = [partial(contenders.store.search, RARE, limit=PAGE_HITS)] * readings
    (before,) = await medians(search, warm_up=1)
    status = await contenders.pool.execute(_MAKE_DRAFTS)
    await contenders.pool.execute("VACUUM (ANALYZE) livetranslate.transcripts")
    (after,) = await medians(search, warm_up=1)
    return Figure((after - before) / int(status.rpartition(" ")[2]))


def _by_hand(asked: _Asked) -> str:
    hits = " UNION ALL ".join(
        _hits(table, walked=table in asked.common_in) for table in ("transcripts", "translations")
    )
    return f"""
        SELECT h.*, s.title, s.meeting_id, t.timestamp, t.speaker_label, p.name, t.text, t.language,
               t.is_final, x.text AS translation, x.target_language,
               ts_headline({_by_language("h.language", "{}::regconfig")}, coalesce(x.text, t.text),
                           {_by_language("h.language", "to_tsquery({}, $1)")})
        FROM (
            SELECT * FROM (SELECT * FROM ({hits}) AS hit ORDER BY {_ORDER} LIMIT {BLOCK_HITS}) AS block
            ORDER BY rank DESC, {_ORDER} LIMIT {PAGE_HITS}
        ) AS h
        LEFT JOIN livetranslate.translations AS x
            ON x.session_id = h.session_id AND x.transcript_id = h.transcript_id
            AND x.target_language = h.target_language
        JOIN livetranslate.transcripts AS t ON t.session_id = h.session_id AND t.id = h.transcript_id
        JOIN livetranslate.sessions AS s ON s.id = h.session_id
        LEFT JOIN livetranslate.speakers AS p ON p.session_id = h.session_id AND p.label = t.speaker_label
        ORDER BY h.rank DESC, {", ".join(f"h.{name} DESC" for name in _KEY)}
    """


def _hits(table: str, *, walked: bool) -> str:
    language, transcript_id, target_language = _TABLES[table]
    words = f"livetranslate.search_vector({language}, e.text)"
    query = _by_language(language, "to_tsquery({}, $1)")
    columns = f"""
        e.session_id, {transcript_id} AS transcript_id, {target_language} AS target_language,
        {language} AS language, ts_rank({words}, {query}, 1) AS rank
    """
    source = f"livetranslate.sessions AS s JOIN livetranslate.{table} AS e ON e.session_id = s.id"
    conditions = [f"{words} @@ {query}"]
    order = f"ORDER BY {_ORDER}"
    if walked:
        # Sorted before the join, so that the newest meetings alone are read.
        source = f"""(SELECT * FROM livetranslate.sessions ORDER BY started_at DESC, id DESC OFFSET 0) AS s
            CROSS JOIN LATERAL (
                SELECT * FROM livetranslate.{table} AS e WHERE e.session_id = s.id AND {conditions.pop()}
                ORDER BY {transcript_id} DESC, {target_language} DESC LIMIT {BLOCK_HITS + 1}
            ) AS e"""
        order = ""
    else:
        either = " || ".join(f"to_tsquery('{each}', $1)" for each in _CONFIGURATIONS.values())
        conditions += ["e.text IS NOT NULL", f"{words} @@ ({either})"]
    where = f"WHERE {' AND '.join(conditions)}" if conditions else ""
    return f"""
        (SELECT '{table}' AS kind, s.started_at, {columns} FROM {source} {where} {order} LIMIT {BLOCK_HITS})
    """


def _by_language(language: str, expression: str) -> str:
    whens = (f"WHEN '{tag}' THEN {expression.format(repr(each))}" for tag, each in _CONFIGURATIONS.items())
    return f"CASE {language} {' '.join(whens)} END"


def _check(page: SearchPage, rows: Sequence[asyncpg.Record]) -> None:
    theirs = [(row["transcript_id"], row["target_language"] or row["language"]) for row in rows]
    if [(hit.transcript_id, hit.matched_language) for hit in page] != theirs or not theirs:
        raise RuntimeError("Both sides must find the same page.")
