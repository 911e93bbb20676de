"""The routing of reads: to a replica that is fresh enough, otherwise to the primary."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from math import ceil
from time import monotonic
from typing import TypeVar
from uuid import UUID

import asyncpg

from livetranslate_store.database.engine import Database
from livetranslate_store.database.statement import BoundStatement, Statement
from livetranslate_store.errors import InvalidInputError, StoreError
from livetranslate_store.replicas.replica import Mark, Replica
from livetranslate_store.replicas.watch import Watch
from livetranslate_store.settings import StoreSettings
from livetranslate_store.values import ReplicaStatistics

T = TypeVar("T")

# Between two looks at the servers. For about as long the primary answers for a session just written.
LOOK_SECONDS = 0.5
# The statistics show a lag up to this much above the maximum.
REMEMBERED_SECONDS = 60.0

# A commit is acknowledged after its flush, unless synchronous_commit is off.
_LOG_END = Statement(
    "replicas.log_end",
    """
SELECT pg_wal_lsn_diff(
    CASE current_setting('synchronous_commit')
        WHEN 'off' THEN pg_current_wal_insert_lsn() ELSE pg_current_wal_flush_lsn()
    END, '0/0')::bigint
""",
)


class ReadRouter:
    """Chooses the server that answers a read, and watches the replicas.

    A mark is the end of the primary's log at a moment of this process. A replica that has replayed it shows
    everything that was committed before that moment. So its age needs no clock of a server, and no writes.
    """

    def __init__(self, database: Database, settings: StoreSettings) -> None:
        self._primary = database
        self._replicas = [Replica(url, settings, database.statements) for url in settings.replica_urls]
        self._watch = Watch(settings) if self._replicas else None
        self._max_lag = settings.max_replica_lag
        # The newest first.
        self._marks: deque[Mark] = deque(maxlen=ceil((self._max_lag + REMEMBERED_SECONDS) / LOOK_SECONDS))
        # The time of this store's last write into each session; forgotten after the maximum lag.
        self._written: dict[UUID, float] = {}
        self._task: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Look at the replicas once, and watch them from then on; they may be unreachable.

        Raises InvalidInputError if the tables are distributed: a position says nothing about other nodes.
        """
        if self._replicas:
            if await self.is_distributed():
                raise InvalidInputError(
                    "replica_urls is for replicas of a single server; these tables are distributed over "
                    "the nodes of a cluster: leave it empty."
                )
            await self._look()
            self._task = asyncio.create_task(self._keep_looking())

    async def is_distributed(self) -> bool:
        """Return whether the tables are distributed over a cluster; opens the first connection if need be."""
        await self._primary.look()
        return self._primary.is_distributed

    def refuse_reads(self) -> None:
        """Begin no new reads on replicas."""
        for each in self._replicas:
            each.database.refuse_reads()

    async def until_unused(self) -> None:
        """Wait until no read runs on a replica."""
        for each in self._replicas:
            await each.database.until_unused()

    def cut_off(self) -> None:
        """Abort the running reads on replicas."""
        for each in self._replicas:
            each.database.cut_off()

    async def close(self) -> None:
        """Stop watching, and close every connection to a replica."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        for each in (*self._replicas, self._watch):
            if each is not None:
                await each.close()

    def wrote(self, session_id: UUID) -> None:
        """Remember a write into a session, before its caller is answered."""
        if self._replicas:
            self._written[session_id] = monotonic()

    def choose(self, session_id: UUID | None, min_position: int | None) -> Replica | None:
        """Return the replica that shall answer, None for the primary.

        It shows everything that this store wrote into the session, or anywhere if `session_id` is None, and
        the write `min_position`.
        """
        if not self._replicas:
            return None
        since = self._primary.wrote_at
        if session_id is None:
            since = max([since, *self._written.values()])
        else:
            since = max(since, self._written.get(session_id, since))
        able = [each for each in self._replicas if each.shows(since, min_position)]
        return min(able, key=lambda each: each.load) if able else None

    async def fetch(
        self, bound: BoundStatement, *, session_id: UUID | None, min_position: int | None
    ) -> list[asyncpg.Record]:
        """Run one read as a transaction of its own, on the primary if the chosen replica fails."""
        return await self.run(
            lambda database: database.fetch(bound), session_id=session_id, min_position=min_position
        )

    async def run(
        self,
        work: Callable[[Database], Awaitable[T]],
        /,
        *,
        session_id: UUID | None = None,
        min_position: int | None = None,
    ) -> T:
        """Do `work` with the database of the chosen replica; if there is none or it fails, the primary's."""
        replica = self.choose(session_id, min_position)
        if replica is not None:
            try:
                result = await work(replica.database)
            except StoreError as error:
                if not replica.failed(error):
                    raise
            else:
                replica.reads += 1
                return result
        return await work(self._primary)

    def statistics(self) -> tuple[ReplicaStatistics, ...]:
        """Return the figures of each replica, in the order of the settings."""
        return tuple(each.statistics() for each in self._replicas)

    async def _keep_looking(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            await self._look()

    async def _look(self) -> None:
        assert self._watch is not None  # noqa: S101 (there are replicas)
        began = monotonic()
        log_end = await self._watch.ask(_LOG_END.bind())
        if log_end is not None:
            self._marks.appendleft(Mark(began, log_end[0]))
        await asyncio.gather(*(each.look(self._marks) for each in self._replicas))
        oldest = monotonic() - self._max_lag
        self._written = {key: time for key, time in self._written.items() if time >= oldest}
