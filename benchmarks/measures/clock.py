"""Clocks for sides that take turns, and for crowds that call at once."""

import asyncio
import gc
import statistics
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from benchmarks.contenders import Call

# Writes come one after the other, as in real use. If the sides alternated call by call, each would find the
# processor's caches cold.
WRITES_IN_TURN = 10


class Crowd(NamedTuple):
    """Many callers at once: calls a second, and the slowest call of a hundred, in seconds."""

    rate: float
    p99: float


@contextmanager
def settled() -> Iterator[None]:
    """Keep the collector away from the prepared inputs while the clock runs."""
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


async def medians(*sides: Sequence[Call], warm_up: int = 0, turn: int = 1) -> list[float]:
    """Return each side's median in seconds, without the first calls of each.

    The sides take turns of so many calls, so that a slow spell of the machine slows down all of them.
    """
    times: list[list[float]] = [[] for _ in sides]
    with settled():
        for first in range(0, len(sides[0]), turn):
            for taken, calls in zip(times, sides, strict=True):
                taken.extend([await _seconds(call) for call in calls[first : first + turn]])
    return [statistics.median(taken[warm_up:]) for taken in times]


async def crowd(calls: Sequence[Call], writers: int) -> Crowd:
    """Share the calls among so many writers; each makes its calls one after the other."""
    times: list[float] = []

    async def writer(mine: Sequence[Call]) -> None:
        times.extend([await _seconds(call) for call in mine])

    with settled():
        began = time.perf_counter()
        await asyncio.gather(*(writer(calls[number::writers]) for number in range(writers)))
        elapsed = time.perf_counter() - began
    return Crowd(len(times) / elapsed, statistics.quantiles(times, n=100)[98])


def typical(rounds: Sequence[Crowd]) -> Crowd:
    """Return the medians over several rounds."""
    return Crowd(*(statistics.median(figures) for figures in zip(*rounds, strict=True)))


async def _seconds(call: Call) -> float:
    began = time.perf_counter()
    await call()
    return time.perf_counter() - began
