"""Runs every measure on both event loops, prints one table, and says what did not reach what it must."""

import argparse
import asyncio
import sys
from collections.abc import Callable
from pathlib import Path

import uvloop

from benchmarks.databases import Databases
from benchmarks.measures.every_measure import measure
from benchmarks.report.files import print_table, write_report
from benchmarks.report.machine import Machine
from benchmarks.report.results import LoopResults, measures, missed
from benchmarks.report.steps import Steps
from benchmarks.scale import FULL, QUICK, Scale
from livetranslate_store.embedded.server import EmbeddedServer

DOCS = Path(__file__).resolve().parents[1] / "docs"
LOOPS: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {
    "asyncio": asyncio.new_event_loop,
    "uvloop": uvloop.new_event_loop,
}
STEPS_PER_LOOP = 5


def main() -> int:
    """Run the bench; 1 means that something did not reach what it must."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="try the bench itself: seconds, and figures that mean nothing"
    )
    parser.add_argument("--docs", type=Path, default=DOCS, help="the folder of performance.md")
    arguments = parser.parse_args()
    scale = QUICK if arguments.quick else FULL
    rows = measures(scale)
    results, machine = run(scale)
    print_table(rows, results, machine)
    if arguments.quick:
        return 0
    write_report(arguments.docs, rows, results, machine)
    misses = missed(rows, results)
    for line in misses:
        sys.stdout.write(f"missed: {line}\n")
    return 1 if misses else 0


def run(scale: Scale) -> tuple[dict[str, LoopResults], Machine]:
    """Start a server, fill it, and measure on one event loop after the other."""
    sizes = sorted({scale.base, *scale.stored})
    with Steps(len(sizes) + STEPS_PER_LOOP * len(LOOPS)) as steps, EmbeddedServer() as server:
        databases = Databases(server)
        for size in sizes:
            with steps.step(f"filling: {size:,} segments"):
                asyncio.run(databases.fill(size))
        results = {}
        for loop, factory in LOOPS.items():
            with asyncio.Runner(loop_factory=factory) as runner:
                results[loop] = runner.run(measure(databases, scale, steps, loop))
        return results, Machine.this(asyncio.run(databases.version()))


if __name__ == "__main__":
    sys.exit(main())
