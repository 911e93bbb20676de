"""Measure a bulk import beside COPY into the same three tables."""

from functools import partial
from typing import Any

import livetranslate_store
from benchmarks import floor
from benchmarks.contenders import Contenders
from benchmarks.measures.clock import medians
from benchmarks.report.results import Figure
from benchmarks.workload import ROWS_PER_SEGMENT


async def bulk_import(contenders: Contenders, segments: int) -> Figure:
    """Measure one import of each side, in rows a second."""
    package: Any = livetranslate_store
    store: Any = contenders.store
    if not hasattr(package, "SegmentInput"):
        return Figure(None)
    inputs = [package.SegmentInput(**each._asdict()) for each in contenders.workload.segments(segments)]
    rows = contenders.workload.rows(segments)
    ours = partial(store.import_segments, inputs)
    theirs = partial(floor.copy_segments, contenders.pool, rows)
    taken = await medians([ours], [theirs])
    return Figure(*(ROWS_PER_SEGMENT * segments / seconds for seconds in taken))
