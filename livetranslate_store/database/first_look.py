"""A look at the server's settings that no connection can choose, on the first connection to it."""

from typing import NamedTuple

import asyncpg

from livetranslate_store.errors import StoreUnavailableError

_SETTINGS = """
SELECT name, setting FROM pg_catalog.pg_settings
WHERE name IN ('session_replication_role', 'idle_in_transaction_session_timeout', 'transaction_timeout')
"""


class TimeLimits(NamedTuple):
    """The server's limits on transactions, in seconds; 0 means none."""

    idle_in_transaction_session_timeout: float = 0.0
    transaction_timeout: float = 0.0

    def met(self, *, age: float, pause: float) -> str | None:
        """Return the limit that ended a transaction of this age with this longest pause, with its value."""
        for name, limit, seconds in zip(self._fields, self, (pause, age), strict=True):
            if 0.0 < limit <= seconds:
                return f"{name} of {limit:g} s"
        return None


async def look_at(driver: "asyncpg.Connection[asyncpg.Record]") -> TimeLimits:
    """Return the server's limits on transactions.

    Raises StoreUnavailableError if the role or the database has turned the foreign keys off.
    """
    # In a transaction: behind PgBouncer preparing and running may meet different servers.
    async with driver.transaction():
        found: dict[str, str] = {row["name"]: row["setting"] for row in await driver.fetch(_SETTINGS)}
    if (role := found["session_replication_role"]) != "origin":
        driver.terminate()  # the pool does not know it yet
        raise StoreUnavailableError(
            f"session_replication_role is {role!r} for this user or database, so that no foreign key is "
            "checked: the store needs 'origin'."
        )
    # The server gives milliseconds; one before version 17 knows one limit only.
    return TimeLimits(*(int(found.get(name, "0")) / 1000 for name in TimeLimits._fields))
