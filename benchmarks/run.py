"""Measures the store against a floor written by hand, interleaved in one run, and prints one table.

The server is an embedded one with its durability on. What counts is the ratio: machines differ, and this one
may be busy. Objects are not part of the timing.
"""

import asyncio
import platform
import statistics
import sys
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any, NamedTuple
from uuid import UUID

import floor
from msgspec.structs import replace
from rich.console import Console
from rich.progress import track
from rich.table import Table
from workload import Workload

from livetranslate_store import Store, TimelineEntry, TranslationInput
from livetranslate_store.audio.storage import StagedAudio
from livetranslate_store.reading.timeline_query import checked_query

SESSIONS = 64
WARM_UP = 3_000
CALLS = 400
WRITERS = 100
CALLS_PER_WRITER = 30
ROUNDS = 5
POOL = 20
ENTRIES = 20_000
PAGE = 200


class Result(NamedTuple):
    """One row of the table; `ratio` is ours over the floor's in the measure's own unit."""

    measure: str
    ours: str
    floor: str
    ratio: float
    target: str


class Bench:
    """The store, the floor's pool, and a workload for both."""

    def __init__(self, store: Store, pool: Any, workload: Workload) -> None:
        self.store = store
        self.pool = pool
        self.workload = workload

    async def write(self) -> None:
        """Write a segment in one step."""
        session_id, (transcript, translations, audio) = self.workload.ours()
        await self.store.record_segment(
            session_id, transcript=transcript, translations=translations, audio=audio
        )

    async def write_in_a_unit(self) -> None:
        """Write a segment through the repositories."""
        session_id, (transcript, translations, audio) = self.workload.ours()
        async with self.store.unit_of_work() as uow:
            recorded = await uow.audio_files.add(session_id, audio)
            spoken = replace(transcript, audio_file_id=recorded.audio_file_id)
            receipt = await uow.transcripts.add(session_id, spoken)
            for each in translations:
                await uow.translations.add(session_id, receipt.transcript_id, each)

    async def write_floor(self) -> None:
        """Write a segment by hand."""
        await floor.write_segment(self.pool, self.workload.floor())


async def seconds(work: Callable[[], Awaitable[None]]) -> float:
    """Return how long a call takes."""
    began = time.perf_counter()
    await work()
    return time.perf_counter() - began


async def interleaved(
    ours: Callable[[], Awaitable[None]], theirs: Callable[[], Awaitable[None]], what: str
) -> tuple[float, float]:
    """Return both medians, in seconds, of calls that alternate."""
    mine: list[float] = []
    other: list[float] = []
    for _ in track(range(CALLS), description=what):
        mine.append(await seconds(ours))
        other.append(await seconds(theirs))
    return statistics.median(mine), statistics.median(other)


async def one_writer(bench: Bench) -> Result:
    """Measure `record_segment` of one writer."""
    ours, theirs = await interleaved(bench.write, bench.write_floor, "one writer")
    return Result("record_segment, one writer", _ms(ours), _ms(theirs), ours / theirs, "≤ 0.80")


async def unit_of_work(bench: Bench) -> Result:
    """Measure the same segment through the repositories."""
    ours, theirs = await interleaved(bench.write_in_a_unit, bench.write_floor, "unit of work")
    return Result("unit of work, one writer", _ms(ours), _ms(theirs), ours / theirs, "≤ 2.0")


async def late_translation(bench: Bench) -> Result:
    """Measure a translation that arrives later, its transcript in the cache."""
    segment = bench.workload.floor()
    await floor.write_segment(bench.pool, segment)
    session_id, transcript_id = segment.transcript[:2]
    tags = iter([f"en-x-n{number}" for number in range(2 * CALLS + 10)])
    translated = TranslationInput(text="Buenos días.", target_language="es")

    async def ours() -> None:
        async with bench.store.unit_of_work() as uow:
            each = replace(translated, target_language=next(tags))
            await uow.translations.add(session_id, transcript_id, each)

    async def theirs() -> None:
        row = (session_id, UUID(int=hash(next(tags)) % 2**128), transcript_id, "Buenos días.", "en", "es")
        await floor.write_translation(bench.pool, (*row, 0.8, "translator", 0))

    mine, other = await interleaved(ours, theirs, "late translation")
    return Result("late translation", _ms(mine), _ms(other), mine / other, "≤ 1.5")


async def many_writers(bench: Bench) -> list[Result]:
    """Measure a hundred writers at once: segments a second, and the slowest call of a hundred."""
    rates: list[tuple[float, float]] = []
    slowest: list[tuple[float, float]] = []
    for _ in track(range(ROUNDS), description=f"{WRITERS} writers"):
        mine, other = await _crowd(bench.write), await _crowd(bench.write_floor)
        rates.append((mine[0], other[0]))
        slowest.append((mine[1], other[1]))
    ours, theirs = (statistics.median(side) for side in zip(*rates, strict=True))
    p99, p99_floor = (statistics.median(side) for side in zip(*slowest, strict=True))
    return [
        Result(f"{WRITERS} writers, segments/s", f"{ours:,.0f}", f"{theirs:,.0f}", ours / theirs, "≥ 3"),
        Result(f"{WRITERS} writers, p99", _ms(p99), _ms(p99_floor), p99 / p99_floor, "≤ 0.30"),
    ]


