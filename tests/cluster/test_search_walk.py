"""A search of a common word on a cluster walks through the newest texts, however many have the word."""

from collections.abc import Sequence
from typing import Any

import psycopg
import pytest
from helpers.searching import Step, all_hits, on_both, steps, tasks

from livetranslate_store import Store
from livetranslate_store.reading.search import walk

# Meetings of very different lengths, three of them at a time.
MEETINGS = """
    INSERT INTO livetranslate.sessions (id, bot_id, meeting_id, started_at)
    SELECT gen_random_uuid(), 'b', 'm' || n, timestamptz '2026-02-01' - n / 3 * interval '1 hour'
    FROM generate_series(%(first)s::int, %(last)s::int) AS n
"""
TEXTS = """
    WITH spoken AS (
        INSERT INTO livetranslate.transcripts
            (session_id, id, text, draft, language, speaker_label, is_final)
        SELECT session.id, gen_random_uuid(), CASE WHEN n %% 7 > 0 THEN said END,
               CASE WHEN n %% 7 = 0 THEN said END, (ARRAY['en', 'de'])[n %% 2 + 1],
               CASE WHEN n %% 3 > 0 THEN 'SPEAKER_00' END, n %% 7 > 0
        FROM (SELECT id, substr(meeting_id, 2)::int AS place FROM livetranslate.sessions) AS session
        CROSS JOIN LATERAL generate_series(1, %(texts)s::int * (place %% 4)) AS n
        CROSS JOIN LATERAL (
            SELECT 'word' || CASE WHEN place < 4 AND n = 5 THEN ' rare' WHEN n %% 10 = 0 THEN ' seldom'
            WHEN random() < 0.6 THEN ' common' ELSE ' ' || place || n END AS said
        ) AS said
        WHERE place BETWEEN %(first)s::int AND %(last)s::int
        RETURNING session_id, id, coalesce(text, draft) AS said
    )
    INSERT INTO livetranslate.translations
        (session_id, transcript_id, text, source_language, target_language, transcript_revision)
    SELECT session_id, id, said || ' palabra', 'en', tag, 0
    FROM spoken CROSS JOIN unnest(ARRAY['es', 'es-MX', 'ja']) AS tag
    WHERE random() < 0.5 OR said LIKE '%%rare'
"""

TO_THE_END = {"SHORT_WALK": 10**9, "LONG_WALK": 10**9}

QUERIES: list[tuple[str, dict[str, Any]]] = [
    ("common", {}),
    ("seldom or rare", {}),
    ("rare", {"kinds": ["translation"], "languages": ["es"]}),
    ("word -common", {"kinds": ["transcript"], "finals_only": True}),
    ("common", {"kinds": ["transcript"], "speakers": ["SPEAKER_00"]}),
    ("commno", {"fuzzy": True}),
    ("common", {"languages": ["de", "ja"], "translation_language": "es"}),
]


def fill(database: psycopg.Connection[Any], first: int, last: int, *, texts: int) -> None:
    numbers = {"first": first, "last": last, "texts": texts}
    database.execute(MEETINGS, numbers)
    database.execute(TEXTS, numbers)


def walked(taken: Sequence[Step]) -> list[Sequence[Any]]:
    """Return the rows of the steps of a walk."""
    return [each.rows for each in taken if each.name == "search.walked"]


@pytest.mark.parametrize(
    "bounds",
    [
        pytest.param({}, id="as it is"),
        pytest.param(TO_THE_END, id="to the end"),
        pytest.param(TO_THE_END | {"PROBED_TEXTS": 3, "STEP": 7, "LISTED_SESSIONS": 99}, id="small steps"),
        pytest.param({"SHORT_WALK": 300, "PROBED_TEXTS": 30, "STEP": 60}, id="given up"),
        pytest.param({"LONG_WALK": 0}, id="by the index"),
        pytest.param(TO_THE_END | {"LISTED_SESSIONS": 2}, id="not all sessions"),
    ],
)
async def test_a_walk_finds_what_the_index_finds(
    database_on_one_server: psycopg.Connection[Any],
    other_program: psycopg.Connection[Any],
    store: Store,
    monkeypatch: pytest.MonkeyPatch,
    bounds: dict[str, int],
) -> None:
    for name, value in bounds.items():
        monkeypatch.setattr(walk, name, value)
    fill(database_on_one_server, 1, 11, texts=9)
    async with on_both(database_on_one_server, other_program, store) as both:
        rare = (await both.single.search("rare"))[0].session_id
        queries = [*QUERIES, ("common or rare", {"session_ids": [rare]})]
        for query, filters in queries:
            expected = await all_hits([both.single], query, filters, limit=17)
            assert expected
            for stores in ([both.cluster], [both.cluster, both.single]):
                assert await all_hits(stores, query, filters, limit=17) == expected, query


