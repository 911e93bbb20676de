"""Nodes of a cluster are killed, restarted and emptied under load: nothing is lost, and nothing is partial.

The nodes are this file's own, never those of LIVETRANSLATE_TEST_CITUS_URL.
"""

import asyncio
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import TypeAlias
from uuid import UUID

import pytest
from cluster.load import (
    DECISION_SECONDS,
    RECOVERY_SECONDS,
    Load,
    Place,
    load,
    sessions_on_both_workers,
)
from conftest import load_schema
from faults.conftest import Run
from helpers.clusters import Cluster
from helpers.own_cluster import Node, own_cluster
from helpers.support import transcript, until

from livetranslate_store import OutcomeUnknownError, Store

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
def place(
    nodes: list[Node], own: Cluster, template: str, tmp_path: Path, audio_folder: Path
) -> Iterator[Place]:
    with own.database(f"{template}_test", of=template) as name:
        yield Place(own, name, tmp_path, audio_folder)
        for node in nodes:
            node.start_again()


@pytest.fixture
def under_load(place: Place) -> UnderLoad:
    return lambda run: load(place, run)


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


async def test_a_unit_is_acknowledged_only_if_every_node_shows_it(place: Place, nodes: list[Node]) -> None:
    async with Store.open(place.url, min_connections=1) as store:
        lost, slow = await sessions_on_both_workers(store, place)
        wait_at_commit(place, slow)

        async def write() -> None:
            async with store.unit_of_work() as uow:
                for session_id in (lost, slow):
                    await uow.transcripts.add(session_id, transcript(segment_key="1"))

        writing = asyncio.create_task(write())
        [node] = [each for each in nodes if each.address.port == place.node_port(lost)]
        # One node has promised to commit, and the other still thinks about it.
        await until(lambda: place.prepared() != [], seconds=RECOVERY_SECONDS, pause=0.01)
        await asyncio.to_thread(node.kill)
        with pytest.raises(OutcomeUnknownError, match="failed at the commit"):
            await writing
        node.launch()
        await asyncio.to_thread(node.wait)
        await until(lambda: not place.prepared(), seconds=DECISION_SECONDS, pause=0.1)
        assert [len(await store.timeline(session_id)) for session_id in (lost, slow)] == [1, 1]


def wait_at_commit(place: Place, session_id: UUID) -> None:
    """Let the node of a session wait at each commit of its new transcripts."""
    with place.connect() as program:
        program.execute(
            "CREATE FUNCTION public.wait() RETURNS trigger LANGUAGE plpgsql"
            " AS 'BEGIN PERFORM pg_sleep(3); RETURN NULL; END'"
        )
        # Citus puts the name of each shard in.
        trigger = (
            "CREATE CONSTRAINT TRIGGER wait AFTER INSERT ON %s DEFERRABLE INITIALLY DEFERRED"
            f" FOR EACH ROW WHEN (NEW.session_id = '{session_id}') EXECUTE FUNCTION public.wait()"
        )
        made = program.execute(
            "SELECT bool_and(success) FROM run_command_on_shards('livetranslate.transcripts', %s)", [trigger]
        )
        assert made.fetchone() == (True,)
