"""One connection that is kept to watch a server."""

from math import inf

import asyncpg
from sqlalchemy.pool import PoolProxiedConnection

from livetranslate_store.database.engine import Database
from livetranslate_store.database.failures import DATABASE_ERRORS
from livetranslate_store.database.statement import BoundStatement
from livetranslate_store.errors import StoreError
from livetranslate_store.settings import StoreSettings

# The answer takes milliseconds; a slower server is of no use to a reader.
WATCH_SECONDS = 2.0


class Watch:
    """Watches one server on its own connection: an exhausted pool is no dead server."""

    def __init__(self, settings: StoreSettings) -> None:
        limits = {
            "connection_timeout": WATCH_SECONDS,
            "command_timeout": WATCH_SECONDS,
            "tracing": False,
            "breaker_timeout": inf,  # it is the probe itself
        }
        self._database = Database(
            settings.model_copy(update={"min_connections": 0, "max_connections": 1, **limits})
        )
        self._lease: PoolProxiedConnection | None = None

    @property
    def is_connected(self) -> bool:
        """Whether the server that answered last still runs: its end closes the connection."""
        return self._lease is not None and not self._database.driver_of(self._lease).is_closed()

    async def ask(self, question: BoundStatement) -> "asyncpg.Record | None":
        """Return the row of the answer, or None if there is none in time."""
        try:
            if self._lease is None:
                self._lease = await self._database.lease()
            [answer] = await self._database.fetch_on(self._lease, question)
        except (StoreError, *DATABASE_ERRORS):
            self._let_go()
            return None
        return answer

    async def close(self) -> None:
        """Close the connection."""
        self._let_go()
        await self._database.close()

    def _let_go(self) -> None:
        lease, self._lease = self._lease, None
        if lease is not None:
            lease.invalidate()
