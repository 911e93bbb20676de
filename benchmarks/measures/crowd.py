"""Measure many writers at once: through one store, and by hand on a pool of the same size."""

from collections.abc import Iterable

from benchmarks.contenders import Contenders
from benchmarks.measures.clock import Crowd, crowd, typical
from benchmarks.report.results import Point
from benchmarks.scale import Scale

# A round of fewer writers has as many segments as a round of this many.
FEWEST = 20


async def warm_up(contenders: Contenders, scale: Scale) -> None:
    """Make every connection of both sides prepare its statements, and the server plan them."""
    calls = scale.crowd * scale.calls_per_writer // 2
    await crowd(contenders.record(calls), scale.crowd)
    await crowd(contenders.write_by_hand(calls), scale.crowd)


async def crowds(
    contenders: Contenders, scale: Scale, writers: Iterable[int]
) -> tuple[list[Point], list[Point]]:
    """Return throughput and p99 for each number of writers; rounds of both sides alternate."""
    rates, slowest = [], []
    for many in writers:
        calls = scale.calls_per_writer * min(max(many, FEWEST), scale.crowd)
        rounds: list[tuple[Crowd, Crowd]] = [
            (await crowd(contenders.record(calls), many), await crowd(contenders.write_by_hand(calls), many))
            for _ in range(scale.rounds)
        ]
        ours, theirs = (typical(side) for side in zip(*rounds, strict=True))
        rates.append(Point(many, ours.rate, theirs.rate))
        slowest.append(Point(many, ours.p99, theirs.p99))
    return rates, slowest
