"""The store: an application opens one, for all its bots and readers."""

import asyncio
import logging
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Iterable, Sequence, Sized
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from copy import copy
from datetime import timedelta
from functools import partial
from typing import Self, TypeVar, Unpack
from uuid import UUID

from sqlalchemy import URL

from livetranslate_store.audio.joined import chunk_of, joined
from livetranslate_store.audio.recording import Recording
from livetranslate_store.audio.storage import AudioStorage
from livetranslate_store.audio.sweep import sweep_audio
from livetranslate_store.checks import check_kind, checked_integer, checked_name, checked_uuid
from livetranslate_store.database.engine import Database
from livetranslate_store.database.engine_url import URLDriver
from livetranslate_store.database.tenant import Tenant
from livetranslate_store.database.transaction import Route, Transaction
from livetranslate_store.embedded.provision import Provisioned
from livetranslate_store.errors import InvalidInputError, NotFoundError, UsageError
from livetranslate_store.health import check_health
from livetranslate_store.reading.reads import Reads, checked_position
from livetranslate_store.replicas.router import ReadRouter
from livetranslate_store.segment_cache import SegmentCache
from livetranslate_store.settings import SettingValues, StoreSettings
from livetranslate_store.size_limits import SizeLimits
from livetranslate_store.tasks import run_to_end
from livetranslate_store.tracing import Tracing
from livetranslate_store.unit_of_work import UnitOfWork, opened
from livetranslate_store.values import (
    AudioFacts,
    AudioInput,
    AudioReceipt,
    BreakersStatistics,
    ImportProgress,
    ImportReport,
    Refusal,
    SegmentInput,
    SegmentReceipt,
    StoreHealth,
    StoreStatistics,
    SweepReport,
    TranscriptInput,
    TranslationInput,
    TranslationReceipt,
)
from livetranslate_store.write_gate import WriteGate
from livetranslate_store.writing.bulk.importer import BulkImport
from livetranslate_store.writing.group_commit import GroupCommit, group_limit
from livetranslate_store.writing.recordings import RecordingWriter
from livetranslate_store.writing.segment_writer import SegmentWriter
from livetranslate_store.writing.segments import checked_segment
from livetranslate_store.writing.translations import LateTranslation, write_translations

logger = logging.getLogger(__name__)

T = TypeVar("T")

# Longer than any unit of work takes: a younger object may still get its row.
SWEEP_AFTER = timedelta(days=1)
# S3 and GCS sign for no longer.
MAX_SIGNED = timedelta(days=7)


