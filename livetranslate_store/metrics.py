"""The store's figures for Prometheus; needs the extra `metrics`.

from prometheus_client import REGISTRY
from livetranslate_store.metrics import StoreCollector

REGISTRY.register(StoreCollector(store))
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from operator import attrgetter
from typing import NamedTuple

from msgspec import Struct
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from livetranslate_store.store import Store

_PREFIX = "livetranslate_store"


class _Figure(NamedTuple):
    """One of the store's figures: its path in the statistics, its name and its help text."""

    path: str
    name: str
    help: str

    def metric(self, labels: Sequence[str] = ()) -> "CounterMetricFamily | GaugeMetricFamily":
        kind = CounterMetricFamily if self.name.endswith("_total") else GaugeMetricFamily
        return kind(f"{_PREFIX}_{self.name}", self.help, labels=labels)

    def of(self, part: Struct) -> float | None:
        """Return the figure of a part of the statistics; None if it is unknown."""
        value = attrgetter(self.path)(part)
        # A state becomes 1 or 0.
        return float(value in _YES) if isinstance(value, str) else value


_YES = frozenset({"open", "probing", "fresh"})

# Rates of hits and rejections are left out: Prometheus computes them from the counts, for any span of time.
_FIGURES = (
    _Figure("cache.size", "cache_segments", "Segments in the cache."),
    _Figure("cache.limit", "cache_segments_limit", "Maximum number of remembered segments."),
    _Figure("cache.hits", "cache_hits_total", "Lookups answered from memory."),
    _Figure("cache.misses", "cache_misses_total", "Lookups read from the database."),
    _Figure("cache.evictions", "cache_evictions_total", "Segments evicted by others."),
    _Figure("gate.limit", "gate_writes_limit", "Maximum number of writes at a time."),
    _Figure("gate.in_flight", "gate_writes_in_flight", "Writes that run."),
    _Figure("gate.waiting", "gate_writes_waiting", "Writes that wait at the gate."),
    _Figure("gate.waiting_bytes", "gate_waiting_bytes", "Bytes of audio of the waiting writes."),
    _Figure("gate.completed", "gate_writes_completed_total", "Writes that succeeded."),
    _Figure("gate.failed", "gate_writes_failed_total", "Writes that failed."),
    _Figure("gate.rejected", "gate_writes_rejected_total", "Writes rejected at the gate."),
    _Figure(
        "gate.seconds_waited", "gate_waited_seconds_total", "Total seconds that writes waited at the gate."
    ),
    _Figure("pool.size", "pool_connections_open", "Open connections."),
    _Figure("pool.idle", "pool_connections_idle", "Open connections that are unused."),
    _Figure("pool.in_use", "pool_connections_in_use", "Connections in use."),
    _Figure("pool.waiting", "pool_callers_waiting", "Callers that wait for a connection."),
    _Figure(
        "pool.utilization", "pool_utilization_ratio", "Connections in use, as a share of the maximum, 0 to 1."
    ),
    _Figure("pool.opened", "pool_connections_opened_total", "Connections opened."),
    _Figure("pool.recycled", "pool_connections_recycled_total", "Connections replaced."),
    _Figure("retries.repeated", "retries_attempts_total", "Repeated attempts."),
    _Figure("retries.recovered", "retries_recovered_total", "Calls that succeeded after a retry."),
    _Figure("retries.exhausted", "retries_exhausted_total", "Calls that failed after their retries."),
)

# By kind of call: `calls` is reads or writes.
_OF_BREAKER = (
    _Figure("state", "breaker_is_open", "1 while calls are refused, otherwise 0."),
    _Figure("failures", "breaker_failures", "Failures in a row; 0 after an answer."),
    _Figure("opened", "breaker_openings_total", "Times that calls began to be refused."),
    _Figure("refused", "breaker_refused_calls_total", "Refused calls."),
)

# By replica: `replica` is its host and port.
_OF_REPLICA = (
    _Figure("state", "replica_is_fresh", "1 while it answers reads, 0 while it is left out."),
    _Figure("lag", "replica_lag_seconds", "Maximum age of its data; missing if unknown."),
    _Figure("reads", "replica_reads_total", "Reads it answered."),
    _Figure("failed", "replica_failed_reads_total", "Reads that went on to the primary."),
    _Figure("times_left_out", "replica_left_out_total", "Times that it was left out."),
    _Figure("pool.size", "replica_connections_open", "Open connections to it."),
    _Figure("pool.in_use", "replica_connections_in_use", "Connections to it in use."),
)

# By statement: `statement` is its name.
_OF_STATEMENT = (
    _Figure("calls", "statement_calls_total", "Calls of a statement."),
    _Figure("failures", "statement_failures_total", "Calls of a statement that failed."),
    _Figure("seconds", "statement_seconds_total", "Seconds that a statement took, its commit included."),
)


class StoreCollector(Collector):
    """Gives Prometheus the current statistics of a store whenever it asks; it keeps no figures of its own."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def collect(self) -> Iterator[Metric]:
        """Yield every figure as a metric."""
        statistics = self._store.statistics()
        yield from _metrics(_FIGURES, (), {(): statistics})
        breakers: dict[tuple[str, ...], Struct] = {
            ("reads",): statistics.breakers.reads,
            ("writes",): statistics.breakers.writes,
        }
        yield from _metrics(_OF_BREAKER, ("calls",), breakers)
        yield from _metrics(_OF_REPLICA, ("replica",), {(each.name,): each for each in statistics.replicas})
        statements: dict[tuple[str, ...], Struct] = {
            (name,): each for name, each in statistics.statements.items()
        }
        yield from _metrics(_OF_STATEMENT, ("statement",), statements)

    def describe(self) -> Iterator[Metric]:
        """Yield the metrics without values, so that registering does not ask the store."""
        for figures, labels in (
            (_FIGURES, ()),
            (_OF_BREAKER, ("calls",)),
            (_OF_REPLICA, ("replica",)),
            (_OF_STATEMENT, ("statement",)),
        ):
            yield from _metrics(figures, labels, {})


def _metrics(
    figures: Iterable[_Figure], labels: Sequence[str], parts: Mapping[tuple[str, ...], Struct]
) -> Iterator[Metric]:
    for figure in figures:
        metric = figure.metric(labels)
        for values, part in parts.items():
            value = figure.of(part)
            if value is not None:
                metric.add_metric(values, value)
        yield metric
