"""The measures, their bounds, and the figures of a run."""

from collections.abc import Mapping
from typing import NamedTuple

from benchmarks.scale import PAGE, Scale
from benchmarks.workload import ENTRIES_PER_SEGMENT


class Unit(NamedTuple):
    """How a figure is shown, and whether a higher one is better."""

    form: str
    factor: float = 1.0
    more_is_better: bool = False


MILLISECONDS = Unit("{:,.2f} ms", 1_000)
MICROSECONDS = Unit("{:,.2f} µs", 1_000_000)
PER_SECOND = Unit("{:,.0f}/s", more_is_better=True)
BYTES = Unit("{:,.0f} B")
TIMES = Unit("{:.2f}")
SHARE = Unit("{:.0f} %", 100, more_is_better=True)
NUMBER = Unit("{:,.0f}", more_is_better=True)


class Measure(NamedTuple):
    """One row of the table.

    `must` and `aim` bound ours over the floor's; if `absolute`, they bound ours alone.
    """

    title: str
    floor: str
    unit: Unit
    must: float | None = None
    aim: float | None = None
    absolute: bool = False

    def judged(self, figure: "Figure") -> float | None:
        """Return the number that the bounds are for; None if it was not measured."""
        return figure.ours if self.absolute else figure.ratio

    def reaches(self, judged: float, bound: float) -> bool:
        """Return whether a number keeps a bound."""
        return judged >= bound if self.unit.more_is_better else judged <= bound

    def bound(self, value: float | None) -> str:
        """Return a bound as the table shows it."""
        if value is None:
            return ""
        sign = "≥" if self.unit.more_is_better else "≤"
        return f"{sign} {self.value(value) if self.absolute else f'{value:g}'}"

    def value(self, figure: float | None) -> str:
        """Return a figure, in seconds if it is a time, as the table shows it."""
        return "" if figure is None else self.unit.form.format(figure * self.unit.factor)


class Figure(NamedTuple):
    """What both sides took, in seconds, a rate, or the measure's unit; None if it was not measured."""

    ours: float | None
    floor: float | None = None

    @property
    def ratio(self) -> float | None:
        """Ours over the floor's; None if one of them is missing, or the floor's is zero."""
        return self.ours / self.floor if self.ours is not None and self.floor else None


#: By the name of a measure.
Figures = Mapping[str, Figure]


class Point(NamedTuple):
    """A point of a curve: its x, and the figures of both sides."""

    x: int
    ours: float
    floor: float


class LoopResults(NamedTuple):
    """All figures of one event loop."""

    figures: Figures
    #: By the number of writers.
    rate: list[Point]
    p99: list[Point]
    #: One segment, by the number of stored segments.
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
            f"search in {texts:,} texts, a common word", "SQL for that page", MILLISECONDS, 1.4, 1.15
        ),
        "search_rare": Measure("the same, a rare word", "SQL for that page", MILLISECONDS, 1.4, 1.15),
        "search_unspaced": Measure("the same, Japanese", "SQL for that page", MILLISECONDS, 1.4, 1.15),
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
        "draft": Measure("a draft that a search reads", "none", MICROSECONDS),
        "inputs": Measure("making the inputs of a segment", "none", MICROSECONDS),
    }


def missed(rows: Mapping[str, Measure], found: Mapping[str, Figures]) -> list[str]:
    """Return a line for each figure that misses its must; `found` has the figures of each event loop."""
    lines = []
    for name, measure in rows.items():
        if measure.must is None:
            continue
        for loop, figures in found.items():
            judged = measure.judged(figures[name])
            if judged is None:
                lines.append(f"{measure.title} ({loop}): not measured")
            elif not measure.reaches(judged, measure.must):
                lines.append(f"{measure.title} ({loop}): {judged:.2f}, must be {measure.bound(measure.must)}")
    return lines
