"""A look at the server's settings that no connection can choose, on the first connection to it."""

from collections.abc import Mapping
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


async def look_at(driver: "asyncpg.Connection[asyncpg.Record]", time_limit: float) -> TimeLimits:
    """Return the server's limits on transactions; each round trip may take `time_limit` seconds.

    Raises the driver's errors, and StoreUnavailableError if the role or the database has turned the foreign
    keys off. The connection is closed then: the pool does not know it yet.
    """
    try:
        # In a transaction: behind PgBouncer preparing and running may meet different servers.
        await driver.execute("BEGIN", timeout=time_limit)
        rows = await driver.fetch(_SETTINGS, timeout=time_limit)
        await driver.execute("COMMIT", timeout=time_limit)
        return _time_limits({row["name"]: row["setting"] for row in rows})
    except BaseException:
        driver.terminate()
        raise


def _time_limits(found: Mapping[str, str]) -> TimeLimits:
    if (role := found["session_replication_role"]) != "origin":
        raise StoreUnavailableError(
            f"session_replication_role is {role!r} for this user or database, so that no foreign key is "
            "checked: the store needs 'origin'."
        )
    # The server gives milliseconds; one before version 17 knows one limit only.
    return TimeLimits(*(int(found.get(name, "0")) / 1000 for name in TimeLimits._fields))
