"""Bulk import: batches are stored, each in one transaction, while the next one is read.

A segment that the server refuses is found by halving the batch, and refused alone.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from contextlib import aclosing, suppress
from functools import partial
from typing import TypeAlias
from uuid import UUID

import asyncpg

from livetranslate_store.audio.storage import AudioStorage
from livetranslate_store.database.engine import Database, Driver
from livetranslate_store.database.failures import NO_SESSION
from livetranslate_store.database.tenant import Tenant
from livetranslate_store.database.transaction import Transaction
from livetranslate_store.errors import (
    ConflictError,
    OutcomeUnknownError,
    PoolTimeoutError,
    QueryTimeoutError,
    StoreError,
    StoreUnavailableError,
    UsageError,
)
from livetranslate_store.segment_cache import SegmentCache
from livetranslate_store.size_limits import SizeLimits
from livetranslate_store.tasks import LEAVE_SECONDS, for_each, run_to_end
from livetranslate_store.values import ImportCounts, ImportProgress, ImportReport, Outcome, Refusal
from livetranslate_store.write_gate import WriteGate
from livetranslate_store.writing.bulk.batch import Batch, Items, batches
from livetranslate_store.writing.bulk.copy import BatchOutcomes, BatchWriter
from livetranslate_store.writing.bulk.statements import known_sessions
from livetranslate_store.writing.bulk.stepwise import ShardedBatchWriter
from livetranslate_store.writing.protocol import first_or_merge, undone_by_race

Progress: TypeAlias = Callable[[ImportProgress], None]

# A report stays small whatever the source: a thousand bad lines have one reason to look for.
REFUSALS_LISTED = 1000
# Objects under way at once: an object store answers in tens of milliseconds, and takes many side by side.
OBJECTS_AT_ONCE = 16

# How long an import removes the objects of a batch that was not stored.
DISCARD_SECONDS = 30.0

# These errors are not about single segments.
_NOT_ABOUT_DATA = (
    ConflictError,
    OutcomeUnknownError,
    PoolTimeoutError,
    QueryTimeoutError,
    StoreUnavailableError,
    UsageError,
)


def _without(missing: Collection[UUID], batch: Batch, refusals: list[Refusal]) -> Batch:
    """Return the batch without the segments of missing sessions, and add those to the refusals."""
    known = []
    for place, segment in enumerate(batch.segments):
        if segment.session_id in missing:
            refusals.append(Refusal(batch.lines[place], NO_SESSION))
        else:
            known.append(place)
    return batch.part(known)


class BulkImport:
    """One import and its state."""

    def __init__(
        self,
        database: Database,
        storage: AudioStorage,
        cache: SegmentCache,
        gate: WriteGate,
        *,
        limits: SizeLimits,
        tenant: Tenant | None,
        total: int | None,
        progress: Progress | None,
    ) -> None:
        self._database = database
        self._storage = storage
        self._cache = cache
        self._gate = gate
        self._limits = limits
        self._tenant = tenant
        self._total = total
        self._may_copy = True
        self._progress = progress
        self._items = 0
        self._counts: Counter[tuple[str, str]] = Counter()
        self._refused = 0
        self._refusals: list[Refusal] = []

    async def run(self, items: Items) -> ImportReport:
        """Import everything; committed batches stay if a later one fails."""
        # One batch is stored while the next one is read, in the task that the source belongs to.
        storing: asyncio.Task[None] | None = None
        try:
            async with aclosing(batches(items, self._storage, self._limits)) as read:
                async for batch in read:
                    if storing is not None:
                        await storing
                    storing = asyncio.create_task(self._import(batch))
            if storing is not None:
                await storing
        except asyncio.CancelledError as cancelled:
            if storing is not None:
                storing.cancel()
                await run_to_end(asyncio.wait([storing]))
                if not storing.cancelled():
                    raise cancelled from storing.exception()
            raise
        except BaseException:
            if storing is not None:
                await storing
            raise
        return ImportReport(
            self._counts_of("transcripts"),
            self._counts_of("translations"),
            self._counts_of("audio_files"),
            self._refused,
            self._refusals,
        )

    def _counts_of(self, table: str) -> ImportCounts:
        return ImportCounts(*(self._counts[table, outcome] for outcome in Outcome))

    async def _import(self, batch: Batch) -> None:
        """Store a batch, its audio first, and report progress."""
        batch = await self._own(batch)
        orphans = {staged.storage_key for staged in batch.audio}
        # Together; each of them has a short limit of its own.
        patience = DISCARD_SECONDS
        try:
            if batch.audio:
                await self._storage.claim(self._database.fetch_for_write)
            await for_each(batch.audio, self._storage.put, at_once=OBJECTS_AT_ONCE)
            if len(batch):
                async with self._gate.slot(batch.size_bytes):
                    await self._store(batch, batch.refusals, orphans)
        except asyncio.CancelledError:
            patience = LEAVE_SECONDS
            raise
        finally:
            await run_to_end(self._discard(orphans, patience))
        self._items += batch.items
        self._refused += len(batch.refusals)
        room = REFUSALS_LISTED - len(self._refusals)
        self._refusals += sorted(batch.refusals, key=lambda refusal: refusal.line)[:room]
        if self._progress is not None:
            self._progress(ImportProgress(self._items, self._total))

    async def _discard(self, orphans: Collection[str], seconds: float) -> None:
        """Remove the objects that no row refers to; the sweep finds those that are left after `seconds`."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await for_each(orphans, self._storage.discard, at_once=OBJECTS_AT_ONCE)

    async def _store(self, batch: Batch, refusals: list[Refusal], orphans: set[str]) -> None:
        """Store the good segments of a batch, in order, and take their objects out of `orphans`."""
        try:
            await self._database.retries.run(partial(self._store_whole, batch, orphans))
        except StoreError as error:
            if isinstance(error, _NOT_ABOUT_DATA):
                raise
            if len(batch) == 1:
                refusals.append(Refusal(batch.lines[0], str(error)))
                return
            for part in await self._parts(batch, refusals):
                await self._store(part, refusals, orphans)

    async def _parts(self, batch: Batch, refusals: list[Refusal]) -> tuple[Batch, ...]:
        """Return smaller batches of the segments that are not refused already.

        A missing session spoils each of its segments; halving would meet them one by one.
        """
        sessions = list({segment.session_id for segment in batch.segments})
        missing = await self._database.retries.run(partial(self._missing, sessions))
        if not missing:
            return batch.halves()
        known = _without(missing, batch, refusals)
        return (known,) if len(known) else ()

    async def _own(self, batch: Batch) -> Batch:
        """Return the batch without the segments of sessions that are not the tenant's."""
        if self._tenant is None:
            return batch
        sessions = {segment.session_id for segment in batch.segments}
        missing = sessions - await self._tenant.own(sessions, self._database.fetch_for_write)
        if not missing:
            return batch
        own = _without(missing, batch, batch.refusals)
        own.items, own.refusals = batch.items, batch.refusals
        return own

    async def _missing(self, sessions: Sequence[UUID]) -> set[UUID]:
        # A lease for writes: a running import ends well while the store closes.
        lease = await self._database.lease(writes=True)
        rows = await self._database.fetch_once(known_sessions().bind({"ids": sessions}), lease=lease)
        return set(sessions).difference(row[0] for row in rows)

    async def _store_whole(self, batch: Batch, orphans: set[str]) -> None:
        insert = partial(self._copy_once, batch, orphans)
        merge = partial(self._store_once, batch, orphans, is_new=False)
        await first_or_merge(undone_by_race(insert, inserts=True), undone_by_race(merge))

    async def _copy_once(self, batch: Batch, orphans: set[str]) -> BatchOutcomes | None:
        if not self._may_copy:
            return None
        try:
            return await self._store_once(batch, orphans, is_new=True)
        except StoreError as error:
            refused = isinstance(error.__cause__, asyncpg.FeatureNotSupportedError)
            if not refused or self._database.is_distributed:
                raise
            # Row-level security takes no COPY into its tables; a merge copies into temporary ones.
            self._may_copy = False
            return None

    async def _store_once(self, batch: Batch, orphans: set[str], *, is_new: bool) -> BatchOutcomes:
        transaction = Transaction(self._database)
        try:
            written = await transaction.write_with(
                lambda driver: self._writer(driver).write(batch, is_new=is_new)
            )
        except BaseException:
            await run_to_end(transaction.end(commit=False))
            raise
        await run_to_end(self._commit(transaction, batch, written, orphans), hurry=transaction.hurry)
        return written

    def _writer(self, driver: Driver) -> BatchWriter:
        database = self._database
        keeps_refused = database.keeps_refused_texts
        if database.is_distributed:
            return ShardedBatchWriter(
                driver, database.statements, database.shards, keeps_refused_texts=keeps_refused
            )
        return BatchWriter(driver, database.statements, keeps_refused_texts=keeps_refused)

    async def _commit(
        self, transaction: Transaction, batch: Batch, written: BatchOutcomes, orphans: set[str]
    ) -> None:
        try:
            await transaction.end(commit=True)
        except OutcomeUnknownError:
            # Rows may refer to the objects; the sweep finds those that no row refers to.
            orphans.difference_update(staged.storage_key for staged in batch.audio)
            for segment in batch.segments:
                self._cache.drop((segment.session_id, segment.transcript_id))
            raise
        # New transcripts are left out: no writer knows them, and they would push out live ones.
        self._cache.publish(written.revised)
        self._counts += written.counts
        orphans.difference_update(staged.storage_key for staged in batch.audio)
        orphans.update(written.needless)
