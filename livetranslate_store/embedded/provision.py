"""A private server if the settings ask for one: started, brought up to date, and stopped afterwards."""

import asyncio
from pathlib import Path

from livetranslate_store.embedded.server import EmbeddedServer
from livetranslate_store.ownership import OwnLoop
from livetranslate_store.settings import StoreSettings
from livetranslate_store.tasks import run_to_end

EMBEDDED = "embedded:"


def is_embedded(settings: StoreSettings) -> bool:
    """Return whether the settings ask for a private server."""
    return settings.database_url.get_secret_value().startswith(EMBEDDED)


class Provisioned:
    """A context manager of settings with the URL of a running server.

    `embedded:PATH` keeps its data in the folder PATH, and the audio too unless `audio_url` is set;
    `embedded:` alone starts a temporary server that leaves nothing behind.
    """

    # Not a generator: at the end of a loop those are closed in any order, and this comes after its store.

    def __init__(self, settings: StoreSettings) -> None:
        self._settings = settings
        self._owner = OwnLoop()
        self._server: EmbeddedServer | None = None

    async def __aenter__(self) -> StoreSettings:
        """Start the server, if the settings ask for one, and bring its schema up to date."""
        if not is_embedded(self._settings):
            return self._settings
        path = self._settings.database_url.get_secret_value().removeprefix(EMBEDDED)
        self._server = EmbeddedServer(Path(path) if path else None)
        try:
            return await self._started(self._server)
        except BaseException:
            await self._stop()
            raise

    async def __aexit__(self, *_: object) -> None:
        """Stop the server; elsewhere nothing is stopped, as it is the owner's."""
        if self._owner.is_here:
            await self._stop()

    async def _started(self, server: EmbeddedServer) -> StoreSettings:
        # Alembic takes a while to import, and nothing else here needs it.
        from livetranslate_store.schema.upgrade import upgrade  # noqa: PLC0415

        await run_to_end(asyncio.to_thread(server.start))
        await run_to_end(asyncio.to_thread(upgrade, server.url))
        values = self._settings.model_dump(exclude_unset=True) | {"database_url": server.url}
        if self._settings.audio_url is None:
            values["audio_url"] = f"file:{server.folder / 'audio'}"
        return StoreSettings(**values)

    async def _stop(self) -> None:
        if self._server is not None:
            await run_to_end(asyncio.to_thread(self._server.stop))