async def test_a_page_of_a_common_word_reads_as_many_texts_in_a_grown_database(
    database_on_one_server: psycopg.Connection[Any], other_program: psycopg.Connection[Any], store: Store
) -> None:
    # The newest meeting holds some 500 texts.
    fill(database_on_one_server, 2, 2, texts=100)
    fill(database_on_one_server, 5, 40, texts=20)
    async with on_both(database_on_one_server, other_program, store) as both:
        first = await both.cluster.search("common")
        grown = await steps(both.cluster, "common")
        known = await steps(both.cluster, "common", cursor=first.next_cursor)
        other_program.execute("DELETE FROM livetranslate.sessions WHERE meeting_id <> 'm2'")
        other_program.commit()
        small = await steps(both.cluster, "common")
    keys, keys_in_small = ([[row[:2] for row in rows] for rows in walked(taken)] for taken in (grown, small))
    assert keys == keys_in_small
    for taken in (grown, known):
        assert {each.name for each in taken} == {
            "search.readings",
            "search.sessions",
            "search.walked",
            "search.shown",
            "search.page",
        }
        assert len(walked(taken)) <= 3
        assert sum(rows[-1]["number"] for rows in walked(taken)) <= walk.PROBED_TEXTS + walk.STEP


async def test_every_step_of_a_walk_is_one_task(
    database_on_one_server: psycopg.Connection[Any], other_program: psycopg.Connection[Any], store: Store
) -> None:
    fill(database_on_one_server, 1, 11, texts=9)
    async with on_both(database_on_one_server, other_program, store) as both:
        for query, filters in QUERIES:
            cursor = (await both.cluster.search(query, limit=5, **filters)).next_cursor
            for place in (None, cursor):
                taken = await steps(both.cluster, query, cursor=place, limit=5, **filters)
                assert {*tasks(taken, "search.walked")} == {1}, query


async def test_a_rare_word_costs_a_look_at_the_newest_texts_more(
    database_on_one_server: psycopg.Connection[Any], other_program: psycopg.Connection[Any], store: Store
) -> None:
    fill(database_on_one_server, 2, 3, texts=50)
    # Meetings that have just begun.
    database_on_one_server.execute(MEETINGS, {"first": -30, "last": -1})
    async with on_both(database_on_one_server, other_program, store) as both:
        taken = await steps(both.cluster, "rare")
        assert 1 < len(tasks(taken, "search.walked")) <= walk.PROBED_SESSIONS
        assert len(tasks(taken, "search.candidates")) == 1


async def test_a_walk_goes_further_if_the_index_would_find_very_many(
    database_on_one_server: psycopg.Connection[Any],
    other_program: psycopg.Connection[Any],
    store: Store,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # The first step is sure to see the word.
    for name, value in {"SHORT_WALK": 0, "PROBED_TEXTS": 400}.items():
        monkeypatch.setattr(walk, name, value)
    fill(database_on_one_server, 2, 2, texts=400)
    async with on_both(database_on_one_server, other_program, store) as both:
        # One text in ten has the word.
        assert tasks(await steps(both.cluster, "seldom"), "search.candidates")
        # As in a database of many more texts.
        monkeypatch.setattr(walk, "BYTES_OF_A_TEXT", 0.001)
        taken = await steps(both.cluster, "seldom")
        assert not tasks(taken, "search.candidates")
        assert len(walked(taken)) > 1