class Store(Reads):
    """Writes and reads everything that bots produce; `Store.open` opens one."""

    def __init__(
        self,
        database: Database,
        router: ReadRouter,
        storage: AudioStorage,
        cache: SegmentCache,
        gate: WriteGate,
        *,
        limits: SizeLimits,
        tracing: Tracing,
    ) -> None:
        super().__init__(router, tracing)
        self._database = database
        self._storage = storage
        self._limits = limits
        self._segments = SegmentWriter(database, storage, cache, gate)
        self._recordings = RecordingWriter(database, storage, gate, limits)
        self._translations: GroupCommit[LateTranslation, TranslationReceipt] = GroupCommit(
            database, write_translations, limit=lambda: group_limit(gate.limit)
        )
        #: The segment cache: `cache.drop_session(session_id)` forgets a meeting.
        self.cache = cache
        #: The write gate: `gate.limit`, the number of writes at a time, can be set while running.
        self.gate = gate

    @classmethod
    @asynccontextmanager
    async def open(
        cls, settings: StoreSettings | str | None = None, /, **overrides: Unpack[SettingValues]
    ) -> AsyncIterator[Self]:
        """Open a store for the length of a block.

        `settings` are StoreSettings or the database's URL; single settings can be given by name, and the
        rest come from `LIVETRANSLATE_*` variables or `.env`. `embedded:PATH` starts a private PostgreSQL in
        that folder, with its schema up to date and the audio beside it. Raises InvalidInputError for wrong
        settings and StoreUnavailableError if the server cannot be reached.

        Leaving the block refuses new calls with a UsageError and waits up to `close_timeout` for running
        ones. After that they are aborted with a StoreError, which is logged.

        The store belongs to the running event loop: its use in another loop, another thread or a forked
        process raises UsageError and harms nothing.
        """
        async with Provisioned(StoreSettings.of(settings, **overrides)) as chosen:
            database = Database(chosen)
            router = ReadRouter(database, chosen)
            try:
                storage = AudioStorage(
                    chosen.audio_url, chosen.storage_timeout, max_waiting_bytes=chosen.max_waiting_bytes
                )
                cache = SegmentCache(chosen.cache_size)
                gate = WriteGate(
                    chosen.max_concurrent_writes,
                    chosen.write_timeout,
                    max_waiting=chosen.max_waiting_writes,
                    max_waiting_bytes=chosen.max_waiting_bytes,
                )
                await database.open()
                await router.open()
                store = cls(
                    *(database, router, storage, cache, gate),
                    limits=SizeLimits.of(chosen),
                    tracing=Tracing(enabled=chosen.tracing),
                )
                try:
                    yield store
                finally:
                    database.owner.check()
                    await run_to_end(store._drain(chosen.close_timeout))
            finally:
                # Elsewhere nothing is closed: it is the owner's, and may be in use.
                if database.owner.is_here:
                    # As one: a cancellation must not prevent the second close.
                    await run_to_end(_close(router, database))

    def for_tenant(self, tenant: str) -> Self:
        """Return this store for one tenant: it sees and writes that tenant's sessions only.

        Connections, gate, cache and groups are those of this store, and it closes with it. A session of
        another tenant is to it one that does not exist. Making one costs next to nothing. Raises
        InvalidInputError for an empty name, and UsageError if this store is of another tenant.
        """
        name = checked_name(tenant, "tenant")
        if self._tenant is not None:
            self._tenant.check_name(name)
        own = copy(self)
        own._tenant = Tenant(name, self.cache.tenants)  # noqa: SLF001 (a store, too)
        return own

    @property
    def tenant(self) -> str | None:
        """The tenant of this store; None if it has all sessions."""
        return None if self._tenant is None else self._tenant.name

    @property
    def limits(self) -> SizeLimits:
        """The maximum sizes of inputs, from the settings."""
        return self._limits

    @asynccontextmanager
    async def unit_of_work(self) -> AsyncIterator[UnitOfWork]:
        """Open a unit of work: `async with store.unit_of_work() as uow`, all of it or none of it.

        Entering raises WriteRejectedError if the gate stays full; leaving raises OutcomeUnknownError if the
        connection broke during the commit.
        """
        with self._tracing.span("unit_of_work"):
            async with self.gate.slot(), self._unit(self._transaction()) as uow:
                yield uow

    async def run_in_unit_of_work(self, function: Callable[[UnitOfWork], Awaitable[T]]) -> T:
        """Call `function` with a unit of work, commit, and return its result.

        After a transient error, such as a conflict or a restart of the database, `function` is called again
        with another unit, within `retry_timeout`; also if an answer was lost and the commit may have
        happened. So it must be safe to repeat: give segments a `segment_key` and sessions an `external_id`.
        It holds one slot at the gate throughout. Raises the errors of `function` and of leaving a unit.
        """

        async def attempt() -> T:
            with self._tracing.span("unit_of_work"):
                async with self._unit(self._transaction()) as uow:
                    return await function(uow)

        async with self.gate.slot():
            return await self._database.retries.run(attempt)

    def read(self, *, min_position: int | None = None) -> AbstractAsyncContextManager[UnitOfWork]:
        """Return a read-only unit of work: one snapshot, no slot at the gate.

        The snapshot shows everything that this store wrote before the block's first statement, and with
        `min_position`, the `position` of a receipt of any store, that write.
        """
        return self._reading(partial(self._router.run, min_position=checked_position(min_position)))

    @asynccontextmanager
    async def _reading(self, route: Route) -> AsyncIterator[UnitOfWork]:
        with self._tracing.span("read"):
            async with self._unit(self._transaction(route)) as reader:
                yield reader

    def _transaction(self, route: Route | None = None) -> Transaction:
        return Transaction(self._database, route, tenant=self._tenant)

    def _unit(self, transaction: Transaction) -> AbstractAsyncContextManager[UnitOfWork]:
        return opened(transaction, self._storage, self.cache, self._limits)

    async def record_segment(
        self,
        session_id: UUID,
        *,
        transcript: TranscriptInput,
        translations: Sequence[TranslationInput] = (),
        audio: AudioInput | None = None,
    ) -> SegmentReceipt:
        """Write a segment: audio, transcript, translations and speaker, all of it or none of it.

        It is safe to repeat, and is repeated within `retry_timeout` after a transient error. Raises
        InvalidInputError for input above the size limits, MissingReferenceError if the session does not
        exist, WriteRejectedError if the gate stays full, StoreUnavailableError if the database cannot be
        reached, OutcomeUnknownError if the answer was lost and the time is up; with audio, UsageError if the
        store has no `audio_url`.
        """
        segment = checked_segment(session_id, transcript, translations, audio)
        self._limits.check_segment(transcript, segment.translations, audio)
        with self._tracing.span(
            "record_segment", session_id=session_id, translations=len(segment.translations)
        ) as span:
            await self._check(session_id)
            try:
                receipt = await self._segments.write(segment, audio)
            finally:
                self._router.wrote(session_id)
            span.set(outcome=receipt.outcome)
        return receipt

    async def add_translation(
        self, session_id: UUID, transcript_id: UUID, translation: TranslationInput
    ) -> TranslationReceipt:
        """Write a translation that arrives after its transcript, as a transaction of its own.

        It is safe to repeat. Raises MissingReferenceError if the transcript does not exist, and the errors of
        `record_segment`.
        """
        checked_uuid(session_id, "session_id")
        checked_uuid(transcript_id, "transcript_id")
        check_kind(translation, TranslationInput, "translation")
        self._limits.check_translation(translation)
        late = LateTranslation(session_id, transcript_id, translation)
        with self._tracing.span("add_translation", session_id=session_id) as span:
            await self._check(session_id)
            async with self.gate.slot():
                try:
                    receipt = await self._translations.write(late)
                finally:
                    self._router.wrote(session_id)
            span.set(outcome=receipt.outcome)
        return receipt

    async def _check(self, session_id: UUID) -> None:
        """Raise MissingReferenceError unless the session is the tenant's."""
        if self._tenant is not None:
            await self._tenant.check(session_id, self._database.fetch_for_write)

    async def import_segments(
        self,
        segments: AsyncIterable[SegmentInput | Refusal] | Iterable[SegmentInput | Refusal],
        *,
        total: int | None = None,
        progress: Callable[[ImportProgress], None] | None = None,
    ) -> ImportReport:
        """Write many segments as if each were recorded after the other, in batches and bounded memory.

        A bad segment is refused alone, with its line and the reason; the report includes the parser's own
        Refusals. Each transcript needs an `id` or a `segment_key`, so that an import is safe to repeat.
        `progress` is called after every commit, with the `total` number of items if you give it, or if
        `segments` has a length. If the import ends early, by an error of the database
        (StoreUnavailableError, WriteRejectedError, OutcomeUnknownError and others), of `segments` or of
        `progress`, or by a cancellation, the committed batches stay.
        """
        self._database.owner.check()
        if total is not None:
            checked_integer(total, "total")
        elif isinstance(segments, Sized):
            total = len(segments)
        bulk = BulkImport(
            *(self._database, self._storage, self.cache, self.gate),
            limits=self._limits,
            tenant=self._tenant,
            total=total,
            progress=progress,
        )
        with self._tracing.span("import_segments") as span:
            report = await bulk.run(segments)
            span.set(refused=report.refused)
        return report

    async def record_audio(
        self, session_id: UUID, pieces: AsyncIterable[bytes], **facts: Unpack[AudioFacts]
    ) -> AudioReceipt:
        """Store a recording whose bytes come in pieces, in bounded memory.

        It is the same audio file as the same bytes at the same start time in one piece. While the bytes come,
        however slowly, the call holds no connection and no slot at the gate. A stream that fails, is
        cancelled or becomes too large leaves nothing behind.

        The facts are the fields of AudioInput without its data; `format` is required. Raises
        InvalidInputError for pieces other than bytes, for no bytes, and for more than
        `max_streamed_audio_bytes`; the errors of `pieces`; MissingReferenceError if the session does not
        exist; UsageError without an `audio_url`; StoreUnavailableError, WriteRejectedError and
        OutcomeUnknownError as `record_segment` does.
        """
        checked_uuid(session_id, "session_id")
        check_kind(pieces, AsyncIterable, "pieces")
        described = AudioInput(data=b"", **facts)
        self._limits.check_audio(described)
        with self._tracing.span("record_audio", session_id=session_id) as span:
            await self._check(session_id)
            try:
                receipt = await self._recordings.write(session_id, pieces, described)
            finally:
                self._router.wrote(session_id)
            span.set(outcome=receipt.outcome)
        return receipt

    async def open_audio(self, session_id: UUID, audio_file_id: UUID) -> Recording:
        """Return a recording to be read in pieces, or by ranges of bytes; raises NotFoundError."""
        return await self._look_up(lambda reader: reader.audio_files.open(session_id, audio_file_id))

    async def open_session_audio(self, session_id: UUID, *, fill_gaps: bool = False) -> Recording:
        """Return all audio files of a session as one recording, in the order of their start times.

        WAV files of one format become one WAV file: an overlap is heard once, from the earlier file, and gaps
        are left out. With `fill_gaps` they are silence, so that a place in the recording is a
        time of the session, less `start_time`. A single audio file of any format is given as it is.

        It reads the header of each file. Raises NotFoundError if there is no audio; InvalidInputError, which
        names the audio file, for other or different formats, a file without a start time, and a gap of more
        than a day; CorruptAudioError and StoreUnavailableError.
        """
        check_kind(fill_gaps, bool, "fill_gaps")
        rows = await self._look_up(lambda reader: reader.audio_files.list_for_session(session_id))
        if not rows:
            raise NotFoundError(f"There is no audio in session {session_id}.")
        return await joined(self._storage, [*map(chunk_of, rows)], fill_gaps=fill_gaps)

    async def presigned_audio_url(
        self, session_id: UUID, audio_file_id: UUID, *, expires_in: timedelta = timedelta(hours=1)
    ) -> str:
        """Return an address at which anybody reads the recording, without the store, until it expires.

        `expires_in` is from a second to seven days. The address is a secret for that long. Raises
        NotFoundError; UsageError if the storage has no such addresses, as a local folder has none, or cannot
        sign with its credentials; InvalidInputError, and StoreUnavailableError if it cannot get credentials.
        """
        check_kind(expires_in, timedelta, "expires_in")
        if not timedelta(seconds=1) <= expires_in <= MAX_SIGNED:
            raise InvalidInputError(f"expires_in must be from 1 second to 7 days, not {expires_in}.")
        row = await self._look_up(lambda reader: reader.audio_files.get(session_id, audio_file_id))
        return await self._storage.signed_url(row.storage_key, expires_in)

    async def read_audio(self, session_id: UUID, audio_file_id: UUID) -> bytes:
        """Return a recording after checking it against its SHA-256.

        Raises NotFoundError, CorruptAudioError if the bytes are missing or changed, and UsageError if the
        store has no `audio_url`.
        """
        row = await self._look_up(lambda reader: reader.audio_files.get(session_id, audio_file_id))
        return await self._storage.get(row.storage_key, size_bytes=row.size_bytes, sha256=row.sha256)

    async def _look_up(self, function: Callable[[UnitOfWork], Awaitable[T]]) -> T:
        """Return what `function` reads; after a transient error it is called again."""

        async def attempt() -> T:
            async with self.read() as reader:
                return await function(reader)

        return await self._database.retries.run(attempt)

    async def sweep_audio(self, *, older_than: timedelta = SWEEP_AFTER, dry_run: bool = False) -> SweepReport:
        """Remove stored audio without a row, as a crash leaves it; a dry run only reports it.

        Raises StoreUnavailableError if the storage at `audio_url` is another database's, or does not hold
        this database's recordings; UsageError without an `audio_url`, and for a store of a tenant.
        """
        if self._tenant is not None:
            raise UsageError("The audio storage is that of all tenants: sweep it with the whole store.")
        return await sweep_audio(self._database, self._storage, older_than=older_than, dry_run=dry_run)

    async def health(self, *, time_limit: float = 5.0) -> StoreHealth:
        """Check database, migrations, audio storage and cluster, all within `time_limit` seconds.

        Problems are returned, never raised. A replica that is left out is a problem too, but the store stays
        healthy: the primary answers.
        """
        self._database.owner.check()
        return await check_health(self._database, self._router, self._storage, time_limit=time_limit)

    async def _drain(self, seconds: float) -> None:
        """Finish the accepted calls; abort and log those that take too long."""
        self.gate.close("The store is closing: it accepts no new calls.")
        self._database.refuse_reads()
        self._router.refuse_reads()
        try:
            async with asyncio.timeout(seconds):
                await self.gate.until_empty()
                await self._database.until_unused()
                await self._router.until_unused()
        except TimeoutError:
            self._cut_off(seconds)
        await self._segments.close()
        await self._translations.close()
        await self._storage.close()
        self.gate.close("The store is closed.")

    def _cut_off(self, seconds: float) -> None:
        gate, pool = self.gate.statistics(), self._database.statistics()
        logger.warning(
            "the store closes after %g s with %d writes running, %d waiting and %d connections in use: "
            "they are aborted with an error",
            seconds,
            gate.in_flight,
            gate.waiting,
            pool.in_use,
            extra={"event": "closing_cut_off"},
        )
        self.gate.reject_all()
        self._storage.cut_off()
        self._database.cut_off()
        self._router.cut_off()

    def engine_url(self, *, driver: URLDriver = "asyncpg") -> URL:
        """Return the address of the primary for a tool that needs one of its own, the private server's too.

        It has the user, the password, all hosts and the TLS of the store. Its repr and text hide the
        password; `render_as_string(hide_password=False)` is the whole of it, and SQLAlchemy takes it as it
        is. Raises InvalidInputError for asyncpg with verified TLS or with options: its URLs cannot hold them.
        """
        return self._database.url(driver)

    def statistics(self) -> StoreStatistics:
        """Return the figures of cache, gate, pool, retries, breakers, replicas and statements."""
        return StoreStatistics(
            cache=self.cache.statistics(),
            gate=self.gate.statistics(),
            pool=self._database.statistics(),
            retries=self._database.retries.statistics(),
            breakers=BreakersStatistics(
                reads=self._database.breaker(writes=False).statistics(),
                writes=self._database.breaker(writes=True).statistics(),
            ),
            replicas=self._router.statistics(),
            statements=self._database.statements.statistics(),
        )


async def _close(router: ReadRouter, database: Database) -> None:
    try:
        await router.close()
    finally:
        await database.close()
