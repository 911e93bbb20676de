"""A day of a hundred bots in live meetings, in some minutes, against limits that must hold: `make soak`.

Warm-up, then two phases on one store with its default settings, on an embedded server that is as durable as
any. *Real time*: the bots write at the pace of speech, each a segment every four seconds with its eleven
revisions and its two or three translations, some 340 writes a second in all. *Full load*: as fast as they are
let in, several times as fast as speech, and a hundred seconds of it stand for an hour's meeting, so that the
minutes see as many meetings begin and end as a day. How late a translation is counts in simulated seconds, as
everything does: as many segments lie in between as in a real day. Then the segment cache alone, for hours of
virtual time.

Bots and store share one process, as they do in real use; of a write the bots take some 12 µs for themselves.
Other work on the machine shows in the latencies, and an fsync is measured beside them to tell.
"""

import argparse
import asyncio
import json
import platform
import random
import statistics
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from benchmarks.soak.cache_day import hit_rate
from benchmarks.soak.gauges import Durations, fsyncs, growth, memory, sampled
from benchmarks.soak.meetings import Bot, Phase, Viewer
from livetranslate_store import Store

SEED = 7
BOTS = 100
VIEWERS = 20
MINUTES = 4.0
# Shares of these minutes. The first lasts until the latest translations of what was said first have come.
WARM_UP, REAL_TIME, FULL_LOAD = 0.08, 0.3, 0.62
# A viewer looks every two seconds of speech, as full load goes some four times as fast.
PAUSE, FULL_LOAD_PAUSE = 2.0, 0.5
# Eight hours of ten bots.
CACHE_ARRIVALS = 1_000_000

MEMORY_GROWTH = 0.02
HIT_RATE = 0.80
HIT_RATE_OF_TEN = 0.95
REJECTED_AT_FULL_LOAD = 0.10
POOL_IN_USE = 0.90
SLOWEST_WRITE = 0.100


class Measure(NamedTuple):
    """One row of the table: a figure, how it is shown, and what it must be below, or above."""

    measure: str
    figure: float
    form: str
    limit: float | None = None
    above: bool = False

    @property
    def ok(self) -> bool:
        """Whether the limit holds, where there is one."""
        return self.limit is None or (self.figure > self.limit if self.above else self.figure < self.limit)

    @property
    def shown(self) -> tuple[str, str]:
        """The figure and its limit as text."""
        sign = ">" if self.above else "<"
        limit = "" if self.limit is None else f"{sign} {self.form.format(self.limit)}"
        return self.form.format(self.figure), limit


