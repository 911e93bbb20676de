"""Measure a page of a list of sessions among a million and among a thousand, and beside SQL for that page.

The newest meetings have 200 segments each. A third database has a thousand sessions, and 20,000 segments in
each of the newest: what a list shows of a meeting must not depend on its length.
"""

import argparse
import asyncio
import sys
from collections.abc import Mapping
from datetime import timedelta
from functools import partial
from typing import Any, NamedTuple

import asyncpg

from benchmarks.contenders import Call
from benchmarks.databases import Databases
from benchmarks.floor import Connection
from benchmarks.measures.clock import medians
from livetranslate_store import Store
from livetranslate_store.embedded.server import EmbeddedServer

#: A page may take so many times what it takes in the small database, or by hand.
MUST = 1.5
#: What a walk may take on top if an index has to take over. SQL written by hand knows which of both to use.
GRACE_SECONDS = 0.003
PAGE = 50
READINGS = 26
WARM_UP = 6
FEW, MANY = 1_000, 1_000_000
SHORT, LONG = 200, 20_000

_INDEXES = """
    SELECT indexname, indexdef FROM pg_indexes
    WHERE schemaname = 'livetranslate' AND tablename = ANY ('{sessions,transcripts}')
        AND indexname LIKE 'ix%'
"""
_SESSIONS = """
    INSERT INTO livetranslate.sessions
        (id, tenant_id, bot_id, meeting_id, title, external_id, status, started_at, ended_at,
         target_languages, metadata)
    SELECT md5(n::text)::uuid, 'tenant-' || n % 10, 'bot-' || n % 20, 'meeting-' || n % ($1 / 50 + 1),
           (ARRAY['Weekly sync', 'Budget review', 'Customer call'])[1 + n % 3]
               || CASE n WHEN 77 THEN ' Zanzibar' ELSE ' ' || n END, 'meet-' || n,
           CASE WHEN n > $1 - 20 THEN 'active' ELSE 'ended' END,
           began, CASE WHEN n <= $1 - 20 THEN began + interval '1 hour' END,
           string_to_array((ARRAY['es', 'es,ja', 'de'])[1 + n % 3], ','),
           jsonb_build_object('team', (ARRAY['sales', 'hr'])[1 + n % 2], 'ticket', n)
    FROM generate_series(1, $1) AS n,
        LATERAL (SELECT timestamptz '2020-01-01' + n * interval '1 minute' AS began) AS moment
"""
_SPEAKERS = """
    INSERT INTO livetranslate.speakers (session_id, label)
    SELECT md5(n::text)::uuid, 'SPEAKER_0' || label
    FROM generate_series($1 - 99, $1) AS n, generate_series(0, 3) AS label
"""
_TRANSCRIPTS = """
    INSERT INTO livetranslate.transcripts (session_id, id, text, language, start_time, is_final)
    SELECT md5(session::text)::uuid, lpad(to_hex(n), 32, '0')::uuid, 'Right.',
           CASE WHEN n % 9 = 0 THEN 'de' ELSE 'en' END, n, true
    FROM generate_series($1 - 49, $1) AS session, generate_series(1, $2) AS n
"""


_PLAIN = "livetranslate.sessions AS s WHERE {}"
_WALKED = "(SELECT * FROM livetranslate.sessions ORDER BY started_at DESC, id DESC OFFSET 0) AS s WHERE {}"
_INDEXED = "(SELECT * FROM livetranslate.sessions AS s WHERE {} OFFSET 0) AS s"


class Case(NamedTuple):
    """A list: its filters, and the condition of the SQL for the same page, with its argument.

    SQL by hand is written for a value that is common or rare, and has to say which: for a common one the
    planner would sort all sessions that have it, and for a rare one walk through all that have it not.
    """

    filters: Mapping[str, Any]
    condition: str = "true"
    argument: object = None
    #: The sessions that keep the condition.
    source: str = _PLAIN


CASES = {
    "all": Case({}),
    "of a tenant": Case({"tenant": "tenant-7"}, "tenant_id = $1", "tenant-7"),
    "of a bot": Case({"bot_id": "bot-7"}, "bot_id = $1", "bot-7"),
    "active": Case({"status": "active"}, "status = $1", "active"),
    "metadata of every second": Case(
        {"metadata": {"team": "hr"}}, "metadata @> $1", '{"team": "hr"}', source=_WALKED
    ),
    "metadata of one": Case({"metadata": {"ticket": 77}}, "metadata @> $1", '{"ticket": 77}', _INDEXED),
    "language of every third": Case(
        {"languages": ["ja"]}, "target_languages && $1::text[]", ["ja"], source=_WALKED
    ),
    "language of none": Case(
        {"languages": ["fr"]},
        "livetranslate.languages_listed(target_languages) && $1::text[]",
        ["fr"],
        _INDEXED,
    ),
    "title of every third": Case(
        {"text": "weekly"},
        "title IS NOT NULL AND livetranslate.search_vector('und', title) @@ to_tsquery('simple', $1)",
        "weekly:*",
        _WALKED,
    ),
    "title of one": Case(
        {"text": "zanzibar"},
        "title IS NOT NULL AND livetranslate.search_vector('und', title) @@ to_tsquery('simple', $1)",
        "zanzibar:*",
        _INDEXED,
    ),
    "silent": Case(
        {"silent_for": timedelta(microseconds=1)},
        "status = 'active' AND (SELECT coalesce(updated_at, created_at) FROM livetranslate.transcripts AS t"
        " WHERE t.session_id = s.id ORDER BY t.session_id DESC, t.timestamp DESC, t.segment_index DESC,"
        " t.id DESC LIMIT 1) < now() - $1::interval",
        timedelta(microseconds=1),
    ),
}

