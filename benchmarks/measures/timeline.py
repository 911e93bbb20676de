"""Measure a whole timeline beside its bare rows, and its last page beside its first."""

from functools import partial

from benchmarks.contenders import Contenders
from benchmarks.measures.clock import medians
from benchmarks.report.results import Figure
from benchmarks.scale import PAGE
from benchmarks.workload import SECONDS
from livetranslate_store import TimelinePage
from livetranslate_store.reading.timeline import TIMELINE, timeline_request

PAGES_PER_READING = 4


async def whole_timeline(contenders: Contenders, readings: int) -> Figure:
    """Measure the long meeting as TimelineEntry values against the driver's rows of the same statement."""
    bound = TIMELINE.bound(timeline_request(contenders.long_session, {}))
    ours = partial(contenders.store.timeline, contenders.long_session)
    theirs = partial(contenders.pool.fetch, bound.text, *bound.arguments)
    return Figure(*await medians([ours] * readings, [theirs] * readings, warm_up=1))


async def deep_page(contenders: Contenders, readings: int) -> Figure:
    """Measure the last page of the long meeting against its first one."""
    page = partial(contenders.store.timeline, contenders.long_session, limit=PAGE)
    last = partial(page, cursor=await _cursor_before_the_last_page(contenders))
    _check(await page())
    if (end := await last()).next_cursor is not None:
        raise RuntimeError("That was not the last page.")
    _check(end)
    turns = readings * PAGES_PER_READING
    return Figure(*await medians([last] * turns, [page] * turns, warm_up=1))


async def _cursor_before_the_last_page(contenders: Contenders) -> str | None:
    end = await contenders.pool.fetchval(
        "SELECT max(start_time) FROM livetranslate.transcripts WHERE session_id = $1", contenders.long_session
    )
    tail = partial(contenders.store.timeline, contenders.long_session, start=end - PAGE * SECONDS)
    return (await tail(limit=len(await tail()) - PAGE)).next_cursor


def _check(page: TimelinePage) -> None:
    if len(page) != PAGE:
        raise RuntimeError(f"A page has {len(page)} entries, not {PAGE}.")
