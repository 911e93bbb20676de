"""Upgrades of one database take turns, and no migration waits long for a table's lock."""

import logging
from time import sleep

from sqlalchemy import Connection, text

logger = logging.getLogger(__name__)

# Every later statement on a table queues behind a migration that waits for its lock: better to fail soon,
# and to run again, than to stop all bots.
LOCK_TIMEOUT = "5s"
# A cluster then changes shards over one connection to a worker, so that each statement sees the one before.
# Without the extension the setting is a mere name.
ONE_CONNECTION_TO_A_WORKER = "SET citus.multi_shard_modify_mode = 'sequential'"
# Any number, as long as nothing else in the database uses it.
ADVISORY_LOCK = 7_215_930_441
POLL_SECONDS = 0.2


def take_turn(connection: Connection) -> None:
    """Wait for other upgrades to end, however long they take, then limit the waits for tables' locks.

    The turn ends with the connection. A migration may take minutes, so the wait has no limit but is logged.
    It polls: a statement that waits would hold a snapshot, which CREATE INDEX CONCURRENTLY waits for.
    """
    is_waiting = False
    while not connection.scalar(text(f"SELECT pg_try_advisory_lock({ADVISORY_LOCK})")):
        connection.rollback()
        if not is_waiting:
            logger.warning(
                "waiting for another upgrade of this database to end", extra={"event": "upgrade_waits"}
            )
            is_waiting = True
        sleep(POLL_SECONDS)
    connection.execute(text(ONE_CONNECTION_TO_A_WORKER))
    connection.execute(text(f"SET lock_timeout = '{LOCK_TIMEOUT}'"))
    connection.commit()