_BY_HAND = """
    SELECT s.*, extract(epoch FROM ended_at - started_at), spoken.*, speakers.*,
        EXISTS (SELECT FROM livetranslate.audio_files AS a WHERE a.session_id = s.id)
    FROM (
        SELECT * FROM {} ORDER BY started_at DESC, id DESC LIMIT {}
    ) AS s
    LEFT JOIN LATERAL (
        SELECT coalesce(updated_at, created_at) FROM livetranslate.transcripts AS t WHERE t.session_id = s.id
        ORDER BY t.session_id DESC, t.timestamp DESC, t.segment_index DESC, t.id DESC LIMIT 1
    ) AS spoken ON true
    CROSS JOIN LATERAL (
        SELECT array_agg(DISTINCT coalesce(name, label)) FROM livetranslate.speakers AS p
        WHERE p.session_id = s.id
    ) AS speakers
    ORDER BY started_at DESC, id DESC
"""


class Seconds(NamedTuple):
    """The medians of one case; SQL by hand reads all segments of long meetings, and is left out there."""

    ours: float
    by_hand: float | None


async def fill(connection: Connection, sessions: int, segments: int) -> None:
    """Fill a database that has the schema; the indexes are built at the end."""
    indexes = await connection.fetch(_INDEXES)
    for name, _ in indexes:
        await connection.execute(f"DROP INDEX livetranslate.{name}")
    await connection.execute("SET session_replication_role = replica; SET maintenance_work_mem = '1GB'")
    await connection.execute(_SESSIONS, sessions)
    await connection.execute(_SPEAKERS, sessions)
    await connection.execute(_TRANSCRIPTS, sessions, segments)
    for name, definition in indexes:
        # No list reads the words of what was said.
        if name != "ix_transcripts_search":
            await connection.execute(definition)
    await connection.execute("VACUUM (ANALYZE)")


async def measure(databases: Databases, sessions: int, segments: int) -> dict[str, Seconds]:
    """Return the figures of a database with so many sessions, and segments in each of the newest."""
    sys.stderr.write(f"{sessions:,} sessions, {segments:,} segments in each of the newest\n")
    async with databases.empty() as database:
        connection = await asyncpg.connect(databases.dsn(database))
        try:
            await fill(connection, sessions, segments)
            async with Store.open(databases.url(database), audio_url=databases.audio_url) as store:
                measured = partial(_measured, store, connection, is_lengthy=segments > SHORT)
                return {name: await measured(case) for name, case in CASES.items()}
        finally:
            await connection.close()


async def _measured(
    store: Store,
    connection: Connection,
    case: Case,
    *,
    is_lengthy: bool,
) -> Seconds:
    arguments = [] if case.argument is None else [case.argument]
    statement = _BY_HAND.format(case.source.format(case.condition), PAGE + 1)
    ours: Call = partial(store.find_sessions, **case.filters, limit=PAGE)
    by_hand: Call = partial(connection.fetch, statement, *arguments)
    page, rows = await store.find_sessions(**case.filters, limit=PAGE), await by_hand()
    assert isinstance(rows, list)  # noqa: S101 (the rows of the driver)
    if [each.id for each in page] != [row["id"] for row in rows[:PAGE]]:
        raise RuntimeError("Both sides must find the same page.")
    if is_lengthy:
        (seconds,) = await medians([ours] * READINGS, warm_up=WARM_UP)
        return Seconds(seconds, None)
    return Seconds(*await medians([ours] * READINGS, [by_hand] * READINGS, warm_up=WARM_UP))


async def run(databases: Databases, many: int, long: int) -> list[str]:
    """Print the figures, and return those that miss their must."""
    few = await measure(databases, FEW, SHORT)
    lengthy = await measure(databases, FEW, long)
    lots = await measure(databases, many, SHORT)
    sys.stdout.write(
        f"| a page of {PAGE} | among {FEW:,} | among {many:,} | SQL by hand | meetings of {long:,} |\n"
        "| --- | ---: | ---: | ---: | ---: |\n"
    )
    missed = []
    for name in CASES:
        small, large, by_hand, of_long = (
            few[name].ours,
            lots[name].ours,
            lots[name].by_hand,
            lengthy[name].ours,
        )
        assert by_hand is not None  # noqa: S101 (the meetings are short)
        figures = " | ".join(f"{each * 1000:.2f} ms" for each in (small, large, by_hand, of_long))
        sys.stdout.write(f"| {name} | {figures} |\n")
        pairs = {
            "more sessions": (large, small),
            "longer meetings": (of_long, small),
            "by hand": (large, by_hand),
        }
        missed += [
            f"{name}, {pair}: {ours * 1000:.2f} ms against {floor * 1000:.2f} ms"
            for pair, (ours, floor) in pairs.items()
            if ours > MUST * floor + GRACE_SECONDS
        ]
    return missed


def main() -> int:
    """Run the measure; return 1 if a figure misses its must."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sessions", description=__doc__)
    parser.add_argument("--sessions", type=int, default=MANY, help="sessions of the large database")
    parser.add_argument("--segments", type=int, default=LONG, help="segments of a long meeting")
    arguments = parser.parse_args()
    with EmbeddedServer() as server:
        missed = asyncio.run(run(Databases(server), arguments.sessions, arguments.segments))
    for line in missed:
        sys.stdout.write(f"missed: {line}\n")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
