"""Time taken: sides that alternate call by call, and crowds that call at once."""

import asyncio
import gc
import statistics
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from benchmarks.sides import Call


class Crowd(NamedTuple):
    """What many callers at once saw: calls a second, and the slowest call of a hundred, in seconds."""

    rate: float
    p99: float


@contextmanager
def settled() -> Iterator[None]:
    """Keep the inputs that lie ready out of the collector's way while the clock runs."""
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


async def medians(*sides: Sequence[Call], warm_up: int = 0) -> list[float]:
    """Return each side's median in seconds; the sides take turns, and the first turns are not counted."""
    times: list[list[float]] = [[] for _ in sides]
    with settled():
        for turn in zip(*sides, strict=True):
            for taken, call in zip(times, turn, strict=True):
                taken.append(await _seconds(call))
    return [statistics.median(taken[warm_up:]) for taken in times]


async def crowd(calls: Sequence[Call], writers: int) -> Crowd:
    """Let as many writers share the calls, each of them one after the other."""
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
