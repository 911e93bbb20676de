"""A whole day of ten bots at full load, to see whether the memory of the process grows with the writes.

Live blocks and bytes are judged by their slope over the second half of the writes: its 95 % interval must
reach zero, there or in a quarter of the writes, and must be narrow enough to show a small leak.
"""

import asyncio
from collections.abc import Sequence

from rich.progress import Progress

from benchmarks.soak.bot import Phase
from benchmarks.soak.meetings import Load, Meetings
from benchmarks.soak.memory import MemorySample
from benchmarks.soak.table import Measure
from benchmarks.soak.trend import Trend, growth
from livetranslate_store import Store

BOTS = 10
VIEWERS = 4
# 24 hours of ten bots: each sends a segment every four seconds, eleven revisions and some translations.
WRITES = 2_800_000
MINUTES = 45.0
SAMPLES = 640
# How often to look whether the next sample is due, in seconds.
LOOK = 0.005

# The intervals must show a leak of one block in a hundred writes, and of one byte a write.
BLOCKS_SHOWN, BYTES_SHOWN = 0.01, 1.0
RESIDENT_GROWTH = 0.03


async def ten_bots(store: Store, writes: int, minutes: float, progress: Progress) -> list[Measure]:
    """Write so many times, or for so many minutes if that is less, and judge the memory."""
    meetings = Meetings(store, BOTS, VIEWERS, progress)
    load = Load(store)
    async with asyncio.TaskGroup() as group:
        phase = meetings.start(group, "a day of ten bots", 60 * minutes, load.taken, paced=False)
        sampling = group.create_task(_samples(load, phase, writes))
    load.end()
    return [
        Measure("writes", load.written, "{:,.0f}"),
        Measure("writes/s", load.writes_per_second, "{:,.0f}"),
        Measure("meetings", meetings.begun, "{:,.0f}"),
        Measure("p99 of a write", load.taken.quantile(0.99), "{:.4f} s"),
        *judged(sampling.result()),
    ]


def judged(samples: Sequence[tuple[int, MemorySample]]) -> list[Measure]:
    """Judge the memory of a day: samples after so many writes each, at equal distances.

    Raises ValueError if there are too few samples.
    """
    at, memory = zip(*samples, strict=True)
    blocks, held, resident = zip(*memory, strict=True)
    return [
        Measure("live blocks at the end", blocks[-1], "{:,.0f}"),
        *_trend("live blocks", at, blocks, "{:+.5f}", BLOCKS_SHOWN),
        Measure("bytes held at the end", held[-1] / 2**20, "{:.1f} MiB"),
        *_trend("bytes held", at, held, "{:+.3f}", BYTES_SHOWN),
        Measure("resident memory at the end", resident[-1] / 2**20, "{:.1f} MiB"),
        Measure("resident memory, growth since a tenth", growth(resident), "{:+.2%}", RESIDENT_GROWTH),
    ]


def _trend(gauge: str, at: Sequence[int], series: Sequence[int], form: str, shown: float) -> list[Measure]:
    slope, least = Trend.of(at, series)
    return [
        Measure(f"{gauge}, growth a write", slope.value, form),
        Measure(f"{gauge}, growth that shows all the time", least, form, 0.0),
        Measure(f"{gauge}, uncertainty (± 95 %)", slope.margin, form, shown),
    ]


async def _samples(load: Load, phase: Phase, writes: int) -> list[tuple[int, MemorySample]]:
    """Sample the memory after every so many writes, and end the phase after the last."""
    loop = asyncio.get_running_loop()
    samples: list[tuple[int, MemorySample]] = []
    while len(samples) < SAMPLES and loop.time() < phase.ends:
        await asyncio.sleep(LOOK)
        if (written := load.written) >= writes * (len(samples) + 1) / SAMPLES:
            samples.append((written, MemorySample.taken()))
    phase.ends = loop.time()
    return samples
