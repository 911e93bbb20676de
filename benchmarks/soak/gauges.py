"""What the soak reads off while it runs, in memory that does not grow with the run."""

import asyncio
import ctypes
import gc
import os
import statistics
import tempfile
import time
from array import array
from collections.abc import Callable, Sequence
from pathlib import Path

# 0.1 ms fine, up to ten seconds; whatever takes longer counts as that.
BUCKETS_PER_SECOND = 10_000
BUCKETS = 10 * BUCKETS_PER_SECOND


_trim = getattr(ctypes.CDLL(None), "malloc_trim", None)


class Durations:
    """Counts durations, each rounded up to 0.1 ms."""

    def __init__(self) -> None:
        self._counts = array("Q", bytes(8 * BUCKETS))

    def add(self, seconds: float) -> None:
        """Count one."""
        self._counts[min(BUCKETS - 1, int(seconds * BUCKETS_PER_SECOND))] += 1

    def quantile(self, share: float) -> float:
        """Return the seconds that this share of all durations stays below."""
        left = share * sum(self._counts)
        for bucket, number in enumerate(self._counts):
            left -= number
            if left <= 0:
                return (bucket + 1) / BUCKETS_PER_SECOND
        raise AssertionError("The counts changed meanwhile.")


def memory() -> float:
    """Return the bytes of this process that are resident (on Linux), without what is free or only garbage.

    The C library keeps memory that was freed in small pieces, some MiB more of it the longer many sizes mix;
    it is asked to give that back, where it can, so that what is left is what somebody still holds.
    """
    gc.collect()
    if _trim is not None:
        _trim(0)
    return float(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")


def growth(samples: Sequence[float]) -> float:
    """Return by how much the last tenth is above the second one, as a share; the first is warm-up."""
    tenth = max(1, len(samples) // 10)
    before = statistics.median(samples[tenth : 2 * tenth] or samples)
    return statistics.median(samples[-tenth:]) / before - 1.0


async def sampled(take: Callable[[], float], *, every: float, until: float) -> list[float]:
    """Return what `take` gave, every so many seconds until the loop's time is `until`."""
    loop = asyncio.get_running_loop()
    samples = []
    while loop.time() < until:
        await asyncio.sleep(every)
        samples.append(take())
    return samples


async def fsyncs(*, every: float, until: float) -> Durations:
    """Return how long the disk takes for one page by itself: no durable write is faster."""
    loop = asyncio.get_running_loop()
    taken = Durations()
    with tempfile.TemporaryFile(buffering=0) as file:
        while loop.time() < until:
            await asyncio.sleep(every)
            taken.add(await asyncio.to_thread(_fsync, file.fileno()))
    return taken


def _fsync(file: int) -> float:
    began = time.perf_counter()
    os.write(file, bytes(8192))
    os.fsync(file)
    return time.perf_counter() - began
