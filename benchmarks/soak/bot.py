"""A bot that writes everything said in its meetings into a store."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar
from uuid import UUID

from cachetools import LRUCache

from benchmarks.soak.gauges import Durations
from benchmarks.soak.speech import Arrival, arrivals
from livetranslate_store import AudioInput, Store, TranscriptInput, TranslationInput, WriteRejectedError
from livetranslate_store.ids import transcript_id_for

# A hundred seconds replace the hour of a real meeting, so that a run sees many of them begin and end.
MEETING_SEGMENTS = 25
LANGUAGES = ("es", "ja", "de")
SPEAKERS = 4
# Opus at 24 kbit/s, enough of it for the longest segment.
AUDIO_BYTES_PER_SECOND = 3000
NOISE = random.Random(7).randbytes(20 * AUDIO_BYTES_PER_SECOND)  # noqa: S311 (the same bytes every time)
SOURCE = "transcriber"

Answer = TypeVar("Answer")


@dataclass
class Phase:
    """A stretch of the run that all bots and viewers share."""

    #: The loop's time at which it ends.
    ends: float
    #: Whether bots write at the pace of speech, or as fast as the store lets them in.
    paced: bool
    #: A viewer's mean pause, in seconds.
    pause: float


class Bot:
    """One bot in one meeting after the other.

    Its clock is simulated: the seconds of speech since the start.
    """

    def __init__(self, store: Store, number: int, seed: int) -> None:
        self.store = store
        self.clock = 0.0
        self._name = f"bot-{number}"
        self._languages = LANGUAGES[: 2 + number % 2]
        self._arrivals = arrivals(random.Random(f"{seed}-{number}"), self._languages)  # noqa: S311 (no secret)
        self._next = next(self._arrivals)
        # Two, because the last translations of a meeting arrive after the next one has begun.
        self._sessions: LRUCache[int, UUID] = LRUCache(2)

    @property
    def meetings(self) -> int:
        """How many meetings the bot has joined."""
        return self._next.place // MEETING_SEGMENTS + 1

    @property
    def session_id(self) -> UUID | None:
        """The bot's current meeting."""
        return self._sessions[max(self._sessions)] if self._sessions else None

    async def speak(self, phase: Phase, taken: Durations) -> None:
        """Write every arrival until the phase ends, and count how long each write took.

        At the pace of speech a write begins when its text arrives: a wait for the bot's previous write, or
        for this process, counts.
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
            # Derived, although the receipt had it: a bot keeps nothing for longer than it must.
            transcript_id = transcript_id_for(session_id, SOURCE, _key(arrival))
            translation = TranslationInput(text=arrival.text, target_language=arrival.language)
            await _insist(lambda: _add_translation(self.store, session_id, transcript_id, translation))

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


async def _add_translation(
    store: Store, session_id: UUID, transcript_id: UUID, translation: TranslationInput
) -> None:
    async with store.unit_of_work() as uow:
        await uow.translations.add(session_id, transcript_id, translation)


async def _insist(write: Callable[[], Awaitable[Answer]]) -> Answer:
    """Write, and try again if the gate rejects it; the gate counts its rejections."""
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
    # No two are alike: equal bytes at the same time would be one chunk.
    data = f"{arrival.place} {arrival.start} ".encode() + noise
    return AudioInput(
        data=data, format="ogg", start_time=arrival.start, end_time=arrival.end, duration=seconds
    )
