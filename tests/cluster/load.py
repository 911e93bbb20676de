"""A hundred bots that write into the sessions of a cluster, and what must be stored afterwards."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

import psycopg
from cluster.pairs import Pairs
from conftest import url_of
from faults.conftest import Run
from faults.crowd import Crowd, assert_idle, new_session
from faults.ledger import Ledger
from helpers.clusters import Cluster
from helpers.support import until

from livetranslate_store import Store

# Few connections: each is a process on every node, and all nodes share one machine here.
LIMITS: dict[str, Any] = {
    "connection_timeout": 5.0,
    "command_timeout": 5.0,
    "write_timeout": 10.0,
    "max_connections": 8,
}
# A write waits at the gate, then for a connection, then for its answer; on a connection that breaks, twice.
CALL_SECONDS = 35.0
#: A hundred bots: so many sessions, each with so many writers.
SESSIONS = 10
WRITERS = 10
#: Until every session is written again. All nodes share one machine, and each new connection loads Citus.
RECOVERY_SECONDS = 30.0
#: Until the coordinator has decided about the transactions that a lost node left prepared.
DECISION_SECONDS = 30.0

_NODE_PORT = """
    SELECT nodeport FROM pg_dist_placement JOIN pg_dist_node USING (groupid)
    WHERE shardid = get_shard_id_for_distribution_column('livetranslate.sessions', %s)
"""
_MOVE = """
    SELECT citus_move_shard_placement(
        get_shard_id_for_distribution_column('livetranslate.sessions', %s), %s, %s, %s, %s, 'force_logical')
"""


class Place(NamedTuple):
    """A database on all nodes of a cluster, and folders for ledgers and audio."""

    cluster: Cluster
    dbname: str
    folder: Path
    audio_folder: Path

    @property
    def url(self) -> str:
        """The URL of the database for the store."""
        host, port, user, password = self.cluster.coordinator
        return url_of(user, password, host, port, self.dbname)

    def connect(self) -> psycopg.Connection[Any]:
        """Return a connection for another program."""
        return self.cluster.coordinator.connect(self.dbname)

    def node_port(self, session_id: UUID) -> int:
        """Return the port of the worker that holds a session."""
        with self.connect() as connection:
            found = connection.execute(_NODE_PORT, [session_id]).fetchone()
        assert found is not None
        return int(found[0])

    def prepared(self) -> list[Any]:
        """Return the transactions that are prepared on any node and not decided."""
        found = []
        for node in self.cluster.nodes:
            with node.connect("postgres") as connection:
                found += connection.execute(
                    "SELECT gid FROM pg_prepared_xacts WHERE database = %s", [self.dbname]
                ).fetchall()
        return found


class Load(NamedTuple):
    """The writers that are writing, by their sessions."""

    place: Place
    crowds: dict[UUID, Crowd]

    async def until_all_are_written(self) -> None:
        """Wait until every session is written again; fail if that takes too long."""
        before = {crowd: crowd.acknowledged for crowd in self.crowds.values()}

        def is_written_again() -> bool:
            for crowd in self.crowds.values():
                crowd.raise_defect()
            return all(crowd.acknowledged > number for crowd, number in before.items())

        await until(is_written_again, seconds=RECOVERY_SECONDS, pause=0.02)

    def acknowledged(self, sessions: list[UUID]) -> int:
        """Return how many calls for these sessions were acknowledged."""
        return sum(self.crowds[each].acknowledged for each in sessions)

    def sessions_on(self, port: int) -> list[UUID]:
        """Return the sessions that the worker with this port holds."""
        return [each for each in self.crowds if self.place.node_port(each) == port]

    def move(self, session_id: UUID) -> None:
        """Move the shards of a session to the other worker."""
        workers = {node.port: node for node in self.place.cluster.nodes[1:]}
        source = workers.pop(self.place.node_port(session_id))
        [target] = workers.values()
        with self.place.connect() as connection:
            connection.execute(_MOVE, [session_id, *source[:2], *target[:2]])
        assert self.place.node_port(session_id) == target.port


@asynccontextmanager
async def load(place: Place, run: Run) -> AsyncIterator[Load]:
    """Write while the block does its worst, then compare what is stored with what was acknowledged."""
    async with Store.open(place.url, audio_url=f"file:{place.audio_folder}", **LIMITS) as store:
        sessions = [await new_session(store) for _ in range(SESSIONS)]
        ledgers = {each: Ledger(place.folder / f"{each}.ledger", each) for each in sessions}
        load = Load(
            place,
            {each: Crowd(store, ledgers[each], run.chance, writers=WRITERS) for each in sessions},
        )
        assert all(load.sessions_on(worker.port) for worker in place.cluster.nodes[1:])
        pairs = Pairs(store, *await sessions_on_both_workers(store, place))
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(pairs)
            for crowd in load.crowds.values():
                await stack.enter_async_context(crowd)
            # Until every connection has learnt its types, which takes the nodes a while.
            await load.until_all_are_written()
            yield load
        for crowd in load.crowds.values():
            assert crowd.longest_call < CALL_SECONDS
        await assert_idle(store)
    await until(lambda: not place.prepared(), seconds=DECISION_SECONDS, pause=0.1)
    with place.connect() as program:
        pairs.check(program)
        for ledger in ledgers.values():
            run.found(ledger.check(program, place.audio_folder))
    print(run.row)


async def sessions_on_both_workers(store: Store, place: Place) -> tuple[UUID, UUID]:
    """Return new sessions, one on each worker."""
    found: dict[int, UUID] = {}
    while len(found) < len(place.cluster.nodes) - 1:
        session_id = await new_session(store)
        found[place.node_port(session_id)] = session_id
    one, other = found.values()
    return one, other
