"""The unit of work: all repositories over one transaction; all of it or none of it, files included."""

from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import Any, Self

from livetranslate_store.audio.storage import AudioStorage
from livetranslate_store.database.engine import Database
from livetranslate_store.database.transaction import Transaction
from livetranslate_store.errors import UsageError
from livetranslate_store.repositories import (
    AudioFileRepository,
    SegmentLookups,
    SessionRepository,
    SpeakerRepository,
    TranscriptRepository,
    TranslationRepository,
)
from livetranslate_store.segment_cache import SegmentCache
from livetranslate_store.tasks import run_to_end


class UnitOfWork:
    """Commits when the block ends, rolls back on any exception, cancellation included.

    It belongs to the task that enters it. It holds its slot at the gate from beginning to end; without one it
    is read-only.
    """

    sessions: SessionRepository
    audio_files: AudioFileRepository
    transcripts: TranscriptRepository
    translations: TranslationRepository
    speakers: SpeakerRepository

    def __init__(
        self,
        database: Database,
        storage: AudioStorage,
        cache: SegmentCache,
        slot: AbstractAsyncContextManager[Any, Any] | None = None,
    ) -> None:
        self._database = database
        self._storage = storage
        self._cache = cache
        self._slot = slot
        self._transaction: Transaction | None = None

    async def __aenter__(self) -> Self:
        if self._transaction is not None:
            raise UsageError("A unit of work is entered once: open a new one.")
        if self._slot is not None:
            await self._slot.__aenter__()
        transaction = Transaction(self._database, read_only=self._slot is None)
        lookups = SegmentLookups(self._cache, transaction)
        self.sessions = SessionRepository(transaction, lookups, self._storage)
        self.audio_files = AudioFileRepository(transaction, self._storage)
        self.transcripts = TranscriptRepository(transaction, lookups)
        self.translations = TranslationRepository(transaction, lookups)
        self.speakers = SpeakerRepository(transaction)
        self._transaction = transaction
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await run_to_end(self._end(kind, error, traceback))

    async def _end(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        assert self._transaction is not None  # noqa: S101 (set on entry)
        if self._slot is None:
            await self._transaction.end(commit=kind is None)
            return
        try:
            await self._transaction.end(commit=kind is None)
        except BaseException as failure:
            await self._slot.__aexit__(type(failure), failure, failure.__traceback__)
            raise
        await self._slot.__aexit__(kind, error, traceback)
