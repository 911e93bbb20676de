"""The schema's migrations, from a checkout or from the installed wheel."""

from pathlib import Path

from alembic import command
from alembic.config import Config

from livetranslate_store.database.engine import asyncpg_url
from livetranslate_store.database.failures import DATABASE_ERRORS, translate

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
