"""The async engine on asyncpg, its bounded pool, and the one way to a connection."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar
from uuid import uuid4

import asyncpg
import msgspec
from sqlalchemy import make_url
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool

from livetranslate_store.database.failures import DATABASE_ERRORS, is_broken, translate
from livetranslate_store.database.pool_policy import PoolPolicy
from livetranslate_store.errors import (
    InvalidInputError,
    PoolTimeoutError,
    StoreUnavailableError,
    UsageError,
)
from livetranslate_store.settings import StoreSettings
from livetranslate_store.values import PoolStatistics

T = TypeVar("T")

# The server's own limit comes first: its answer is certain that nothing was changed, the driver's is not.
DRIVER_GRACE_SECONDS = 1.0


class Database:
    """The connections to one PostgreSQL server."""

    def __init__(self, settings: StoreSettings) -> None:
        self._settings = settings
        self._waiting = 0
        self._closed = False
        self.engine = create_async_engine(
            asyncpg_url(settings.database_url.get_secret_value()),
            poolclass=AsyncAdaptedQueuePool,
            pool_size=settings.max_connections,
            max_overflow=0,
            pool_timeout=settings.connection_timeout,
            # The one used last is used first, so that those beyond the need grow old and are retired.
            pool_use_lifo=True,
            connect_args=_connect_arguments(settings),
            json_serializer=encode_json,
            json_deserializer=msgspec.json.decode,
            # Texts of people do not belong in error messages.
            hide_parameters=True,
            # A transaction begins and ends in one visible place, `transaction.py`; a statement outside of
            # one is a transaction of its own, in one round trip instead of three.
            isolation_level="AUTOCOMMIT",
        )
        self._policy = PoolPolicy(self.engine.sync_engine, settings)
        # The same pool. Behind PgBouncer only a transaction keeps preparing and running a statement on the
        # same server connection.
        self._one_statement = (
            self.engine.execution_options(isolation_level="READ COMMITTED")
            if settings.pgbouncer
            else self.engine
        )

    async def open(self) -> None:
        """Open the minimum of connections; raises StoreUnavailableError where the server is not there."""
        connections = await asyncio.gather(
            *(self.connect() for _ in range(self._settings.min_connections)),
            return_exceptions=True,
        )
        failure: BaseException | None = None
        for connection in connections:
            if isinstance(connection, BaseException):
                failure = connection
            else:
                await connection.close()
        if failure is not None:
            raise failure

    async def connect(self, *, one_statement: bool = False) -> AsyncConnection:
        """Take a connection out of the pool; the caller closes it.

        A caller that wants more than `one_statement` in a transaction begins and ends it.

        Raises PoolTimeoutError when none becomes free in time, StoreUnavailableError when the server
        cannot be reached.
        """
        if self._closed:
            raise UsageError("The store is closed.")
        self._waiting += 1
        try:
            return await (self._one_statement if one_statement else self.engine).connect()
        except DATABASE_ERRORS as error:
            failure = self._connect_failure(error)
            raise failure from failure.__cause__
        finally:
            self._waiting -= 1

    async def fetch(self, text: str, arguments: Sequence[Any]) -> list[asyncpg.Record]:
        """Run one read as a transaction of its own and return the driver's rows."""
        connection = await self.connect(one_statement=True)
        return await self.fetch_on(connection, text, arguments)

    async def fetch_on(
        self, connection: AsyncConnection, text: str, arguments: Sequence[Any], *, writes: bool = False
    ) -> list[asyncpg.Record]:
        """Do the same on a connection that was taken before; `run_one` says what `writes` is."""

        async def run(connection: AsyncConnection) -> list[asyncpg.Record]:
            driver = self.driver_of(connection)
            if not self._settings.pgbouncer:
                return await driver.fetch(text, *arguments)
            async with driver.transaction():
                return await driver.fetch(text, *arguments)

        return await self.run_one(connection, run, writes=writes)

    async def run_one(
        self,
        connection: AsyncConnection,
        work: Callable[[AsyncConnection], Awaitable[T]],
        *,
        writes: bool = False,
    ) -> T:
        """Run `work`, a statement that may be repeated, as a transaction of its own; closes the connection.

        On a connection that turns out to be dead it is repeated once on another. Raises OutcomeUnknownError
        where `work` writes and the answer is lost again.
        """
        repeats = 1
        while True:
            try:
                result = await work(connection)
            except DATABASE_ERRORS as error:
                failure = translate(error, committing=writes)
                if is_broken(error):
                    await connection.invalidate()
                if not repeats or not connection.invalidated:
                    raise failure from failure.__cause__
            else:
                return result
            finally:
                await connection.close()
            repeats -= 1
            connection = await self.connect(one_statement=True)

    def driver_of(self, connection: AsyncConnection) -> "asyncpg.Connection[asyncpg.Record]":
        """Return the driver's own connection, for one statement without SQLAlchemy in between."""
        assert connection.sync_connection is not None  # noqa: S101 (it was connected before)
        pooled = connection.sync_connection.connection
        pooled.info["queries"] += 1  # what the engine's own events do not see
        driver: asyncpg.Connection[asyncpg.Record] = pooled.driver_connection  # type: ignore[assignment]  # the dialect fixes the type
        return driver

    def _connect_failure(self, error: Exception) -> Exception:
        failure = translate(error)
        if isinstance(failure, PoolTimeoutError):
            return PoolTimeoutError(
                f"All {self._settings.max_connections} connections stayed in use for "
                f"{self._settings.connection_timeout:g} s."
            )
        if isinstance(error, TimeoutError):
            return StoreUnavailableError(
                f"The database did not answer within {self._settings.connection_timeout:g} s."
            )
        return failure

    def statistics(self) -> PoolStatistics:
        """Return the figures of the pool as they are now."""
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

    async def close(self) -> None:
        """Close every connection; none is opened any more."""
        self._closed = True
        await self._policy.stop()
        await self.engine.dispose()


