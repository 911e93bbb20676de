"""The nodes of a cluster: which ones there are, and what each of them answers."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

import asyncpg
import msgspec

from livetranslate_store.database.statement import BoundStatement, Statement
from livetranslate_store.models import SCHEMA, Base, Session

#: The table that gives all others their place.
SESSIONS = f"{SCHEMA}.{Session.__tablename__}"

#: Runs one statement: `Database.fetch`, or the like.
Fetch: TypeAlias = Callable[[BoundStatement], Awaitable[Sequence[asyncpg.Record]]]

# A standby of a node has a row of its own here.
_NODES = Statement(
    "cluster.nodes",
    f"""
SELECT n.nodeid, n.nodename || ':' || n.nodeport AS name, n.nodename AS host, n.nodeport AS port,
    n.groupid = 0 AS is_coordinator, n.isactive, n.shouldhaveshards,
    (SELECT count(*) FROM pg_catalog.pg_dist_placement p JOIN pg_catalog.pg_dist_shard s USING (shardid)
     WHERE p.groupid = n.groupid AND s.logicalrelid = to_regclass('{SESSIONS}')) AS shards
FROM pg_catalog.pg_dist_node n WHERE n.noderole = 'primary' ORDER BY n.groupid <> 0, n.nodeid
""",  # noqa: S608 (a constant)
)
_ANSWERS = Statement(
    "cluster.answers",
    "SELECT nodeid, success, result FROM pg_catalog.run_command_on_all_nodes($1)",
    ("question",),
)
_TABLES = Statement(
    "cluster.tables",
    """
SELECT t.name, p.logicalrelid IS NOT NULL AS is_distributed,
    p.colocationid = (SELECT colocationid FROM pg_catalog.pg_dist_partition
                      WHERE logicalrelid = to_regclass($2)) AS is_colocated,
    p.logicalrelid IS NOT NULL AND pg_relation_size(p.logicalrelid) > 0 AS has_hidden_rows
FROM unnest($1::text[]) WITH ORDINALITY AS t (name, place)
    LEFT JOIN pg_catalog.pg_dist_partition p ON p.logicalrelid = to_regclass(t.name)
ORDER BY t.place
""",
    ("names", "first"),
)
# Those older than the cluster: by itself it makes on its nodes only what a table is known to depend on.
_FUNCTIONS_LEFT = Statement(
    "cluster.functions",
    f"""
SELECT p.oid::regprocedure::text AS name FROM pg_catalog.pg_proc p
WHERE p.pronamespace = to_regnamespace('{SCHEMA}')
    AND NOT EXISTS (SELECT FROM pg_catalog.pg_dist_object
                    WHERE classid = 'pg_proc'::regclass AND objid = p.oid)
    AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend
                    WHERE classid = 'pg_proc'::regclass AND objid = p.oid AND deptype = 'e')
ORDER BY p.oid
""",  # noqa: S608 (a constant)
)


class Node(NamedTuple):
    """One node, and its answer to a question; None if it gave none."""

    name: str
    host: str
    port: int
    is_coordinator: bool
    is_active: bool
    takes_shards: bool
    #: Shards of sessions: each has the rows of its sessions in the other tables beside it.
    shards: int
    answer: Mapping[str, Any] | None


class DistributedTable(NamedTuple):
    """A table: whether its rows are on the nodes, and beside those of their sessions."""

    name: str
    is_distributed: bool
    is_colocated: bool
    #: Whether the coordinator keeps a copy of its rows, which no query sees, but a migration does.
    has_hidden_rows: bool


async def read_nodes(fetch: Fetch, question: str) -> list[Node]:
    """Ask all nodes; `question` is a select of one JSON object. The coordinator comes first."""
    nodes = await fetch(_NODES.bind())
    answers = {
        row["nodeid"]: msgspec.json.decode(row["result"])
        for row in await fetch(_ANSWERS.bind({"question": question}))
        if row["success"]
    }
    return [
        Node(
            row["name"],
            row["host"],
            row["port"],
            row["is_coordinator"],
            row["isactive"],
            row["shouldhaveshards"],
            row["shards"],
            answers.get(row["nodeid"]),
        )
        for row in nodes
    ]


async def read_tables(fetch: Fetch, names: Sequence[str]) -> list[DistributedTable]:
    """Return how these tables are distributed, in the same order."""
    rows = await fetch(_TABLES.bind({"names": names, "first": SESSIONS}))
    return [
        DistributedTable(
            row["name"], row["is_distributed"], bool(row["is_colocated"]), row["has_hidden_rows"]
        )
        for row in rows
    ]


async def read_functions_left(fetch: Fetch) -> list[str]:
    """Return the functions of the schema that only the coordinator has, oldest first."""
    return [row["name"] for row in await fetch(_FUNCTIONS_LEFT.bind())]


def table_names() -> list[str]:
    """Return the names of the store's tables, with their schema, in the order of their foreign keys."""
    return [table.fullname for table in Base.metadata.sorted_tables]


def problem_of(node: Node) -> str | None:
    """Return why a node does not work, and what mends it."""
    if not node.is_active:
        return f"{node.name} is not active: `SELECT citus_activate_node('{node.host}', {node.port});`."
    if node.answer is None:
        return (
            f"{node.name} does not answer: start it, and let the other nodes connect as this user. "  # noqa: S608 (a sentence)
            "`SELECT * FROM citus_check_cluster_node_health();` lists the connections that fail."
        )
    return None
