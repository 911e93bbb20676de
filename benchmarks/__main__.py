"""Run every measure on both event loops, print the tables, and name each figure that misses its must."""

import argparse
import asyncio
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import uvloop

from benchmarks.beside_plain import every_measure as plain_measures
from benchmarks.databases import Databases
from benchmarks.measures.every_measure import measure
from benchmarks.report.files import Comparison, print_tables, write_report
from benchmarks.report.machine import Machine
from benchmarks.report.results import Figures, LoopResults, measures, missed
from benchmarks.report.steps import Steps
from benchmarks.scale import FULL, QUICK, Scale
from livetranslate_store.embedded.server import EmbeddedServer

DOCS = Path(__file__).resolve().parents[1] / "docs"
LOOPS: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {
    "asyncio": asyncio.new_event_loop,
    "uvloop": uvloop.new_event_loop,
}
STEPS_PER_LOOP = 5
# Bytes and processor time of the server do not depend on the loop, so the plain schema meets one only.
PLAIN_LOOP = "asyncio"


class Run(NamedTuple):
    """Everything that a run found."""

    results: dict[str, LoopResults]
    beside_plain: Figures
    machine: Machine


def main() -> int:
    """Run the bench; return 1 if a figure misses its must."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="try the bench itself: seconds, and figures that mean nothing"
    )
    parser.add_argument("--docs", type=Path, default=DOCS, help="the folder of performance.md")
    arguments = parser.parse_args()
    scale = QUICK if arguments.quick else FULL
    found = run(scale)
    floor = Comparison(measures(scale), {loop: each.figures for loop, each in found.results.items()})
    plain = Comparison(plain_measures.measures(scale), {PLAIN_LOOP: found.beside_plain})
    print_tables([floor, plain], found.machine)
    if arguments.quick:
        return 0
    write_report(arguments.docs, floor, plain, found.results, found.machine)
    misses = missed(*floor) + missed(*plain)
    for line in misses:
        sys.stdout.write(f"missed: {line}\n")
    return 1 if misses else 0


def run(scale: Scale) -> Run:
    """Fill a server, and measure on each event loop and beside the plain schema."""
    sizes = sorted({scale.base, *scale.stored})
    steps_of_a_run = len(sizes) + STEPS_PER_LOOP * len(LOOPS) + plain_measures.STEPS
    with Steps(steps_of_a_run) as steps, EmbeddedServer() as server:
        databases = Databases(server)
        for size in sizes:
            with steps.step(f"filling: {size:,} segments"):
                asyncio.run(databases.fill(size))
        results = {}
        for loop, factory in LOOPS.items():
            with asyncio.Runner(loop_factory=factory) as runner:
                results[loop] = runner.run(measure(databases, scale, steps, loop))
        with asyncio.Runner(loop_factory=LOOPS[PLAIN_LOOP]) as runner:
            beside = runner.run(plain_measures.measure(databases, scale, steps))
        return Run(results, beside, Machine.this(asyncio.run(databases.version())))


if __name__ == "__main__":
    sys.exit(main())
