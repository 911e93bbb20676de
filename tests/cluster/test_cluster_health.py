"""The health of a cluster: nodes, tables and leftovers, each problem with the command that mends it."""

from collections.abc import Callable

import pytest
from helpers.clusters import SHARDS, Cluster
from helpers.distributed import fill, url_for
from helpers.stored import Program

from livetranslate_store import ClusterHealth, Store
from livetranslate_store.cli.__main__ import main
from livetranslate_store.schema import cluster_health


async def cluster_of(url: str) -> ClusterHealth:
    async with Store.open(url, min_connections=1) as store:
        health = await store.health()
    # The sessions of the other nodes are served, whatever is wrong with one.
    assert health.is_healthy
    assert health.cluster is not None
    assert health.problems.get("cluster") == health.cluster.problem
    return health.cluster


async def test_a_cluster_names_its_nodes_and_their_shards(database_url: str, cluster: Cluster) -> None:
    found = await cluster_of(database_url)
    assert found.problem is None
    assert [each.name for each in found.nodes] == [f"{node.host}:{node.port}" for node in cluster.nodes]
    assert [each.is_coordinator for each in found.nodes] == [True] + [False] * (len(cluster.nodes) - 1)
    assert sum(each.shards for each in found.nodes) == SHARDS
    assert found.leftovers == 0


async def test_a_reader_may_ask_too(reader_url: str) -> None:
    assert (await cluster_of(reader_url)).problem is None


def test_check_shows_the_nodes(
    database_url: str, cluster: Cluster, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", "--database", database_url]) == 0
    [line] = [each for each in capsys.readouterr().out.splitlines() if each.startswith("cluster\t")]
    for node in cluster.nodes:
        assert f"{node.host}:{node.port} " in line
    assert f" {SHARDS // (len(cluster.nodes) - 1)} shards" in line


@pytest.mark.parametrize(
    ("statement", "problem"),
    [
        (
            "UPDATE pg_dist_node SET isactive = false WHERE groupid = 2",
            "is not active: `SELECT citus_activate_node('",
        ),
        ("UPDATE pg_dist_node SET nodeport = 1 WHERE groupid = 2", ":1 does not answer: start it"),
        (
            "UPDATE pg_dist_placement SET shardstate = 4 WHERE placementid % 20 = 1",
            " shards are not valid: `SELECT * FROM citus_shards;`",
        ),
    ],
)
async def test_a_problem_of_a_node_or_a_shard_is_named(
    database_url: str, other_program: Program, statement: str, problem: str
) -> None:
    other_program.autocommit = True
    other_program.execute(statement.encode())
    found = await cluster_of(database_url)
    assert found.problem is not None
    assert problem in found.problem


def test_check_fails_if_the_cluster_has_a_problem(
    database_url: str, other_program: Program, capsys: pytest.CaptureFixture[str]
) -> None:
    other_program.execute("UPDATE pg_dist_node SET nodeport = 1 WHERE groupid = 2")
    other_program.commit()
    assert main(["check", "--database", database_url]) == 1
    assert "cluster\tfailed\t" in capsys.readouterr().out


async def test_a_prepared_transaction_left_on_a_worker_is_named(
    database_url: str, other_program: Program, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker = cluster.nodes[1]
    with worker.connect(other_program.info.dbname) as connection:
        connection.execute("BEGIN")
        connection.execute("CREATE TABLE public.left_behind (id int)")
        connection.execute("PREPARE TRANSACTION 'left_behind'")
        try:
            assert (await cluster_of(database_url)).problem is None  # it may still end
            monkeypatch.setattr(
                cluster_health, "_QUESTION", cluster_health._QUESTION.replace("2 min", "0 min")
            )
            found = await cluster_of(database_url)
        finally:
            connection.execute("ROLLBACK PREPARED 'left_behind'")
    assert found.problem == found.nodes[1].problem
    assert f"{worker.host}:{worker.port} has 1 prepared transactions" in str(found.problem)
    assert "recover_prepared_transactions()" in str(found.problem)


@pytest.fixture
def distribute_by_hand(undistributed: Program) -> Callable[..., str]:
    """Distributes some tables with SQL, and returns the URL; speakers refer to nothing."""

    def distribute(*tables: str) -> str:
        undistributed.execute("ALTER TABLE livetranslate.speakers DROP CONSTRAINT fk_speakers_sessions")
        undistributed.execute("SELECT create_distributed_table('livetranslate.sessions', 'id')")
        for table in tables:
            undistributed.execute(
                "SELECT create_distributed_table(%s, 'session_id', colocate_with => %s)",
                [f"livetranslate.{table}", "none" if table == "speakers" else "livetranslate.sessions"],
            )
        undistributed.commit()
        return url_for(undistributed)

    return distribute


OTHERS = ("audio_files", "transcripts", "translations", "text_versions")


async def test_a_table_that_was_left_out_is_named(distribute_by_hand: Callable[..., str]) -> None:
    found = await cluster_of(distribute_by_hand(*OTHERS))
    assert found.problem == (
        "livetranslate.speakers: not distributed, and others are. Run `livetranslate-store distribute`."
    )


async def test_a_table_that_lies_elsewhere_is_named(distribute_by_hand: Callable[..., str]) -> None:
    found = await cluster_of(distribute_by_hand(*OTHERS, "speakers"))
    assert str(found.problem).startswith(
        "livetranslate.speakers does not lie beside livetranslate.sessions: "
    )


async def test_a_hidden_copy_of_rows_is_named(
    undistributed: Program, distribute_by_hand: Callable[..., str]
) -> None:
    fill(undistributed)
    found = await cluster_of(distribute_by_hand(*OTHERS))
    assert "the coordinator keeps a copy of rows that no query sees" in str(found.problem)
