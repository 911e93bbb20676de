"""The figures of a soak: judged, printed, and written into the documentation."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from rich.console import Console
from rich.table import Table

from benchmarks.report.files import between_markers


class Measure(NamedTuple):
    """One row of the table: a figure, its format, and the most or, if `above`, the least that it may be."""

    measure: str
    figure: float
    form: str
    limit: float | None = None
    above: bool = False

    @property
    def ok(self) -> bool:
        """Whether the figure keeps its limit; it does if it has none."""
        return self.limit is None or (self.figure >= self.limit if self.above else self.figure <= self.limit)

    @property
    def shown(self) -> tuple[str, str]:
        """The figure and its limit as text."""
        sign = "≥" if self.above else "≤"
        limit = "" if self.limit is None else f"{sign} {self.form.format(self.limit)}"
        return self.form.format(self.figure), limit

    @property
    def verdict(self) -> str:
        """Whether the limit holds, as text."""
        return "" if self.limit is None else "yes" if self.ok else "NO"


def print_table(measures: Sequence[Measure], about: str) -> None:
    """Print the table, and a line for each missed limit."""
    table = Table("measure", title=about)
    for name in ("figure", "limit", "ok"):
        table.add_column(name, justify="right", no_wrap=True)
    for each in measures:
        table.add_row(each.measure, *each.shown, each.verdict)
    console = Console()
    console.print(table)
    for each in measures:
        if not each.ok:
            figure, limit = each.shown
            console.print(f"missed: {each.measure} is {figure}, the limit {limit}", highlight=False)


def write_json(file: Path, measures: Sequence[Measure], about: str) -> None:
    """Write all figures to a file."""
    names = ("measure", "figure", "limit", "above", "ok")
    rows = [{name: getattr(each, name) for name in names} for each in measures]
    file.write_text(json.dumps({"about": about, "measures": rows}, indent=2) + "\n", encoding="utf-8")


def write_page(page: Path, command: str, measures: Sequence[Measure], about: str) -> None:
    """Replace the table that this command wrote into the page before."""
    lines = [f"{about}.", "", "| measure | figure | limit | ok |", "| --- | ---: | ---: | --- |"]
    lines += [f"| {' | '.join([each.measure, *each.shown, each.verdict])} |" for each in measures]
    begin = f"<!-- written by {command}: begin -->"
    text = between_markers(page.read_text(encoding="utf-8"), "\n".join(lines), begin)
    page.write_text(text, encoding="utf-8")
