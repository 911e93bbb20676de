"""The figures of a run: the tables on the screen, and the files that the documentation shows."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

from benchmarks.beside_plain.space import DISK_PARTS
from benchmarks.report.bars import Bars, draw_bars
from benchmarks.report.machine import Machine
from benchmarks.report.plot import Line, Panel, draw
from benchmarks.report.results import Figure, Figures, LoopResults, Measure, Point

BEGIN, END = "<!-- written by make bench: begin -->", "<!-- end -->"
BEGIN_PLAIN = "<!-- written by make bench, beside a plain schema: begin -->"
# The width of the tables if no terminal sets it.
WIDTH = 140
MISSES = "✗ misses its must."

Results = Mapping[str, LoopResults]

# A colour for each side; the default loop's lines are broken, so that nobody needs the colours alone.
_COLORS = {"ours": "#0b62c4", "floor": "#c2410c"}
_BROKEN = "asyncio"

LOG_PARTS = {
    "interims": "ten interim revisions",
    "final": "the final",
    "translations": "three translations",
}
# What the same measures counted for revision 0002 of the schema.
FIRST_SCHEMA_LOG = {"interims": 9647.0, "final": 1199.0, "translations": 5609.0}
FIRST_SCHEMA_DISK = {
    "transcripts": 535.0,
    "transcripts_indexes": 175.0,
    "translations": 2474.0,
    "translations_indexes": 639.0,
}


class Comparison(NamedTuple):
    """A table: its rows, and the figures of each event loop."""

    rows: Mapping[str, Measure]
    found: Mapping[str, Figures]

    @property
    def header(self) -> list[str]:
        """The titles of the columns."""
        columns = (f"{loop} {column}" for loop in self.found for column in ("ours", "floor", "ratio"))
        return ["measure", *columns, "must", "aim"]

    def cells(self, name: str) -> list[Text]:
        """Return the cells of a row."""
        measure = self.rows[name]
        cells = [Text(measure.title)]
        for figures in self.found.values():
            figure = figures[name]
            ours = "not measured" if figure.ours is None else measure.value(figure.ours)
            cells += [Text(ours), Text(measure.value(figure.floor)), _ratio(measure, figure)]
        return [*cells, Text(measure.bound(measure.must)), Text(measure.bound(measure.aim))]


def print_tables(comparisons: list[Comparison], machine: Machine) -> None:
    """Print the tables of a run."""
    console = Console()
    if not console.is_terminal:
        console = Console(width=WIDTH)
    for comparison in comparisons:
        table = Table(caption=f"{MISSES} {machine}.")
        for number, header in enumerate(comparison.header):
            table.add_column(header.replace(" ", "\n"), justify="right" if number else "left", no_wrap=True)
        for name in comparison.rows:
            table.add_row(*comparison.cells(name))
        console.print(table)


def write_report(
    docs: Path, floor: Comparison, plain: Comparison, results: Results, machine: Machine
) -> None:
    """Write figures, plots and the tables in `performance.md` between their markers."""
    folder = docs / "performance"
    folder.mkdir(parents=True, exist_ok=True)
    found = {
        "machine": machine._asdict(),
        "units": "times in seconds, rates per second",
        "measures": _as_json(floor),
        "beside_a_plain_schema": _as_json(plain),
        "writers": _curves(results, "rate", "p99"),
        "stored": _curves(results, "stored"),
    }
    (folder / "results.json").write_bytes(msgspec.json.format(msgspec.json.encode(found), indent=2) + b"\n")
    (folder / "writers.svg").write_text(_writers_plot(results), encoding="utf-8")
    (folder / "stored.svg").write_text(_stored_plot(results), encoding="utf-8")
    (folder / "life.svg").write_text(life_plot(plain), encoding="utf-8")
    page = docs / "performance.md"
    text = page.read_text(encoding="utf-8")
    for comparison, begin in ((floor, BEGIN), (plain, BEGIN_PLAIN)):
        text = between_markers(text, _markdown(comparison, machine), begin)
    page.write_text(text, encoding="utf-8")


def between_markers(page: str, content: str, begin: str = BEGIN) -> str:
    """Return the page with new content between its markers; raises ValueError if they are missing."""
    before, _, rest = page.partition(begin)
    _, end, after = rest.partition(END)
    if not end:
        raise ValueError(f"The markers {begin!r} and {END!r} are missing from the page.")
    return f"{before}{begin}\n{content}\n{END}{after}"


def _ratio(measure: Measure, figure: Figure) -> Text:
    ratio = "" if figure.ratio is None or measure.absolute else f"{figure.ratio:.2f}"
    judged = measure.judged(figure)
    if judged is None or measure.must is None or measure.aim is None:
        return Text(ratio)
    if not measure.reaches(judged, measure.must):
        return Text(f"{ratio} ✗".strip(), style="bold red")
    return Text(ratio, style="bold green" if measure.reaches(judged, measure.aim) else "")


def _markdown(comparison: Comparison, machine: Machine) -> str:
    header = comparison.header
    header.insert(1, "beside")
    lines = [
        f"{machine}. {MISSES}",
        "",
        f"| {' | '.join(header)} |",
        f"| --- | --- |{' ---: |' * (len(header) - 2)}",
    ]
    for name, measure in comparison.rows.items():
        title, *cells = (str(cell) for cell in comparison.cells(name))
        lines.append(f"| {' | '.join([title, measure.floor, *cells])} |")
    return "\n".join(lines)


def life_plot(plain: Comparison) -> str:
    """Return the plot of a life's bytes by part: a plain schema, the store's first one, and today's."""
    (figures,) = plain.found.values()
    return draw_bars(
        [
            Bars("Log of a life", _sides(figures, "wal", LOG_PARTS, FIRST_SCHEMA_LOG)),
            Bars("Disk of a life", _sides(figures, "disk", DISK_PARTS, FIRST_SCHEMA_DISK)),
        ]
    )


