"""The privileges of a connection's user on the tables, and whether the roles exist."""

from collections.abc import Awaitable, Callable
from typing import NamedTuple

import asyncpg

from livetranslate_store.database.statement import BoundStatement, Statement
from livetranslate_store.models import SCHEMA

# The owner of a schema may change it, whatever else was granted.
_PRIVILEGES = Statement(
    "privileges",
    f"""
SELECT
    current_user::text AS "user",
    pg_has_role(n.nspowner, 'USAGE') AS may_change_schema,
    ARRAY(SELECT c.relname::text FROM pg_class c WHERE c.relnamespace = n.oid AND c.relkind IN ('r', 'p')
          AND NOT has_table_privilege(c.oid, 'SELECT') ORDER BY 1) AS unreadable,
    (SELECT array_agg(c.relname::text ORDER BY c.relname) FROM pg_class c
     WHERE c.relnamespace = n.oid AND c.relkind IN ('r', 'p') AND c.relname <> 'alembic_version'
       AND NOT (has_table_privilege(c.oid, 'INSERT') AND has_table_privilege(c.oid, 'UPDATE')
                AND has_table_privilege(c.oid, 'DELETE'))) AS unwritable,
    (SELECT count(*) FROM pg_class c WHERE c.relnamespace = n.oid AND c.relkind IN ('r', 'p')
       AND c.relname <> 'alembic_version') AS tables,
    (SELECT count(*) = 2 FROM pg_roles
     WHERE rolname IN ('livetranslate_app', 'livetranslate_reader')) AS roles_exist
FROM pg_namespace n WHERE n.nspname = '{SCHEMA}'
""",  # noqa: S608 (a constant)
)


class Privileges(NamedTuple):
    """The privileges of a connection's user; `problem` names tables that it should read or write."""

    user: str
    may_write: bool
    may_change_schema: bool
    roles_exist: bool
    problem: str | None


async def read_privileges(
    fetch: Callable[[BoundStatement], Awaitable[list[asyncpg.Record]]],
) -> Privileges:
    """Return the privileges of the connection's user; the schema must exist."""
    (row,) = await fetch(_PRIVILEGES.bind())
    unwritable = row["unwritable"] or []
    problem = None
    if row["unreadable"]:
        problem = f"{row['user']} may not read {', '.join(row['unreadable'])}"
    elif 0 < len(unwritable) < row["tables"]:
        problem = f"{row['user']} may write some tables, but not {', '.join(unwritable)}"
    if problem is not None:
        problem += ": run `livetranslate-store roles` as the schema's owner again, and grant a role."
    return Privileges(row["user"], not unwritable, row["may_change_schema"], row["roles_exist"], problem)
