"""Writes a meeting into a store as it arrives, and counts the outcomes."""

import asyncio
import hashlib
from collections import Counter
from collections.abc import Callable
from typing import NamedTuple
from uuid import UUID

from livetranslate_store.cli.demo.live import Arrival, arrivals
from livetranslate_store.cli.demo.meeting import Meeting
from livetranslate_store.store import Store
from livetranslate_store.values import Outcome


class Replay(NamedTuple):
    """The written session, and the outcomes of transcripts, translations and audio files."""

    session_id: UUID
    outcomes: Counter[tuple[str, Outcome]]


#: Called with how many writes of how many are done, and their outcomes.
Advance = Callable[[int, int, Counter[tuple[str, Outcome]]], None]


async def replay(
    store: Store, meeting: Meeting, *, seconds: float = 0.0, progress: Advance | None = None
) -> Replay:
    """Write the meeting within so many seconds.

    The content names the session: replaying a meeting again changes nothing.
    """
    name = hashlib.sha256(repr(meeting).encode()).hexdigest()[:16]
    async with store.unit_of_work() as uow:
        session = await uow.sessions.named(f"demo-{name}") or await uow.sessions.create(
            bot_id="demo",
            meeting_id=f"demo-{name}",
            external_id=f"demo-{name}",
            title=meeting.title,
            target_languages=meeting.languages,
        )
    writer = _Writer(store, session.id)
    coming = arrivals(meeting)
    began = asyncio.get_running_loop().time()
    for number, arrival in enumerate(coming, start=1):
        due = began + seconds * arrival.at / coming[-1].at
        await asyncio.sleep(max(0.0, due - asyncio.get_running_loop().time()))
        await writer.write(arrival)
        if progress is not None:
            progress(number, len(coming), writer.outcomes)
    async with store.unit_of_work() as uow:
        await uow.sessions.end(session.id)
    return Replay(session.id, writer.outcomes)


class _Writer:
    """Remembers the written transcripts, as a translation service does that answers later."""

    def __init__(self, store: Store, session_id: UUID) -> None:
        self._store = store
        self._session_id = session_id
        self._transcript_ids: dict[int, UUID] = {}
        self.outcomes: Counter[tuple[str, Outcome]] = Counter()

    async def write(self, arrival: Arrival) -> None:
        if arrival.transcript is None:
            await self._translate(arrival)
            return
        receipt = await self._store.record_segment(
            self._session_id,
            transcript=arrival.transcript,
            translations=arrival.translations,
            audio=arrival.audio,
        )
        self._transcript_ids[arrival.place] = receipt.transcript_id
        self.outcomes["transcripts", receipt.outcome] += 1
        self.outcomes.update(("translations", each.outcome) for each in receipt.translations)
        if receipt.audio is not None:
            self.outcomes["audio files", receipt.audio.outcome] += 1

    async def _translate(self, arrival: Arrival) -> None:
        async with self._store.unit_of_work() as uow:
            for each in arrival.translations:
                receipt = await uow.translations.add(
                    self._session_id, self._transcript_ids[arrival.place], each
                )
                self.outcomes["translations", receipt.outcome] += 1