def asyncpg_url(url: str) -> URL:
    """Return `url` for SQLAlchemy with the asyncpg driver; `postgresql:` and `postgres:` will do.

    Raises InvalidInputError for what is not a PostgreSQL URL; the message does not repeat it.
    """
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        raise InvalidInputError(
            "database_url is not a URL such as postgresql+asyncpg://user@host/database."
        ) from None  # the original repeats the URL, password and all
    if parsed.drivername not in ("postgresql", "postgres", "postgresql+asyncpg"):
        raise InvalidInputError(
            f"database_url is of {parsed.drivername!r}; it must be postgresql+asyncpg://…"
        )
    return parsed.set(drivername="postgresql+asyncpg")


def encode_json(value: object) -> str:
    """Return `value` as JSON text, as the driver's codec for json and jsonb wants it."""
    return msgspec.json.encode(value).decode()


def _connect_arguments(settings: StoreSettings) -> dict[str, Any]:
    arguments: dict[str, Any] = {
        "timeout": settings.connection_timeout,
        "command_timeout": settings.command_timeout,
    }
    if settings.pgbouncer:
        # In transaction mode the next statement may run on another server connection: nothing that is
        # prepared or set on one may be relied on, and unknown start-up parameters are refused.
        return arguments | {
            "statement_cache_size": 0,
            "prepared_statement_cache_size": 0,
            "prepared_statement_name_func": lambda: f"__livetranslate_{uuid4()}__",
        }
    return arguments | {
        "command_timeout": settings.command_timeout + DRIVER_GRACE_SECONDS,
        # The driver prepares what is longer than 15 kB anew each time, and the write statement is longer.
        "max_cacheable_statement_size": 0,
        "server_settings": {
            "application_name": "livetranslate_store",
            # A plan is made once and kept. Left alone the server would plan a statement anew for each call
            # whose values it believes to matter, which takes longer than running it.
            "plan_cache_mode": "force_generic_plan",
            "statement_timeout": str(round(settings.command_timeout * 1000)),
        },
    }
