"""Soak a store: a hundred bots for four minutes, or with `--day` a whole day of ten.

Each run has an embedded server that is as durable as any, and one store with its default settings. Bots
and store share one process, as they do in real use; the bots take some 12 µs of a write for themselves. A
hundred seconds replace the hour of a meeting, so that a run sees as many meetings begin and end as a day.
Translations are late in simulated seconds: as many segments lie in between as in a real day. Other work on
the machine shows in the latencies, so the four minutes measure an fsync beside them.
"""

import argparse
import asyncio
import platform
import sys
from datetime import UTC, datetime
from pathlib import Path

from rich.progress import Progress

from benchmarks.soak import ten_bots
from benchmarks.soak.cache_day import cache_days
from benchmarks.soak.hundred_bots import hundred_bots
from benchmarks.soak.meetings import SEED
from benchmarks.soak.memory import fill_interned_strings
from benchmarks.soak.table import Measure, print_table, write_json, write_page
from livetranslate_store import Store

MINUTES = 4.0


async def soak(minutes: float) -> list[Measure]:
    """Measure a hundred bots, then the cache alone."""
    with Progress() as progress:
        async with Store.open("embedded:") as store:
            measures = await hundred_bots(store, minutes, progress)
        return [*measures, *await cache_days(min(1.0, minutes / MINUTES), progress)]


async def day(writes: int, minutes: float) -> list[Measure]:
    """Measure a day of ten bots."""
    with Progress() as progress:
        async with Store.open("embedded:") as store:
            return await ten_bots.ten_bots(store, writes, minutes, progress)


def main() -> int:
    """Measure, print, and return 1 if a limit was missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=__doc__)
    parser.add_argument("--day", action="store_true", help="a whole day of ten bots")
    parser.add_argument(
        "--writes", type=int, default=ten_bots.WRITES, help="the writes of a day (%(default)s)"
    )
    parser.add_argument(
        "--minutes",
        type=float,
        help=f"how long to run, or at most for a day ({MINUTES:g}; a day {ten_bots.MINUTES:g})",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures to this file too")
    parser.add_argument("--page", type=Path, metavar="FILE", help="write the table into this page too")
    options = parser.parse_args()
    fill_interned_strings()
    if options.day:
        command = "make soak-day"
        measures = asyncio.run(day(options.writes, options.minutes or ten_bots.MINUTES))
    else:
        command = "make soak"
        measures = asyncio.run(soak(options.minutes or MINUTES))
    about = f"seed {SEED}, {platform.python_version()} on {platform.machine()}, {datetime.now(UTC):%Y-%m-%d}"
    print_table(measures, about)
    if options.json:
        write_json(options.json, measures, about)
    if options.page:
        write_page(options.page, command, measures, about)
    return 0 if all(each.ok for each in measures) else 1


if __name__ == "__main__":
    sys.exit(main())