async def _crowd(work: Callable[[], Awaitable[None]]) -> tuple[float, float]:
    times: list[float] = []

    async def writer() -> None:
        times.extend([await seconds(work) for _ in range(CALLS_PER_WRITER)])

    began = time.perf_counter()
    await asyncio.gather(*(writer() for _ in range(WRITERS)))
    elapsed = time.perf_counter() - began
    return len(times) / elapsed, statistics.quantiles(times, n=100)[98]


async def timeline(bench: Bench) -> list[Result]:
    """Measure the whole timeline as values against its bare rows, and the last page against the first."""
    async with bench.store.unit_of_work() as uow:
        session = await uow.sessions.create(bot_id="bench", meeting_id="long")
    other = Workload([session.id])
    for _ in track(range(ENTRIES // (4 * 50)), description="a long meeting"):
        segments = [other.ours() for _ in range(50)]
        await asyncio.gather(
            *(
                bench.store.record_segment(session.id, transcript=t, translations=x)
                for _, (t, x, _) in segments
            )
        )
    await bench.pool.execute("ANALYZE")
    text, arguments = _whole(session.id).statement()

    async def ours() -> None:
        assert isinstance((await bench.store.timeline(session.id))[-1], TimelineEntry)  # noqa: S101

    async def theirs() -> None:
        await bench.pool.fetch(text, *arguments)

    whole = [(await seconds(ours), await seconds(theirs)) for _ in range(9)]
    mine, rows = (statistics.median(side) for side in zip(*whole, strict=True))
    last = (await bench.store.timeline(session.id, limit=ENTRIES - PAGE)).next_cursor
    pages = []
    for _ in range(50):
        first = await seconds(lambda: _page(bench.store, session.id, None))
        pages.append((await seconds(lambda: _page(bench.store, session.id, last)), first))
    at_end, at_start = (statistics.median(side) for side in zip(*pages, strict=True))
    return [
        Result(f"timeline of {ENTRIES:,} entries", _ms(mine), _ms(rows), mine / rows, "≤ 1.5"),
        Result(f"last page of {PAGE} / first", _ms(at_end), _ms(at_start), at_end / at_start, "≤ 1.3"),
    ]


async def _page(store: Store, session_id: UUID, after: str | None) -> None:
    assert len(await store.timeline(session_id, limit=PAGE, after=after)) == PAGE  # noqa: S101


def _whole(session_id: UUID) -> Any:
    everything: dict[str, Any] = dict.fromkeys(
        ("start", "end", "languages", "speakers", "kinds", "limit", "after")
    )
    return checked_query(session_id, **everything, finals_only=False, untimed=True)


def _ms(value: float) -> str:
    return f"{value * 1000:.2f} ms"


async def measure() -> list[Result]:
    """Run all measures."""
    async with Store.open("embedded:", max_connections=POOL) as store:
        host = store._database.engine.url.query["host"]
        pool = await floor.connect_pool(f"postgresql://postgres@/livetranslate?host={host}", POOL)
        async with store.unit_of_work() as uow:
            sessions = [
                (await uow.sessions.create(bot_id="bench", meeting_id=f"{number}")).id
                for number in range(SESSIONS)
            ]
        bench = Bench(store, pool, Workload(sessions))
        store._storage.put = _no_object  # type: ignore[method-assign]  # the floor writes none either
        for _ in track(range(WARM_UP // 100), description="warm-up"):
            await asyncio.gather(
                *(bench.write() for _ in range(50)), *(bench.write_floor() for _ in range(50))
            )
        # What the first minute of a new database lacks, on both sides: statistics for the planner.
        await pool.execute("ANALYZE")
        results = [await one_writer(bench), await unit_of_work(bench), await late_translation(bench)]
        results += await many_writers(bench)
        results += await timeline(bench)
        await pool.close()
    return results


async def _no_object(_staged: StagedAudio) -> None:
    return


def main() -> int:
    """Measure and print the results."""
    results = asyncio.run(measure())
    table = Table(title=f"{platform.python_version()} on {platform.machine()}, {datetime.now(UTC):%Y-%m-%d}")
    for name in ("measure", "ours", "floor", "ratio", "target"):
        table.add_column(name, justify="left" if name == "measure" else "right")
    for result in results:
        table.add_row(*result[:3], f"{result.ratio:.2f}", result.target)
    Console().print(table)
    return 0


if __name__ == "__main__":
    sys.exit(main())
