"""The async engine on asyncpg, its bounded pool, and the only way to a connection."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from functools import partial
from time import monotonic
from typing import Any, TypeAlias

import asyncpg
import msgspec
from sqlalchemy import URL, event, exc
from sqlalchemy.engine import Connection
from sqlalchemy.engine.interfaces import DBAPIConnection, ExceptionContext
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool, ConnectionPoolEntry, PoolProxiedConnection
from sqlalchemy.util import await_only

from livetranslate_store.checks import encode_json
from livetranslate_store.database.breaker import Breaker
from livetranslate_store.database.connecting import address_of, beginning, let_citus_plan, store_arguments
from livetranslate_store.database.engine_url import URLDriver, engine_url
from livetranslate_store.database.failures import (
    DATABASE_ERRORS,
    cannot_connect,
    is_answer,
    is_broken,
    is_read_only,
    is_unanswered,
    takes_no_writes,
    translate,
    wrap,
)
from livetranslate_store.database.first_look import FirstLook, look_at
from livetranslate_store.database.pool_policy import PoolPolicy, driver_of
from livetranslate_store.database.retries import Retries
from livetranslate_store.database.session import refuse_commit
from livetranslate_store.database.shards import ShardMap
from livetranslate_store.database.statement import BoundStatement
from livetranslate_store.database.statement_times import StatementTimes
from livetranslate_store.errors import (
    PoolTimeoutError,
    StoreError,
    StoreUnavailableError,
    UsageError,
)
from livetranslate_store.incidents import Incident
from livetranslate_store.ownership import OwnLoop
from livetranslate_store.settings import StoreSettings
from livetranslate_store.tasks import run_to_end
from livetranslate_store.tracing import Tracing
from livetranslate_store.values import PoolStatistics

Driver: TypeAlias = "asyncpg.Connection[asyncpg.Record]"
#: Called with an error of a connection of SQLAlchemy's; returns the store's error, None to leave it alone.
WhenFailed: TypeAlias = Callable[[BaseException], StoreError | None]

logger = logging.getLogger(__name__)

# While a store closes.
LOOK_AGAIN_SECONDS = 0.01

# The server cancels a statement in milliseconds; a cancelled caller waits for that.
SETTLE_SECONDS = 1.0

# A disk that was full may have room again, and nothing may write until health says so.
REFUSED_SECONDS = 60.0
READ_ONLY_BY_SETTING = (
    "The database takes no writes: default_transaction_read_only is on for this user, database or server."
)

# Another connection would be as read-only. One that became so later is replaced: its server was demoted.
_BORN_READ_ONLY = "livetranslate_store_born_read_only"
_WHEN_FAILED = "livetranslate_store_when_failed"

# A coordinator says so, and reports success all the same: the node has prepared the transaction and shows it
# later, or has lost it.
_NODE_FAILED_AT_COMMIT = "failed to commit transaction on "
_UNFINISHED_COMMIT = "livetranslate_store_unfinished_commit"


class Database:
    """The connections to one PostgreSQL server."""

    def __init__(self, settings: StoreSettings, statements: StatementTimes | None = None) -> None:
        self._settings = settings
        #: Whether a machine's text that comes after a person's edit is kept as a version.
        self.keeps_refused_texts = settings.keep_refused_texts
        #: A connection works in the loop that opened it, and nowhere else.
        self.owner = OwnLoop()
        #: Calls and seconds of statements; a store shares it between its servers.
        self.statements = statements or StatementTimes(Tracing(enabled=settings.tracing))
        self._waiting = 0
        self._closing = False
        self._closed = False
        #: The time of the last commit of a unit of work or an import, by this process's clock.
        self.wrote_at = 0.0
        # When the server last refused a write that any other would have met as well, and why.
        self._refused: tuple[float, str] | None = None
        self._has_looked = False
        #: What the server is, once a connection is open.
        self.server = FirstLook()
        #: The shards of sessions, on a cluster.
        self.shards = ShardMap()
        #: Retries of the calls that are safe to repeat.
        self.retries = Retries(settings.retry_timeout)
        self._reads = Breaker("reads", settings.breaker_timeout)
        self._writes = Breaker("writes", settings.breaker_timeout)
        self._address = address_of(settings)
        self.engine = create_async_engine(
            # The address is not in the engine's URL, which many messages show.
            "postgresql+asyncpg://",
            poolclass=AsyncAdaptedQueuePool,
            pool_size=settings.max_connections,
            max_overflow=0,
            pool_timeout=settings.connection_timeout,
            # The connection used last is used first, so that surplus ones grow old and are retired.
            pool_use_lifo=True,
            connect_args=store_arguments(self._address, settings),
            json_serializer=json_text,
            json_deserializer=msgspec.json.decode,
            # Texts of people do not belong in error messages.
            hide_parameters=True,
        )
        self.statements.listen_to(self.engine.sync_engine)
        event.listen(self.engine.sync_engine, "handle_error", _translated)
        # After SQLAlchemy's own queries on the first connection, which need a transaction behind PgBouncer.
        event.listen(self.engine.sync_engine.pool, "connect", self._on_connect)
        self._policy = PoolPolicy(self.engine.sync_engine, settings)
        self._shortage = Incident(logger, "pool_exhausted", "the connection pool is exhausted")

    def _on_connect(self, connection: DBAPIConnection, record: ConnectionPoolEntry) -> None:
        # Transactions are left to `transaction.py`: a statement without one takes one round trip, not three.
        connection.autocommit = True
        driver = driver_of(record)
        record.info[_BORN_READ_ONLY] = _is_read_only_by_setting(driver)
        if not self._has_looked:
            await_only(self._look_on(driver))
        if self.server.has_citus:
            driver.add_log_listener(partial(_note_unfinished_commit, record.info))
            if not self._settings.pgbouncer:
                await_only(let_citus_plan(driver, self._settings.connection_timeout))

    @property
    def is_distributed(self) -> bool:
        """Whether the tables are distributed over a cluster; known once a connection is open."""
        return self.server.is_distributed

    def url(self, driver: URLDriver) -> URL:
        """Return the address as a URL of SQLAlchemy's for this driver."""
        return engine_url(self._address, self._settings, driver)

    async def look(self) -> None:
        """Look at the server unless it is known; opens a connection if need be."""
        if self._has_looked:
            return
        lease = await self.lease()
        try:
            if not self._has_looked:
                with wrap(partial(self.note_failure, lease, writes=False)):
                    await self._look_on(self.driver_of(lease))
        finally:
            if lease.is_valid:
                lease.close()

    async def _look_on(self, driver: Driver) -> None:
        self.server = await look_at(driver, self._settings.connection_timeout)
        self._has_looked = True

    async def open(self) -> None:
        """Open `min_connections`; raises StoreUnavailableError if the server cannot be reached."""
        taking = [asyncio.create_task(self.lease()) for _ in range(self._settings.min_connections)]
        try:
            await asyncio.gather(*taking)
        finally:
            await run_to_end(_give_back(taking))

    async def lease(self, *, writes: bool = False) -> PoolProxiedConnection:
        """Take a connection out of the pool; `fetch_once` gives it back, or the caller does.

        Raises PoolTimeoutError if none becomes free in time, StoreUnavailableError if the server cannot be
        reached or the breaker is open, UsageError once the store closes: later for writes, which are drained,
        than for reads.
        """
        self.owner.check()
        if self._closed:
            raise UsageError("The store is closed.")
        if self._closing and not writes:
            raise UsageError("The store is closing: it accepts no new calls.")
        breaker = self.breaker(writes=writes)
        breaker.admit()
        self._waiting += 1
        try:
            lease = await self.engine.raw_connection()
        except DATABASE_ERRORS as error:
            if (task := asyncio.current_task()) is not None and task.cancelling():
                # SQLAlchemy's own first statements may lose a cancellation, and find their connection closed.
                raise asyncio.CancelledError from error
            failure = self._connect_failure(error)
            (self._shortage if isinstance(failure, PoolTimeoutError) else self._policy.outage).met(failure)
            if failure.is_transient:
                breaker.failed()
            raise failure from failure.__cause__
        finally:
            self._waiting -= 1
        if self._closed:
            lease.invalidate()
            raise UsageError("The store is closed.")
        if self._shortage.is_on and not self._waiting:
            self._shortage.over()
        return lease

    async def fetch(self, bound: BoundStatement) -> list[asyncpg.Record]:
        """Run one read as a transaction of its own, again after transient failures."""
        return await self.retries.run(partial(self.fetch_once, bound))

    async def fetch_for_write(self, bound: BoundStatement) -> list[asyncpg.Record]:
        """Run one read on behalf of a write, which a closing store still finishes."""

        async def attempt() -> list[asyncpg.Record]:
            return await self.fetch_once(bound, lease=await self.lease(writes=True))

        return await self.retries.run(attempt)

    async def fetch_once(
        self, bound: BoundStatement, *, writes: bool = False, lease: PoolProxiedConnection | None = None
    ) -> list[asyncpg.Record]:
        """Run one statement as a transaction of its own; give the lease back, also one taken before.

        Raises OutcomeUnknownError if it `writes` and the answer is lost.
        """
        lease = lease or await self.lease(writes=writes)

        try:
            with wrap(partial(self.note_failure, lease, writes=writes), committing=writes):
                rows = await self.fetch_on(lease, bound)
        except asyncio.CancelledError:
            await run_to_end(self._roll_back(lease))
            raise
        finally:
            if lease.is_valid:
                lease.close()
        self.breaker(writes=writes).answered()
        if writes:
            self.note_written()
        return rows

    async def fetch_on(self, lease: PoolProxiedConnection, bound: BoundStatement) -> list[asyncpg.Record]:
        """Run one statement on a lease that is kept; raises the driver's own errors."""
        driver = self.driver_of(lease)
        if not self._settings.pgbouncer:
            return await self.statements.fetch(driver, bound)
        # Behind PgBouncer only a transaction keeps preparing and running on the same server connection.
        await driver.execute(self.beginning(read_only=False))
        try:
            rows = await self.statements.fetch(driver, bound)
        except Exception:
            await self._roll_back(lease)
            raise
        # A cancellation goes through: `fetch_once` rolls back, within a limit.
        await driver.execute("COMMIT")
        return rows

    def beginning(self, *, read_only: bool) -> str:
        """Return the statement that begins a transaction."""
        return beginning(self._settings, read_only=read_only)

    def breaker(self, *, writes: bool) -> Breaker:
        """Return the breaker that refuses writes, or reads, while the database is unreachable."""
        return self._writes if writes else self._reads

    def note_failure(
        self, lease: PoolProxiedConnection, error: Exception, *, writes: bool
    ) -> StoreError | None:
        """Record a failure for breaker and health, and drop a broken connection.

        Return the store's error if the connection knows it better than the driver's error does.
        """
        breaker = self.breaker(writes=writes)
        if is_read_only(error) and lease.info[_BORN_READ_ONLY]:
            breaker.answered()
            self._refused = monotonic(), READ_ONLY_BY_SETTING
            return StoreUnavailableError(READ_ONLY_BY_SETTING, transient=False)
        if is_broken(error):
            breaker.failed()
        elif is_answer(error):
            breaker.answered()
        # After the driver's own time limit the answer is still to come: the next user would wait for it.
        if lease.is_valid and (is_broken(error) or is_unanswered(error)):
            lease.invalidate()
        if self.server.has_citus and isinstance(error, asyncpg.FeatureNotSupportedError):
            # A shard was split, or the tables were distributed or brought back: look at both again.
            self.shards.forget()
            self._has_looked = False
        if writes and takes_no_writes(error):
            self._refused = monotonic(), str(translate(error))
        return None

    def note_written(self) -> None:
        """Record for health that the server has taken a write."""
        self._refused = None

    @property
    def refused_writes(self) -> str | None:
        """Why the server refused the last write, as it would any other; None after a minute."""
        if self._refused is None or monotonic() - self._refused[0] > REFUSED_SECONDS:
            return None
        return self._refused[1]

    def driver_of(self, lease: PoolProxiedConnection) -> Driver:
        """Return the driver's own connection, for one statement without SQLAlchemy in between."""
        lease.info["queries"] += 1  # the engine's own events do not see it
        driver: Driver = lease.driver_connection  # type: ignore[assignment]  # the dialect fixes the type
        return driver

    def is_unfinished(self, lease: PoolProxiedConnection) -> bool:
        """Return whether a node of a cluster failed during the commit that has just succeeded."""
        return bool(lease.info.pop(_UNFINISHED_COMMIT, False))

    async def _roll_back(self, lease: PoolProxiedConnection) -> None:
        """End the transaction of an interrupted statement: the driver prepares without ending it."""
        if not lease.is_valid:
            return
        try:
            async with asyncio.timeout(SETTLE_SECONDS):
                await self.driver_of(lease).execute("ROLLBACK")
        except DATABASE_ERRORS:
            lease.invalidate()

    def connection_on(self, lease: PoolProxiedConnection, when_failed: WhenFailed) -> Connection:
        """Return a connection of SQLAlchemy's on a lease; `when_failed` translates its errors.

        It cannot commit: the transaction does.
        """
        connection = Connection(self.engine.sync_engine, lease)
        connection.execution_options(**{_WHEN_FAILED: when_failed})
        event.listen(connection, "commit", refuse_commit)
        return connection

    def _connect_failure(self, error: Exception) -> StoreError:
        if isinstance(error, exc.TimeoutError):
            return PoolTimeoutError(
                f"All {self._settings.max_connections} connections stayed in use for "
                f"{self._settings.connection_timeout:g} s."
            )
        return cannot_connect(error, str(self._address))

    def statistics(self) -> PoolStatistics:
        """Return the current figures of the pool."""
        in_use = self._policy.size - self._policy.idle
        return PoolStatistics(
            size=self._policy.size,
            idle=self._policy.idle,
            in_use=in_use,
            waiting=self._waiting,
            utilization=in_use / self._settings.max_connections,
            opened=self._policy.opened,
            recycled=self._policy.recycled,
        )

    def refuse_reads(self) -> None:
        """Refuse new reads while the writes are drained."""
        self._closing = True

    async def until_unused(self) -> None:
        """Wait until no connection is in use, and no accepted call waits for one."""
        await self._policy.until_unused()
        while self._waiting:
            await asyncio.sleep(LOOK_AGAIN_SECONDS)
            await self._policy.until_unused()

    def abandon(self) -> None:
        """Close every connection at once: calls that wait for an answer get StoreUnavailableError."""
        self._policy.abandon()

    def cut_off(self) -> None:
        """Refuse all calls, and break the connections in use: waiting calls get their error."""
        self._closed = True
        self.retries.stop()
        self.abandon()

    async def close(self) -> None:
        """Close every connection, and open no more."""
        self._closed = True
        await self._policy.stop()
        await self.engine.dispose()


