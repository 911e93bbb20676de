"""What words, references and CHECKs cost the server for one new segment: each is left out in its turn."""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from benchmarks import floor
from benchmarks.beside_plain.processor import server_of, server_seconds
from benchmarks.beside_plain.speed import Finals
from benchmarks.contenders import Call, opened
from benchmarks.databases import Databases
from benchmarks.report.results import Figure

_DROP_CONSTRAINTS = """
    DO $do$
    DECLARE
        dropped record;
    BEGIN
        FOR dropped IN
            SELECT conrelid::regclass AS its_table, conname FROM pg_constraint
            WHERE connamespace = 'livetranslate'::regnamespace AND contype = '{}' AND conrelid <> 0
        LOOP
            EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', dropped.its_table, dropped.conname);
        END LOOP;
    END
    $do$
"""


class Part(NamedTuple):
    """What is left out, as the table calls it, and the statement that does it."""

    title: str
    leave_out: str


#: Left out one after the other.
PARTS = {
    "words": Part(
        "words", "DROP INDEX livetranslate.ix_transcripts_search, livetranslate.ix_translations_search"
    ),
    "references": Part("foreign keys", _DROP_CONSTRAINTS.format("f")),
    "checks": Part("CHECKs", _DROP_CONSTRAINTS.format("c")),
}


async def price(databases: Databases, segments: int, calls: int) -> dict[str, Figure]:
    """Measure the server's processor time of a new segment from one writer, whole and by part.

    The floor is the plain layer's transaction. The time is that of all processes of the server.
    """
    server = await server_of(databases)
    async with databases.setting("autovacuum", "off"):
        async with opened(databases, segments, connections=1) as contenders:
            seconds = [await _seconds(server, contenders.record(calls))]
            for part in PARTS.values():
                await contenders.pool.execute(part.leave_out)
                seconds.append(await _seconds(server, contenders.record(calls)))
        whole = Figure(seconds[0], await _plain(databases, server, segments, calls))
    parts = (Figure(before - after) for before, after in pairwise(seconds))
    return {"final_cpu": whole, **{f"final_{name}": each for name, each in zip(PARTS, parts, strict=True)}}


async def _plain(databases: Databases, server: int, segments: int, calls: int) -> float:
    async with databases.copy_plain(segments) as name:
        pool = await floor.open_pool(databases.dsn(name), 1)
        try:
            finals = await Finals.of(pool)
            return await _seconds(server, finals.calls(calls))
        finally:
            await pool.close()


async def _seconds(server: int, calls: Sequence[Call]) -> float:
    """Return the server's seconds of a call; the first tenth makes connections prepare their statements."""
    warm_up = len(calls) // 10
    for call in calls[:warm_up]:
        await call()
    before = server_seconds(server)
    for call in calls[warm_up:]:
        await call()
    return (server_seconds(server) - before) / (len(calls) - warm_up)
