"""Prometheus: every figure of the store, under a name with its unit, when it is asked for."""

import re
import subprocess
import sys
from pathlib import Path
from uuid import UUID

from msgspec.structs import fields
from prometheus_client import CollectorRegistry, generate_latest
from support import transcript

from livetranslate_store import Store, StoreStatistics
from livetranslate_store.metrics import _FIGURES, StoreCollector

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
        assert re.match(r"# (HELP|TYPE) livetranslate_store_\w+ .+|livetranslate_store_\w+ [\d.e+]+$", line)


def test_every_figure_is_told() -> None:
    statistics = {
        f"{part.name}.{figure.name}"
        for part in fields(StoreStatistics)
        if part.name != "replicas"  # as many as the settings name, not one of the store
        for figure in fields(part.type)
    }
    assert {figure.path for figure in _FIGURES} == statistics - LEFT_OUT


def test_every_metric_is_documented() -> None:
    documented = set(re.findall(r"^\| `livetranslate_store_(\w+)`", DOCUMENTATION.read_text(), re.MULTILINE))
    assert documented == {figure.name for figure in _FIGURES}


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
