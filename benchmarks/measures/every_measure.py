"""All measures on one event loop, in an order in which no measure spoils the next."""

from contextlib import AsyncExitStack

from benchmarks.contenders import opened
from benchmarks.databases import Databases
from benchmarks.measures.bulk import bulk_import
from benchmarks.measures.crowd import crowds, warm_up
from benchmarks.measures.growth import growth
from benchmarks.measures.search import draft, searches
from benchmarks.measures.timeline import deep_page, whole_timeline
from benchmarks.measures.writing import (
    inputs,
    late_in_a_unit,
    late_translation,
    one_writer,
    revision,
    unit_of_work,
)
from benchmarks.report.results import Figure, LoopResults, Point
from benchmarks.report.steps import Steps
from benchmarks.scale import CONNECTIONS, Scale

# Growth is measured with one writer on several databases at once.
FEW_CONNECTIONS = 1


async def measure(databases: Databases, scale: Scale, steps: Steps, loop: str) -> LoopResults:
    """Run every measure."""
    figures: dict[str, Figure] = {}
    rate, p99 = await _on_the_base(databases, scale, steps, loop, figures)
    with steps.step(f"{loop}: import of {scale.bulk:,} segments"):
        async with opened(databases, scale.base, CONNECTIONS) as contenders:
            figures["bulk"] = await bulk_import(contenders, scale.bulk)
    with steps.step(f"{loop}: a segment and a page at {scale.stored[-1]:,} stored segments"):
        async with AsyncExitStack() as stack:
            stored = {
                size: await stack.enter_async_context(opened(databases, size, FEW_CONNECTIONS))
                for size in scale.stored
            }
            figures["page"] = await deep_page(stored[scale.stored[-1]], scale.readings)
            figures |= await searches(stored[scale.stored[-1]], scale.readings)
            curve = await growth(stored, scale.calls, scale.warm_up)
            figures["draft"] = await draft(stored[scale.stored[-1]], scale.readings)
    figures["growth"] = Figure(curve[-1].ours, curve[0].ours)
    return LoopResults(figures, rate, p99, curve)


async def _on_the_base(
    databases: Databases, scale: Scale, steps: Steps, loop: str, figures: dict[str, Figure]
) -> tuple[list[Point], list[Point]]:
    async with opened(databases, scale.base, CONNECTIONS) as contenders:
        with steps.step(f"{loop}: the whole timeline"):
            figures["timeline"] = await whole_timeline(contenders, scale.readings)
        with steps.step(f"{loop}: one writer"):
            await warm_up(contenders, scale)
            for name, one_side in (
                ("one_writer", one_writer),
                ("unit_of_work", unit_of_work),
                ("late_translation", late_translation),
                ("late_in_a_unit", late_in_a_unit),
                ("revision", revision),
            ):
                figures[name] = await one_side(contenders, scale.calls, scale.warm_up)
            figures["inputs"] = inputs(contenders.workload, scale.calls)
        with steps.step(f"{loop}: {', '.join(map(str, scale.writers))} writers at once"):
            rate, p99 = await crowds(contenders, scale, scale.writers)
    for name, curve in (("crowd_rate", rate), ("crowd_p99", p99)):
        point = next(point for point in curve if point.x == scale.crowd)
        figures[name] = Figure(point.ours, point.floor)
    return rate, p99
