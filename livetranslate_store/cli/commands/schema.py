"""`upgrade` and `roles`: the schema, and the roles that may use it."""

import sys
from typing import Annotated

import typer

from livetranslate_store.cli.command import RUN, Command, wait_for
from livetranslate_store.cli.opening import settings_for
from livetranslate_store.cli.options import Database
from livetranslate_store.embedded.provision import Provisioned, is_embedded
from livetranslate_store.schema.roles import roles_script, tenants_script
from livetranslate_store.schema.upgrade import (
    Upgrade,
    applied_revision,
    newest_revision,
    upgrade_script,
)
from livetranslate_store.schema.upgrade import upgrade as upgrade_schema
from livetranslate_store.settings import StoreSettings


def upgrade(
    status: Annotated[
        bool, typer.Option("--status", help="Only show the schema's revision and the one that is needed.")
    ] = False,
    sql: Annotated[
        bool, typer.Option("--sql", help="Only print the SQL of the missing migrations, for psql.")
    ] = False,
    database: Database = None,
) -> None:
    """Bring the schema of a database up to date.

    Run it as the owner of the schema. It waits for another upgrade to end, and changes nothing if the schema
    is up to date.
    """
    if status and sql:
        raise typer.BadParameter("give --status or --sql, not both", param_hint="--status")
    settings = settings_for(database)
    if status or sql or is_embedded(settings):
        applied = wait_for(_applied(settings))
        sys.stdout.write(_script(applied) if sql else _status(applied) + "\n")
    else:
        sys.stdout.write(_described(upgrade_schema(settings)) + "\n")


async def _applied(settings: StoreSettings) -> str | None:
    # A private server upgrades its schema when it starts.
    async with Provisioned(settings) as running:
        return await applied_revision(running)


def _script(applied: str | None) -> str:
    return f"-- {_status(applied)}\n" if applied == newest_revision() else upgrade_script(applied)


def _status(applied: str | None) -> str:
    if applied == newest_revision():
        return f"The schema is up to date (revision {applied})."
    found = "The database has no schema yet" if applied is None else f"The schema is at revision {applied}"
    return f"{found}, and this version of the package needs {newest_revision()}."


def _described(done: Upgrade) -> str:
    if not done.changed:
        return _status(done.after)
    if done.before is None:
        return f"The schema was made (revision {done.after})."
    return f"The schema was upgraded from revision {done.before} to {done.after}."


def roles(
    tenants: Annotated[
        bool,
        typer.Option(
            "--tenants", help="The SQL of row-level security instead: logins that see one tenant each."
        ),
    ] = False,
    _database: Database = None,
) -> None:
    """Print the SQL of two roles: one writes but cannot change the schema, the other only reads.

    The SQL is the same for every database, so that --database changes nothing.
    """
    sys.stdout.write(tenants_script() if tenants else roles_script())


UPGRADE = Command(
    "upgrade",
    upgrade,
    RUN,
    (
        "upgrade --database postgresql://owner@db/livetranslate",
        "upgrade --status",
        "upgrade --sql | psql --single-transaction",
    ),
)
ROLES = Command("roles", roles, RUN, ('roles | psql "$OWNERS_URL"', 'roles --tenants | psql "$OWNERS_URL"'))
