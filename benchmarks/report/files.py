"""What a run found: the table on the screen, and the files that the documentation shows."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

from benchmarks.report.machine import Machine
from benchmarks.report.plot import Line, Panel, draw
from benchmarks.report.results import Figure, LoopResults, Measure, Point

BEGIN, END = "<!-- written by make bench: begin -->", "<!-- end -->"
# What the table needs where no terminal says how wide it may be.
WIDTH = 140

Rows = Mapping[str, Measure]
Results = Mapping[str, LoopResults]

# A colour for each side; the default loop's lines are broken, so that nobody needs the colours alone.
_COLORS = {"ours": "#0b62c4", "floor": "#c2410c"}
_BROKEN = "asyncio"


def print_table(rows: Rows, results: Results, machine: Machine) -> None:
    """Print the one table of a run."""
    console = Console()
    if not console.is_terminal:
        console = Console(width=WIDTH)
    table = Table(caption=f"✗ misses what it must reach. {machine}.")
    for number, header in enumerate(_header(results)):
        table.add_column(header.replace(" ", "\n"), justify="right" if number else "left", no_wrap=True)
    for name, measure in rows.items():
        table.add_row(*_cells(name, measure, results))
    console.print(table)


def write_report(docs: Path, rows: Rows, results: Results, machine: Machine) -> None:
    """Write figures, plots and the table in `performance.md` between its markers."""
    folder = docs / "performance"
    folder.mkdir(parents=True, exist_ok=True)
    found = msgspec.json.encode(_as_json(rows, results, machine))
    (folder / "results.json").write_bytes(msgspec.json.format(found, indent=2) + b"\n")
    (folder / "writers.svg").write_text(_writers_plot(results), encoding="utf-8")
    (folder / "stored.svg").write_text(_stored_plot(results), encoding="utf-8")
    page = docs / "performance.md"
    text = between_markers(page.read_text(encoding="utf-8"), _markdown(rows, results, machine))
    page.write_text(text, encoding="utf-8")


def between_markers(page: str, content: str, begin: str = BEGIN) -> str:
    """Return the page with what is between its markers replaced; raises ValueError where there are none."""
    before, _, rest = page.partition(begin)
    _, end, after = rest.partition(END)
    if not end:
        raise ValueError(f"The page lacks its markers, {begin!r} and {END!r}.")
    return f"{before}{begin}\n{content}\n{END}{after}"


def _header(results: Results) -> list[str]:
    return [
        "measure",
        *(f"{loop} {column}" for loop in results for column in ("ours", "floor", "ratio")),
        "must",
        "aim",
    ]


def _cells(name: str, measure: Measure, results: Results) -> list[Text]:
    cells = [Text(measure.title)]
    for result in results.values():
        figure = result.figures[name]
        ours = "not there" if figure.ours is None else measure.value(figure.ours)
        cells += [Text(ours), Text(measure.value(figure.floor)), _ratio(measure, figure)]
    return [*cells, Text(measure.bound(measure.must)), Text(measure.bound(measure.aim))]


def _ratio(measure: Measure, figure: Figure) -> Text:
    if figure.ratio is None:
        return Text("")
    if measure.must is None or measure.aim is None:
        return Text(f"{figure.ratio:.2f}")
    if not measure.reaches(figure.ratio, measure.must):
        return Text(f"{figure.ratio:.2f} ✗", style="bold red")
    reached = measure.reaches(figure.ratio, measure.aim)
    return Text(f"{figure.ratio:.2f}", style="bold green" if reached else "")


def _markdown(rows: Rows, results: Results, machine: Machine) -> str:
    header = _header(results)
    header.insert(1, "beside")
    lines = [
        f"{machine}. ✗ misses what it must reach.",
        "",
        f"| {' | '.join(header)} |",
        f"| --- | --- |{' ---: |' * (len(header) - 2)}",
    ]
    for name, measure in rows.items():
        title, *cells = (str(cell) for cell in _cells(name, measure, results))
        lines.append(f"| {' | '.join([title, measure.floor, *cells])} |")
    return "\n".join(lines)


def _as_json(rows: Rows, results: Results, machine: Machine) -> dict[str, Any]:
    return {
        "machine": machine._asdict(),
        "units": "times in seconds, rates per second",
        "measures": [
            {
                "name": name,
                "title": measure.title,
                "floor": measure.floor,
                "must": measure.must,
                "aim": measure.aim,
                "loops": {
                    loop: result.figures[name]._asdict() | {"ratio": result.figures[name].ratio}
                    for loop, result in results.items()
                },
            }
            for name, measure in rows.items()
        ],
        "writers": _curves(results, "rate", "p99"),
        "stored": _curves(results, "stored"),
    }


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
