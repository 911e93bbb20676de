"""The store's own figures."""

from typing import Literal, TypeAlias

from msgspec import Struct

ReplicaState: TypeAlias = Literal["unknown", "fresh", "lagging", "unreachable", "promoted"]


class CacheStatistics(Struct, frozen=True):
    """The segment cache: entries now and at most, and counts since the start; rate from 0 to 1."""

    size: int
    limit: int
    hits: int
    misses: int
    evictions: int
    hit_rate: float


class GateStatistics(Struct, frozen=True):
    """The write gate: writes now, counts since the start, and seconds that writes spent waiting.

    `rejection_rate` is the rejected share, 0 to 1, of the writes that were decided on.
    """

    limit: int
    in_flight: int
    waiting: int
    completed: int
    failed: int
    rejected: int
    rejection_rate: float
    seconds_waited: float


class PoolStatistics(Struct, frozen=True):
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


class ReplicaStatistics(Struct, frozen=True):
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


class StoreStatistics(Struct, frozen=True):
    """The store's own figures, taken at one moment; replicas in the order of `replica_urls`."""

    cache: CacheStatistics
    gate: GateStatistics
    pool: PoolStatistics
    replicas: tuple[ReplicaStatistics, ...] = ()