class Load:
    """What happens to the store from now until `end`."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._before = store.statistics()
        self._began = time.monotonic(), time.process_time()
        #: How long each write took.
        self.taken = Durations()

    def end(self) -> None:
        """Take the figures."""
        self.seconds = time.monotonic() - self._began[0]
        self.cpu = (time.process_time() - self._began[1]) / self.seconds
        before, after = self._before, self._store.statistics()
        written = after.gate.completed - before.gate.completed
        self.rejected = after.gate.rejected - before.gate.rejected
        self.writes_per_second = written / self.seconds
        self.rejection_rate = _share(self.rejected, written + self.rejected)
        misses = after.cache.misses - before.cache.misses
        self.hit_rate = 1.0 - _share(misses, after.cache.hits - before.cache.hits + misses)


class Soak:
    """A store with its bots and viewers."""

    def __init__(self, store: Store, minutes: float, progress: Progress) -> None:
        self._store = store
        self._seconds = 60.0 * minutes
        self._progress = progress
        self._bots = [Bot(store, number, SEED) for number in range(BOTS)]
        chance = random.Random(SEED)  # noqa: S311 (no secret)
        self._viewers = [Viewer(bot, chance) for bot in self._bots[:VIEWERS]]

    async def warm_up(self) -> None:
        """Fill meetings, cache and pool."""
        async with asyncio.TaskGroup() as group:
            self._start(group, "warm-up", WARM_UP, Durations(), paced=False)

    async def real_time(self) -> list[Measure]:
        """Let the bots write at the pace of speech."""
        load = Load(self._store)
        async with asyncio.TaskGroup() as group:
            phase = self._start(group, "real time", REAL_TIME, load.taken, paced=True)
            in_use = group.create_task(sampled(self._pool_in_use, every=0.05, until=phase.ends))
            disk = group.create_task(fsyncs(every=0.25, until=phase.ends))
        load.end()
        fsync = disk.result().quantile(0.99)
        return [
            Measure("real time: writes/s", load.writes_per_second, "{:,.0f}"),
            Measure("real time: CPU of this process", load.cpu, "{:.0%}"),
            Measure("real time: p99 of a write", load.taken.quantile(0.99), "{:.4f} s", SLOWEST_WRITE),
            Measure("real time: p99 of an fsync", fsync, "{:.4f} s"),
            Measure("real time: writes rejected", load.rejected, "{:.0f}", 1),
            Measure("real time: pool in use", statistics.mean(in_use.result()), "{:.1%}", POOL_IN_USE),
            Measure("real time: cache hit rate", load.hit_rate, "{:.2%}", HIT_RATE, above=True),
        ]

    async def full_load(self) -> list[Measure]:
        """Let the bots write as fast as they are let in."""
        load, clock = Load(self._store), self._clock
        async with asyncio.TaskGroup() as group:
            phase = self._start(group, "full load", FULL_LOAD, load.taken, paced=False)
            resident = group.create_task(sampled(memory, every=1.0, until=phase.ends))
        load.end()
        meetings = sum(bot.meetings for bot in self._bots)
        return [
            Measure("full load: writes/s", load.writes_per_second, "{:,.0f}"),
            Measure("full load: times the pace of speech", (self._clock - clock) / load.seconds, "{:.1f}"),
            Measure("full load: meetings since the start", meetings, "{:,.0f}"),
            Measure("full load: p99 of a write", load.taken.quantile(0.99), "{:.4f} s"),
            Measure("full load: writes rejected", load.rejection_rate, "{:.2%}", REJECTED_AT_FULL_LOAD),
            Measure("full load: cache hit rate", load.hit_rate, "{:.2%}", HIT_RATE, above=True),
            Measure("full load: memory at the end", resident.result()[-1] / 2**20, "{:.1f} MiB"),
            Measure("full load: memory growth", growth(resident.result()), "{:.2%}", MEMORY_GROWTH),
        ]

    @property
    def _clock(self) -> float:
        return statistics.mean(bot.clock for bot in self._bots)

    def _start(
        self, group: asyncio.TaskGroup, name: str, share: float, taken: Durations, *, paced: bool
    ) -> Phase:
        """Start a phase, which ends by itself."""
        seconds = share * self._seconds
        ends = asyncio.get_running_loop().time() + seconds
        phase = Phase(ends, paced, PAUSE if paced else FULL_LOAD_PAUSE)
        for bot in self._bots:
            group.create_task(bot.speak(phase, taken))
        for viewer in self._viewers:
            group.create_task(viewer.watch(phase))
        group.create_task(self._show(name, seconds, ends))
        return phase

    async def _show(self, name: str, seconds: float, ends: float) -> None:
        bar = self._progress.add_task(name, total=seconds)
        loop = asyncio.get_running_loop()
        while (left := ends - loop.time()) > 0:
            self._progress.update(bar, completed=seconds - left)
            await asyncio.sleep(0.5)
        self._progress.update(bar, completed=seconds)

    def _pool_in_use(self) -> float:
        pool = self._store.statistics().pool
        return pool.in_use / pool.size


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


async def measure(minutes: float) -> list[Measure]:
    """Run all parts."""
    with Progress() as progress:
        async with Store.open("embedded:") as store:
            soak = Soak(store, minutes, progress)
            await soak.warm_up()
            measures = [*await soak.real_time(), *await soak.full_load()]
        bar = progress.add_task("cache day", total=2)
        arrivals = int(CACHE_ARRIVALS * min(1.0, minutes / MINUTES))
        for bots, limit in ((10, HIT_RATE_OF_TEN), (BOTS, HIT_RATE)):
            rate = await hit_rate(bots, arrivals, SEED)
            measures.append(Measure(f"cache day: hit rate, {bots} bots", rate, "{:.2%}", limit, above=True))
            progress.advance(bar)
    return measures


def report(measures: list[Measure], file: Path | None) -> int:
    """Print the table, write it as JSON where that is wanted, and return 1 where a limit was missed."""
    about = f"seed {SEED}, {platform.python_version()} on {platform.machine()}, {datetime.now(UTC):%Y-%m-%d}"
    table = Table("measure", title=about)
    for name in ("figure", "limit", "ok"):
        table.add_column(name, justify="right", no_wrap=True)
    for each in measures:
        table.add_row(each.measure, *each.shown, "" if each.limit is None else "yes" if each.ok else "NO")
    console = Console()
    console.print(table)
    if file is not None:
        names = ("measure", "figure", "limit", "above", "ok")
        rows = [{name: getattr(each, name) for name in names} for each in measures]
        file.write_text(json.dumps({"about": about, "measures": rows}, indent=2) + "\n", encoding="utf-8")
    missed = [each for each in measures if not each.ok]
    for each in missed:
        figure, limit = each.shown
        console.print(f"missed: {each.measure} is {figure}, the limit {limit}", highlight=False)
    return 1 if missed else 0


def main() -> int:
    """Measure, print, and say whether every limit held."""
    parser = argparse.ArgumentParser(description="A day of a hundred bots, in some minutes.")
    parser.add_argument("--minutes", type=float, default=MINUTES, help="how long to run (%(default)s)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the table there, too")
    options = parser.parse_args()
    return report(asyncio.run(measure(options.minutes)), options.json)


if __name__ == "__main__":
    sys.exit(main())
