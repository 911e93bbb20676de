"""One connection that is kept for asking a server how it is doing."""

from math import inf

import asyncpg
from sqlalchemy.pool import PoolProxiedConnection

from livetranslate_store.database.engine import Database
from livetranslate_store.database.failures import DATABASE_ERRORS
from livetranslate_store.database.statement import BoundStatement
from livetranslate_store.errors import StoreError
from livetranslate_store.settings import StoreSettings

# It is answered in milliseconds; a server that takes longer is of no use to a reader.
WATCH_SECONDS = 2.0


class Watch:
    """Asks one server, on a connection of its own: a pool that is used up is no dead server."""

    def __init__(self, settings: StoreSettings) -> None:
        limits = {
            "connection_timeout": WATCH_SECONDS,
            "command_timeout": WATCH_SECONDS,
            "tracing": False,
            "breaker_timeout": inf,  # it is the one that looks
        }
        self._database = Database(
            settings.model_copy(update={"min_connections": 0, "max_connections": 1, **limits})
        )
        self._lease: PoolProxiedConnection | None = None

    @property
    def is_connected(self) -> bool:
        """Tell whether the server that answered last still runs: its end closes the connection."""
        return self._lease is not None and not self._database.driver_of(self._lease).is_closed()

    async def ask(self, question: BoundStatement) -> "asyncpg.Record | None":
        """Return the answer in one row, or None where there is none in time."""
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
