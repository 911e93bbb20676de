"""Opens the store of a command, and finds the session that it names."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

from livetranslate_store.errors import InvalidInputError, NotFoundError
from livetranslate_store.models import Session
from livetranslate_store.settings import StoreSettings
from livetranslate_store.store import Store


def settings_for(database: str | None) -> StoreSettings:
    """Return the settings of a command, which opens no connection before its first statement."""
    return StoreSettings.of(database or None, min_connections=0)


@asynccontextmanager
async def opened(database: str | None, tenant: str | None = None) -> AsyncIterator[Store]:
    """Open the store of a command, for one tenant if it names one."""
    async with Store.open(settings_for(database)) as store:
        yield store if tenant is None else store.for_tenant(tenant)


async def session_named(store: Store, name: str) -> Session:
    """Return the session with this id or external id.

    Raises NotFoundError, and InvalidInputError if several tenants have a session of that external id.
    """
    async with store.read() as reader:
        session_id = _id_in(name)
        if session_id is not None:
            try:
                return await reader.sessions.get(session_id)
            except NotFoundError:
                # An external id may look like an id.
                pass
        named = reader.sessions.statement().where(Session.external_id == name)
        found = await reader.sessions.get_many(named)
    if not found:
        raise NotFoundError(f"No session has the id or external id {name!r}.")
    if len(found) > 1:
        raise InvalidInputError(
            f"Sessions of {len(found)} tenants have the external id {name!r}: give the id, which "
            "`livetranslate-store sessions --text` shows."
        )
    return found[0]


def _id_in(name: str) -> UUID | None:
    try:
        return UUID(name)
    except ValueError:
        return None
