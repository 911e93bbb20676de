"""A search on a cluster finds what it finds on a single server, and asks only the shards that it must."""

import re
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from typing import Any, NamedTuple
from uuid import UUID

import psycopg
import pytest
from helpers.clusters import SHARDS
from helpers.support import TABLES

from livetranslate_store import SearchHit, Store
from livetranslate_store.database.statement import BoundStatement
from livetranslate_store.models import Base
from livetranslate_store.reading.search.finding import find_in_steps
from livetranslate_store.reading.search.query import checked_search

# Six meetings of 30 segments, a translation of each into one or two variants of a language, and drafts.
FILL = """
    WITH meetings AS (
        INSERT INTO livetranslate.sessions (id, bot_id, meeting_id, title, started_at)
        SELECT gen_random_uuid(), 'b', 'm' || n, 'Meeting ' || n,
               timestamptz '2026-01-01' + n / 2 * interval '1 day'
        FROM generate_series(1, 6) AS n RETURNING id, meeting_id
    ), speakers AS (
        INSERT INTO livetranslate.speakers (session_id, label, name)
        SELECT id, 'SPEAKER_00', 'Ana' FROM meetings
    ), spoken AS (
        INSERT INTO livetranslate.transcripts
            (session_id, id, text, draft, language, start_time, speaker_label, is_final)
        SELECT id, gen_random_uuid(), CASE WHEN n < 28 THEN said END, CASE WHEN n >= 28 THEN said END,
               (ARRAY['en', 'de', 'fr'])[n % 3 + 1], n, CASE WHEN n % 5 > 0 THEN 'SPEAKER_00' END, n < 28
        FROM meetings CROSS JOIN generate_series(1, 30) AS n
        CROSS JOIN LATERAL (SELECT repeat('the budget ', n % 4) || 'of all meetings'
            || CASE WHEN n = 7 AND meeting_id = 'm5' THEN ' in Zanzibar' ELSE '' END AS said) AS said
        RETURNING session_id, id, start_time
    )
    INSERT INTO livetranslate.translations
        (session_id, transcript_id, text, source_language, target_language, transcript_revision)
    SELECT session_id, id, tag || ' el presupuesto 予算 budget', 'en', tag, start_time::int % 2
    FROM spoken CROSS JOIN unnest(ARRAY['es-MX', 'es', 'ja']) AS tag
    WHERE tag = 'ja' OR start_time::int % 3 = length(tag) % 3
"""

# Two pages are a block.
PAGE = 40

QUERIES: list[tuple[str, dict[str, Any]]] = [
    ("budget", {}),
    ("zanzibar", {}),
    ("nowhere", {}),
    ("予算", {"kinds": ["translation"]}),
    ("meeting -budget", {}),
    ('"of all" or presupuesto', {"translation_language": "es"}),
    ("budget", {"speakers": ["Ana"], "finals_only": True, "languages": ["en", "es"]}),
    ("the", {"finals_only": True}),
    ("budgte or zanzibra", {"fuzzy": True}),
    ("zanzibra", {"fuzzy": True, "kinds": ["transcript"]}),
]


class Both(NamedTuple):
    """Stores over the same rows, on a single server and on a cluster."""

    single: Store
    cluster: Store


@pytest.fixture
async def both(
    database_on_one_server: psycopg.Connection[Any], other_program: psycopg.Connection[Any], store: Store
) -> AsyncIterator[Both]:
    database_on_one_server.execute(FILL)
    for table in (Base.metadata.tables[f"livetranslate.{name}"] for name in TABLES):
        columns = ", ".join(f'"{each.name}"' for each in table.columns if each.computed is None)
        with (
            database_on_one_server.cursor().copy(f"COPY (SELECT {columns} FROM {table}) TO STDOUT") as rows,
            other_program.cursor().copy(f"COPY {table} ({columns}) FROM STDIN") as copies,
        ):
            for row in rows:
                copies.write(row)
    for connection in (database_on_one_server, other_program):
        connection.commit()
    info = database_on_one_server.info
    url = f"postgresql+asyncpg://{info.user}:{info.password}@{info.host}:{info.port}/{info.dbname}"
    async with AsyncExitStack() as stack:
        yield Both(await stack.enter_async_context(Store.open(url)), store)


async def all_hits(stores: Sequence[Store], query: str, filters: Any) -> list[SearchHit]:
    """Return the hits of all pages; the stores take turns."""
    hits: list[SearchHit] = []
    cursor, turn = None, 0
    while True:
        page = await stores[turn % len(stores)].search(query, limit=PAGE, cursor=cursor, **filters)
        hits += page
        cursor, turn = page.next_cursor, turn + 1
        if cursor is None:
            return hits


async def test_hits_pages_and_cursors_are_those_of_a_single_server(both: Both) -> None:
    for query, filters in QUERIES:
        expected = await all_hits([both.single], query, filters)
        assert bool(expected) is (query != "nowhere")
        assert await all_hits([both.cluster], query, filters) == expected, query
        assert await all_hits([both.cluster, both.single], query, filters) == expected, query


async def steps(store: Store, query: str, **filters: Any) -> dict[str, list[str]]:
    """Return the plans of the steps of a search, by the names of their statements."""
    plans: dict[str, list[str]] = {}

    async def fetch(bound: BoundStatement) -> Any:
        rows = await store._database.fetch(bound._replace(text=f"EXPLAIN {bound.text}"))
        plans.setdefault(bound.name, []).append("\n".join(row[0] for row in rows))
        return await store._database.fetch(bound)

    await find_in_steps(fetch, checked_search(query, filters.pop("filters", {}), **filters))
    return plans


def tasks(plans: Sequence[str]) -> list[int]:
    return [int(count) for plan in plans for count in re.findall(r"Task Count: (\d+)", plan)]


@pytest.mark.parametrize(
    "filters",
    [{}, {"finals_only": True}, {"languages": ["en"], "kinds": ["transcript"]}, {"speakers": ["Ana"]}],
)
async def test_each_shard_answers_for_itself(both: Both, filters: dict[str, Any]) -> None:
    plans = await steps(both.cluster, "budget", filters=filters, translation_language="es")
    assert {*tasks(plans["search.candidates"])} == {SHARDS}
    # No rows go from node to node.
    assert not [plan for each in plans.values() for plan in each if "Subplan" in plan]
    assert tasks(plans["search.readings"] + plans["search.page"]) == []


async def test_only_the_shards_of_the_hits_or_of_the_sessions_are_asked(both: Both) -> None:
    plans = await steps(both.cluster, "zanzibar")
    assert tasks(plans["search.shown"]) == [1]
    found: list[UUID] = [(await both.cluster.search("zanzibar"))[0].session_id]
    plans = await steps(both.cluster, "budget", filters={"session_ids": found})
    assert tasks(plans["search.candidates"] + plans["search.shown"]) == [1, 1]
