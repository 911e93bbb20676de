"""Writers of units that write into two sessions on different nodes, which one commit must keep together."""

import asyncio
from itertools import count
from typing import Any, Self
from uuid import UUID

import psycopg
from faults.crowd import PAUSE_SECONDS, TROUBLE
from helpers.background import Background
from helpers.support import transcript

from livetranslate_store import Store

WRITERS = 4


class Pairs(Background):
    """Writers that write each key into both sessions; leaving the block waits for their last units."""

    def __init__(self, store: Store, one: UUID, other: UUID) -> None:
        super().__init__()
        self._store = store
        self._sessions = (one, other)
        self._acknowledged: set[str] = set()

    async def __aenter__(self) -> Self:
        self._tasks = [asyncio.create_task(self._write(f"p{number}")) for number in range(WRITERS)]
        return self

    def check(self, program: psycopg.Connection[Any]) -> None:
        """Fail if a pair is missing that was acknowledged, or one half of a pair."""
        one, other = (self._keys(program, session_id) for session_id in self._sessions)
        assert one == other, f"in one session only: {one ^ other}"
        assert self._acknowledged <= one, f"lost: {self._acknowledged - one}"
        assert self._acknowledged, "no pair was ever written"

    async def _write(self, name: str) -> None:
        for number in count():
            key = f"{name}-{number}"
            while not self._stopping and key not in self._acknowledged:
                try:
                    async with self._store.unit_of_work() as uow:
                        for session_id in self._sessions:
                            await uow.transcripts.add(session_id, transcript(key, segment_key=key))
                except TROUBLE:
                    await asyncio.sleep(PAUSE_SECONDS)
                else:
                    self._acknowledged.add(key)
            if self._stopping:
                return

    @staticmethod
    def _keys(program: psycopg.Connection[Any], session_id: UUID) -> set[str]:
        found = program.execute(
            "SELECT segment_key FROM livetranslate.transcripts WHERE session_id = %s", [session_id]
        )
        return {key for (key,) in found}
