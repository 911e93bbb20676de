"""Lives of segments: ten interim revisions, the final, and three translations that arrive together later."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import NamedTuple, Protocol
from uuid import UUID

from benchmarks import floor, plain_floor
from benchmarks.contenders import DEFAULT_WRITES
from benchmarks.databases import Databases
from benchmarks.plain_floor import Revision, Translated
from benchmarks.scale import CONNECTIONS
from benchmarks.workload import LANGUAGES, SECONDS, SPEAKER, SPOKEN, text_of
from livetranslate_store import Store, TranscriptInput, TranslationInput

INTERIMS = 10
REVISIONS = INTERIMS + 1
WRITES = REVISIONS + len(LANGUAGES)
# Two texts of the corpus, cut: some 105 characters, enough that no two interims are alike.
CHARACTERS = 110
SERVICE = "translator"


class Life(NamedTuple):
    """One segment of the meeting with this index."""

    meeting: int
    number: int

    def text(self, language: str) -> str:
        """Return the final text, or its translation."""
        return f"{text_of(language, self.number)} {text_of(language, self.number + 1)}"[:CHARACTERS]

    def revision(self, number: int) -> str:
        """Return the text so far; the last revision has all of it."""
        text = self.text(SPOKEN)
        return text[: -(-len(text) * (number + 1) // REVISIONS)]

    @property
    def start(self) -> float:
        """When it begins, in seconds of the meeting."""
        return SECONDS * self.number

    @property
    def key(self) -> str:
        """The transcriber's name for it."""
        return f"segment-{self.number}"


class Side(Protocol):
    """One of the two contenders, with a meeting for each bot."""

    async def revise(self, life: Life, number: int) -> None:
        """Write a revision; the one with the number `INTERIMS` is final."""

    async def translate(self, life: Life, language: str) -> None:
        """Write the translation into a language."""


class Ours:
    """The store."""

    def __init__(self, store: Store, sessions: Sequence[UUID]) -> None:
        self._store = store
        self._sessions = sessions
        self._transcripts: dict[int, UUID] = {}

    async def revise(self, life: Life, number: int) -> None:
        """Write a revision."""
        transcript = TranscriptInput(
            text=life.revision(number),
            language=SPOKEN,
            start_time=life.start,
            end_time=life.start + SECONDS * (number + 1) / REVISIONS,
            speaker_label=SPEAKER,
            confidence=0.9,
            segment_index=life.number,
            segment_key=life.key,
            is_final=number == INTERIMS,
        )
        receipt = await self._store.record_segment(self._sessions[life.meeting], transcript=transcript)
        self._transcripts[life.meeting] = receipt.transcript_id

    async def translate(self, life: Life, language: str) -> None:
        """Write a translation."""
        translation = TranslationInput(
            text=life.text(language), target_language=language, confidence=0.8, service=SERVICE
        )
        await self._store.add_translation(
            self._sessions[life.meeting], self._transcripts[life.meeting], translation
        )


class Plain:
    """The layer on the plain schema."""

    def __init__(self, pool: floor.Pool, meetings: Sequence[int]) -> None:
        self._pool = pool
        self._meetings = meetings
        self._segments: dict[int, int] = {}

    async def revise(self, life: Life, number: int) -> None:
        """Write a revision."""
        revision = Revision(
            meeting_id=self._meetings[life.meeting],
            key=life.key,
            text=life.revision(number),
            language=SPOKEN,
            start_s=life.start,
            end_s=life.start + SECONDS * (number + 1) / REVISIONS,
            speaker=SPEAKER,
            confidence=0.9,
            is_final=number == INTERIMS,
        )
        self._segments[life.meeting] = await plain_floor.revise(self._pool, revision)

    async def translate(self, life: Life, language: str) -> None:
        """Write a translation."""
        translation = Translated(language, life.text(language), 0.8, SERVICE)
        await plain_floor.translate(self._pool, self._segments[life.meeting], translation)


async def interims(side: Side, life: Life) -> None:
    """Write all revisions but the final."""
    for number in range(INTERIMS):
        await side.revise(life, number)


async def final(side: Side, life: Life) -> None:
    """Write the final revision."""
    await side.revise(life, INTERIMS)


async def translations(side: Side, life: Life) -> None:
    """Write all translations at once, as services answer."""
    await asyncio.gather(*(side.translate(life, language) for language in LANGUAGES))


#: The parts of a life, in order.
PARTS = {"interims": interims, "final": final, "translations": translations}


async def whole(side: Side, life: Life) -> None:
    """Write all parts of a life, one after the other."""
    for part in PARTS.values():
        await part(side, life)


@asynccontextmanager
async def ours(
    databases: Databases, name: str, bots: int, writes: int = DEFAULT_WRITES
) -> AsyncIterator[Ours]:
    """Open a store on a database, with a meeting for each bot and so many writes at a time."""
    async with Store.open(
        databases.url(name),
        audio_url=databases.audio_url,
        max_concurrent_writes=writes,
        min_connections=CONNECTIONS,
        max_connections=CONNECTIONS,
    ) as store:
        async with store.unit_of_work() as uow:
            sessions = [
                (await uow.sessions.create(bot_id=f"bot-{bot}", meeting_id="lives")).id for bot in range(bots)
            ]
        yield Ours(store, sessions)


@asynccontextmanager
async def plain(databases: Databases, name: str, bots: int) -> AsyncIterator[Plain]:
    """Open a pool on a plain database, with a meeting for each bot."""
    pool = await floor.open_pool(databases.dsn(name), CONNECTIONS)
    try:
        rows = await pool.fetch(
            "INSERT INTO meetings (name) SELECT 'lives' FROM generate_series(1, $1) RETURNING id", bots
        )
        yield Plain(pool, [row["id"] for row in rows])
    finally:
        await pool.close()
