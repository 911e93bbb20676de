"""What it takes to distribute the tables over a cluster, and to bring them back: requirements and tables."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import asyncpg

from livetranslate_store.database.connecting import APPLICATION_NAME, address_of
from livetranslate_store.database.statement import Statement
from livetranslate_store.errors import StoreUnavailableError
from livetranslate_store.models import SCHEMA
from livetranslate_store.schema.cluster import (
    SESSIONS,
    DistributedTable,
    Fetch,
    read_functions_left,
    read_nodes,
    read_tables,
    table_names,
)
from livetranslate_store.schema.cluster_requirements import (
    QUESTION,
    Line,
    extension_line,
    node_lines,
    setting_lines,
)
from livetranslate_store.schema.upgrade import check_applied
from livetranslate_store.settings import StoreSettings

#: Enough for eight workers. Each adds a table with its indexes for every table; writes go in groups for each
#: shard, and a search asks all of them.
DEFAULT_SHARDS = 8

_SERVER = Statement(
    "distribution.server",
    f"""
SELECT current_user::text AS "user",
    (SELECT extversion FROM pg_catalog.pg_extension WHERE extname = 'citus') AS citus,
    EXISTS (SELECT FROM pg_catalog.pg_available_extensions WHERE name = 'citus') AS has_files,
    to_regclass('{SCHEMA}.alembic_version') IS NOT NULL AS has_schema
""",  # noqa: S608 (a constant)
)
_APPLIED = Statement("distribution.schema", f"SELECT version_num FROM {SCHEMA}.alembic_version")  # noqa: S608 (a constant)
_IS_WORKER = Statement(
    "distribution.is_worker", "SELECT groupid <> 0 AS answer FROM pg_catalog.pg_dist_local_group"
)
# Those of applications that refer to the store's tables have to lie beside them.
_TABLES = Statement(
    "distribution.tables",
    f"""
WITH ours AS (
    SELECT to_regclass(name) AS relation, key, place
    FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS t (name, key, place)
), theirs AS (
    SELECT DISTINCT ON (k.conrelid) k.conrelid::regclass AS relation, own.attname::text AS key, 1000 AS place
    FROM pg_catalog.pg_constraint k JOIN ours ON ours.relation = k.confrelid
        CROSS JOIN unnest(k.conkey, k.confkey) AS pair (own, other)
        JOIN pg_catalog.pg_attribute own ON own.attrelid = k.conrelid AND own.attnum = pair.own
        JOIN pg_catalog.pg_attribute other ON other.attrelid = k.confrelid AND other.attnum = pair.other
            AND other.attname = ours.key
    WHERE k.contype = 'f' AND k.conrelid NOT IN (SELECT relation FROM ours)
)
SELECT CASE WHEN c.relnamespace = '{SCHEMA}'::regnamespace THEN format('{SCHEMA}.%I', c.relname)
        ELSE t.relation::text END AS name, -- whatever the search_path is
    t.key, pg_has_role(c.relowner, 'USAGE') AS is_own,
    CASE WHEN c.reltuples < 0 THEN pg_stat_get_live_tuples(c.oid) ELSE c.reltuples::bigint END AS rows,
    pg_total_relation_size(c.oid) AS bytes,
    ARRAY(SELECT i.indexrelid::regclass::text FROM pg_catalog.pg_index i
          WHERE i.indrelid = c.oid AND i.indisunique AND a.attnum <> ALL (i.indkey)) AS other_keys
FROM (SELECT * FROM ours UNION ALL SELECT * FROM theirs) AS t
    JOIN pg_catalog.pg_class c ON c.oid = t.relation
    JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attname = t.key
ORDER BY t.place, 1
""",  # noqa: S608 (a constant)
    ("names", "keys"),
)
_STORES = Statement(
    "distribution.stores",
    """
SELECT application_name, count(*) AS connections FROM pg_catalog.pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
    AND application_name NOT LIKE 'citus%'
