"""A search on a cluster finds what it finds on a single server, and asks only the shards that it must."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import psycopg
import pytest
from helpers.clusters import SHARDS
from helpers.searching import Both, all_hits, on_both, steps, tasks

from livetranslate_store import Store
from livetranslate_store.reading.search import walk

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


@pytest.fixture
async def both(
    database_on_one_server: psycopg.Connection[Any], other_program: psycopg.Connection[Any], store: Store
) -> AsyncIterator[Both]:
    database_on_one_server.execute(FILL)
    async with on_both(database_on_one_server, other_program, store) as stores:
        yield stores


async def test_hits_pages_and_cursors_are_those_of_a_single_server(both: Both) -> None:
    for query, filters in QUERIES:
        expected = await all_hits([both.single], query, filters, PAGE)
        assert bool(expected) is (query != "nowhere")
        assert await all_hits([both.cluster], query, filters, PAGE) == expected, query
        assert await all_hits([both.cluster, both.single], query, filters, PAGE) == expected, query


@pytest.mark.parametrize(
    "filters",
    [{}, {"finals_only": True}, {"languages": ["en"], "kinds": ["transcript"]}, {"speakers": ["Ana"]}],
)
async def test_each_shard_answers_for_itself(
    both: Both, monkeypatch: pytest.MonkeyPatch, filters: dict[str, Any]
) -> None:
    # Six meetings are so few that a walk would see them all.
    monkeypatch.setattr(walk, "LISTED_SESSIONS", 1)
    taken = await steps(both.cluster, "zanzibar", translation_language="es", **filters)
    assert {*tasks(taken, "search.candidates")} == {SHARDS} == {*tasks(taken, "search.sessions")}
    # No rows go from node to node.
    assert not [each for each in taken if "Subplan" in each.plan]
    assert {*tasks(taken, "search.readings"), *tasks(taken, "search.page")} == {0}


async def test_only_the_shards_of_the_hits_or_of_the_sessions_are_asked(
    both: Both, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert tasks(await steps(both.cluster, "zanzibar"), "search.shown") == [1]
    found: list[UUID] = [(await both.cluster.search("zanzibar"))[0].session_id]
    monkeypatch.setattr(walk, "PROBED_TEXTS", 10)
    taken = await steps(both.cluster, "zanzibar", started_from=datetime(2026, 1, 4, tzinfo=UTC))
    assert tasks(taken, "search.candidates") == [1]
    taken = await steps(both.cluster, "nowhere or budget", session_ids=found)
    assert {each.tasks for each in taken if each.name not in {"search.readings", "search.page"}} == {1}
