"""Foretell larger installations from measured service times, and write the tables of `docs/scale.md`.

First the simulation must reproduce what was measured on one machine; it fails if a figure is off by more than
a fifth. No server is needed: `measured.json` has the times, `assumptions.toml` everything else.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

from benchmarks.scale_out import assumptions, measured, page
from benchmarks.scale_out.assumptions import Assumptions
from benchmarks.scale_out.measured import Measured
from benchmarks.scale_out.page import Limit, Planned, Tenant
from benchmarks.scale_out.plan import MEETINGS, PLACEMENTS, Bytes, most, plan, stored_bytes
from benchmarks.scale_out.reproduction import reproduce
from benchmarks.scale_out.under_load import great_meeting, loss, times

# A tenant has this share of all meetings.
TENANT = 0.2
LOSSES = ((2, 50), (2, 200), (4, 50), (8, 50), (25, 50))


def _limits(found: Measured, assumed: Assumptions, stored: Bytes) -> list[Limit]:
    """Return how far a server as small as a node goes, and every installation."""
    node = assumed.node
    small = msgspec.structs.replace(node, largest_cores=node.cores, largest_disk_gb=node.disk_gb)
    smaller = msgspec.structs.replace(assumed, node=small)
    return [
        Limit(f"one server, {node.cores} cores", most(found, smaller, stored, "one server")),
        Limit(f"one server, {node.largest_cores} cores", most(found, assumed, stored, "one server")),
        *(Limit(placement, most(found, assumed, stored, placement)) for placement in PLACEMENTS[1:]),
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    """Reproduce, plan, and write the page; return 1 if the simulation cannot be believed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scale_out", description=__doc__)
    parser.add_argument("--measured", type=Path, default=measured.FILE, help="the service times")
    parser.add_argument("--assumptions", type=Path, default=assumptions.FILE, help="all the rest")
    parser.add_argument("--docs", type=Path, default=page.DOCS, help="the folder of scale.md")
    options = parser.parse_args(arguments)
    if not options.measured.exists():
        parser.error(f"{options.measured} is missing: `python -m benchmarks.scale_out.measuring` writes it.")
    found, assumed = measured.read(options.measured), assumptions.read(options.assumptions)
    rows = reproduce(found)
    grids = [page.reproduction(rows, found)]
    wrong = [row for row in rows if not row.ok]
    if wrong:
        page.show(grids)
        for row in wrong:
            sys.stdout.write(
                f"not reproduced: {row.title} of a {row.installation} is off by {row.off:+.0%}\n"
            )
        return 1
    stored = stored_bytes()
    plans = [plan(found, assumed, stored, kind, many) for many in MEETINGS for kind in PLACEMENTS]
    planned = [Planned(each, times(found, assumed, each) if each.is_possible else None) for each in plans]
    tenants = [
        Tenant(each, round(each.meetings * TENANT)) for each in plans if each.placement == PLACEMENTS[-1]
    ]
    grids += [
        page.limits(_limits(found, assumed, stored), assumed),
        page.plans(planned),
        page.losses([loss(found, assumed, nodes=nodes, gate=gate) for nodes, gate in LOSSES], assumed),
        page.hot_spots(great_meeting(found, assumed), assumed, tenants[-1:]),
    ]
    page.show(grids)
    page.keep(grids, planned, options.docs)
    return 0


if __name__ == "__main__":
    sys.exit(main())
