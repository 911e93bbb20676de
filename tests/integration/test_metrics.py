"""Prometheus: every figure of the store, under a name with its unit, when it is asked for."""

import re
import subprocess
import sys
from pathlib import Path
from uuid import UUID

from helpers.support import transcript
from msgspec import Struct
from msgspec.structs import fields
from prometheus_client import CollectorRegistry, generate_latest

from livetranslate_store import Store, StoreStatistics
from livetranslate_store.database.breaker import FAILURES_TO_OPEN
from livetranslate_store.metrics import _FIGURES, _OF_BREAKER, _OF_REPLICA, _OF_STATEMENT, StoreCollector
from livetranslate_store.values import BreakerStatistics, ReplicaStatistics, StatementStatistics

DOCUMENTATION = Path(__file__).resolve().parents[2] / "docs" / "observability.md"
# Computed by Prometheus from the counts, for any span of time.
LEFT_OUT = {"cache.hit_rate", "gate.rejection_rate"}


async def test_the_figures_are_those_of_the_moment(store: Store, session_id: UUID) -> None:
    registry = CollectorRegistry()
    registry.register(StoreCollector(store))

    def value(name: str) -> float | None:
        return registry.get_sample_value(f"livetranslate_store_{name}")

    before = value("gate_writes_completed_total")
    assert before == store.statistics().gate.completed
    for _ in range(3):
        await store.record_segment(session_id, transcript=transcript())
    assert value("gate_writes_completed_total") == before + 3
    assert value("cache_segments") == 3
    assert value("gate_writes_limit") == 50
    assert value("pool_connections_open") == store.statistics().pool.size
    for line in generate_latest(registry).decode().splitlines():
        assert re.match(
            r"# (HELP|TYPE) \w+ .+|livetranslate_store_\w+({(calls|statement)=.[\w.]+.})? [\d.e+]+$", line
        )


async def test_breakers_and_replicas_are_told_apart_by_label(database_url: str) -> None:
    nowhere = "postgresql://app@127.0.0.1:1/nowhere"
    async with Store.open(database_url, replica_urls=[nowhere], breaker_timeout=0) as store:
        registry = CollectorRegistry()
        registry.register(StoreCollector(store))
        for _ in range(FAILURES_TO_OPEN):
            store._database.breaker(writes=False).failed()
        name = "livetranslate_store_breaker_is_open"
        assert registry.get_sample_value(name, {"calls": "reads"}) == 1
        assert registry.get_sample_value(name, {"calls": "writes"}) == 0
        replica = {"replica": "127.0.0.1:1"}
        assert registry.get_sample_value("livetranslate_store_replica_is_fresh", replica) == 0
        assert registry.get_sample_value("livetranslate_store_replica_lag_seconds", replica) is None
        assert registry.get_sample_value("livetranslate_store_replica_reads_total", replica) == 0


def test_every_figure_is_told() -> None:
    parts = {part.name: part.type for part in fields(StoreStatistics)}
    del parts["replicas"], parts["breakers"], parts["statements"]
    figures = {f"{name}.{figure.name}" for name, part in parts.items() for figure in fields(part)}
    assert {figure.path for figure in _FIGURES} == figures - LEFT_OUT
    assert {figure.path for figure in _OF_BREAKER} == names(BreakerStatistics) - {"failing_since"}
    assert {figure.path for figure in _OF_STATEMENT} == names(StatementStatistics)
    told = {figure.path.partition(".")[0] for figure in _OF_REPLICA}
    assert told == names(ReplicaStatistics) - {"name"}


def names(part: type[Struct]) -> set[str]:
    return {each.name for each in fields(part)}


def test_every_metric_is_documented() -> None:
    documented = set(re.findall(r"^\| `livetranslate_store_(\w+)`", DOCUMENTATION.read_text(), re.MULTILINE))
    assert documented == {figure.name for figure in (*_FIGURES, *_OF_BREAKER, *_OF_REPLICA, *_OF_STATEMENT)}


def test_importing_it_registers_nothing_and_the_package_does_without_it() -> None:
    program = (
        "import sys, livetranslate_store\n"
        "assert not {'prometheus_client', 'opentelemetry'} & set(sys.modules)\n"
        "from prometheus_client import REGISTRY\n"
        "before = list(REGISTRY.collect())\n"
        "import livetranslate_store.metrics\n"
        "assert [each.name for each in REGISTRY.collect()] == [each.name for each in before]\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
