"""The store's figures for Prometheus; needs the extra `metrics`.

from prometheus_client import REGISTRY
from livetranslate_store.metrics import StoreCollector

REGISTRY.register(StoreCollector(store))
"""

from collections.abc import Iterator
from operator import attrgetter
from typing import NamedTuple

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from livetranslate_store.store import Store

_PREFIX = "livetranslate_store"


class _Figure(NamedTuple):
    """One of the store's figures: where it is found, what it is called, and what it says."""

    path: str
    name: str
    help: str

    @property
    def is_counter(self) -> bool:
        return self.name.endswith("_total")

    def metric(self, value: float) -> Metric:
        kind = CounterMetricFamily if self.is_counter else GaugeMetricFamily
        return kind(f"{_PREFIX}_{self.name}", self.help, value=value)


# Rates of hits and rejections are left out: Prometheus computes them from the counts, for any span of time.
_FIGURES = (
    _Figure("cache.size", "cache_segments", "Segments that are remembered."),
    _Figure("cache.limit", "cache_segments_limit", "Segments that are remembered at most."),
    _Figure("cache.hits", "cache_hits_total", "Lookups that were answered from memory."),
    _Figure("cache.misses", "cache_misses_total", "Lookups that had to be read."),
    _Figure("cache.evictions", "cache_evictions_total", "Segments that were pushed out by others."),
    _Figure("gate.limit", "gate_writes_limit", "Writes that may be under way."),
    _Figure("gate.in_flight", "gate_writes_in_flight", "Writes that are under way."),
    _Figure("gate.waiting", "gate_writes_waiting", "Writes that wait at the gate."),
    _Figure("gate.completed", "gate_writes_completed_total", "Writes that went well."),
    _Figure("gate.failed", "gate_writes_failed_total", "Writes that failed."),
    _Figure("gate.rejected", "gate_writes_rejected_total", "Writes that waited too long and were rejected."),
    _Figure("gate.seconds_waited", "gate_waited_seconds_total", "Seconds that writes waited at the gate."),
    _Figure("pool.size", "pool_connections_open", "Connections that are open."),
    _Figure("pool.idle", "pool_connections_idle", "Open connections that nobody uses."),
    _Figure("pool.in_use", "pool_connections_in_use", "Connections that are in use."),
    _Figure("pool.waiting", "pool_callers_waiting", "Callers that wait for a connection."),
    _Figure("pool.utilization", "pool_utilization_ratio", "Share in use of what may be open, 0 to 1."),
    _Figure("pool.opened", "pool_connections_opened_total", "Connections that were opened."),
    _Figure("pool.recycled", "pool_connections_recycled_total", "Connections that were replaced."),
)


class StoreCollector(Collector):
    """Tells Prometheus the statistics of a store, as they are when it asks; nothing is kept beside them."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def collect(self) -> Iterator[Metric]:
        """Yield every figure as a metric."""
        statistics = self._store.statistics()
        for figure in _FIGURES:
            yield figure.metric(attrgetter(figure.path)(statistics))

    def describe(self) -> Iterator[Metric]:
        """Yield what `collect` will, so that registering does not ask the store."""
        for figure in _FIGURES:
            yield figure.metric(0.0)
