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

# Catalogues that only the extension has: the nodes that take shards, none if the tables are not distributed.
_NODES = f"""
SELECT greatest(1, (
    SELECT count(*) FROM pg_catalog.pg_dist_node
    WHERE isactive AND shouldhaveshards AND noderole = 'primary'
)) WHERE EXISTS (
    SELECT 1 FROM pg_catalog.pg_dist_partition WHERE logicalrelid = to_regclass('{SCHEMA}.sessions')
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
    #: The nodes of a cluster that take shards of the store's tables; 0 if these are not distributed.
    nodes: int = 0

    @property
    def is_distributed(self) -> bool:
        """Whether Citus has distributed the store's tables over the nodes of a cluster."""
        return self.nodes > 0


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
        nodes = await driver.fetchval(_NODES, timeout=time_limit) if has_citus else None
        await driver.execute("COMMIT", timeout=time_limit)
        return FirstLook(_time_limits(found), has_citus, nodes or 0)
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
