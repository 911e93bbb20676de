"""Pages of hits: all of them once, the best of each block first, and through the indexes."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID

import pytest
from helpers.stored import Program
from helpers.support import explained, transcript, translation

from livetranslate_store import SearchHit, SearchPage, Store
from livetranslate_store.reading.search.query import BLOCK_HITS, MAX_PAGE_HITS, checked_search
from livetranslate_store.reading.search.statement import search_statement

pytestmark = pytest.mark.slow

# Meetings on one day each, 40 transcripts with a translation in each meeting; every text has the word `all`,
# some have another one. Most of the translations are in Japanese. All speakers have the same label, as bots
# give it.
FILL = """
    WITH meetings AS (
        INSERT INTO livetranslate.sessions (id, bot_id, meeting_id, started_at)
        SELECT gen_random_uuid(), 'b', 'm' || n, timestamptz '2026-01-01' + n * interval '1 day'
        FROM generate_series(1, %(meetings)s) AS n RETURNING id, started_at
    ), speakers AS (
        INSERT INTO livetranslate.speakers (session_id, label) SELECT id, 'SPEAKER_00' FROM meetings
    ), spoken AS (
        INSERT INTO livetranslate.transcripts
            (session_id, id, text, language, start_time, speaker_label, is_final)
        SELECT id, gen_random_uuid(),
               'all ' || CASE WHEN n = 7 THEN 'all ' ELSE '' END
               || CASE WHEN n = 3 AND extract(day FROM started_at) = 5 THEN 'seldom ' ELSE '' END
               || md5(n::text),
               'en', n, 'SPEAKER_00', true
        FROM meetings CROSS JOIN generate_series(1, 40) AS n ORDER BY started_at, n
        RETURNING session_id, id, start_time
    )
    INSERT INTO livetranslate.translations
        (session_id, transcript_id, text, source_language, target_language)
    SELECT session_id, id,
           '全部です。' || CASE WHEN start_time = 9 THEN '予算' ELSE '' END, 'en', 'ja'
    FROM spoken
