"""Measure a cluster beside a single server, in turns, and write the table of `docs/scale.md`.

    python -m benchmarks.beside_cluster SINGLE_URL CLUSTER_URL

Both databases are migrated, empty and of the same version of PostgreSQL; the tables of the second one are
distributed. Rounds of both sides alternate, so that a slow spell of the machine slows down both. Returns 1 if
a figure misses its must.
"""

import argparse
import asyncio
import statistics
import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import NamedTuple

import asyncpg
from rich.console import Console
from rich.table import Table
from sqlalchemy import URL, make_url

from benchmarks.contenders import Call, recording
from benchmarks.measures.clock import WRITES_IN_TURN, crowd, medians
from benchmarks.report.files import between_markers
from benchmarks.report.machine import Machine
from benchmarks.report.results import MILLISECONDS, PER_SECOND, Figure, Measure
from benchmarks.scale_out.measuring import (
    MANY,
    PAGE,
    SEARCHED,
    WARM_UP,
    WRITERS,
    WRITES,
    WRITES_OF_A_WRITER,
    Bench,
    at_once,
    opened,
    workers_of,
)

PAGE_OF_TABLE = Path(__file__).resolve().parents[1] / "docs" / "scale.md"
BEGIN = "<!-- written by make bench-cluster: begin -->"
# Pairs of rounds of all writers, and calls of each kind.
ROUNDS, CALLS, READS = 5, 300, 60
# A store's connections have prepared nothing at first, and neither have the coordinator's to the workers.
WARM_UP_ROUNDS = 2

_GROUPS = f"groups at {WRITERS} writers over 64 sessions"
ROWS = {
    "groups": Measure(_GROUPS, "", PER_SECOND, 0.55, 0.7),
    "new_segment": Measure("one new segment, p50", "", MILLISECONDS, 3.0, 2.2),
    "interim": Measure("a revision, p50", "", MILLISECONDS, 3.0, 2.2),
    "revision": Measure("a revision that brings three translations again, p50", "", MILLISECONDS),
    "timeline": Measure(f"timeline of {MANY:,} segments", "", MILLISECONDS, 1.8, 1.5),
    "page": Measure(f"its page of {PAGE}", "", MILLISECONDS, 6.0, 4.0),
    "search": Measure("search over all sessions, a page", "", MILLISECONDS, 12.0, 6.0),
}


class Sides(NamedTuple):
    """The same meetings on both."""

    single: Bench
    cluster: Bench


async def measure(sides: Sides) -> dict[str, Figure]:
    """Return the figures: ours are the cluster's, the floor's are the single server's."""
    found = {"groups": await _groups(sides)}
    for name in ("new_segment", "interim", "revision"):
        calls = [await _lone(sides.single, name), await _lone(sides.cluster, name)]
        found[name] = _figure(await medians(*calls, warm_up=WARM_UP, turn=WRITES_IN_TURN))
    reads: dict[str, list[Call]] = {
        "timeline": [partial(each.store.timeline, each.stored[MANY]) for each in sides],
        "page": [partial(each.store.timeline, each.stored[MANY], limit=PAGE) for each in sides],
        "search": [partial(each.store.search, SEARCHED) for each in sides],
    }
    for name, both in reads.items():
        found[name] = _figure(await medians(*([read] * READS for read in both), warm_up=READS // 6))
    return found


async def _groups(sides: Sides) -> Figure:
    rates: tuple[list[float], list[float]] = ([], [])
    for number in range(WARM_UP_ROUNDS + ROUNDS):
        for each, mine in zip(sides, rates, strict=True):
            segments = each.workload.segments(WRITERS * WRITES_OF_A_WRITER)
            found = await crowd([recording(each.store, segment) for segment in segments], WRITERS)
            if number >= WARM_UP_ROUNDS:
                mine.append(found.rate)
    return _figure([statistics.median(each) for each in rates])


async def _lone(bench: Bench, kind: str) -> list[Call]:
    groups = await WRITES[kind](bench, 1, WARM_UP + CALLS)
    return [partial(at_once, group) for group in groups]


def _figure(found: Sequence[float]) -> Figure:
    single, cluster = found
    return Figure(cluster, single)


def table(found: dict[str, Figure]) -> list[list[str]]:
    """Return the rows of the table, as texts."""
    rows = []
    for name, measure in ROWS.items():
        figure = found[name]
        ratio = figure.ratio or 0.0
        missed = "" if measure.must is None or measure.reaches(ratio, measure.must) else " ✗"
        one, many = measure.value(figure.floor), measure.value(figure.ours)
        bounds = [measure.bound(measure.must), measure.bound(measure.aim)]
        rows.append([measure.title, one, many, f"{ratio:.2f}{missed}", *bounds])
    return rows


async def run(single: URL, cluster: URL) -> tuple[dict[str, Figure], str]:
    """Return the figures of both sides, and what they were measured on."""
    async with AsyncExitStack() as stack:
        workers, shards = await workers_of(cluster)
        one = await stack.enter_async_context(opened(single, []))
        many = await stack.enter_async_context(opened(cluster, workers))
        about = f"{Machine.this(await _version(single))}; {len(workers)} workers, {shards} shards"
        return await measure(Sides(one, many)), about


async def _version(url: URL) -> str:
    dsn = url.set(drivername="postgresql").render_as_string(hide_password=False)
    connection = await asyncpg.connect(dsn)
    try:
        return str(await connection.fetchval("SHOW server_version"))
    finally:
        await connection.close()


def main() -> int:
    """Measure, show and write the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.beside_cluster", description=__doc__)
    parser.add_argument("single", type=make_url, help="a single server")
    parser.add_argument("cluster", type=make_url, help="a cluster's coordinator")
    options = parser.parse_args()
    found, about = asyncio.run(run(options.single, options.cluster))
    header = ["measure", "single server", "cluster", "ratio", "must", "aim"]
    shown = Table(*header)
    rows = table(found)
    for row in rows:
        shown.add_row(*row)
    Console(width=120).print(shown)
    lines = [f"{about}.", ""]
    lines += [f"| {' | '.join(header)} |", "| --- | ---: | ---: | ---: | ---: | ---: |"]
    lines += [f"| {' | '.join(row)} |" for row in rows]
    page = PAGE_OF_TABLE.read_text(encoding="utf-8")
    PAGE_OF_TABLE.write_text(between_markers(page, "\n".join(lines), BEGIN), encoding="utf-8")
    return 1 if any("✗" in row[3] for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
