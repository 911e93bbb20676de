"""One transaction: one connection, one task, one visible end."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from enum import Enum, auto
from functools import partial
from math import inf
from time import monotonic
from typing import Any, Protocol, Self, TypeAlias, TypeVar
from uuid import UUID

import asyncpg
from sqlalchemy import Connection, Delete, Executable, Insert, Result, select
from sqlalchemy.ext.asyncio import AsyncScalarResult, AsyncSession
from sqlalchemy.orm import Session
from sqlalchemy.pool import PoolProxiedConnection
from sqlalchemy.sql.dml import ReturningDelete

from livetranslate_store.database.engine import SETTLE_SECONDS, Database, Driver
from livetranslate_store.database.failures import (
    DATABASE_ERRORS,
    NO_SESSION,
    is_broken,
    is_division_by_zero,
    is_of_node,
    is_read_only,
    is_unsent,
    translate,
    wrap,
)
from livetranslate_store.database.session import BY_THE_RULES, UnitSession
from livetranslate_store.database.statement import BoundStatement
from livetranslate_store.database.tenant import Tenant
from livetranslate_store.errors import (
    ConflictError,
    InvalidInputError,
    MissingReferenceError,
    OutcomeUnknownError,
    QueryTimeoutError,
    StoreError,
    StoreUnavailableError,
    UsageError,
)
from livetranslate_store.models import SCHEMA
from livetranslate_store.models import Session as SessionRow

logger = logging.getLogger(__name__)


class Ending(Enum):
    """How a transaction ended."""

    COMMITTED = auto()
    ROLLED_BACK = auto()
    UNKNOWN = auto()


class _CancelledError(StoreError):
    """A statement was cancelled."""


T = TypeVar("T")

# How long the objects of a transaction that has not committed are removed, while the storage is slow.
CLEAN_UP_SECONDS = 30.0

_CANNOT_WRITE = "store.read() cannot write: use store.unit_of_work()."

WhenDone: TypeAlias = Callable[[Ending], Awaitable[None]]


class Route(Protocol):
    """Chooses the database of a read."""

    async def __call__(self, work: Callable[[Database], Awaitable[T]], /) -> T:
        """Return what `work` returns for the chosen database, or for the next one if that fails."""


class Transaction:
    """A transaction of the task that made it; the first statement takes the connection and begins.

    It takes over a `lease` that was taken before. With a `route` it is read-only, and the route chooses its
    database. With a `tenant`, statements with the store's models see that tenant's rows only. All errors of
    the database come out as the store's.
    """

    def __init__(
        self,
        database: Database,
        route: Route | None = None,
        *,
        lease: PoolProxiedConnection | None = None,
        tenant: Tenant | None = None,
    ) -> None:
        self._database = database
        self.tenant = tenant
        # Sessions of the tenant, maybe not committed yet.
        self._own: set[UUID] = set()
        self._route = route or _straight(database)
        self.read_only = route is not None
        self._owner = asyncio.current_task()
        self._lease: PoolProxiedConnection | None = None
        # A connection in no transaction yet.
        self._free_lease = lease
        self._leases_taken = 0
        self._session: AsyncSession | None = None
        #: The session's connection, on the same lease.
        self.connection: Connection | None = None
        self._when_done: list[WhenDone] = []
        self._is_in_hurry = False
        # The callbacks under way.
        self._clean_up: asyncio.Timeout | None = None
        self._failure: StoreError | None = None
        self._has_ended = False
        # The longest time between the beginnings of two statements, in seconds.
        self._longest_pause = 0.0
        self._began_at = self._used_at = inf

    def check_usable(self, *, writing: bool = False) -> None:
        """Raise UsageError unless the owning task calls, before the end, and may write if it wants to."""
        self.check_open()
        if self._failure is not None:
            # PostgreSQL ignores everything now, and would answer a COMMIT with a silent rollback.
            raise UsageError(
                f"An earlier statement of this unit of work {self._how_it_failed}: "
                "leave the block, it rolls back."
            ) from self._failure
        if writing and self.read_only:
            raise UsageError(_CANNOT_WRITE)
        self._note_pause()

    def _note_pause(self) -> None:
        now = monotonic()
        self._longest_pause = max(self._longest_pause, now - self._used_at)
        self._used_at = now

    def check_open(self) -> None:
        """Raise UsageError unless the owning task calls, before the end."""
        if self._has_ended:
            raise UsageError("This unit of work has ended: open a new one.")
        if asyncio.current_task() is not self._owner:
            raise UsageError(
                "This unit of work belongs to the task that opened it: give each task a unit of its own, "
                "and use asyncio.timeout instead of asyncio.wait_for, which makes another task."
            )

    def when_done(self, callback: WhenDone) -> None:
        """Have `callback` called with the ending, before the unit of work is left."""
        self._when_done.append(callback)

    @property
    def session(self) -> AsyncSession:
        """SQLAlchemy's session on this transaction; raises UsageError when the transaction is unusable."""
        self.check_usable()
        if self._session is None:
            self._session = AsyncSession(sync_session_class=UnitSession, transaction=self)
        return self._session

    async def begin(self) -> PoolProxiedConnection:
        """Take the connection and begin the transaction, if that has not happened; return the lease."""
        if self._lease is None:
            self.check_usable()
            try:
                await self._on_live_connection(lambda: self._route(self._begin_on))
            except StoreError as error:
                self._failure = error
                raise
        assert self._lease is not None  # noqa: S101 (it has just been set)
        return self._lease

    async def connect(self) -> Connection:
        """Return a connection of SQLAlchemy's for the session, on the lease of this transaction."""
        lease = await self.begin()
        self.connection = self._database.connection_on(lease, self._session_failed)
        return self.connection

    async def execute(self, statement: Executable) -> Result[Any]:
        """Run a statement of SQLAlchemy's, after the changes that wait in the session."""
        await self.flush()
        with wrap():
            result = await self._on_live_connection(lambda: self.session.execute(statement))
        self._database.breaker(writes=not self.read_only).answered()
        return result

    async def insert(self, statement: Insert) -> Result[Any]:
        """Run an insert of rows whose session is new, or was checked."""
        return await self.execute(statement.execution_options(**{BY_THE_RULES: True}))

    async def delete(self, statement: Delete | ReturningDelete[Any]) -> Result[Any]:
        """Run a delete of the store's rows; raises ConflictError if rows of other tables refer to them."""
        try:
            return await self.execute(statement)
        except MissingReferenceError as error:
            raise ConflictError(
                "Rows of another table refer to this one and forbid its deletion "
                f"(constraint {error.constraint_name}): delete them first.",
                transient=False,
                constraint_name=error.constraint_name,
            ) from error.__cause__

    async def owns(self, session_id: UUID) -> bool:
        """Return whether the session is the tenant's; without a tenant, True."""
        if self.tenant is None or session_id in self._own or self.tenant.knows(session_id):
            return True
        found = await self.execute(select(SessionRow.id).where(SessionRow.id == session_id))
        if found.scalar_one_or_none() is None:
            return False
        self.made(session_id)
        return True

    async def check_session(self, session_id: UUID) -> None:
        """Raise MissingReferenceError before a write into a session that is not the tenant's."""
        self.check_usable(writing=True)
        if not await self.owns(session_id):
            raise MissingReferenceError(NO_SESSION)

    def made(self, session_id: UUID) -> None:
        """Remember a session of the tenant."""
        self._own.add(session_id)

    async def stream(self, statement: Executable) -> AsyncScalarResult[Any]:
        """Run a statement of SQLAlchemy's whose rows are read as they are used."""
        await self.flush()
        return await self._on_live_connection(lambda: self.session.stream_scalars(statement))

    async def fetch(self, bound: BoundStatement) -> Sequence[asyncpg.Record]:
        """Run one write and return the driver's rows."""
        return await self.write_with(lambda driver: self._database.statements.fetch(driver, bound))

    async def copy(
        self, name: str, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]
    ) -> None:
        """Copy rows into a table of the store's; `name` is that of the statement in statistics."""
        statements = self._database.statements
        await self.write_with(
            lambda driver: statements.copy(driver, name, table, columns, rows, schema=SCHEMA)
        )

    @property
    def is_distributed(self) -> bool:
        """Whether the tables are distributed over a cluster."""
        return self._database.is_distributed

    @property
    def keeps_refused_texts(self) -> bool:
        """Whether a machine's text that comes after a person's edit is kept."""
        return self._database.keeps_refused_texts

    async def transact(self, work: Callable[[Self], Awaitable[T]]) -> T:
        """Do `work` in this transaction, which goes on afterwards; an error prevents its commit."""
        try:
            return await work(self)
        except StoreError as error:
            # The same as an error of one statement that does all of it.
            self._spoil(error)
            raise

    def note_stored(self) -> None:
        """Do nothing: the end of the transaction stores what it wrote."""

    async def write_with(self, work: Callable[[Driver], Awaitable[T]]) -> T:
        """Run writes on the driver's own connection, after the changes that wait in the session."""
        self.check_usable(writing=True)
        await self.flush()

        async def write() -> T:
            lease = await self.begin()
            with self._statement():
                return await work(self._database.driver_of(lease))

        return await self._on_live_connection(write)

    async def flush(self) -> None:
        """Write the changes of the application's own objects that wait in the session."""
        if self._session is not None and (self._session.new or self._session.dirty or self._session.deleted):
            await self._session.flush()

    async def end(self, *, commit: bool) -> None:
        """Commit or roll back, give the connection back and call those who asked for it.

        The caller runs this in a task of its own, so that nothing cancels it midway. A second call
        does nothing. Raises UsageError if a statement had failed, OutcomeUnknownError if the connection broke
        during the commit.
        """
        if self._has_ended:
            return
        self._has_ended = True
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
            await self._announce(ending)

    def hurry(self) -> None:
        """Make `end` come to its end at once: break the connection, and leave the clean-up to the sweep."""
        if self._lease is not None and self._lease.is_valid:
            self._database.driver_of(self._lease).terminate()
        self._is_in_hurry = True
        if self._clean_up is not None:
            self._clean_up.reschedule(0)

    async def _commit(self) -> None:
        if self._failure is not None:
            raise UsageError(
                f"Nothing was committed: a statement {self._how_it_failed}, "
                "which was caught inside the block."
            ) from self._failure
        if self._lease is None:
            return
        self._note_pause()
        with wrap(self._note_commit, committing=True):
            driver = self._database.driver_of(self._lease)
            with self._database.statements.timed("commit"):
                # Outside a transaction the server accepts any COMMIT, and in an aborted one it rolls back.
                is_committed = _is_in_transaction(driver) and await driver.execute("COMMIT") == "COMMIT"
            if not is_committed:
                raise self._time_limit_met() or StoreUnavailableError(
                    "The transaction was lost before its commit; nothing was stored.", transient=True
                )
        if self._database.is_unfinished(self._lease):
            raise OutcomeUnknownError(
                "A node of the cluster failed at the commit: what it stores is seen later, or is lost. "
                "Repeating is safe."
            )
        if not self.read_only:
            self._database.note_written()

    async def _on_live_connection(self, work: Callable[[], Awaitable[T]]) -> T:
        """Do `work`; if it was the first on a connection that turned out to be unusable, do it on another."""
        is_first = self._lease is None
        try:
            return await work()
        except StoreError as error:
            if not (is_first and self._leases_taken == 1 and is_broken(error.__cause__)):
                raise
            # Without a lease it was the BEGIN, maybe in the middle of a flush: the session goes on.
            if self._lease is not None:
                await self._give_back()
            self._failure = None
            return await work()

    async def _begin_on(self, database: Database) -> None:
        self._database = database
        lease, self._free_lease = self._free_lease, None
        lease = lease or await database.lease(writes=not self.read_only)
        self._leases_taken += 1
        try:
            with wrap(partial(database.note_failure, lease, writes=not self.read_only)):
                await database.driver_of(lease).execute(database.beginning(read_only=self.read_only))
        except BaseException:
            # It may have begun all the same: the next user's write would never be committed.
            if lease.is_valid:
                lease.invalidate()
            raise
        self._lease = lease
        self._began_at = self._used_at = monotonic()

    @contextmanager
    def _statement(self) -> Iterator[None]:
        try:
            with wrap(self._note):
                yield
        except (StoreError, asyncio.CancelledError) as error:
            self._spoil(error)
            raise
        self._database.breaker(writes=not self.read_only).answered()

    def _session_failed(self, error: BaseException) -> StoreError | None:
        """Note that a statement of the session failed; return the store's error if it was the database's."""
        if not isinstance(error, (*DATABASE_ERRORS, asyncio.CancelledError)):
            return None
        if isinstance(error, asyncio.CancelledError):
            self._spoil(error)
            return None
        failure = self._note(error) or translate(error)
        if is_division_by_zero(error):
            # One of the application's: no write of the store's runs in its session.
            failure = InvalidInputError("The statement divides by zero (SQLSTATE 22012).")
        if self.read_only and is_read_only(error):
            failure = UsageError(_CANNOT_WRITE)
        self._spoil(failure)
        return failure

    @property
    def _how_it_failed(self) -> str:
        return "was cancelled" if isinstance(self._failure, _CancelledError) else "failed"

    def _spoil(self, error: BaseException) -> None:
        self._failure = error if isinstance(error, StoreError) else _CancelledError()

    def _note(self, error: Exception) -> StoreError | None:
        if self._lease is None:
            return None
        known = self._database.note_failure(self._lease, error, writes=not self.read_only)
        return known or (self._time_limit_met() if is_unsent(error) else None)

    def _note_commit(self, error: Exception) -> StoreError | None:
        known = self._note(error)
        if known is None and is_of_node(error):
            # A coordinator that can answer a COMMIT with an error has rolled back, on all nodes.
            return translate(error)
        return known

    def _time_limit_met(self) -> StoreError | None:
        """Return the error of a connection that the server has closed between two statements, by a limit.

        The driver forgets the server's last words if no statement waits for them.
        """
        limits, age = self._database.server.time_limits, monotonic() - self._began_at
        limit = limits.met(age=age, pause=self._longest_pause)
        if limit is None:
            return None
        return QueryTimeoutError(
            f"The server's {limit} ended the transaction between two statements; it is rolled back. "
            "Wait for other services outside of a unit of work."
        )

    async def _give_back(self) -> None:
        lease, self._lease, self.connection = self._lease, None, None
        if self._session is not None:
            await self._session.run_sync(Session.close)  # its own close() refuses
        if lease is None:
            # No statement has used the one that was taken before.
            lease, self._free_lease = self._free_lease, None
        if lease is None:
            return
        try:
            if lease.is_valid and _is_in_transaction(driver := self._database.driver_of(lease)):
                async with asyncio.timeout(SETTLE_SECONDS):
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

    async def _announce(self, ending: Ending) -> None:
        # In a hurry only those that wait for nothing come to their end; the sweep finds the rest.
        limit = None if ending is Ending.COMMITTED else CLEAN_UP_SECONDS
        with suppress(TimeoutError):
            async with asyncio.timeout(0 if self._is_in_hurry else limit) as self._clean_up:
                await self._call_back(ending)

    async def _call_back(self, ending: Ending) -> None:
        if self.tenant is not None and ending is Ending.COMMITTED:
            self.tenant.learn(self._own)
        for callback in self._when_done:
            try:
                await callback(ending)
            except StoreError:
                # The transaction is over; the sweep of the storage finds the objects that stayed.
                logger.warning(
                    "cleaning up after a unit of work failed",
                    exc_info=True,
                    extra={"event": "cleanup_failed"},
                )


def _straight(database: Database) -> Route:
    async def route(work: Callable[[Database], Awaitable[T]], /) -> T:
        return await work(database)

    return route


def _is_in_transaction(driver: Driver) -> bool:
    # A closed connection cannot answer.
    return not driver.is_closed() and driver.is_in_transaction()
