"""Measure one tenant among ten thousand beside the same data alone: searches, lists and reads of a meeting.

Three tenants are measured: a small one with one meeting of 20 segments, as most have here, one with 30
meetings of 100, and one with 300 meetings of 100. Each also has a database of its own with the same rows.
"""

import argparse
import asyncio
import sys
from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

from benchmarks.contenders import Call
from benchmarks.corpus import TEXTS, copy_texts
from benchmarks.databases import Databases, words_looked_up
from benchmarks.floor import Connection
from benchmarks.measures.clock import medians
from livetranslate_store import Store
from livetranslate_store.embedded.server import EmbeddedServer

#: One tenant's calls among all may take so many times what they take alone.
MUST = 1.5
READINGS = 41
WARM_UP = 5
PAGE = 20
# Every 50th segment of every tenant has it: often in all, rare in one.
SHARED_WORD = "Zanzibar"
EVERY = 50


class Size(NamedTuple):
    """A tenant that is measured: its meetings, and the segments of each."""

    name: str
    meetings: int
    segments: int


MEASURED = (Size("small", 1, 20), Size("middle", 30, 100), Size("large", 300, 100))

_TABLES = "CREATE TEMPORARY TABLE plan (tenant text, meeting int, session_id uuid, segments int)"
_PLAN = """
    INSERT INTO plan
    SELECT $1, meeting, md5($1 || meeting)::uuid, $3 FROM generate_series(1, $2) AS meeting
"""
_OTHERS = """
    INSERT INTO plan
    SELECT 'other ' || n, 1, md5('other ' || n)::uuid, 20 FROM generate_series(1, $1) AS n
"""
# The meetings of all tenants mingle over a year.
_SESSIONS = """
    INSERT INTO livetranslate.sessions (id, tenant_id, bot_id, meeting_id, status, started_at, ended_at)
    SELECT session_id, tenant, 'bench', tenant || meeting, 'ended', began, began + interval '1 hour'
    FROM plan, LATERAL (
        SELECT timestamptz '2026-01-01'
            + interval '1 second' * abs(hashtext(session_id::text) % 31536000) AS began
    ) AS moment
"""
_TRANSCRIPTS = f"""
    INSERT INTO livetranslate.transcripts
        (session_id, id, text, language, start_time, end_time, segment_index, is_final)
    SELECT session_id, md5(session_id::text || number)::uuid,
           CASE (number + ascii(md5(tenant))) % {EVERY} WHEN 0 THEN texts.text || ' {SHARED_WORD}'
           ELSE texts.text END,
           'en', 3.0 * number, 3.0 * number + 3.0, number, true
    FROM plan, generate_series(0, segments - 1) AS number
    JOIN texts ON texts.line = number % {TEXTS} AND texts.language = 'en' ORDER BY 1, 2
"""
_TRANSLATIONS = f"""
    INSERT INTO livetranslate.translations
        (session_id, transcript_id, text, source_language, target_language, transcript_revision)
    SELECT session_id, transcripts.id, texts.text, 'en', 'es', transcripts.revision
    FROM livetranslate.transcripts
    JOIN texts ON texts.line = segment_index % {TEXTS} AND texts.language = 'es'
    ORDER BY 1, 2
"""
# So that their words are looked up too.
_WITH_SHARED_WORD = f"INSERT INTO texts SELECT language, -1 - line, text || ' {SHARED_WORD}' FROM texts"


async def fill(connection: Connection, measured: Sequence[Size], others: int) -> None:
    """Fill a database that has the schema."""
    await connection.execute("SET session_replication_role = replica; SET work_mem = '256MB'")
    await connection.execute(_TABLES)
    for size in measured:
        await connection.execute(_PLAN, *size)
    await connection.execute(_OTHERS, others)
    await copy_texts(connection, ("en", "es"))
    await connection.execute(_WITH_SHARED_WORD)
    await connection.execute(_SESSIONS)
    async with words_looked_up(connection):
        await connection.execute(_TRANSCRIPTS)
        await connection.execute(_TRANSLATIONS)
    await connection.execute("VACUUM (ANALYZE)")


async def calls_of(store: Store) -> dict[str, Call]:
    """Return what is measured, by name."""
    [newest] = await store.find_sessions(limit=1)
    return {
        "search, common word": partial(store.search, "everyone", limit=PAGE),
        "search, word of all tenants": partial(store.search, SHARED_WORD, limit=PAGE),
        "search, common in translations": partial(store.search, "presupuesto", limit=PAGE),
        "search, two words": partial(store.search, "budget pump", limit=PAGE),
        "search, no hit": partial(store.search, "xylophone", limit=PAGE),
        "search, fuzzy": partial(store.search, "evryone", fuzzy=True, limit=PAGE),
        "list of meetings": partial(store.find_sessions, limit=50),
        "timeline, first page": partial(store.timeline, newest.id, limit=200),
        "statistics of a meeting": partial(store.session_statistics, newest.id),
    }


async def measure(databases: Databases, others: int) -> list[str]:
    """Print the figures, and return those that miss their must."""
    missed = []
    await databases.make("among", partial(fill, measured=MEASURED, others=others))
    for size in MEASURED:
        await databases.make(f"alone_{size.name}", partial(fill, measured=[size], others=0))
        among, alone = databases.url("among"), databases.url(f"alone_{size.name}")
        audio = databases.audio_url
        async with Store.open(among, audio_url=audio) as one, Store.open(alone, audio_url=audio) as other:
            sides = [await calls_of(one.for_tenant(size.name)), await calls_of(other)]
            for name in sides[0]:
                here, there = await medians(*([side[name]] * READINGS for side in sides), warm_up=WARM_UP)
                ratio = here / there
                sys.stdout.write(
                    f"{size.name:7} {name:32} {here * 1000:8.2f} ms {there * 1000:8.2f} ms alone "
                    f"{ratio:6.2f} x\n"
                )
                sys.stdout.flush()
                if ratio > MUST:
                    missed.append(f"{size.name}, {name}: {ratio:.2f} x")
    return missed


def main() -> int:
    """Run the measure; return 1 if a figure misses its must."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.tenants", description=__doc__)
    parser.add_argument("--tenants", type=int, default=10_000, help="how many other tenants there are")
    arguments = parser.parse_args()
    with EmbeddedServer() as server:
        missed = asyncio.run(measure(Databases(server), arguments.tenants))
    for line in missed:
        sys.stdout.write(f"missed: {line}\n")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
