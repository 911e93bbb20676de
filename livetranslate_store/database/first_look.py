"""A look at the server on the first connection to it: settings that no connection can choose, and Citus."""

from collections.abc import Mapping
from typing import NamedTuple

import asyncpg

from livetranslate_store.errors import StoreUnavailableError
from livetranslate_store.models import SCHEMA

_SETTINGS = """
SELECT name, setting FROM pg_catalog.pg_settings
WHERE name IN ('session_replication_role', 'idle_in_transaction_session_timeout', 'transaction_timeout')
UNION ALL
SELECT 'citus', extversion FROM pg_catalog.pg_extension WHERE extname = 'citus'
"""

# A catalogue that only the extension has.
_IS_DISTRIBUTED = f"""
SELECT EXISTS (
    SELECT FROM pg_catalog.pg_dist_partition WHERE logicalrelid = to_regclass('{SCHEMA}.sessions')
)
"""  # noqa: S608 (a constant)


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


class FirstLook(NamedTuple):
    """What a store has to know of its server."""

    time_limits: TimeLimits = TimeLimits()
    #: Whether the extension Citus is installed in the database.
    has_citus: bool = False
    #: Whether Citus has distributed the store's tables over the nodes of a cluster.
    is_distributed: bool = False


async def look_at(driver: "asyncpg.Connection[asyncpg.Record]", time_limit: float) -> FirstLook:
    """Look at the server; each round trip may take `time_limit` seconds.

    Raises the driver's errors, and StoreUnavailableError if the role or the database has turned the foreign
    keys off. The connection is closed then: the pool does not know it yet.
    """
    try:
        # In a transaction: behind PgBouncer preparing and running may meet different servers.
        await driver.execute("BEGIN", timeout=time_limit)
        rows = await driver.fetch(_SETTINGS, timeout=time_limit)
        found = {row["name"]: row["setting"] for row in rows}
        has_citus = "citus" in found
        is_distributed = has_citus and await driver.fetchval(_IS_DISTRIBUTED, timeout=time_limit)
        await driver.execute("COMMIT", timeout=time_limit)
        return FirstLook(_time_limits(found), has_citus, is_distributed)
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
