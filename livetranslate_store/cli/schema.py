"""Bringing a schema up to date, with and without the extra `cli`."""

from pydantic import SecretStr
from pydantic_settings import BaseSettings

from livetranslate_store.cli.command import wait_for
from livetranslate_store.embedded.provision import EMBEDDED, provisioned
from livetranslate_store.errors import InvalidInputError
from livetranslate_store.schema.upgrade import upgrade
from livetranslate_store.settings import StoreSettings


class _Named(BaseSettings):
    """The database that the settings name, if any does."""

    model_config = StoreSettings.model_config
    database_url: SecretStr | None = None


def database_named(database: str | None) -> str:
    """Return the URL that was given, or that of the settings; raises InvalidInputError without either."""
    if not database:
        named = _Named().database_url
        database = None if named is None else named.get_secret_value()
    if not database:
        raise InvalidInputError(
            "No database is named: give --database URL, or set LIVETRANSLATE_DATABASE_URL."
        )
    return database


def bring_up_to_date(database: str | None) -> str:
    """Upgrade the schema, that of a private server too, and return what to say."""
    url = database_named(database)
    if url.startswith(EMBEDDED):
        wait_for(_provision(url))
    else:
        upgrade(url)
    return "The schema is up to date."


async def _provision(url: str) -> None:
    async with provisioned(StoreSettings(database_url=url)):
        pass
