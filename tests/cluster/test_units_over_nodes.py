"""A unit of work over several nodes is committed on all of them or on none, and its error says which."""

from pathlib import Path
from typing import NamedTuple
from uuid import UUID

import pytest
from helpers.clusters import Cluster
from helpers.stored import Program, objects
from helpers.support import WRITTEN, audio, counts

from livetranslate_store import OutcomeUnknownError, Store, StoreUnavailableError, UnitOfWork
from livetranslate_store.ids import session_id_for

PLACE = """
    SELECT nodeport FROM pg_dist_shard_placement
    WHERE shardid = get_shard_id_for_distribution_column('livetranslate.sessions', %s)
"""
# The connection of the coordinator that a unit of work has written through.
END = """
    SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = current_database()
    AND application_name LIKE 'citus_internal%' AND state = 'idle in transaction'
"""
PREPARED = "SELECT 1 FROM pg_prepared_xacts WHERE database = current_database()"
NOTHING = dict.fromkeys(WRITTEN, 0)


class Meeting(NamedTuple):
    """A session that is yet to be written, and the port of the node on which it belongs."""

    external_id: str
    port: int

    async def write(self, uow: UnitOfWork) -> UUID:
        """Write the session and a recording."""
        session = await uow.sessions.create(bot_id="b", meeting_id="m", external_id=self.external_id)
        await uow.audio_files.add(session.id, audio())
        return session.id


class Nodes(NamedTuple):
    """The nodes of a test's own database."""

    cluster: Cluster
    program: Program

    def end_connections(self, port: int) -> None:
        """End the connections through which units of work have written to a node."""
        [node] = [each for each in self.cluster.nodes if each.port == port]
        with node.connect(self.program.info.dbname) as connection:
            ended = connection.execute(END).fetchall()
        assert ended
        assert all(done for [done] in ended)

    def left_prepared(self) -> int:
        """Return the number of transactions that are prepared and not ended."""
        total = 0
        for node in self.cluster.nodes:
            with node.connect(self.program.info.dbname) as connection:
                total += len(connection.execute(PREPARED).fetchall())
        return total


@pytest.fixture
def nodes(cluster: Cluster, other_program: Program) -> Nodes:
    return Nodes(cluster, other_program)


@pytest.fixture
def meetings(other_program: Program) -> list[Meeting]:
    """Two meetings on different nodes."""
    by_port: dict[int, Meeting] = {}
    for number in range(100):
        external_id = f"meeting-{number}"
        row = other_program.execute(PLACE, [session_id_for(external_id)]).fetchone()
        assert row is not None
        by_port.setdefault(row[0], Meeting(external_id, row[0]))
    other_program.rollback()
    assert len(by_port) > 1, "these tests need a cluster with two workers"
    return [*by_port.values()][:2]


async def test_a_unit_over_two_nodes_is_stored_on_both(
    store: Store, meetings: list[Meeting], nodes: Nodes
) -> None:
    async with store.unit_of_work() as uow:
        for each in meetings:
            await each.write(uow)
    assert counts(nodes.program) == NOTHING | {"sessions": 2, "audio_files": 2}
    assert nodes.left_prepared() == 0


@pytest.mark.parametrize("lost", [0, 1])
async def test_a_node_that_fails_before_the_commit_leaves_nothing_on_any_node(
    store: Store, meetings: list[Meeting], nodes: Nodes, audio_folder: Path, lost: int
) -> None:
    async def write_both(*, and_lose: int | None) -> None:
        async with store.unit_of_work() as uow:
            for each in meetings:
                await each.write(uow)
            if and_lose is not None:
                nodes.end_connections(meetings[and_lose].port)

    opened = store.statistics().pool.opened
    with pytest.raises(StoreUnavailableError, match="A node of the cluster failed") as caught:
        await write_both(and_lose=lost)
    assert caught.value.is_transient
    assert counts(nodes.program) == NOTHING
    assert objects(audio_folder) == []
    assert nodes.left_prepared() == 0
    await write_both(and_lose=None)
    assert counts(nodes.program) == NOTHING | {"sessions": 2, "audio_files": 2}
    # The connection to the coordinator was whole.
    assert store.statistics().pool.opened == opened


async def test_a_node_that_fails_before_a_statement_takes_back_the_other_nodes_writes(
    store: Store, meetings: list[Meeting], nodes: Nodes, audio_folder: Path
) -> None:
    with pytest.raises(StoreUnavailableError, match="A node of the cluster failed"):
        async with store.unit_of_work() as uow:
            session_ids = [await each.write(uow) for each in meetings]
            nodes.end_connections(meetings[0].port)
            await uow.sessions.end(session_ids[0])
    assert counts(nodes.program) == NOTHING
    assert objects(audio_folder) == []


async def test_the_only_node_of_a_unit_may_have_committed_if_its_answer_is_lost(
    store: Store, meetings: list[Meeting], nodes: Nodes, audio_folder: Path
) -> None:
    with pytest.raises(OutcomeUnknownError):
        async with store.unit_of_work() as uow:
            await meetings[0].write(uow)
            nodes.end_connections(meetings[0].port)
    assert counts(nodes.program) == NOTHING
    # No row may lack its bytes, so they stay; the sweep finds those without a row.
    assert len(objects(audio_folder)) == 1
    async with store.unit_of_work() as uow:
        await meetings[0].write(uow)
    assert counts(nodes.program) == NOTHING | {"sessions": 1, "audio_files": 1}
