"""Gauges that the soak reads while it runs, in memory that does not grow with the run."""

import asyncio
import os
import tempfile
import time
from array import array
from collections.abc import Callable
from typing import TypeVar

# Steps of 0.1 ms, up to ten seconds; anything slower counts as ten seconds.
BUCKETS_PER_SECOND = 10_000
BUCKETS = 10 * BUCKETS_PER_SECOND

Sample = TypeVar("Sample")


class Durations:
    """Counts durations, each rounded up to 0.1 ms."""

    def __init__(self) -> None:
        self._counts = array("Q", bytes(8 * BUCKETS))

    def add(self, seconds: float) -> None:
        """Count one duration."""
        self._counts[min(BUCKETS - 1, int(seconds * BUCKETS_PER_SECOND))] += 1

    def quantile(self, share: float) -> float:
        """Return the seconds that this share of all durations stays below."""
        left = share * sum(self._counts)
        for bucket, number in enumerate(self._counts):
            left -= number
            if left <= 0:
                return (bucket + 1) / BUCKETS_PER_SECOND
        raise AssertionError("The counts changed meanwhile.")


async def sampled(take: Callable[[], Sample], *, every: float, until: float) -> list[Sample]:
    """Return a sample for every so many seconds until the loop's time is `until`."""
    loop = asyncio.get_running_loop()
    samples = []
    while loop.time() < until:
        await asyncio.sleep(every)
        samples.append(take())
    return samples


async def fsyncs(*, every: float, until: float) -> Durations:
    """Return how long the disk takes to store one page: no durable write is faster."""
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
