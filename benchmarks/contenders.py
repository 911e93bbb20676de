"""Both sides on one database: the store, and the floor's pool beside it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, NamedTuple, TypeAlias
from uuid import UUID

from sqlalchemy import text

from benchmarks import floor
from benchmarks.databases import Databases
from benchmarks.workload import LIVE, LONG, Segment, Workload
from livetranslate_store import Store
from livetranslate_store.audio.owner import Fetch
from livetranslate_store.audio.storage import StagedAudio

# What a store lets run at a time if nobody says otherwise.
DEFAULT_WRITES = 50

#: Settings without which a commit would not be on the disk.
DURABLE = ("fsync", "synchronous_commit", "full_page_writes")

#: One measured call, with all its arguments.
Call: TypeAlias = Callable[[], Awaitable[object]]


class Contenders(NamedTuple):
    """The store, the floor's pool, and the segments that both write."""

    store: Store
    pool: floor.Pool
    workload: Workload
    live_sessions: list[UUID]
    long_session: UUID

    def record(self, calls: int) -> list[Call]:
        """Return calls of the store that each write a new segment."""
        return [recording(self.store, segment) for segment in self.workload.segments(calls)]

    def write_by_hand(self, calls: int) -> list[Call]:
        """Return calls of the floor that each write a new segment."""
        return [partial(floor.write_segment, self.pool, rows) for rows in self.workload.rows(calls)]


def recording(store: Store, segment: Segment) -> Call:
    """Return the call that writes a segment through the store."""
    session_id, transcript, translations, audio = segment
    return partial(
        store.record_segment, session_id, transcript=transcript, translations=translations, audio=audio
    )


@asynccontextmanager
async def opened(
    databases: Databases, segments: int, connections: int, writes: int = DEFAULT_WRITES
) -> AsyncIterator[Contenders]:
    """Open both sides, with as many connections each, on a copy of the database with so many segments."""
    async with (
        databases.copy(segments) as name,
        Store.open(
            databases.url(name),
            audio_url=databases.audio_url,
            min_connections=connections,
            max_connections=connections,
            max_concurrent_writes=writes,
        ) as store,
    ):
        without_objects(store)
        pool = await floor.open_pool(databases.dsn(name), connections)
        try:
            await _check_durability(store, pool)
            live, long = await _sessions(pool, LIVE), await _sessions(pool, LONG)
            yield Contenders(store, pool, Workload(live, first=segments), live, long[0])
        finally:
            await pool.close()


def without_objects(store: Store) -> None:
    """Leave objects out of the timing; the floor writes none either."""
    store._storage.put = _no_object  # type: ignore[method-assign, assignment]
    # The filled rows name recordings that no storage holds, so that none may be claimed.
    store._storage.claim = _no_claim  # type: ignore[method-assign, assignment]


async def _no_object(_staged: StagedAudio) -> None:
    """Store nothing."""


async def _no_claim(_fetch: Fetch) -> None:
    """Leave the storage without a mark."""


async def _check_durability(store: Store, pool: floor.Pool) -> None:
    """Refuse to measure if a commit would not be on the disk, on either side."""
    async with store._database.engine.connect() as connection:
        for setting in DURABLE:
            for value in (
                await connection.scalar(text(f"SHOW {setting}")),
                await pool.fetchval(f"SHOW {setting}"),
            ):
                if value != "on":
                    raise RuntimeError(f"{setting} is {value!r}, not 'on': commits would not be durable.")


async def _sessions(pool: floor.Pool, meeting: str) -> list[UUID]:
    rows: list[Any] = await pool.fetch(
        "SELECT id FROM livetranslate.sessions WHERE meeting_id = $1 ORDER BY id", meeting
    )
    return [row["id"] for row in rows]
