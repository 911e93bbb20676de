"""Nodes of a cluster are killed, restarted and emptied under load: nothing is lost, and nothing is partial.

The nodes are this file's own, never those of LIVETRANSLATE_TEST_CITUS_URL.
"""

import asyncio
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import TypeAlias

import pytest
from cluster.load import Load, Place, load
from conftest import load_schema
from faults.conftest import Run
from helpers.clusters import Cluster
from helpers.own_cluster import Node, own_cluster

pytestmark = pytest.mark.slow

TRIES = 2

UnderLoad: TypeAlias = Callable[[Run], AbstractAsyncContextManager[Load]]


@pytest.fixture(scope="module")
def nodes() -> Iterator[list[Node]]:
    with own_cluster() as nodes:
        yield nodes


@pytest.fixture(scope="module")
def own(nodes: list[Node]) -> Iterator[Cluster]:
    own = Cluster(nodes[0].address, "postgres")
    yield own
    own.close()


@pytest.fixture(scope="module")
def template(own: Cluster) -> Iterator[str]:
    def fill(name: str) -> None:
        load_schema(**own.coordinator._asdict(), dbname=name)
        own.distribute(name)

    with own.template(f"livetranslate_faults_{os.getpid()}", fill) as name:
        yield name


@pytest.fixture
def under_load(
    nodes: list[Node], own: Cluster, template: str, tmp_path: Path, audio_folder: Path
) -> Iterator[UnderLoad]:
    with own.database(f"{template}_test", of=template) as name:
        yield lambda run: load(Place(own, name, tmp_path, audio_folder), run)
        for node in nodes:
            node.start_again()


async def test_a_killed_worker_loses_nothing(under_load: UnderLoad, nodes: list[Node]) -> None:
    run = Run("worker killed", TRIES)
    _, *workers = nodes
    async with under_load(run) as writing:
        for worker in workers:
            await asyncio.sleep(run.chance.uniform(0.5, 1.5))
            await asyncio.to_thread(worker.kill)
            await asyncio.sleep(run.chance.uniform(0.0, 1.0))
            worker.launch()
            await asyncio.to_thread(worker.wait)
            await writing.until_all_are_written()
            run.tried()


@pytest.mark.parametrize("end", [Node.stop, Node.kill])
async def test_a_restarted_coordinator_loses_nothing(
    under_load: UnderLoad, nodes: list[Node], end: Callable[[Node], None]
) -> None:
    run = Run(f"coordinator {end.__name__}", TRIES)
    coordinator = nodes[0]
    async with under_load(run) as writing:
        for _ in range(run.tries):
            await asyncio.sleep(run.chance.uniform(0.5, 1.5))
            await asyncio.to_thread(end, coordinator)
            await asyncio.sleep(run.chance.uniform(0.0, 1.0))
            coordinator.launch()
            await asyncio.to_thread(coordinator.wait)
            await writing.until_all_are_written()
            run.tried()


async def test_a_shard_moves_under_load(under_load: UnderLoad) -> None:
    run = Run("shard moved", TRIES)
    async with under_load(run) as writing:
        session_id = next(iter(writing.crowds))
        for _ in range(run.tries):
            await asyncio.sleep(run.chance.uniform(0.5, 1.5))
            await asyncio.to_thread(writing.move, session_id)
            await writing.until_all_are_written()
            run.tried()
