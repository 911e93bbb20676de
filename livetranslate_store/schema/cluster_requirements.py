"""What a cluster needs before tables are distributed: the lines of the plan about its nodes."""

from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple, TypeAlias

import asyncpg

from livetranslate_store.schema.cluster import Node, problem_of

# A moved shard takes a worker that applies changes, two that copy, and one that watches over the move.
_SLOTS = 4
# What a node needs beside one connection for each shard that is filled.
_SPARE_CONNECTIONS = 10

#: What the plan asks each node.
QUESTION = """
SELECT json_build_object(
    'wal_level', current_setting('wal_level'),
    'slots', current_setting('max_worker_processes')::int,
    'free_slots', current_setting('max_worker_processes')::int - (
        SELECT count(*) FROM pg_catalog.pg_stat_activity
        WHERE backend_type ~ '^(Citus|logical replication|parallel)'
    ),
    'prepared', current_setting('max_prepared_transactions')::int,
    'connections', current_setting('max_connections')::int,
    'extensions', ARRAY(
        SELECT name FROM pg_catalog.pg_available_extensions WHERE name IN ('pg_trgm', 'unaccent') ORDER BY 1
    )
)::text
"""

#: `ok` or `missing` for what must be, `advised` for what may be done later, `moves` or `done` for a table.
State: TypeAlias = Literal["ok", "missing", "advised", "moves", "done"]


class Line(NamedTuple):
    """A line of a plan: a requirement, or a table; the detail of a missing one says what mends it."""

    part: str
    state: State
    detail: str


def extension_line(server: asyncpg.Record) -> Line:
    """Return whether the database has the extension."""
    if server["citus"]:
        return Line("citus", "ok", f"version {server['citus']}")
    if server["has_files"]:
        return Line(
            "citus",
            "missing",
            "The extension is missing: `CREATE EXTENSION citus;` in this database, on every node.",
        )
    return Line(
        "citus",
        "missing",
        "Citus is not installed on this server: install it on every node, set `shared_preload_libraries = "
        "'citus'`, and restart them.",
    )


def node_lines(nodes: Sequence[Node], *, is_worker: bool) -> Iterator[Line]:
    """Return whether the coordinator is known, and whether all nodes work."""
    coordinator = next((each for each in nodes if each.is_coordinator), None)
    if is_worker:
        yield Line("coordinator", "missing", "This node is a worker: connect to the coordinator.")
    elif coordinator is None:
        yield Line(
            "coordinator",
            "missing",
            "The workers do not know its address: `SELECT citus_set_coordinator_host('HOST', 5432);`.",
        )
    else:
        yield Line("coordinator", "ok", coordinator.name)
    problems = [problem for each in nodes if (problem := problem_of(each))]
    targets = [each for each in nodes if each.is_active and each.takes_shards]
    if not targets:
        problems.append("No node takes shards: `SELECT citus_add_node('HOST', 5432);` for each worker.")
    yield _line("workers", problems, ", ".join(each.name for each in targets))


def setting_lines(nodes: Sequence[Node], shards: int) -> Iterator[Line]:
    """Return whether the settings of the nodes suffice for so many shards."""
    answers = {each.name: each.answer for each in nodes if each.answer is not None}
    targets = max(1, sum(each.is_active and each.takes_shards for each in nodes))
    connections = -(-shards // targets) + _SPARE_CONNECTIONS
    yield _line(
        "extensions",
        [
            f"{name} has no {extension}: install PostgreSQL's contrib package there."
            for name, found in answers.items()
            for extension in ("pg_trgm", "unaccent")
            if extension not in found["extensions"]
        ],
        "pg_trgm, unaccent",
    )
    yield _line(
        "connections",
        [
            f"{name} allows {found['connections']}, and {connections} are needed: fewer --shards, or "
            f"`ALTER SYSTEM SET max_connections = {connections};` there and a restart."
            for name, found in answers.items()
            if found["connections"] < connections
        ],
        f"one for each shard of a node, {connections} with some to spare",
    )
    yield _line(
        "prepared transactions",
        [
            f"{name} allows none: `ALTER SYSTEM SET max_prepared_transactions = {found['connections']};` "
            "there and a restart."
            for name, found in answers.items()
            if found["prepared"] == 0
        ],
        "for transactions over two nodes",
    )
    yield _line(
        "wal_level",
        [
            f"{name} has {found['wal_level']}, with which writes wait for the move of a shard: `ALTER SYSTEM "
            "SET wal_level = 'logical';` there and a restart."
            for name, found in answers.items()
            if found["wal_level"] != "logical"
        ],
        "logical",
        otherwise="advised",
    )
    yield _line(
        "worker slots",
        [
            f"{name} has {found['free_slots']} free of {found['slots']}, and the move of a shard takes "
            f"{_SLOTS}: `ALTER SYSTEM SET max_worker_processes = {found['slots'] + 2 * _SLOTS};` there and a "
            "restart."
            for name, found in answers.items()
            if found["free_slots"] < _SLOTS
        ],
        "for moving shards",
        otherwise="advised",
    )


def _line(part: str, problems: Sequence[str], detail: str, *, otherwise: State = "missing") -> Line:
    return Line(part, otherwise, " ".join(problems)) if problems else Line(part, "ok", detail)