def _sides(
    figures: Figures, measured: str, parts: Mapping[str, str], first_schema: Mapping[str, float]
) -> dict[str, dict[str, float]]:
    now = {title: figures[f"{measured}_{part}"] for part, title in parts.items()}
    return {
        "plain schema": {title: figure.floor or 0.0 for title, figure in now.items()},
        "first schema": {title: first_schema[part] for part, title in parts.items()},
        "now": {title: figure.ours or 0.0 for title, figure in now.items()},
    }


def _as_json(comparison: Comparison) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "title": measure.title,
            "floor": measure.floor,
            "must": measure.must,
            "aim": measure.aim,
            "loops": {
                loop: figures[name]._asdict() | {"ratio": figures[name].ratio}
                for loop, figures in comparison.found.items()
            },
        }
        for name, measure in comparison.rows.items()
    ]


def _curves(results: Results, *names: str) -> dict[str, Any]:
    return {
        loop: {name: [point._asdict() for point in getattr(result, name)] for name in names}
        for loop, result in results.items()
    }


def _writers_plot(results: Results) -> str:
    rates = list(_lines({loop: result.rate for loop, result in results.items()}, scale=1))
    slowest = list(_lines({loop: result.p99 for loop, result in results.items()}, scale=1000))
    panels = (
        Panel("Segments a second", "writers at once", rates),
        Panel("Slowest call of a hundred (p99), ms", "writers at once", slowest),
    )
    return draw(panels)


def _stored_plot(results: Results) -> str:
    lines = list(_lines({loop: result.stored for loop, result in results.items()}, scale=1000))
    return draw([Panel("One segment, one writer (median), ms", "segments stored", lines)])


def _lines(curves: Mapping[str, list[Point]], scale: float) -> Iterator[Line]:
    for side, color in _COLORS.items():
        for loop, points in curves.items():
            values = [(point.x, scale * getattr(point, side)) for point in points]
            yield Line(f"{side}, {loop}", color, values, broken=loop == _BROKEN)
