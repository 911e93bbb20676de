"""The schema's migrations, from a checkout or from the installed wheel."""

from collections.abc import Collection
from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

from livetranslate_store.database.engine import asyncpg_url
from livetranslate_store.database.failures import DATABASE_ERRORS, translate
from livetranslate_store.errors import StoreUnavailableError

_PACKAGE = Path(__file__).resolve().parent.parent


def configuration(database_url: str) -> Config:
    """Return alembic's configuration for the migrations of this package and that database."""
    installed = _PACKAGE / "_alembic"
    folder = installed if installed.is_dir() else _PACKAGE.parent / "alembic"
    config = Config()
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    # As an attribute: an option would show up, password and all, in alembic's own messages.
    config.attributes["database_url"] = database_url
    return config


def upgrade(database_url: str) -> None:
    """Bring the schema up to date; blocks, and must not run in a thread with a running event loop.

    Raises StoreUnavailableError where the database is not there, ConflictError where a lock was not free.
    """
    url = asyncpg_url(database_url).render_as_string(hide_password=False)
    try:
        command.upgrade(configuration(url), "head")
    except DATABASE_ERRORS as error:
        failure = translate(error)
        raise failure from failure.__cause__


def check_applied(applied: Collection[str]) -> None:
    """Refuse a schema that is older than this version of the package needs; raises StoreUnavailableError.

    A newer one will do: while a new version is rolled out, the old one runs on its schema for a while.
    """
    head, known = _revisions()
    if head not in applied and known.issuperset(applied):
        found = ", ".join(sorted(applied)) or "empty"
        raise StoreUnavailableError(
            f"The schema is at {found}, and {head} is needed: run `livetranslate-store upgrade`."
        )


@cache
def _revisions() -> tuple[str | None, frozenset[str]]:
    scripts = ScriptDirectory.from_config(configuration(""))
    return scripts.get_current_head(), frozenset(each.revision for each in scripts.walk_revisions())
