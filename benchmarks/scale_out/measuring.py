"""Measure the service times of a single server and of a cluster, and write `measured.json`.

    python -m benchmarks.scale_out.measuring SINGLE_URL CLUSTER_URL

Both databases are migrated, empty and of the same version; the tables of the second one are distributed. All
servers run on this machine, as processes that this one may look at: their processor time is read from /proc.
Each write is made alone and in full groups, each read in two sizes. The figures of a call are those of its
quietest block: other work on the machine makes a block slower, never faster.
"""

import argparse
import asyncio
import itertools
import os
import statistics
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from tempfile import TemporaryFile, gettempdir
from typing import NamedTuple
from uuid import UUID

import asyncpg
from msgspec.structs import replace
from sqlalchemy import URL, make_url

from benchmarks import floor
from benchmarks.contenders import Call, recording, without_objects
from benchmarks.measures.clock import crowd, settled
from benchmarks.report.machine import Machine
from benchmarks.scale import CONNECTIONS, SESSIONS
from benchmarks.scale_out.measured import Cost, Demand, Groups, Measured, Seen, write
from benchmarks.scale_out.processes import Used, Watch
from benchmarks.workload import ENTRIES_PER_SEGMENT, SPOKEN, Segment, Workload, text_of
from livetranslate_store import Store, TranslationInput
from livetranslate_store.ids import new_id
from livetranslate_store.writing.group_commit import GROUPS_UNDER_WAY, group_limit

WRITERS, WRITES_OF_A_WRITER, ROUNDS = 100, 30, 4
# `max_concurrent_writes` as performance.md advises for as many bots in one process.
GATE = WRITERS
BLOCKS, CALLS = 12, 15
# A burst of writes is as many groups: the gate and the queue are as busy as in a crowd.
BURST, BURSTS = 4, 2
WARM_UP = 40
PAGE = 100
# Meetings of so many segments: two sizes to measure a timeline's cost, and the one to foretell.
FEW, SOME, MANY = 250, 1_250, 5_000
# Segments of each live meeting before the first measured one.
SPOKEN_BEFORE = 20
LATE_LANGUAGE = "fr"
SEARCHED = "everyone"

_WORKERS = """
    SELECT nodename, nodeport FROM pg_dist_node
    WHERE noderole = 'primary' AND shouldhaveshards ORDER BY nodeid
"""
_SHARD_OF = "SELECT get_shard_id_for_distribution_column('livetranslate.sessions', $1::uuid)"
_SHARDS = "SELECT count(*) FROM pg_dist_shard WHERE logicalrelid = 'livetranslate.sessions'::regclass"


class Block(NamedTuple):
    """A block of calls: the median and the mean of their seconds, and what one call used."""

    seconds: float
    mean: float
    used: Used

    def shared(self, parts: int) -> "Block":
        """Return the block of a part, if a call was so many of them at once."""
        return self._replace(used=Used(*(each / parts for each in self.used)))


class Found(NamedTuple):
    """All figures of one side."""

    demands: dict[str, Demand]
    seconds: dict[str, float]
    #: Segments a second of all writers at once, and how many cores worked for them.
    rate: float
    busy: float