def _note_unfinished_commit(info: dict[Any, Any], _driver: Any, message: asyncpg.PostgresLogMessage) -> None:
    if str(message.message).startswith(_NODE_FAILED_AT_COMMIT):
        info[_UNFINISHED_COMMIT] = True


def _is_read_only_by_setting(driver: Driver) -> bool:
    # The server reports both by itself.
    known = driver.get_settings()
    is_standby = getattr(known, "in_hot_standby", "off") == "on"
    return getattr(known, "default_transaction_read_only", "off") == "on" and not is_standby


def _translated(context: ExceptionContext) -> BaseException | None:
    if context.connection is None:
        return None
    when_failed: WhenFailed | None = context.connection.get_execution_options().get(_WHEN_FAILED)
    return None if when_failed is None else when_failed(context.original_exception)


async def _give_back(taking: Sequence["asyncio.Task[PoolProxiedConnection]"]) -> None:
    """Give the taken connections back; after a failure or a cancellation, do not wait for the others."""
    for each in taking:
        each.cancel()
    for lease in await asyncio.gather(*taking, return_exceptions=True):
        if not isinstance(lease, BaseException):
            lease.close()


def json_text(value: object) -> str:
    """Return `value` as JSON text, as the driver's codec for json and jsonb wants it."""
    return encode_json(value).decode()
