"""Measure one segment in databases of several sizes, taken in turns."""

from collections.abc import Mapping

from benchmarks.contenders import Contenders
from benchmarks.measures.clock import WRITES_IN_TURN, medians
from benchmarks.report.results import Point


async def growth(stored: Mapping[int, Contenders], calls: int, warm_up: int) -> list[Point]:
    """Return the seconds of one segment for each number of stored segments."""
    each = calls + warm_up
    calls_of = [
        made
        for contenders in stored.values()
        for made in (contenders.record(each), contenders.write_by_hand(each))
    ]
    figures = iter(await medians(*calls_of, warm_up=warm_up, turn=WRITES_IN_TURN))
    return [Point(size, next(figures), next(figures)) for size in stored]
