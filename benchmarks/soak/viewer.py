"""A viewer that reads along in a bot's meetings."""

import asyncio
import random
from uuid import UUID

from benchmarks.soak.bot import Bot, Phase
from livetranslate_store import Store

PAGE = 50
WINDOW_SECONDS = 30.0


class Viewer:
    """Follows a bot's meetings: all pages at first, then the new ones, and the last half minute."""

    def __init__(self, bot: Bot, chance: random.Random) -> None:
        self._bot = bot
        self._chance = chance
        self._session_id: UUID | None = None
        self._cursor: str | None = None

    async def watch(self, phase: Phase) -> None:
        """Look again and again until the phase ends."""
        loop = asyncio.get_running_loop()
        while loop.time() < phase.ends:
            # Viewers must not all look at the same moment.
            await asyncio.sleep(self._chance.uniform(0.0, 2.0 * phase.pause))
            if self._bot.session_id is not None:
                await self._look(self._bot.store, self._bot.session_id)

    async def _look(self, store: Store, session_id: UUID) -> None:
        if session_id != self._session_id:
            self._session_id, self._cursor = session_id, None
        while True:
            page = await store.timeline(session_id, limit=PAGE, cursor=self._cursor)
            if page.next_cursor is None:
                break
            self._cursor = page.next_cursor
        await store.timeline(session_id, start=self._bot.clock - WINDOW_SECONDS, end=self._bot.clock)
        store.statistics()
        await store.find_sessions(status="active")
        async with store.read() as reader:
            await reader.speakers.list_for_session(session_id)
