"""The schema's migrations, from a checkout or from the installed package."""

import io
from collections.abc import Collection, Iterable
from functools import cache
from pathlib import Path
from typing import NamedTuple

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError

from livetranslate_store.database.engine import Database
from livetranslate_store.database.statement import Statement
from livetranslate_store.errors import StoreUnavailableError
from livetranslate_store.models import SCHEMA
from livetranslate_store.settings import StoreSettings

_PACKAGE = Path(__file__).resolve().parent.parent

_IS_MADE = Statement("schema.is_made", f"SELECT to_regclass('{SCHEMA}.alembic_version') IS NOT NULL")
_APPLIED = Statement("schema.revision", f"SELECT version_num FROM {SCHEMA}.alembic_version")  # noqa: S608 (a constant)


class Upgrade(NamedTuple):
    """The revisions of a schema before and after an upgrade; None means an empty database."""

    before: str | None
    after: str | None

    @property
    def changed(self) -> bool:
        """Whether a migration ran."""
        return self.before != self.after


def configuration(settings: StoreSettings | str | None = None) -> Config:
    """Return alembic's configuration for this package's migrations of a database.

    `settings` are StoreSettings, the database's URL, or None for the environment and `.env`.
    """
    config = _without_database()
    # As an attribute: alembic's own messages show its options, which would include the password.
    config.attributes["settings"] = StoreSettings.of(settings)
    return config


def upgrade(settings: StoreSettings | str | None = None) -> Upgrade:
    """Bring the schema up to date and return what changed; blocks, and needs a thread without an event loop.

    Another upgrade of the same database ends first. Raises StoreUnavailableError if the database cannot be
    reached or its schema is newer than this package, ConflictError if a lock was not free within 5 s.
    """
    config = configuration(settings)
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise StoreUnavailableError(
            f"The schema cannot be upgraded: {error}. If a newer version of this package made it, "
            "install that version."
        ) from error
    return Upgrade(*config.attributes["revisions"])


def upgrade_script(applied: str | None = None) -> str:
    """Return the SQL that brings a schema from the revision `applied`, or an empty database, up to date."""
    config = _without_database()
    config.output_buffer = script = io.StringIO()
    command.upgrade(config, f"{applied}:head" if applied else "head", sql=True)
    return script.getvalue()


async def applied_revision(settings: StoreSettings | str | None = None) -> str | None:
    """Return the revision of a database's schema, None if it has none yet.

    Raises StoreUnavailableError if the database cannot be reached.
    """
    database = Database(StoreSettings.of(settings, min_connections=0))
    try:
        [is_made] = await database.fetch(_IS_MADE.bind())
        rows = await database.fetch(_APPLIED.bind()) if is_made[0] else []
    finally:
        await database.close()
    return joined(row["version_num"] for row in rows)


def newest_revision() -> str:
    """Return the revision that this version of the package needs."""
    head, _ = _revisions()
    return head


def check_applied(applied: Collection[str]) -> None:
    """Raise StoreUnavailableError if the schema is older than this version of the package needs.

    A newer schema is accepted: during a rollout the old version runs on it for a while.
    """
    head, known = _revisions()
    if head not in applied and known.issuperset(applied):
        raise StoreUnavailableError(
            f"The schema is at {joined(applied) or 'no revision'}, and {head} is needed: "
            "run `livetranslate-store upgrade`."
        )


def joined(revisions: Iterable[str]) -> str | None:
    """Return revisions as one text, None if there are none."""
    return ", ".join(sorted(revisions)) or None


def _without_database() -> Config:
    installed = _PACKAGE / "_alembic"
    folder = installed if installed.is_dir() else _PACKAGE.parent / "alembic"
    config = Config()
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    return config


@cache
def _revisions() -> tuple[str, frozenset[str]]:
    scripts = ScriptDirectory.from_config(_without_database())
    head = scripts.get_current_head()
    assert head is not None  # noqa: S101 (the package brings its migrations)
    return head, frozenset(each.revision for each in scripts.walk_revisions())