class Bench(NamedTuple):
    """A store, its meetings, and a watch over the processes of its servers."""

    store: Store
    watch: Watch
    #: The live meetings of each shard; all of them on a single server.
    live: Sequence[Sequence[UUID]]
    #: Meetings by the number of their segments.
    stored: dict[int, UUID]
    workload: Workload

    async def block(self, calls: Sequence[Call]) -> Block:
        """Make the calls one after the other, and return the quietest of the blocks."""
        best: Block | None = None
        each = max(1, len(calls) // BLOCKS)
        for first in range(0, len(calls), each):
            part = calls[first : first + each]
            found = await _block(self.watch, part)
            if best is None or found.mean < best.mean:
                best = found
        assert best is not None  # noqa: S101 (there are calls)
        return best


async def _block(watch: Watch, calls: Sequence[Call]) -> Block:
    before = await watch.used()
    with settled():
        client = time.process_time()
        times = [await _seconds(call) for call in calls]
        client = time.process_time() - client
    used = (await watch.used()).since(before, len(calls))
    return Block(statistics.median(times), statistics.mean(times), used._replace(client=client / len(calls)))


async def measure(url: URL, workers: Sequence[URL]) -> Found:
    """Measure one side."""
    async with opened(url, workers) as bench:
        limit = group_limit(GATE)
        demands, seconds = {}, {}
        for name, make in WRITES.items():
            await bench.block([partial(at_once, each) for each in await make(bench, 1, WARM_UP)])
            one = await bench.block([partial(at_once, each) for each in await make(bench, 1, BLOCKS * CALLS)])
            bursts = await make(bench, BURST * limit, BLOCKS * BURSTS)
            many = (await bench.block([partial(at_once, each) for each in bursts])).shared(BURST)
            seconds[name] = one.seconds
            if len(bench.live) >= BURST:
                # Several shards at once: a node that is awake takes less for a call than one that was idle.
                lone = iter(await make(bench, 1, BURST * BLOCKS * CALLS))
                apart = [[*a, *b, *c, *d] for a, b, c, d in zip(lone, lone, lone, lone, strict=True)]
                one = (await bench.block([partial(at_once, each) for each in apart])).shared(BURST)
            demands[name] = _demand(one, many, 1, limit, flushes=1)
        for name, (small, large, calls) in _reads(bench).items():
            await bench.block([small.call] * WARM_UP)
            one = await bench.block([small.call] * calls)
            many = one if large is small else await bench.block([large.call] * calls)
            demands[name] = _demand(
                one, many, small.items, large.items, everywhere=name == "search", streamed=name == "page"
            )
            seconds[name] = one.seconds
        whole = await bench.block([partial(bench.store.timeline, bench.stored[MANY])] * BLOCKS)
        seconds["timeline"] = whole.seconds
        crowds = [await _crowd(bench) for _ in range(ROUNDS)]
        rate, busy = max(crowds)
        return Found(demands, seconds, rate, busy)


async def _crowd(bench: Bench) -> tuple[float, float]:
    """Return the segments a second of all writers at once, and how many cores worked for them."""
    segments = bench.workload.segments(WRITERS * WRITES_OF_A_WRITER)
    calls = [recording(bench.store, each) for each in segments]
    with settled():
        before, client = await bench.watch.used(), time.process_time()
        rate = (await crowd(calls, WRITERS)).rate
        client = time.process_time() - client
        used = (await bench.watch.used()).since(before, len(calls))
    return rate, rate * (client / len(calls) + used.entry + used.shards)


class Read(NamedTuple):
    """A read, and its number of entries."""

    call: Call
    items: int


def _reads(bench: Bench) -> dict[str, tuple[Read, Read, int]]:
    """Return each read in two sizes, with the number of calls."""
    page = Read(partial(bench.store.timeline, bench.stored[MANY], limit=PAGE), PAGE)
    large_page = Read(partial(bench.store.timeline, bench.stored[MANY], limit=10 * PAGE), 10 * PAGE)
    small, large = (
        Read(partial(bench.store.timeline, bench.stored[many]), many * ENTRIES_PER_SEGMENT)
        for many in (FEW, SOME)
    )
    search = Read(partial(bench.store.search, SEARCHED), 1)
    return {
        "page": (page, large_page, BLOCKS * CALLS),
        "timeline": (small, large, BLOCKS * 4),
        "search": (search, search, BLOCKS * 8),
    }


async def _new_segments(bench: Bench, together: int, calls: int) -> list[list[Call]]:
    return [[recording(bench.store, each) for each in group] for group in _groups(bench, together, calls)]


async def _revisions(bench: Bench, together: int, calls: int) -> list[list[Call]]:
    """Return revisions of segments that are stored now, translations included."""
    return await _revised(bench, together, calls)


async def _interims(bench: Bench, together: int, calls: int) -> list[list[Call]]:
    """Return revisions of the text alone, as they come while somebody speaks."""
    return await _revised(bench, together, calls, translations=False)


async def _finals(bench: Bench, together: int, calls: int) -> list[list[Call]]:
    """Return the last revisions, which come into the index of words."""
    return await _revised(bench, together, calls, translations=False, is_final=True)


async def _revised(
    bench: Bench, together: int, calls: int, *, translations: bool = True, is_final: bool = False
) -> list[list[Call]]:
    groups = []
    for group in _groups(bench, together, calls):
        stored = [
            each._replace(
                transcript=replace(each.transcript, is_final=False),
                translations=each.translations if translations else [],
            )
            for each in group
        ]
        await at_once([_without_audio(bench.store, each) for each in stored])
        groups.append(
            [_without_audio(bench.store, _revise(each, at, is_final)) for at, each in enumerate(stored, 1)]
        )
    return groups


async def _late_translations(bench: Bench, together: int, calls: int) -> list[list[Call]]:
    groups: list[list[Call]] = []
    for group in _groups(bench, together, calls):
        made: list[Call] = []
        for number, each in enumerate(group):
            receipt = await bench.store.record_segment(each.session_id, transcript=each.transcript)
            late = TranslationInput(text=text_of(LATE_LANGUAGE, number), target_language=LATE_LANGUAGE)
            made.append(partial(bench.store.add_translation, each.session_id, receipt.transcript_id, late))
        groups.append(made)
    return groups


WRITES: dict[str, Callable[[Bench, int, int], Awaitable[list[list[Call]]]]] = {
    "new_segment": _new_segments,
    "revision": _revisions,
    "interim": _interims,
    "final": _finals,
    "late_translation": _late_translations,
}


def _groups(bench: Bench, together: int, calls: int) -> list[list[Segment]]:
    """Return new segments in groups, which a store writes together; each group belongs to one shard."""
    segments = iter(bench.workload.segments(together * calls))
    groups = []
    for number in range(calls):
        meetings = bench.live[number % len(bench.live)]
        # A lone write goes to another meeting of the shard each time.
        first = number // len(bench.live)
        groups.append(
            [
                each._replace(session_id=meetings[(first + place) % len(meetings)])
                for place, each in enumerate(itertools.islice(segments, together))
            ]
        )
    return groups


def _revise(segment: Segment, number: int, is_final: bool) -> Segment:
    return segment._replace(
        transcript=replace(segment.transcript, text=text_of(SPOKEN, number), is_final=is_final),
        translations=[
            replace(each, text=text_of(each.target_language, number)) for each in segment.translations
        ],
    )


def _without_audio(store: Store, segment: Segment) -> Call:
    return partial(
        store.record_segment,
        segment.session_id,
        transcript=segment.transcript,
        translations=segment.translations,
    )


async def at_once(calls: Sequence[Call]) -> None:
    """Make the calls at once."""
    if len(calls) == 1:
        await calls[0]()
    else:
        await asyncio.gather(*(call() for call in calls))


def _demand(
    small: Block,
    large: Block,
    few: int,
    many: int,
    *,
    flushes: int = 0,
    everywhere: bool = False,
    streamed: bool = False,
) -> Demand:
    """Return the demand of a call by what it used in two sizes."""

    def cost(a: float, b: float) -> Cost:
        item = max(0.0, (b - a) / (many - few)) if many > few else 0.0
        return Cost(max(0.0, a - item * few), item)

    used = [cost(a, b) for a, b in zip(small.used, large.used, strict=True)]
    by_name = dict(zip(Used._fields, used, strict=True))
    return Demand(
        client=by_name["client"],
        entry=by_name["entry"],
        shards=by_name["shards"],
        round_trips=round(small.used.client_messages),
        hops=round(small.used.shard_messages),
        flushes=flushes,
        everywhere=everywhere,
        streamed=streamed,
        client_bytes=by_name["client_bytes"],
        shard_bytes=by_name["shard_bytes"],
    )


@asynccontextmanager
async def opened(url: URL, workers: Sequence[URL]) -> AsyncIterator[Bench]:
    """Open a store over new meetings, three of them with segments."""
    live = [new_id() for _ in range(SESSIONS)]
    stored = {many: new_id() for many in (FEW, SOME, MANY)}
    dsn = url.set(drivername="postgresql").render_as_string(hide_password=False)
    pool = await floor.open_pool(dsn, 1)
    try:
        await pool.executemany(
            "INSERT INTO livetranslate.sessions (id, bot_id, meeting_id) VALUES ($1, 'bench', 'scale')",
            [(each,) for each in (*live, *stored.values())],
        )
        for many, meeting in stored.items():
            await floor.copy_segments(pool, Workload([meeting]).rows(many))
        # Every shard gets rows before the planner looks: a table that it finds empty is read as a whole for
        # as long as a connection lives.
        workload = Workload(live, first=MANY)
        await floor.copy_segments(pool, workload.rows(SESSIONS * SPOKEN_BEFORE))
        await pool.execute("ANALYZE")
        shards: dict[int, list[UUID]] = {}
        for each in live:
            shard = await pool.fetchval(_SHARD_OF, each) if workers else 0
            shards.setdefault(shard, []).append(each)
    finally:
        await pool.close()
    watch = await Watch.over(url, workers)
    try:
        await watch.check_durability()
        async with Store.open(
            url.render_as_string(hide_password=False),
            audio_url=f"file:{gettempdir()}",
            min_connections=CONNECTIONS,
            max_connections=CONNECTIONS,
            max_concurrent_writes=GATE,
        ) as store:
            without_objects(store)
            yield Bench(store, watch, list(shards.values()), stored, workload)
    finally:
        await watch.close()


async def workers_of(url: URL) -> tuple[list[URL], int]:
    """Return the workers of a cluster, and the number of shards."""
    connection = await asyncpg.connect(url.set(drivername="postgresql").render_as_string(hide_password=False))
    try:
        nodes = await connection.fetch(_WORKERS)
        shards = await connection.fetchval(_SHARDS)
    finally:
        await connection.close()
    return [url.set(host=node["nodename"], port=node["nodeport"]) for node in nodes], shards


async def _hop(url: URL) -> float:
    """Return the seconds of a round trip that neither end works; negative if both work at once."""
    watch = await Watch.over(url, [])
    connection = await asyncpg.connect(url.set(drivername="postgresql").render_as_string(hide_password=False))
    try:
        found = []
        for _ in range(BLOCKS):
            block = await _block(watch, [partial(connection.fetchval, "SELECT 1")] * 200)
            found.append((block.mean, block.mean - block.used.client - block.used.entry))
        return min(found)[1]
    finally:
        await connection.close()
        await watch.close()


def _flush() -> float:
    """Return the seconds of a flush of 8 KiB at the end of a file in the temporary folder."""
    medians = []
    with TemporaryFile() as file:
        for _ in range(BLOCKS):
            times = []
            for _ in range(25):
                file.write(b"x" * 8192)
                file.flush()
                began = time.perf_counter()
                os.fdatasync(file.fileno())
                times.append(time.perf_counter() - began)
            medians.append(statistics.median(times))
    return min(medians)


async def _seconds(call: Call) -> float:
    began = time.perf_counter()
    await call()
    return time.perf_counter() - began


async def measure_both(single: URL, cluster: URL) -> Measured:
    """Measure both sides."""
    load, cores = os.getloadavg()[0], os.cpu_count() or 1
    workers, shards = await workers_of(cluster)
    one, many = await measure(single, []), await measure(cluster, workers)
    rows = {
        "new_segment": "one new segment, p50",
        "revision": "a revision that brings three translations again, p50",
        "timeline": f"timeline of {MANY:,} segments",
        "page": f"its page of {PAGE}",
        "search": "search over all sessions, a page",
    }
    groups = f"groups at {WRITERS} writers over {SESSIONS} sessions, segments/s"
    connection = await asyncpg.connect(
        single.set(drivername="postgresql").render_as_string(hide_password=False)
    )
    try:
        version = await connection.fetchval("SHOW server_version")
    finally:
        await connection.close()
    return Measured(
        machine=f"{Machine.this(version)}; load {load:.0f}",
        cores=cores,
        workers=len(workers),
        shards=shards,
        hop=await _hop(single),
        flush=_flush(),
        idle=max(0.0, 1.0 - one.busy / cores),
        groups=Groups(
            writers=WRITERS,
            sessions=SESSIONS,
            gate=GATE,
            connections=CONNECTIONS,
            largest=group_limit(GATE),
            under_way=GROUPS_UNDER_WAY,
            under_way_on_a_cluster=GROUPS_UNDER_WAY * len(workers),
        ),
        page_entries=PAGE,
        timeline_entries=MANY * ENTRIES_PER_SEGMENT,
        single=one.demands,
        cluster=many.demands,
        seen={"groups": Seen(groups, one.rate, many.rate, is_rate=True)}
        | {name: Seen(title, one.seconds[name], many.seconds[name]) for name, title in rows.items()},
    )


def main() -> int:
    """Measure both sides, and keep the figures."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scale_out.measuring", description=__doc__)
    parser.add_argument("single", type=make_url, help="a single server")
    parser.add_argument("cluster", type=make_url, help="a cluster's coordinator")
    options = parser.parse_args()
    write(asyncio.run(measure_both(options.single, options.cluster)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
