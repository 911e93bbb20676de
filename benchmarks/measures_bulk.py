"""A bulk import, beside COPY into the same three tables."""

from functools import partial
from typing import Any

import livetranslate_store
from benchmarks import floor
from benchmarks.clock import medians
from benchmarks.results import Figure
from benchmarks.sides import Sides
from benchmarks.workload import ROWS_PER_SEGMENT


async def bulk_import(sides: Sides, segments: int) -> Figure:
    """Measure one import of each side, in rows a second."""
    package: Any = livetranslate_store
    store: Any = sides.store
    if not hasattr(package, "SegmentInput"):
        return Figure(None)
    inputs = [package.SegmentInput(**each._asdict()) for each in sides.workload.segments(segments)]
    rows = sides.workload.rows(segments)
    ours = partial(store.import_segments, inputs)
    theirs = partial(floor.copy_segments, sides.pool, rows)
    taken = await medians([ours], [theirs])
    return Figure(*(ROWS_PER_SEGMENT * segments / seconds for seconds in taken))
