"""A hundred bots in live meetings for four minutes: at the pace of speech, then at full load.

*Real time*: the bots write at the pace of speech. Each sends a segment every four seconds, with eleven
revisions and two or three translations: some 340 writes a second in all. *Full load*: the bots write as fast
as the store lets them, several times as fast as speech.
"""

import asyncio
import statistics
from collections.abc import Sequence

from rich.progress import Progress

from benchmarks.soak.gauges import Durations, fsyncs, sampled
from benchmarks.soak.meetings import Load, Meetings
from benchmarks.soak.memory import MemorySample
from benchmarks.soak.table import Measure
from benchmarks.soak.trend import growth
from livetranslate_store import Store

BOTS = 100
VIEWERS = 20
# Shares of the minutes. The warm-up lasts until the latest translations of the first segments have arrived.
WARM_UP, REAL_TIME, FULL_LOAD = 0.08, 0.3, 0.62

HIT_RATE = 0.80
REJECTED_AT_FULL_LOAD = 0.10
POOL_IN_USE = 0.90
SLOWEST_WRITE = 0.100
# From the second tenth of full load to the last. Connections still prepare some statements for the first
# time, which adds up to 1 % of blocks; bytes vary with the writes in flight.
BLOCK_GROWTH, BYTE_GROWTH = 0.02, 0.05
# The interpreter maps arenas of 1 MiB, 1 % of the process: a peak of work takes two or three for good.
RESIDENT_GROWTH = 0.05


async def hundred_bots(store: Store, minutes: float, progress: Progress) -> list[Measure]:
    """Warm up, then measure both phases."""
    meetings = Meetings(store, BOTS, VIEWERS, progress)
    async with asyncio.TaskGroup() as group:
        meetings.start(group, "warm-up", WARM_UP * 60 * minutes, Durations(), paced=False)
    return [
        *await _real_time(store, meetings, REAL_TIME * 60 * minutes),
        *await _full_load(store, meetings, FULL_LOAD * 60 * minutes),
    ]


async def _real_time(store: Store, meetings: Meetings, seconds: float) -> list[Measure]:
    def pool_in_use() -> float:
        pool = store.statistics().pool
        return pool.in_use / pool.size

    load = Load(store)
    async with asyncio.TaskGroup() as group:
        phase = meetings.start(group, "real time", seconds, load.taken, paced=True)
        in_use = group.create_task(sampled(pool_in_use, every=0.05, until=phase.ends))
        disk = group.create_task(fsyncs(every=0.25, until=phase.ends))
    load.end()
    return [
        Measure("real time: writes/s", load.writes_per_second, "{:,.0f}"),
        Measure("real time: CPU of this process", load.cpu, "{:.0%}"),
        Measure("real time: p99 of a write", load.taken.quantile(0.99), "{:.4f} s", SLOWEST_WRITE),
        Measure("real time: p99 of an fsync", disk.result().quantile(0.99), "{:.4f} s"),
        Measure("real time: writes rejected", load.rejected, "{:.0f}", 0),
        Measure("real time: pool in use", statistics.mean(in_use.result()), "{:.1%}", POOL_IN_USE),
        Measure("real time: cache hit rate", load.hit_rate, "{:.2%}", HIT_RATE, above=True),
    ]


async def _full_load(store: Store, meetings: Meetings, seconds: float) -> list[Measure]:
    load, clock = Load(store), meetings.clock
    async with asyncio.TaskGroup() as group:
        phase = meetings.start(group, "full load", seconds, load.taken, paced=False)
        memory = group.create_task(sampled(MemorySample.taken, every=1.0, until=phase.ends))
    load.end()
    pace = (meetings.clock - clock) / load.seconds
    return [
        Measure("full load: writes/s", load.writes_per_second, "{:,.0f}"),
        Measure("full load: times the pace of speech", pace, "{:.1f}"),
        Measure("full load: meetings since the start", meetings.begun, "{:,.0f}"),
        Measure("full load: p99 of a write", load.taken.quantile(0.99), "{:.4f} s"),
        Measure("full load: writes rejected", load.rejection_rate, "{:.2%}", REJECTED_AT_FULL_LOAD),
        Measure("full load: cache hit rate", load.hit_rate, "{:.2%}", HIT_RATE, above=True),
        *judged(memory.result()),
    ]


def judged(memory: Sequence[MemorySample]) -> list[Measure]:
    """Judge the memory of full load, sampled at equal distances."""
    blocks, held, resident = zip(*memory, strict=True)
    return [
        Measure("full load: live blocks, growth", growth(blocks), "{:+.2%}", BLOCK_GROWTH),
        Measure("full load: bytes held, growth", growth(held), "{:+.2%}", BYTE_GROWTH),
        Measure("full load: resident memory, growth", growth(resident), "{:+.2%}", RESIDENT_GROWTH),
        Measure("full load: resident memory at the end", resident[-1] / 2**20, "{:.1f} MiB"),
    ]
