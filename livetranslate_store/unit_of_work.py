"""The unit of work: all repositories over one transaction; all of it or none of it, files included."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy.ext.asyncio import AsyncSession

from livetranslate_store.audio.storage import AudioStorage
from livetranslate_store.database.transaction import Transaction
from livetranslate_store.repositories import (
    AudioFileRepository,
    SegmentLookups,
    SessionArchive,
    SessionRepository,
    SpeakerRepository,
    TranscriptRepository,
    TranslationRepository,
)
from livetranslate_store.segment_cache import SegmentCache
from livetranslate_store.size_limits import SizeLimits
from livetranslate_store.tasks import run_to_end


class UnitOfWork:
    """The repositories of one transaction, which commits at the end of the block and belongs to its task."""

    def __init__(
        self, transaction: Transaction, storage: AudioStorage, cache: SegmentCache, limits: SizeLimits
    ) -> None:
        lookups = SegmentLookups(cache, transaction)
        self._transaction = transaction
        self.sessions = SessionRepository(transaction, lookups, storage, limits)
        self.audio_files = AudioFileRepository(transaction, storage, limits)
        self.transcripts = TranscriptRepository(transaction, lookups, limits)
        self.translations = TranslationRepository(transaction, lookups, limits)
        self.speakers = SpeakerRepository(transaction, lookups, storage)
        self.archive = SessionArchive(transaction, storage)

    @property
    def session(self) -> AsyncSession:
        """SQLAlchemy's session on the same transaction, for your own models, selects and statements.

        It cannot commit or roll back: the unit of work does. The store's models are read-only in it; their
        change is a UsageError at the flush. Database errors come out as the store's.
        """
        return self._transaction.session

    async def rollback(self) -> None:
        """Undo everything, files included, and end the unit: later calls in the block raise UsageError."""
        self._transaction.check_open()
        await run_to_end(self._transaction.end(commit=False), hurry=self._transaction.hurry)


@asynccontextmanager
async def opened(
    transaction: Transaction, storage: AudioStorage, cache: SegmentCache, limits: SizeLimits
) -> AsyncIterator[UnitOfWork]:
    """Commit `transaction` when the block ends; roll it back on any exception, cancellation included."""
    try:
        yield UnitOfWork(transaction, storage, cache, limits)
        await transaction.flush()
    except BaseException:
        await run_to_end(transaction.end(commit=False), hurry=transaction.hurry)
        raise
    await run_to_end(transaction.end(commit=True), hurry=transaction.hurry)
