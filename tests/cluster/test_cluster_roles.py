"""The roles of least privilege on a cluster: on every node, on shards, and for tables that come later."""

from collections.abc import Iterator

import psycopg
import pytest
from alembic import command
from conftest import APPLICATION, PASSWORD, READER
from helpers.clusters import Cluster
from helpers.distributed import distributed, fill, url_for
from helpers.stored import Program
from helpers.support import TABLES

from livetranslate_store.schema.distribution import distribute
from livetranslate_store.schema.roles import roles_script
from livetranslate_store.schema.upgrade import configuration, upgrade


@pytest.fixture(params=range(2), ids=["coordinator", "worker"])
def node(request: pytest.FixtureRequest, cluster: Cluster, other_program: Program) -> Iterator[Program]:
    """A connection to a node; a user who reaches one worker can talk to all shards."""
    fill(other_program)
    with cluster.nodes[request.param].connect(other_program.info.dbname) as connection:
        yield connection


def refused(program: Program, role: str, statement: str) -> bool:
    """Return whether the server refuses a statement to a role for want of a privilege."""
    try:
        with program.transaction(force_rollback=True):
            program.execute(f"SET LOCAL ROLE {role}".encode())
            program.execute(statement.encode())
    except psycopg.errors.InsufficientPrivilege:
        return True
    return False


KEY = "session_id = md5('1')::uuid"


def test_a_reader_reads_and_writes_nothing(node: Program) -> None:
    assert not refused(node, READER, f"SELECT * FROM livetranslate.speakers WHERE {KEY}")
    for statement in (
        f"UPDATE livetranslate.speakers SET name = 'x' WHERE {KEY}",
        f"DELETE FROM livetranslate.speakers WHERE {KEY}",
        "INSERT INTO livetranslate.speakers (session_id, label) VALUES (md5('1')::uuid, 'x')",
        f"SELECT * FROM livetranslate.speakers WHERE {KEY} FOR UPDATE",
    ):
        assert refused(node, READER, statement)


def test_an_application_writes_rows(node: Program) -> None:
    # As another user: SET ROLE would not be its own connection to the shards.
    info = node.info
    with psycopg.connect(
        host=info.host, port=info.port, user=APPLICATION, password=PASSWORD, dbname=info.dbname
    ) as connection:
        connection.execute(
            "INSERT INTO livetranslate.speakers (session_id, label) VALUES (md5('1')::uuid, 'x')"
        )
        connection.execute(f"UPDATE livetranslate.speakers SET name = 'x' WHERE {KEY}".encode())
        connection.execute(f"DELETE FROM livetranslate.speakers WHERE {KEY}".encode())
        connection.rollback()


@pytest.mark.parametrize("role", [APPLICATION, READER])
@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE livetranslate.sessions ADD COLUMN more int",
        "DROP TABLE livetranslate.translations",
        "TRUNCATE livetranslate.translations",
        "CREATE TABLE livetranslate.more (id int)",
        "SELECT citus_add_node('127.0.0.1', 1)",
        "SELECT citus_remove_node('127.0.0.1', 1)",
        "UPDATE pg_dist_node SET isactive = false",
    ],
)
def test_no_role_changes_tables_or_the_cluster(node: Program, role: str, statement: str) -> None:
    assert refused(node, role, statement)


BRING_BACK = "SELECT undistribute_table('livetranslate.sessions', cascade_via_foreign_keys => true)"
MOVE = """
    SELECT citus_move_shard_placement(shardid, a.nodename, a.nodeport, b.nodename, b.nodeport)
    FROM pg_dist_placement JOIN pg_dist_node AS a USING (groupid), pg_dist_node AS b
    WHERE a.groupid = 1 AND b.groupid = 2 LIMIT 1
"""


@pytest.mark.parametrize("role", [APPLICATION, READER])
def test_no_role_moves_tables_or_shards(other_program: Program, role: str) -> None:
    for statement in (BRING_BACK, MOVE):
        assert refused(other_program, role, statement)
    assert len(distributed(other_program)) == len(TABLES)


SHARD = """
    SELECT nodename, nodeport, shard_name(logicalrelid, shardid)
    FROM pg_dist_shard JOIN pg_dist_placement USING (shardid) JOIN pg_dist_node USING (groupid)
    WHERE logicalrelid = 'livetranslate.speakers'::regclass LIMIT 1
"""


def test_a_shard_itself_gives_a_role_no_more_than_its_table(other_program: Program, cluster: Cluster) -> None:
    host, port, shard = other_program.execute(SHARD).fetchall()[0]
    with cluster.coordinator._replace(host=host, port=port).connect(other_program.info.dbname) as worker:
        assert not refused(worker, READER, f"SELECT * FROM {shard}")
        worker.execute("SET citus.enable_manual_changes_to_shards = on")
        assert refused(worker, READER, f"DELETE FROM {shard}")
        assert not refused(worker, APPLICATION, f"DELETE FROM {shard}")
        assert refused(worker, APPLICATION, f"TRUNCATE {shard}")


def rights_everywhere(program: Program, cluster: Cluster, table: str) -> set[str]:
    """Return the rights on a table, as each node has them."""
    query = (
        "SELECT string_agg(acl::text, ' ' ORDER BY acl::text) FROM pg_class, unnest(relacl) AS acl"
        " WHERE oid = to_regclass(%s)"
    )
    found: set[str] = set()
    for node in cluster.nodes:
        with node.connect(program.info.dbname) as connection:
            found.update(str(row[0]) for row in connection.execute(query, [table]).fetchall())
    return found


RIGHTS = {"livetranslate_app=arwd/postgres livetranslate_reader=r/postgres postgres=arwdDxt/postgres"}


def test_roles_that_are_made_after_the_move_have_the_same_rights_on_every_node(
    other_program: Program, cluster: Cluster
) -> None:
    other_program.execute(
        "REVOKE ALL ON ALL TABLES IN SCHEMA livetranslate FROM livetranslate_app, livetranslate_reader"
    )
    other_program.commit()
    assert rights_everywhere(other_program, cluster, "livetranslate.speakers") == {
        "postgres=arwdDxt/postgres"
    }
    other_program.execute(roles_script().encode())
    other_program.commit()
    assert rights_everywhere(other_program, cluster, "livetranslate.speakers") == RIGHTS


async def test_a_table_that_comes_later_takes_its_rights_along_when_it_is_distributed(
    other_program: Program, cluster: Cluster
) -> None:
    other_program.execute(
        "CREATE TABLE livetranslate.later (session_id uuid REFERENCES livetranslate.sessions, n int)"
    )
    other_program.commit()
    assert await distribute(url_for(other_program)) == {"livetranslate.later": 0}
    assert rights_everywhere(other_program, cluster, "livetranslate.later") == RIGHTS


def test_tables_that_a_migration_makes_anew_keep_their_rights_on_every_node(
    other_program: Program, cluster: Cluster
) -> None:
    url = url_for(other_program)
    command.downgrade(configuration(url), "0002")
    upgrade(url)
    assert rights_everywhere(other_program, cluster, "livetranslate.transcripts") == RIGHTS
