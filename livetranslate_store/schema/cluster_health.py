"""The health of a cluster: its nodes, its tables, and what a node's crash has left behind."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from livetranslate_store.database.statement import Statement
from livetranslate_store.schema.cluster import (
    SESSIONS,
    DistributedTable,
    Fetch,
    Node,
    problem_of,
    read_functions_left,
    read_nodes,
    read_tables,
    table_names,
)
from livetranslate_store.values import NodeHealth

# Citus itself ends those that it finds once a minute.
_QUESTION = """
SELECT json_build_object('prepared', (
    SELECT count(*) FROM pg_catalog.pg_prepared_xacts
    WHERE database = current_database() AND prepared < statement_timestamp() - interval '2 minutes'
))::text
"""
_SHARDS = Statement(
    "cluster.shards",
    """
SELECT (SELECT count(*) FROM pg_catalog.pg_dist_placement WHERE shardstate <> 1) AS invalid,
    (SELECT count(*) FROM pg_catalog.pg_dist_cleanup) AS leftovers
""",
)


class ClusterState(NamedTuple):
    """The nodes, the leftovers of moved shards, and all problems in one text."""

    nodes: Sequence[NodeHealth]
    leftovers: int
    problem: str | None


async def read_cluster_state(fetch: Fetch) -> ClusterState:
    """Ask the coordinator and all nodes of a cluster with distributed tables."""
    nodes = await read_nodes(fetch, _QUESTION)
    tables = await read_tables(fetch, table_names())
    [shards] = await fetch(_SHARDS.bind())
    found = [NodeHealth(each.name, each.is_coordinator, each.shards, _problem(each)) for each in nodes]
    problems = [each.problem for each in found if each.problem is not None]
    problems += _misplaced(tables)
    if functions := await read_functions_left(fetch):
        problems.append(
            f"{', '.join(functions)}: only on the coordinator. Run `livetranslate-store distribute`."
        )
    if shards["invalid"]:
        problems.append(
            f"{shards['invalid']} shards are not valid: `SELECT * FROM citus_shards;` lists all shards."  # noqa: S608 (a sentence)
        )
    return ClusterState(found, shards["leftovers"], " ".join(problems) or None)


def _problem(node: Node) -> str | None:
    if (problem := problem_of(node)) is not None or node.answer is None:
        return problem
    if left := node.answer["prepared"]:
        return (
            f"{node.name} has {left} prepared transactions that nobody ends: `SELECT "
            "recover_prepared_transactions();` on the coordinator, as a superuser."
        )
    return None


def _misplaced(tables: Sequence[DistributedTable]) -> Iterator[str]:
    apart = [each.name for each in tables if not each.is_distributed]
    if apart:
        yield f"{', '.join(apart)}: not distributed, and others are. Run `livetranslate-store distribute`."
    hidden = [each.name for each in tables if each.has_hidden_rows]
    if hidden:
        yield (
            f"{', '.join(hidden)}: the coordinator keeps a copy of rows that no query sees. "
            "Run `livetranslate-store distribute`."
        )
    for each in tables:
        if each.is_distributed and not each.is_colocated:
            yield (
                f"{each.name} does not lie beside {SESSIONS}: `SELECT update_distributed_table_colocation("
                f"'{each.name}', colocate_with => '{SESSIONS}');`."
            )