"""


@pytest.fixture
def filled(other_program: Program) -> None:
    """Fill the tables, 10,000 texts in each; the planner knows them."""
    other_program.execute(FILL, {"meetings": 250})
    other_program.commit()
    other_program.autocommit = True
    other_program.execute(
        "VACUUM (ANALYZE) livetranslate.sessions, livetranslate.speakers, livetranslate.transcripts,"
        " livetranslate.translations"
    )


async def pages(store: Store, query: str, limit: int, **filters: Any) -> list[SearchPage]:
    found = [await store.search(query, limit=limit, **filters)]
    while found[-1].next_cursor is not None:
        assert len(found[-1]) == limit
        found.append(await store.search(query, limit=limit, cursor=found[-1].next_cursor, **filters))
    return found


def hits(found: Sequence[SearchPage]) -> list[SearchHit]:
    return [hit for page in found for hit in page]


def known(hit: SearchHit) -> tuple[UUID, str, str]:
    return hit.transcript_id, hit.kind, hit.matched_language


@pytest.mark.parametrize("limit", [7, 20, 64, 250, 1000])
@pytest.mark.parametrize("analyzed", [False, True])
async def test_pages_show_every_hit_once(
    store: Store, other_program: Program, limit: int, analyzed: bool
) -> None:
    other_program.execute(FILL, {"meetings": 30})
    other_program.commit()
    if analyzed:
        other_program.autocommit = True
        other_program.execute("ANALYZE livetranslate.transcripts, livetranslate.translations")
    found = hits(await pages(store, "all or 全部", limit))
    assert len(found) == len({known(hit) for hit in found}) == 2 * 30 * 40


async def test_a_table_that_the_server_has_not_counted_is_searched(
    store: Store, other_program: Program
) -> None:
    other_program.execute(FILL, {"meetings": 100})
    other_program.commit()
    other_program.autocommit = True
    other_program.execute("ANALYZE livetranslate.transcripts, livetranslate.translations")
    # The word is known to be common, and the number of texts is not known.
    other_program.execute(
        "UPDATE pg_class SET reltuples = -1 WHERE oid IN"
        " ('livetranslate.transcripts'::regclass, 'livetranslate.translations'::regclass)"
    )
    assert len(await store.search("all", limit=MAX_PAGE_HITS)) == MAX_PAGE_HITS


@pytest.mark.usefixtures("filled")
async def test_the_newest_come_first_and_the_best_of_each_block(store: Store) -> None:
    found = hits(await pages(store, "all", 20, started_from=datetime(2026, 8, 1, tzinfo=UTC)))
    blocks = [found[start : start + BLOCK_HITS] for start in range(0, len(found), BLOCK_HITS)]
    assert len(blocks) > 5
    for block in blocks:
        assert [hit.rank for hit in block] == sorted((hit.rank for hit in block), reverse=True)
        assert len({hit.rank for hit in block}) > 1
    for newer, older in pairwise(blocks):
        assert min(hit.session_started_at for hit in newer) >= max(hit.session_started_at for hit in older)


@pytest.mark.parametrize("query", ["all", "seldom", "予算", "all or 全部"])
@pytest.mark.usefixtures("filled")
async def test_what_is_written_between_two_pages_moves_nothing(store: Store, query: str) -> None:
    before = {
        known(hit)
        for hit in hits(await pages(store, query, 100, started_from=datetime(2026, 5, 1, tzinfo=UTC)))
    }
    page = await store.search(query, started_from=datetime(2026, 5, 1, tzinfo=UTC), limit=13)
    found = list(page)
    newest = max(found, key=lambda hit: hit.session_started_at)
    turn = 0
    while page.next_cursor is not None:
        turn += 1
        if turn < 5:
            for session_id in (newest.session_id, await later_meeting(store, turn)):
                await store.record_segment(
                    session_id,
                    transcript=transcript("all seldom"),
                    translations=[translation("全部、予算。", "ja")],
                )
        page = await store.search(
            query, started_from=datetime(2026, 5, 1, tzinfo=UTC), limit=13, cursor=page.next_cursor
        )
        found += page
    ids = [known(hit) for hit in found]
    assert len(ids) == len(set(ids))
    assert before <= set(ids)


async def later_meeting(store: Store, day: int) -> UUID:
    async with store.unit_of_work() as uow:
        session = await uow.sessions.create(
            bot_id="b", meeting_id="later", started_at=datetime(2027, 1, 1, tzinfo=UTC) + timedelta(days=day)
        )
    return session.id


@pytest.mark.parametrize(
    ("query", "speakers", "fuzzy", "few"),
    [
        ("all", None, False, 1_500),  # walks through the newest texts
        ("全部", None, False, 1_500),
        ("全部", ["SPEAKER_00"], False, 1_500),
        ("seldom", None, False, 200),  # asks the index
        ("予算", None, False, 600),
        ("予算", ["SPEAKER_00"], False, 600),
        ("nowhere", None, False, 200),
        ("seldmo", None, True, 2_500),
    ],
)
@pytest.mark.usefixtures("filled")
async def test_a_page_reads_an_index_and_no_more_than_it_must(
    store: Store, query: str, speakers: list[str] | None, fuzzy: bool, few: int
) -> None:
    page = await store.search(query, speakers=speakers, fuzzy=fuzzy)
    for cursor in (None, page.next_cursor):
        checked = checked_search(query, {"speakers": speakers}, fuzzy=fuzzy, cursor=cursor)
        plan_of = explained(search_statement(checked.shape).bind(checked.values()))
        plan = "\n".join(row[0] for row in await store._database.fetch(plan_of))
        for table in ("transcripts", "translations"):
            assert not re.search(rf"Seq Scan on {table}\b", plan), plan
        rows = [
            float(rows) * float(loops)
            for rows, loops in re.findall(r"actual [^)]*rows=([\d.]+) loops=(\d+)", plan)
        ]
        assert rows
        # Each table has 10,000 rows.
        assert max(rows) < few, plan


@pytest.mark.usefixtures("filled")
async def test_drafts_are_read_by_their_own_index(store: Store, other_program: Program) -> None:
    other_program.execute(
        "UPDATE livetranslate.transcripts SET is_final = false, draft = text, text = NULL WHERE session_id ="
        " (SELECT id FROM livetranslate.sessions ORDER BY started_at LIMIT 1)"
    )
    other_program.execute("VACUUM (ANALYZE) livetranslate.transcripts")
    checked = checked_search("seldom", {})
    rows = await store._database.fetch(explained(search_statement(checked.shape).bind(checked.values())))
    plan = "\n".join(row[0] for row in rows)
    assert re.search(r"ix_transcripts_drafts .*rows=40(\.00)? ", plan), plan
    assert not re.search(r"Seq Scan on transcripts\b", plan), plan
