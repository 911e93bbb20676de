"""What is measured, what it must reach, and what a run found."""

from collections.abc import Mapping
from typing import NamedTuple

from benchmarks.scale import PAGE, Scale
from benchmarks.workload import ENTRIES_PER_SEGMENT

MILLISECONDS, MICROSECONDS, PER_SECOND = "ms", "µs", "/s"


class Measure(NamedTuple):
    """One row of the table; `must` and `aim` are of ours over the floor's, in the measure's own unit."""

    title: str
    floor: str
    unit: str
    must: float | None = None
    aim: float | None = None

    @property
    def more_is_better(self) -> bool:
        """Tell a rate from a time."""
        return self.unit == PER_SECOND

    def reaches(self, ratio: float, bound: float) -> bool:
        """Tell whether a ratio keeps a bound."""
        return ratio >= bound if self.more_is_better else ratio <= bound

    def bound(self, value: float | None) -> str:
        """Return a bound as the table shows it."""
        return "" if value is None else f"{'≥' if self.more_is_better else '≤'} {value:g}"

    def value(self, figure: float | None) -> str:
        """Return a figure, which is in seconds or a rate, as the table shows it."""
        if figure is None:
            return ""
        if self.unit == PER_SECOND:
            return f"{figure:,.0f}/s"
        return f"{figure * (1000 if self.unit == MILLISECONDS else 1_000_000):,.2f} {self.unit}"


class Figure(NamedTuple):
    """What one event loop took for both sides, in seconds or a rate; None where it could not be measured."""

    ours: float | None
    floor: float | None = None

    @property
    def ratio(self) -> float | None:
        """Ours over the floor's."""
        return None if self.ours is None or self.floor is None else self.ours / self.floor


#: By the name of a measure.
Figures = Mapping[str, Figure]


class Point(NamedTuple):
    """A figure of a curve, in seconds or a rate: what it is drawn over, and both contenders."""

    x: int
    ours: float
    floor: float


class LoopResults(NamedTuple):
    """All that one event loop gave."""

    figures: Figures
    #: Over the number of writers.
    rate: list[Point]
    p99: list[Point]
    #: One segment, over the segments that are stored.
    stored: list[Point]


def measures(scale: Scale) -> dict[str, Measure]:
    """Return the rows of the table, in order."""
    entries = ENTRIES_PER_SEGMENT * scale.base // 4
    paged = ENTRIES_PER_SEGMENT * scale.stored[-1] // 4
    texts = ENTRIES_PER_SEGMENT * scale.stored[-1]
    few, many = scale.stored[0], scale.stored[-1]
    crowd = f"{scale.crowd} writers at once"
    return {
        "one_writer": Measure(
            "record_segment, one writer", "transaction, one statement per table", MILLISECONDS, 0.80, 0.60
        ),
        "crowd_rate": Measure(f"{crowd}, segments", "the same on a pool as large", PER_SECOND, 3.0, 4.0),
        "crowd_p99": Measure(f"{crowd}, p99 of a call", "the same", MILLISECONDS, 0.30, 0.12),
        "bulk": Measure(
            f"import of {scale.bulk:,} segments, rows", "COPY into three tables", PER_SECOND, 0.5, 0.75
        ),
        "timeline": Measure(
            f"timeline of {entries:,} entries as values", "its statement's rows", MILLISECONDS, 1.5, 1.2
        ),
        "page": Measure(f"last {PAGE} of {paged:,} entries", "the first page", MILLISECONDS, 1.3, 1.1),
        "search_common": Measure(
            f"search in {texts:,} texts, a common word", "SQL for that page", MILLISECONDS, aim=1.5
        ),
        "search_rare": Measure("the same, a rare word", "SQL for that page", MILLISECONDS, aim=1.5),
        "search_unspaced": Measure("the same, Japanese", "SQL for that page", MILLISECONDS, aim=1.5),
        "growth": Measure(
            f"one segment at {many:,} stored", f"ours at {few:,} stored", MILLISECONDS, 1.3, 1.1
        ),
        "unit_of_work": Measure(
            "unit of work, one writer", "transaction, one statement per table", MILLISECONDS, 2.0, 1.5
        ),
        "late_translation": Measure(
            "late translation, transcript cached", "INSERT, all values at hand", MILLISECONDS, 1.5, 1.2
        ),
        "late_in_a_unit": Measure("the same in a unit of work", "the same", MILLISECONDS),
        "revision": Measure("revision of a stored segment", "transaction of upserts", MILLISECONDS),
        "inputs": Measure("making the inputs of a segment", "none", MICROSECONDS),
    }


def missed(rows: Mapping[str, Measure], results: Mapping[str, LoopResults]) -> list[str]:
    """Return what did not reach what it must, one line each."""
    lines = []
    for name, measure in rows.items():
        if measure.must is None:
            continue
        for loop, result in results.items():
            ratio = result.figures[name].ratio
            if ratio is None:
                lines.append(f"{measure.title} ({loop}): not measured")
            elif not measure.reaches(ratio, measure.must):
                lines.append(f"{measure.title} ({loop}): {ratio:.2f}, must be {measure.bound(measure.must)}")
    return lines