GROUP BY application_name ORDER BY application_name
""",
)
_DISTRIBUTED_BYTES = Statement(
    "distribution.bytes",
    "SELECT pg_catalog.citus_total_relation_size($1::text::regclass) AS answer",
    ("name",),
)


class MovingTable(NamedTuple):
    """A table that moves: its name, and the column that decides where each row goes."""

    name: str
    key: str


class Plan(NamedTuple):
    """The requirements, and the tables that move, in the order of their foreign keys."""

    lines: Sequence[Line]
    tables: Sequence[MovingTable]
    #: Tables that are distributed, with a copy of rows on this server that no query sees any more.
    hidden: Sequence[str] = ()
    #: Functions that only the coordinator has.
    functions: Sequence[str] = ()

    @property
    def is_needed(self) -> bool:
        """Whether anything is left to do."""
        return bool(self.tables or self.hidden or self.functions)

    def check(self) -> None:
        """Raise StoreUnavailableError if a requirement is missing."""
        missing = [f"{each.part}: {each.detail}" for each in self.lines if each.state == "missing"]
        if missing:
            raise StoreUnavailableError(f"The tables cannot move yet. {' '.join(missing)}")


async def plan_of(fetch: Fetch, settings: StoreSettings, shards: int) -> Plan:
    """Return what distributing over the cluster takes, and the tables that are not distributed yet."""
    [server] = await fetch(_SERVER.bind())
    lines = [extension_line(server)]
    distributed: dict[str, DistributedTable] = {}
    functions: list[str] = []
    tables = await _tables(fetch)
    if server["citus"]:
        [(is_worker,)] = await fetch(_IS_WORKER.bind())
        nodes = await read_nodes(fetch, QUESTION)
        lines += [*node_lines(nodes, is_worker=is_worker), *setting_lines(nodes, shards)]
        known = await read_tables(fetch, list(tables))
        distributed = {each.name: each for each in known if each.is_distributed}
        functions = await read_functions_left(fetch)
    lines += [await _schema(fetch, has_schema=server["has_schema"]), *_ownership(tables, server["user"])]
    lines.append(await _stores(fetch, settings))
    moving = [name for name in tables if name not in distributed]
    lines += _keys(tables[name] for name in moving)
    if functions:
        lines.append(Line("functions", "moves", f"{len(functions)}, to every node"))
    for name, found in tables.items():
        lines.append(_moving(found) if name in moving else _distributed(distributed[name]))
    if moving:
        lines.append(_meanwhile(shards, is_first=SESSIONS in moving))
    return Plan(
        lines,
        [MovingTable(name, tables[name]["key"]) for name in moving],
        [each.name for each in distributed.values() if each.has_hidden_rows],
        functions,
    )


async def plan_of_return(fetch: Fetch, settings: StoreSettings) -> Plan:
    """Return what it takes to bring all back to the coordinator, and the tables that come."""
    [server] = await fetch(_SERVER.bind())
    if not server["citus"]:
        return Plan([extension_line(server)._replace(state="done", detail="not in use")], [])
    [(is_worker,)] = await fetch(_IS_WORKER.bind())
    lines = [*node_lines(await read_nodes(fetch, QUESTION), is_worker=is_worker)]
    tables = await _tables(fetch)
    lines += [*_ownership(tables, server["user"]), await _stores(fetch, settings)]
    moving = [each.name for each in await read_tables(fetch, list(tables)) if each.is_distributed]
    for name in tables:
        if name in moving:
            [(size,)] = await fetch(_DISTRIBUTED_BYTES.bind({"name": name}))
            lines.append(Line(name, "moves", _size(size)))
        else:
            lines.append(Line(name, "done", "on this server"))
    if moving:
        lines.append(
            Line("meanwhile", "ok", "Readers and writers wait; this server needs disk for all rows.")
        )
    return Plan(lines, [MovingTable(name, tables[name]["key"]) for name in moving])


async def _tables(fetch: Fetch) -> dict[str, asyncpg.Record]:
    names = table_names()
    keys = ["id" if name == SESSIONS else "session_id" for name in names]
    return {row["name"]: row for row in await fetch(_TABLES.bind({"names": names, "keys": keys}))}


async def _schema(fetch: Fetch, *, has_schema: bool) -> Line:
    applied = {row["version_num"] for row in await fetch(_APPLIED.bind())} if has_schema else set()
    try:
        check_applied(applied)
    except StoreUnavailableError as error:
        return Line("schema", "missing", str(error))
    return Line("schema", "ok", f"revision {', '.join(sorted(applied))}")


def _ownership(tables: Mapping[str, asyncpg.Record], user: str) -> Iterator[Line]:
    foreign = [name for name, found in tables.items() if not found["is_own"]]
    if foreign:
        yield Line("owner", "missing", f"{user} does not own {', '.join(foreign)}: connect as the owner.")


async def _stores(fetch: Fetch, settings: StoreSettings) -> Line:
    names = {APPLICATION_NAME, address_of(settings).application_name}
    rows = await fetch(_STORES.bind())
    of_stores = sum(row["connections"] for row in rows if row["application_name"] in names)
    others = [
        f"{row['application_name'] or 'without a name'} {row['connections']}"
        for row in rows
        if row["application_name"] not in names
    ]
    if of_stores:
        return Line(
            "stores",
            "missing",
            f"{of_stores} connections of stores are open, which do not expect that their tables change: end "
            "those programs first.",
        )
    if others:
        return Line(
            "stores",
            "advised",
            f"End other programs with a store, if some of these are: {', '.join(others)}.",
        )
    return Line("stores", "ok", "none is connected")


def _keys(tables: Iterable[asyncpg.Record]) -> Iterator[Line]:
    for table in tables:
        if table["other_keys"]:
            yield Line(
                f"keys of {table['name']}",
                "missing",
                f"{', '.join(table['other_keys'])}: make {table['key']} part of each unique key, or drop it.",
            )


def _moving(table: asyncpg.Record) -> Line:
    size = f"about {table['rows']:,} rows, {_size(table['bytes'])}, by {table['key']}"
    return Line(table["name"], "moves", size)


def _distributed(table: DistributedTable) -> Line:
    if table.has_hidden_rows:
        return Line(table.name, "moves", "distributed; the hidden copy on this server is removed")
    return Line(table.name, "done", "distributed")


def _meanwhile(shards: int, *, is_first: bool) -> Line:
    places = f"{shards} shards. " if is_first else ""
    return Line(
        "meanwhile",
        "ok",
        f"{places}Writers wait, and readers in the end, when the rows on this server are removed. All of it "
        "is one transaction.",
    )


def _size(count: int) -> str:
    size, units = float(count), iter(("B", "kB", "MB", "GB"))
    for unit in units:
        if size < 1024:  # noqa: PLR2004
            return f"{size:.0f} {unit}"
        size /= 1024
    return f"{size:.1f} TB"
