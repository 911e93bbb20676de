"""A private server if the settings ask for one: started, brought up to date, and stopped afterwards."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from livetranslate_store.embedded.server import EmbeddedServer
from livetranslate_store.settings import StoreSettings
from livetranslate_store.tasks import run_to_end

EMBEDDED = "embedded:"


def is_embedded(settings: StoreSettings) -> bool:
    """Return whether the settings ask for a private server."""
    return settings.database_url.get_secret_value().startswith(EMBEDDED)


@asynccontextmanager
async def provisioned(settings: StoreSettings) -> AsyncIterator[StoreSettings]:
    """Yield settings with the URL of a running server.

    `embedded:PATH` keeps its data in the folder PATH, and the audio too unless `audio_url` is set;
    `embedded:` alone starts a temporary server that leaves nothing behind.
    """
    if not is_embedded(settings):
        yield settings
        return
    # Alembic takes a while to import, and nothing else here needs it.
    from livetranslate_store.schema.upgrade import upgrade  # noqa: PLC0415

    path = settings.database_url.get_secret_value().removeprefix(EMBEDDED)
    server = EmbeddedServer(Path(path) if path else None)
    try:
        await run_to_end(asyncio.to_thread(server.start))
        await run_to_end(asyncio.to_thread(upgrade, server.url))
        values = settings.model_dump(exclude_unset=True) | {"database_url": server.url}
        if settings.audio_url is None:
            values["audio_url"] = f"file:{server.folder / 'audio'}"
        yield StoreSettings(**values)
    finally:
        await run_to_end(asyncio.to_thread(server.stop))
