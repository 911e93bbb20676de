"""One transaction: one database session, one task, one visible end."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from enum import Enum, auto
from time import monotonic
from typing import Any, TypeAlias, TypeVar

import asyncpg
from sqlalchemy import Executable, Result
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.pool import PoolProxiedConnection

from livetranslate_store.database.engine import Database, Driver
from livetranslate_store.database.failures import DATABASE_ERRORS, is_broken, translate, unavailable
from livetranslate_store.database.statement import BoundStatement
from livetranslate_store.errors import OutcomeUnknownError, StoreError, UsageError
from livetranslate_store.replicas.replica import Replica

logger = logging.getLogger(__name__)


class Ending(Enum):
    """How a transaction ended."""

    COMMITTED = auto()
    ROLLED_BACK = auto()
    UNKNOWN = auto()


T = TypeVar("T")

_BEGIN = "BEGIN"
# One snapshot for all reads of the block, and a server that refuses writes.
_BEGIN_READING = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"

WhenDone: TypeAlias = Callable[[Ending], Awaitable[None]]
ChooseReplica: TypeAlias = Callable[[], Replica | None]


async def _do_nothing(_driver: Driver) -> None:
    return


class Transaction:
    """A database session that belongs to the task that made it; the connection is taken at first use.

    It writes unless it has `choose_replica`, which is asked with the first statement for who answers; None
    is the primary. Every error of the driver comes out as one of the store's.
    """

    def __init__(self, database: Database, choose_replica: ChooseReplica | None = None) -> None:
        self._database = database
        self._choose_replica = choose_replica
        self.read_only = choose_replica is not None
        self._owner = asyncio.current_task()
        self._lease: PoolProxiedConnection | None = None
        # Made for the first statement of SQLAlchemy's; writes speak to the driver.
        self._session: AsyncSession | None = None
        self._when_done: list[WhenDone] = []
        self._ended = False
        self._failure: StoreError | None = None

    def check_usable(self, *, writing: bool = False) -> None:
        """Raise UsageError unless the owning task calls, before the end, and may do what it wants."""
        if self._ended:
            raise UsageError("This unit of work has ended: open a new one.")
        if asyncio.current_task() is not self._owner:
            raise UsageError(
                "This unit of work belongs to the task that opened it: give each task a unit of its own, "
                "and use asyncio.timeout instead of asyncio.wait_for, which makes another task."
            )
        if self._failure is not None:
            # PostgreSQL ignores everything now, and would answer a COMMIT with a silent rollback.
            raise UsageError(
                "An earlier statement of this unit of work failed: leave the block, it rolls back."
            ) from self._failure
        if writing and self.read_only:
            raise UsageError("store.read() cannot write: use store.unit_of_work().")

    def when_done(self, callback: WhenDone) -> None:
        """Have `callback` called with how it ended, before the unit of work is left."""
        self._when_done.append(callback)

    async def begin(self) -> None:
        """Take the connection now, rather than with the first statement."""
        if self._lease is None:
            await self._run(_do_nothing)

    async def execute(self, statement: Executable) -> Result[Any]:
        """Run a statement of SQLAlchemy's, flushing first what waits in the session."""

        async def run(_driver: Driver) -> Result[Any]:
            if self._session is None:
                assert self._lease is not None  # noqa: S101 (it has just been opened)
                self._session = self._database.session_on(self._lease)
            return await self._session.execute(statement, execution_options={"populate_existing": True})

        return await self._run(run)

    async def fetch(self, bound: BoundStatement) -> Sequence[asyncpg.Record]:
        """Run one write and return the driver's rows."""
        return await self.write_with(lambda driver: driver.fetch(bound.text, *bound.arguments))

    async def write_with(self, work: Callable[[Driver], Awaitable[T]]) -> T:
        """Run writes on the driver's own connection.

        As the first of the transaction it is run again, once, when the connection breaks meanwhile.
        """
        self.check_usable(writing=True)
        return await self._run(work)

    async def _run(self, work: Callable[[Driver], Awaitable[T]]) -> T:
        self.check_usable()
        choose, self._choose_replica = self._choose_replica, None
        replica = None if choose is None else choose()
        if replica is None:
            return await self._run_here(work)
        primary, self._database = self._database, replica.database
        try:
            result = await self._run_here(work)
        except StoreError as error:
            if not replica.failed(error):
                raise
            # Nothing was read there yet: the primary's snapshot does as well.
            await self._give_back()
            self._database, self._failure = primary, None
            return await self._run_here(work)
        replica.reads += 1
        return result

    async def _run_here(self, work: Callable[[Driver], Awaitable[T]]) -> T:
        # A transaction that has done nothing yet can begin again when its connection turns out to be dead.
        repeats = 1 if self._lease is None else 0
        while True:
            try:
                result = await work(self._database.driver_of(self._lease or await self._open()))
            except DATABASE_ERRORS as error:
                self._database.record_failure(error, writes=not self.read_only)
                failure = translate(error)
                broken = is_broken(error)
                if broken and self._lease is not None and self._lease.is_valid:
                    self._lease.invalidate()
                if not repeats or not broken:
                    self._failure = failure
                    raise failure from failure.__cause__
                repeats -= 1
                await self._give_back()
            else:
                self._database.breaker(writes=not self.read_only).answered()
                return result

    async def end(self, *, commit: bool) -> None:
        """Commit or roll back, give the connection back and tell everyone who asked.

        The caller runs this in a task of its own, so that nothing cancels it midway. Raises UsageError when
        a statement had failed, OutcomeUnknownError when the connection broke during the commit.
        """
        self._ended = True
        ending = Ending.ROLLED_BACK
        try:
            if commit:
                await self._commit()
                ending = Ending.COMMITTED
        except OutcomeUnknownError:
            ending = Ending.UNKNOWN
            raise
        finally:
            if not self.read_only and ending is not Ending.ROLLED_BACK:
                self._database.wrote_at = monotonic()
            await self._give_back()
            await self._tell(ending)

    async def _commit(self) -> None:
        if self._failure is not None:
            raise UsageError(
                "Nothing was committed: a statement failed and its error was caught inside the block."
            ) from self._failure
        if self._lease is None:
            return
        try:
            if self._session is not None:
                await self._session.flush()
            driver = self._database.driver_of(self._lease)
            # Without a transaction the server would say yes to anything, and to an aborted one ROLLBACK.
            if not _is_in_transaction(driver) or await driver.execute("COMMIT") != "COMMIT":
                raise unavailable("The transaction was lost before its commit; nothing was stored.")
        except DATABASE_ERRORS as error:
            self._database.record_failure(error, writes=not self.read_only)
            failure = translate(error, committing=True)
            raise failure from failure.__cause__

    async def _open(self) -> PoolProxiedConnection:
        lease = await self._database.lease(writes=not self.read_only)
        try:
            await self._database.driver_of(lease).execute(_BEGIN_READING if self.read_only else _BEGIN)
        except BaseException:
            # It may have begun all the same: the next user's write would never be committed.
            lease.invalidate()
            raise
        self._lease = lease
        return lease

    async def _give_back(self) -> None:
        session, lease = self._session, self._lease
        self._session = self._lease = None
        if lease is None:
            return
        try:
            if session is not None:
                await session.close()
            if lease.is_valid and _is_in_transaction(driver := self._database.driver_of(lease)):
                await driver.execute("ROLLBACK")
        except DATABASE_ERRORS as error:
            # It broke: the server has rolled back, and the pool opens another.
            logger.debug(
                "a connection broke while it was given back: %s",
                translate(error),
                extra={"event": "connection_broken"},
            )
            lease.invalidate()
        finally:
            if lease.is_valid:
                lease.close()

    async def _tell(self, ending: Ending) -> None:
        for callback in self._when_done:
            try:
                await callback(ending)
            except StoreError:
                # The transaction is over; what is left behind is found by the sweep of the storage.
                logger.warning(
                    "cleaning up after a unit of work failed",
                    exc_info=True,
                    extra={"event": "cleanup_failed"},
                )


def _is_in_transaction(driver: Driver) -> bool:
    # One that was broken off does not know any more.
    return not driver.is_closed() and driver.is_in_transaction()
