"""The unit of work: all repositories over one transaction; all of it or none of it, files included."""

from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import Self

from livetranslate_store.audio.storage import AudioStorage
from livetranslate_store.database.engine import Database
from livetranslate_store.database.transaction import ChooseReplica, Transaction
from livetranslate_store.errors import UsageError
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
from livetranslate_store.tracing import Tracing


class UnitOfWork:
    """Commits when the block ends, rolls back on any exception, cancellation included.

    It belongs to the task that enters it. It holds its slot at the gate from beginning to end; with
    `choose_replica` instead it is read-only.
    """

    sessions: SessionRepository
    audio_files: AudioFileRepository
    transcripts: TranscriptRepository
    translations: TranslationRepository
    speakers: SpeakerRepository
    archive: SessionArchive

    def __init__(
        self,
        database: Database,
        storage: AudioStorage,
        cache: SegmentCache,
        slot: AbstractAsyncContextManager[None] | None,
        choose_replica: ChooseReplica | None,
        *,
        limits: SizeLimits,
        tracing: Tracing,
    ) -> None:
        self._database = database
        self._storage = storage
        self._cache = cache
        self._limits = limits
        self._tracing = tracing
        self._slot = slot
        self._choose_replica = choose_replica
        self._transaction: Transaction | None = None

    async def __aenter__(self) -> Self:
        if self._transaction is not None:
            raise UsageError("A unit of work is entered once: open a new one.")
        self._span = self._tracing.span("read" if self._slot is None else "unit_of_work")
        self._span.__enter__()
        if self._slot is not None:
            try:
                await self._slot.__aenter__()
            except BaseException as error:
                self._span.__exit__(type(error), error, error.__traceback__)
                raise
        transaction = Transaction(self._database, self._choose_replica)
        lookups = SegmentLookups(self._cache, transaction)
        self.sessions = SessionRepository(transaction, lookups, self._storage, self._limits)
        self.audio_files = AudioFileRepository(transaction, self._storage, self._limits)
        self.transcripts = TranscriptRepository(transaction, lookups, self._limits)
        self.translations = TranslationRepository(transaction, lookups, self._limits)
        self.speakers = SpeakerRepository(transaction, lookups, self._storage)
        self.archive = SessionArchive(transaction, self._storage)
        self._transaction = transaction
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            await run_to_end(self._end(kind, error, traceback))
        except BaseException as failure:
            self._span.__exit__(type(failure), failure, failure.__traceback__)
            raise
        self._span.__exit__(kind, error, traceback)

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
