"""`upgrade` and `roles`: the schema and who may do what in it."""

import sys

from livetranslate_store.cli.command import RUN, Command
from livetranslate_store.cli.options import Database
from livetranslate_store.cli.schema import bring_up_to_date
from livetranslate_store.schema.roles import roles_script


def upgrade(database: Database = None) -> None:
    """Bring the schema of a database up to date.

    Run it as the user who owns the schema. Where it is up to date already, nothing is changed.
    """
    sys.stdout.write(bring_up_to_date(database) + "\n")


def roles() -> None:
    """Print the SQL of two roles: one that writes but cannot change the schema, one that only reads."""
    sys.stdout.write(roles_script())


UPGRADE = Command(
    "upgrade",
    upgrade,
    RUN,
    ("upgrade --database postgresql+asyncpg://owner@db/livetranslate", "upgrade -d embedded:./meetings"),
)
ROLES = Command("roles", roles, RUN, ('roles | psql "$OWNERS_URL"',))
