"""The store's own figures."""

from datetime import datetime
from typing import Literal, TypeAlias

from livetranslate_store.values.value import Value

#: Closed lets calls through, open refuses them at once, probing is open with one call let through.
BreakerState: TypeAlias = Literal["closed", "open", "probing"]
ReplicaState: TypeAlias = Literal["unknown", "fresh", "lagging", "unreachable", "promoted"]


class CacheStatistics(Value, frozen=True):
    """The segment cache: entries now and at most, and counts since the start; rate from 0 to 1."""

    size: int
    limit: int
    hits: int
    misses: int
    evictions: int
    hit_rate: float


class GateStatistics(Value, frozen=True):
    """The write gate: writes now, counts since the start, and seconds that writes spent waiting.

    `waiting_bytes` is the audio of those that wait. `rejection_rate` is the rejected share, 0 to 1, of the
    writes that were decided on.
    """

    limit: int
    in_flight: int
    waiting: int
    waiting_bytes: int
    completed: int
    failed: int
    rejected: int
    rejection_rate: float
    seconds_waited: float


class PoolStatistics(Value, frozen=True):
    """The connection pool: connections open, idle and in use, and callers waiting for one.

    `utilization` is the share in use of the most that may be open, 0 to 1; `opened` and `recycled` count
    since the start.
    """

    size: int
    idle: int
    in_use: int
    waiting: int
    utilization: float
    opened: int
    recycled: int


class ReplicaStatistics(Value, frozen=True):
    """A read replica, by host and port: how it was found last, and counts since the start.

    Only a fresh one is read from; a promoted one is no standby any more. `lag` is how old at most is what it
    shows, in seconds, None where that is not known; `failed` counts reads that went on to the primary,
    `times_left_out` how often it ceased to be fresh.
    """

    name: str
    state: ReplicaState
    lag: float | None
    reads: int
    failed: int
    times_left_out: int
    pool: PoolStatistics


class RetryStatistics(Value, frozen=True):
    """Repetition, counted since the start: attempts made again, and what they came to.

    Writes that go to the database together are repeated, and counted, as one.
    """

    repeated: int
    recovered: int
    exhausted: int


class BreakerStatistics(Value, frozen=True):
    """A circuit breaker: failures in a row now, and since when; openings and refused calls counted."""

    state: BreakerState
    failing_since: datetime | None
    failures: int
    opened: int
    refused: int


class BreakersStatistics(Value, frozen=True):
    """The circuit breakers of reads and of writes."""

    reads: BreakerStatistics
    writes: BreakerStatistics


class StatementStatistics(Value, frozen=True):
    """One statement since the start: calls, failed ones, and seconds, which include a commit of its own."""

    calls: int
    failures: int
    seconds: float


class StoreStatistics(Value, frozen=True):
    """The store's own figures, taken at one moment; replicas in the order of `replica_urls`.

    `statements` has each statement by its name, those that took most time first.
    """

    cache: CacheStatistics
    gate: GateStatistics
    pool: PoolStatistics
    retries: RetryStatistics
    breakers: BreakersStatistics
    replicas: tuple[ReplicaStatistics, ...]
    statements: dict[str, StatementStatistics]
