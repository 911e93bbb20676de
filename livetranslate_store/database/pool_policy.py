"""Additions to SQLAlchemy's pool: it retires connections, replaces dead ones, and counts.

The pool's public events trigger all of it; one event loop runs them one at a time.
"""

import asyncio
import logging
from time import monotonic
from typing import Any

import asyncpg
from sqlalchemy import event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection
from sqlalchemy.util import await_only

from livetranslate_store.database.failures import DRIVER_ERRORS
from livetranslate_store.incidents import Incident
from livetranslate_store.settings import StoreSettings

logger = logging.getLogger(__name__)

# A recently used connection is alive; firewalls drop idle ones after some minutes at the earliest.
PING_AFTER_IDLE_SECONDS = 30.0
# A ping takes milliseconds; without an answer by then the connection is dead.
PING_TIMEOUT_SECONDS = 5.0
# How long closing politely may take before the socket is simply closed.
CLOSE_TIMEOUT_SECONDS = 2.0


class PoolPolicy:
    """Enforces the limits of pooled connections by listening to the pool of `engine`."""

    def __init__(self, engine: Any, settings: StoreSettings) -> None:
        self._max_queries = settings.max_queries
        self._idle_lifetime = settings.max_inactive_connection_lifetime
        self._open: set[ConnectionPoolEntry] = set()
        # When each idle connection came back, the oldest first.
        self._idle_since: dict[ConnectionPoolEntry, float] = {}
        self._reaper: asyncio.TimerHandle | None = None
        self._closing: set[asyncio.Task[None]] = set()
        self._stopped = False
        #: No connection can be opened; the next one that opens ends the incident.
        self.outage = Incident(logger, "database_unavailable", "the database is unavailable")
        # Set once no connection is in use, if a caller waits for that.
        self._unused: asyncio.Event | None = None
        self.opened = 0
        self.recycled = 0
        event.listen(engine, "before_cursor_execute", _count_query)
        event.listen(engine.pool, "connect", self._on_connect)
        event.listen(engine.pool, "checkout", self._on_checkout)
        event.listen(engine.pool, "checkin", self._on_checkin)
        event.listen(engine.pool, "close", self._on_close)

    @property
    def size(self) -> int:
        """The number of open connections."""
        return len(self._open)

    @property
    def idle(self) -> int:
        """The number of open connections that are unused."""
        return len(self._idle_since)

    async def until_unused(self) -> None:
        """Wait until no connection is in use."""
        self._unused = asyncio.Event()
        self._set_if_unused()
        await self._unused.wait()

    def abandon(self) -> None:
        """Close every connection at once, including those in use."""
        for record in self._open:
            driver: asyncpg.Connection[asyncpg.Record] | None = record.driver_connection
            if driver is not None:
                driver.terminate()

    async def stop(self) -> None:
        """Stop retiring, and wait until retired connections are closed; used ones close on their return."""
        self._stopped = True
        if self._reaper is not None:
            self._reaper.cancel()
        await asyncio.gather(*self._closing)

    def _on_connect(self, _connection: DBAPIConnection, record: ConnectionPoolEntry) -> None:
        self.opened += 1
        self.outage.over()
        self._open.add(record)
        record.info["queries"] = 0

    def _on_close(self, _connection: DBAPIConnection, record: ConnectionPoolEntry) -> None:
        self._open.discard(record)
        self._idle_since.pop(record, None)
        self._set_if_unused()

    def _on_checkin(self, connection: DBAPIConnection | None, record: ConnectionPoolEntry) -> None:
        if connection is None or record not in self._open:
            return  # invalidated while in use; the next checkout opens another
        if self._stopped:
            record.invalidate()  # its user outlived the store: it has no next user
            return
        self._idle_since[record] = monotonic()
        self._set_if_unused()
        if self._reaper is None:
            self._arm_reaper(self._idle_lifetime)

    def _on_checkout(
        self,
        _connection: DBAPIConnection,
        record: ConnectionPoolEntry,
        _proxy: PoolProxiedConnection,
    ) -> None:
        if record not in self._open:
            # Retired while it was idle: it is closed, or about to be.
            raise DisconnectionError("retired")
        since = self._idle_since.pop(record, None)
        # A new connection has not been idle.
        reason = None if since is None else self._reason_to_replace(record, monotonic() - since)
        if reason is not None:
            self.recycled += 1
            logger.debug(
                "connection replaced: %s",
                reason,
                extra={"event": "connection_replaced", "reason": reason},
            )
            # The pool then closes this one and opens another for the same caller.
            raise DisconnectionError(reason)

    def _reason_to_replace(self, record: ConnectionPoolEntry, idle: float) -> str | None:
        driver = driver_of(record)
        if driver.is_closed():
            return "closed by the server"
        if record.info["queries"] >= self._max_queries:
            return f"served {self._max_queries} queries"
        if idle >= self._idle_lifetime:
            return "idle for too long"
        if idle >= PING_AFTER_IDLE_SECONDS and not await_only(_answers(driver)):
            return "does not answer"
        return None

    def _set_if_unused(self) -> None:
        if self._unused is not None and len(self._open) == len(self._idle_since):
            self._unused.set()

    def _arm_reaper(self, delay: float) -> None:
        self._reaper = asyncio.get_running_loop().call_later(delay, self._retire_idle)

    def _retire_idle(self) -> None:
        self._reaper = None
        now = monotonic()
        for record, since in list(self._idle_since.items()):
            left = since + self._idle_lifetime - now
            if left > 0:
                self._arm_reaper(left)
                return
            # The record stays in the pool; its next user gets a new connection in it.
            del self._idle_since[record]
            self._open.discard(record)
            self.recycled += 1
            task = asyncio.get_running_loop().create_task(_say_goodbye(driver_of(record)))
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)


def _count_query(connection: Any, *_: object) -> None:
    connection.connection.info["queries"] += 1


async def _answers(driver: "asyncpg.Connection[asyncpg.Record]") -> bool:
    try:
        await driver.execute("SELECT 1", timeout=PING_TIMEOUT_SECONDS)
    except DRIVER_ERRORS:
        return False
    return True


def driver_of(record: ConnectionPoolEntry) -> "asyncpg.Connection[asyncpg.Record]":
    """Return the driver's connection of a record of the pool."""
    return record.driver_connection  # type: ignore[return-value]  # the dialect fixes the type


async def _say_goodbye(driver: "asyncpg.Connection[asyncpg.Record]") -> None:
    try:
        await driver.close(timeout=CLOSE_TIMEOUT_SECONDS)
    except DRIVER_ERRORS:
        driver.terminate()
