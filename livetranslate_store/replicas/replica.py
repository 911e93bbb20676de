"""One read replica: its pool, its progress, and whether it may answer reads."""

import logging
from collections.abc import Iterable
from math import inf
from time import monotonic
from typing import NamedTuple

from pydantic import SecretStr

from livetranslate_store.database.address import Address
from livetranslate_store.database.engine import Database
from livetranslate_store.database.failures import translate
from livetranslate_store.database.statement import Statement
from livetranslate_store.database.statement_times import StatementTimes
from livetranslate_store.errors import ConflictError, PoolTimeoutError, StoreError, StoreUnavailableError
from livetranslate_store.incidents import Incident
from livetranslate_store.replicas.watch import WATCH_SECONDS, Watch
from livetranslate_store.settings import StoreSettings
from livetranslate_store.values import ReplicaState, ReplicaStatistics

logger = logging.getLogger(__name__)

# Every later read sees the replayed log. It also sees every transaction before the oldest one that the
# snapshot counts as running.
_HOW_FAR = Statement(
    "replicas.how_far",
    """
SELECT pg_is_in_recovery() AS is_standby,
       pg_wal_lsn_diff(pg_last_wal_replay_lsn(), '0/0')::bigint AS replayed,
       pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS unseen_from
""",
)

# The primary may succeed after these errors of a replica: a broken connection, none free, or a read that was
# cancelled in order to replay.
_PRIMARY_CAN = (StoreUnavailableError, PoolTimeoutError, ConflictError)


class Mark(NamedTuple):
    """Where the primary's log ended, in bytes, at a time of this process's clock."""

    time: float
    position: int


class Replica:
    """A standby of the primary that answers reads while it is fresh enough."""

    def __init__(self, url: SecretStr, settings: StoreSettings, statements: StatementTimes) -> None:
        # The primary answers instead: no long waits, no breaker and no retries here.
        patience = min(settings.connection_timeout, WATCH_SECONDS)
        chosen = settings.model_copy(
            update={
                "database_url": url,
                "connection_timeout": patience,
                "breaker_timeout": inf,
                "retry_timeout": 0.0,
            }
        )
        self.name = str(Address.of(url.get_secret_value(), "replica_urls"))
        self.database = Database(chosen, statements)
        self._watch = Watch(chosen)
        self._max_lag = settings.max_replica_lag
        self._state: ReplicaState = "unknown"
        # Reads here see everything that was committed by then; None if that is unknown.
        self._fresh_at: float | None = None
        self._unseen_from = 0
        self._left_out = Incident(
            logger, "replica_left_out", f"replica {self.name} answers no reads", replica=self.name
        )
        self._times_left_out = 0
        self.reads = 0
        self._failed = 0

    def shows(self, since: float, min_position: int | None) -> bool:
        """Return whether this replica shows every commit before `since`, and the write `min_position`."""
        return (
            self._fresh_at is not None
            and self._fresh_at >= max(since, monotonic() - self._max_lag)
            and (min_position is None or min_position < self._unseen_from)
            # A restarted server may begin at an earlier position.
            and self._watch.is_connected
        )

    def failed(self, error: Exception) -> bool:
        """Count a read that failed here; return whether the primary shall answer it."""
        failure = error if isinstance(error, StoreError) else translate(error)
        if not isinstance(failure, _PRIMARY_CAN):
            return False
        self._failed += 1
        if isinstance(failure, StoreUnavailableError):
            self._fresh_at = None  # until the next look
        return True

    async def look(self, marks: Iterable[Mark]) -> None:
        """Ask for its position; `marks` are the latest ones of the primary, the newest first."""
        answer = await self._watch.ask(_HOW_FAR.bind())
        if answer is None:
            self._fresh_at = None
            # The primary answers the reads that wait for this server.
            self.database.abandon()
            self._enter("unreachable")
        elif not answer["is_standby"]:
            # It may be the new primary or an old one: the hosts of `database_url` decide.
            self._fresh_at = None
            self._enter("promoted")
        else:
            replayed: int = answer["replayed"]
            self._unseen_from = answer["unseen_from"]
            self._fresh_at = next((mark.time for mark in marks if mark.position <= replayed), None)
            lag = self._lag
            self._enter("fresh" if lag is not None and lag <= self._max_lag else "lagging")

    def _enter(self, state: ReplicaState) -> None:
        if state == "fresh":
            self._left_out.over()
        else:
            self._left_out.met(f"it is {state}")
            if self._state == "fresh":
                self._times_left_out += 1
        self._state = state

    @property
    def _lag(self) -> float | None:
        return None if self._fresh_at is None else monotonic() - self._fresh_at

    @property
    def load(self) -> tuple[int, int]:
        """The load, to compare replicas: running reads, then reads in total."""
        pool = self.database.statistics()
        return pool.in_use + pool.waiting, self.reads

    def statistics(self) -> ReplicaStatistics:
        """Return the current figures."""
        return ReplicaStatistics(
            name=self.name,
            state=self._state,
            lag=self._lag,
            reads=self.reads,
            failed=self._failed,
            times_left_out=self._times_left_out,
            pool=self.database.statistics(),
        )

    async def close(self) -> None:
        """Close every connection."""
        await self._watch.close()
        await self.database.close()
