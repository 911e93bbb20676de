"""The schema's migrations, from a checkout or from the installed wheel."""

from pathlib import Path

from alembic.config import Config

from alembic import command

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
    """Bring the schema up to date; blocks, and must not run in a thread with a running event loop."""
    command.upgrade(configuration(database_url), "head")
