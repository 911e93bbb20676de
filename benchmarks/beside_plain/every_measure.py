"""All measures beside the plain schema, and the bounds that they are judged by."""

from benchmarks import floor
from benchmarks.beside_plain import guarantees
from benchmarks.beside_plain.lives import PARTS, ours, plain
from benchmarks.beside_plain.processor import bots_at_the_pace_of_speech, translation_row
from benchmarks.beside_plain.space import DISK_PARTS, space
from benchmarks.beside_plain.speed import life_rate, new_finals, whole_timeline
from benchmarks.contenders import DEFAULT_WRITES, opened
from benchmarks.databases import Databases
from benchmarks.report.results import (
    BYTES,
    MICROSECONDS,
    MILLISECONDS,
    NUMBER,
    PER_SECOND,
    SHARE,
    TIMES,
    Figure,
    Measure,
)
from benchmarks.report.steps import Steps
from benchmarks.scale import CONNECTIONS, Scale
from benchmarks.workload import ENTRIES_PER_SEGMENT

STEPS = 7


def measures(scale: Scale) -> dict[str, Measure]:
    """Return the rows of the table, in order."""
    entries = ENTRIES_PER_SEGMENT * scale.base // 4
    transaction = "transaction, one statement per table"
    return {
        "life_rate": Measure(
            f"lives of segments, {scale.crowd} bots", "upserts, one by one", PER_SECOND, 3.5, 6.0
        ),
        "life_rate_default": Measure(
            f"the same with max_concurrent_writes={DEFAULT_WRITES}", "the same", PER_SECOND
        ),
        "life_wal": Measure("log of a life", "the same", BYTES, 0.7, 0.45),
        **{f"wal_{part}": Measure(f"of it: {part}", "the same", BYTES) for part in PARTS},
        "life_disk": Measure("disk of a life after VACUUM FULL", "the same", BYTES, 1.2, 0.9),
        **{f"disk_{part}": Measure(f"of it: {name}", "the same", BYTES) for part, name in DISK_PARTS.items()},
        "life_bloat": Measure(
            "disk left by autovacuum, over that", "the same", TIMES, 1.4, 1.2, absolute=True
        ),
        "interims_hot": Measure(
            "interim revisions that are HOT updates", "the same", SHARE, 0.85, 0.95, absolute=True
        ),
        "translation_cpu": Measure(
            "server's processor time of a translation row",
            "the same row, GIN over to_tsvector",
            MICROSECONDS,
            1.1,
            0.9,
        ),
        "new_finals": Measure(
            f"record_segment of new finals, {scale.crowd} writers", transaction, PER_SECOND, 4.0, 8.0
        ),
        "one_final": Measure("the same, one writer", transaction, MILLISECONDS, 0.65, 0.5),
        "final_cpu": Measure("server's processor time of it", "the same", MICROSECONDS),
        **{
            f"final_{name}": Measure(f"of it: {part.title}", "none", MICROSECONDS)
            for name, part in guarantees.PARTS.items()
        },
        "timeline": Measure(
            f"timeline of {entries:,} entries as values", "rows of a plain SELECT", MILLISECONDS, 1.5, 1.2
        ),
        "bots_per_core": Measure(
            "bots per core at the pace of speech", "the same", NUMBER, aim=1_000, absolute=True
        ),
        "client_cpu": Measure("client's processor time of their writes", "the same", MICROSECONDS),
        "server_cpu": Measure("server's processor time of their writes", "the same", MICROSECONDS),
    }


async def measure(databases: Databases, scale: Scale, steps: Steps) -> dict[str, Figure]:
    """Run every measure."""
    figures: dict[str, Figure] = {}
    bots = scale.crowd
    with steps.step("beside a plain schema: filling"):
        await databases.fill_plain(0)
        await databases.fill_plain(scale.base)
    with steps.step(f"beside a plain schema: lives at {bots} bots"):
        for measure_name, writes in (("life_rate", bots), ("life_rate_default", DEFAULT_WRITES)):
            async with (
                databases.empty() as name,
                databases.copy_plain(0) as plain_name,
                ours(databases, name, bots, writes=writes) as store,
                plain(databases, plain_name, bots) as pool,
            ):
                figures[measure_name] = await life_rate(store, pool, scale)
    with steps.step("beside a plain schema: bytes of a life"):
        figures |= await space(databases, bots, scale.counted_lives, scale.vacuumed_lives)
    with steps.step("beside a plain schema: processor time of a translation"):
        figures["translation_cpu"] = await translation_row(databases, scale.base)
    with steps.step("beside a plain schema: new finals and a timeline"):
        figures |= await _on_the_base(databases, scale)
    with steps.step("beside a plain schema: what is guaranteed"):
        figures |= await guarantees.price(databases, scale.base, scale.guaranteed_calls)
    with steps.step("beside a plain schema: bots at the pace of speech"):
        figures |= await bots_at_the_pace_of_speech(databases, bots, scale.paced_seconds)
    return figures


async def _on_the_base(databases: Databases, scale: Scale) -> dict[str, Figure]:
    async with (
        opened(databases, scale.base, CONNECTIONS, scale.crowd) as contenders,
        databases.copy_plain(scale.base) as name,
    ):
        pool = await floor.open_pool(databases.dsn(name), CONNECTIONS)
        try:
            timeline = await whole_timeline(contenders, pool, scale.readings)
            return {**await new_finals(contenders, pool, scale), "timeline": timeline}
        finally:
            await pool.close()
