"""The tables and the picture of the plan, on the screen and in `docs/scale.md`."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from rich.console import Console
from rich.table import Table

from benchmarks.report.files import between_markers
from benchmarks.report.plot import Line, Panel, draw
from benchmarks.scale_out.assumptions import Assumptions
from benchmarks.scale_out.measured import Measured
from benchmarks.scale_out.plan import PLACEMENTS, Plan, fullest
from benchmarks.scale_out.reproduction import TOLERANCE, Row
from benchmarks.scale_out.under_load import GreatMeeting, Loss, Times

DOCS = Path(__file__).resolve().parents[2] / "docs"
PICTURE = "cores.svg"
_COLORS = {"one server": "#57606a", "cluster, coordinator": "#c2410c", "cluster, any node": "#0b62c4"}


class Planned(NamedTuple):
    """An installation, and the times of its writes; None if it is not possible."""

    plan: Plan
    times: Times | None


class Tenant(NamedTuple):
    """A tenant with so many of a plan's meetings at once."""

    plan: Plan
    meetings: int


class Grid(NamedTuple):
    """A table of texts, and the name of its block in the page."""

    name: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    about: str = ""

    @property
    def begin(self) -> str:
        """The marker before the block."""
        return f"<!-- written by make scale-out, {self.name}: begin -->"

    def markdown(self) -> str:
        """Return the table as the page has it."""
        lines = [self.about, ""] if self.about else []
        lines += [f"| {' | '.join(self.header)} |", f"| --- |{' ---: |' * (len(self.header) - 1)}"]
        lines += [f"| {' | '.join(row)} |" for row in self.rows]
        return "\n".join(lines)


def reproduction(rows: Sequence[Row], measured: Measured) -> Grid:
    """Return the table of what was measured and simulated."""
    return Grid(
        "reproduction",
        ("figure", "of", "measured", "simulated", "off"),
        [
            (
                row.title,
                row.installation,
                _figure(row, row.measured),
                _figure(row, row.simulated),
                f"{row.off:+.0%}" + ("" if row.ok else " ✗"),
            )
            for row in rows
        ],
        f"{measured.machine}. ✗ is off by more than {TOLERANCE:.0%}.",
    )


class Limit(NamedTuple):
    """The most that an installation can serve; None if it has no limit."""

    installation: str
    most: Plan | None


def limits(found: Sequence[Limit], assumed: Assumptions) -> Grid:
    """Return the table of how far each installation goes."""
    rows = []
    for name, most in found:
        if most is None:
            rows.append((name, "more than a million", "", "nothing: each node brings its share"))
        else:
            kept = most.meetings * assumed.meeting.kept_segments
            rows.append((name, f"{most.meetings:,}", f"{kept / 1e9:,.2f} billion", most.first))
    return Grid("limits", ("installation", "meetings at once", "segments kept", "saturates first"), rows)


def plans(planned: Sequence[Planned]) -> Grid:
    """Return the table of installations."""
    return Grid(
        "plan",
        (
            "meetings at once",
            "installation",
            "writes/s",
            "servers",
            "cores of the entry",
            "saturates first",
            "disk; log; network of a node",
            "connections to an entry",
            "a write, p50; p99",
            "a meeting's hour",
        ),
        [_row(*each) for each in planned],
    )


def losses(found: Sequence[Loss], assumed: Assumptions) -> Grid:
    """Return the table of a node's loss."""
    return Grid(
        "loss",
        ("nodes", "gate", "meetings of the store that wait", "writes of the others", "caught up after"),
        [
            (
                str(each.nodes),
                str(each.gate),
                f"{each.waiting} of {assumed.store.bots}",
                f"{each.others:.0%}",
                f"{each.catching_up:.1f} s",
            )
            for each in found
        ],
    )


def hot_spots(meeting: GreatMeeting, assumed: Assumptions, tenants: Sequence[Tenant]) -> Grid:
    """Return the table of the largest meeting and the largest tenant."""
    rows = [
        (
            f"a meeting of {meeting.speakers} speakers who all speak at once, {meeting.languages} languages",
            f"{meeting.writes:,.0f} writes/s",
            f"one store into one shard: {meeting.capacity:,.0f} writes/s",
        ),
        (
            "the same",
            f"{meeting.cores:.1f} cores of its node",
            f"{assumed.node.cores} cores",
        ),
    ]
    for plan, meetings in tenants:
        more = fullest(meetings, plan.nodes, plan.shards) - 1
        rows.append(
            (
                f"a tenant with {meetings:,} of {plan.meetings:,} meetings at once, on {plan.nodes} nodes",
                f"fullest node {more:+.0%} over the mean",
                f"{1 / assumed.node.utilization - 1:+.0%} kept free",
            )
        )
    return Grid("hot spots", ("what", "needs", "there is"), rows)


def show(grids: Sequence[Grid]) -> None:
    """Print the tables."""
    console = Console()
    if not console.is_terminal:
        console = Console(width=200)
    for grid in grids:
        table = Table(title=grid.name, caption=grid.about)
        for number, header in enumerate(grid.header):
            table.add_column(header, justify="right" if number else "left")
        for row in grid.rows:
            table.add_row(*row)
        console.print(table)


def keep(grids: Sequence[Grid], planned: Sequence[Planned], docs: Path = DOCS) -> None:
    """Write the tables into the page between their markers, and the picture beside it."""
    page = docs / "scale.md"
    text = page.read_text(encoding="utf-8")
    for grid in grids:
        text = between_markers(text, grid.markdown(), grid.begin)
    page.write_text(text, encoding="utf-8")
    (docs / "scale").mkdir(exist_ok=True)
    (docs / "scale" / PICTURE).write_text(picture(planned), encoding="utf-8")


def picture(planned: Sequence[Planned]) -> str:
    """Return the picture: the cores of all servers, and a meeting's price, over the meetings."""
    possible = [each.plan for each in planned if each.plan.is_possible]
    # The line that goes furthest names the places of the axis.
    kinds = sorted(PLACEMENTS, key=lambda kind: -sum(plan.placement == kind for plan in possible))

    def panel(title: str, figure: Callable[[Plan], float]) -> Panel:
        lines = [
            Line(
                kind,
                _COLORS[kind],
                [(plan.meetings, figure(plan)) for plan in possible if plan.placement == kind],
                broken=kind == "one server",
            )
            for kind in kinds
        ]
        return Panel(title, "meetings at once", lines)

    return draw(
        [
            panel("Cores of all servers", lambda plan: plan.cores),
            panel("Cents of a meeting's hour", lambda plan: 100 * plan.meeting_hour),
        ]
    )


def _row(plan: Plan, times: Times | None) -> tuple[str, ...]:
    single = plan.placement == "one server"
    full = f"{plan.first}, {plan.use[plan.first]:.0%}"
    return (
        f"{plan.meetings:,}",
        plan.placement,
        f"{plan.writes:,.0f}",
        "1" if single else f"1 + {plan.nodes}, {plan.shards} shards",
        str(plan.entry_cores),
        full if plan.is_possible else f"{full} ✗",
        f"{plan.disk_of_a_node:,.0f} GB; {plan.log_of_a_node:,.1f} MB/s; {plan.network_of_a_node:,.0f} MB/s",
        f"{plan.connections_of_an_entry:,.0f}",
        f"{times.p50 * 1000:.1f}; {times.p99 * 1000:.1f} ms" if times else "-",
        f"${plan.meeting_hour:.4f}",
    )


def _figure(row: Row, figure: float) -> str:
    return f"{figure:,.0f}/s" if row.is_rate else f"{figure * 1000:,.2f} ms"
