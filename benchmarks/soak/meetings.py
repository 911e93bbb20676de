"""Bots that write what is said in meetings into a store, and viewers that read along."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import NamedTuple, TypeVar
from uuid import UUID

from cachetools import LRUCache

from benchmarks.soak.gauges import Durations
from benchmarks.soak.speech import Arrival, arrivals
from livetranslate_store import AudioInput, Store, TranscriptInput, TranslationInput, WriteRejectedError
from livetranslate_store.ids import transcript_id_for

# A hundred seconds stand for the hour of a real meeting, so that a run sees many of them begin and end.
MEETING_SEGMENTS = 25
LANGUAGES = ("es", "ja", "de")
SPEAKERS = 4
# Opus at 24 kbit/s, as much of it as the longest segment takes.
AUDIO_BYTES_PER_SECOND = 3000
NOISE = random.Random(7).randbytes(20 * AUDIO_BYTES_PER_SECOND)  # noqa: S311 (the same bytes every time)
PAGE = 50
WINDOW_SECONDS = 30.0
SOURCE = "transcriber"

Answer = TypeVar("Answer")


class Phase(NamedTuple):
    """Until when, by the loop's clock; at the pace of speech or not; a viewer's mean pause in seconds."""

    ends: float
    paced: bool
    pause: float


class Bot:
    """One bot, in one meeting after the other; its clock is simulated: seconds of speech since the start."""

    def __init__(self, store: Store, number: int, seed: int) -> None:
        self.store = store
        self.clock = 0.0
        self._name = f"bot-{number}"
        self._languages = LANGUAGES[: 2 + number % 2]
        self._arrivals = arrivals(random.Random(f"{seed}-{number}"), self._languages)  # noqa: S311 (no secret)
        self._next = next(self._arrivals)
        # The last meeting too: its translations arrive after the next one has begun.
        self._sessions: LRUCache[int, UUID] = LRUCache(2)

    @property
    def meetings(self) -> int:
        """How many meetings the bot has been in."""
        return self._next.place // MEETING_SEGMENTS + 1

    @property
    def session_id(self) -> UUID | None:
        """The meeting that the bot is in."""
        return self._sessions[max(self._sessions)] if self._sessions else None

    async def speak(self, phase: Phase, taken: Durations) -> None:
        """Write what arrives until the phase ends, and count how long each write took.

        At the pace of speech that is from the moment of arrival: a write that waits for the bot's last one,
        or for this process, has taken longer.
        """
        loop = asyncio.get_running_loop()
        began = loop.time() - self.clock
        while True:
            due = began + self._next.at if phase.paced else loop.time()
            if due >= phase.ends:
                return
            await asyncio.sleep(max(0.0, due - loop.time()))
            await self._write(self._next)
            taken.add(loop.time() - due)
            self.clock = self._next.at
            self._next = next(self._arrivals)

    async def _write(self, arrival: Arrival) -> None:
        meeting = arrival.place // MEETING_SEGMENTS
        if meeting not in self._sessions:
            self._sessions[meeting] = await _insist(self._change_meeting)
        session_id = self._sessions[meeting]
        if arrival.language is None:
            await _insist(lambda: self._record(session_id, arrival))
        else:
            # As the receipt said; derived again, so that bots keep nothing for longer than they need it.
            transcript_id = transcript_id_for(session_id, SOURCE, _key(arrival))
            translation = TranslationInput(text=arrival.text, target_language=arrival.language)
            await _insist(lambda: add_translation(self.store, session_id, transcript_id, translation))

    async def _record(self, session_id: UUID, arrival: Arrival) -> None:
        transcript = TranscriptInput(
            text=arrival.text,
            language="en",
            start_time=arrival.start,
            end_time=arrival.end if arrival.is_final else None,
            speaker_label=f"SPEAKER_{arrival.place % SPEAKERS:02}",
            confidence=0.9,
            segment_index=arrival.place,
            segment_key=_key(arrival),
            source=SOURCE,
            is_final=arrival.is_final,
        )
        audio = _recording(arrival) if arrival.is_final else None
        await self.store.record_segment(session_id, transcript=transcript, audio=audio)

    async def _change_meeting(self) -> UUID:
        async with self.store.unit_of_work() as uow:
            if self.session_id is not None:
                await uow.sessions.end(self.session_id)
            session = await uow.sessions.create(
                bot_id=self._name,
                meeting_id=f"{self._name}-{self.meetings}",
                target_languages=self._languages,
            )
        return session.id


class Viewer:
    """Follows a bot's meetings: all pages of one at first, then what is new, and the last half minute."""

    def __init__(self, bot: Bot, chance: random.Random) -> None:
        self._bot = bot
        self._chance = chance
        self._session_id: UUID | None = None
        self._cursor: str | None = None

    async def watch(self, phase: Phase) -> None:
        """Look again and again until the phase ends."""
        loop = asyncio.get_running_loop()
        while loop.time() < phase.ends:
            # Not all of them at the same moment.
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
        async with store.read() as reader:
            await reader.sessions.find(status="active")
            await reader.speakers.list_for_session(session_id)


async def add_translation(
    store: Store, session_id: UUID, transcript_id: UUID, translation: TranslationInput
) -> None:
    """Write a translation that arrives late."""
    async with store.unit_of_work() as uow:
        await uow.translations.add(session_id, transcript_id, translation)


async def _insist(write: Callable[[], Awaitable[Answer]]) -> Answer:
    """Write; again when the gate rejects it, which counts that."""
    while True:
        try:
            return await write()
        except WriteRejectedError:
            continue


def _key(arrival: Arrival) -> str:
    return f"segment-{arrival.place}"


def _recording(arrival: Arrival) -> AudioInput:
    seconds = arrival.end - arrival.start
    noise = NOISE[: int(seconds * AUDIO_BYTES_PER_SECOND)]
    # No two are alike: the same bytes at the same time would be the same chunk.
    data = f"{arrival.place} {arrival.start} ".encode() + noise
    return AudioInput(
        data=data, format="ogg", start_time=arrival.start, end_time=arrival.end, duration=seconds
    )
