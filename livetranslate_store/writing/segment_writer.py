"""The write of whole segments, in groups: audio objects first, then one statement for all rows."""

from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy.pool import PoolProxiedConnection

from livetranslate_store.audio.storage import AudioStorage
from livetranslate_store.database.engine import Database
from livetranslate_store.errors import ConflictError, DuplicateError
from livetranslate_store.segment_cache import SegmentCache
from livetranslate_store.tasks import run_to_end
from livetranslate_store.values import (
    AudioInput,
    Outcome,
    SegmentReceipt,
    TranscriptInput,
    TranslationInput,
)
from livetranslate_store.writing.encoding import Key
from livetranslate_store.writing.first_statement import first_segment_statement
from livetranslate_store.writing.group_commit import GroupCommit
from livetranslate_store.writing.outcomes import WriteResults
from livetranslate_store.writing.segment_statement import ATTEMPTS, segment_statement
from livetranslate_store.writing.segments import (
    Segment,
    lookup_of,
    make_segment,
    receipt_of,
    receipt_of_new,
    rows_of,
)
from livetranslate_store.writing.statement import bound_write


class SegmentWriter:
    """Writes segments, each all or nothing, in groups as large as the load makes them."""

    def __init__(self, database: Database, storage: AudioStorage, cache: SegmentCache) -> None:
        self._database = database
        self._storage = storage
        self._cache = cache
        self._groups: GroupCommit[Segment, SegmentReceipt] = GroupCommit(database, self)

    async def write(
        self,
        session_id: UUID,
        transcript: TranscriptInput,
        translations: Sequence[TranslationInput],
        audio: AudioInput | None,
    ) -> SegmentReceipt:
        """Write a segment that was checked, and return what became of it.

        A cancellation takes it back while it waits; once it is on its way, its outcome is awaited first.
        """
        if audio is not None:
            # An object that is stored for nothing would only have to be removed again.
            self._database.breaker(writes=True).check()
        staged = None if audio is None else await self._storage.stage(session_id, audio)
        segment = make_segment(session_id, transcript, translations, staged)
        if staged is not None:
            try:
                await self._storage.put(staged)
            except BaseException:
                await run_to_end(self._discard_object(segment))
                raise
        return await self._groups.write(segment)

    async def close(self) -> None:
        """Give up what was not written in time; connections in use are broken before."""
        await self._groups.close()

    def keys(self, item: Segment) -> Collection[Key]:
        """Return the keys that one statement can write once: the transcript's, and the audio file's."""
        return item.keys

    async def write_group(
        self, items: Sequence[Segment], lease: PoolProxiedConnection
    ) -> Sequence[SegmentReceipt]:
        """Write the segments, all or nothing, tell the cache, and give the lease back."""
        receipts = await self._execute(items, lease)
        lookups = map(lookup_of, items, receipts)
        self._cache.publish(lookup for lookup in lookups if lookup is not None)
        for segment, receipt in zip(items, receipts, strict=True):
            if receipt.audio is not None and receipt.audio.outcome is Outcome.UNCHANGED:
                await self._discard_object(segment)
        return receipts

    async def give_up(self, item: Segment, *, may_be_stored: bool) -> None:
        """Remove the object of a segment that has no row."""
        if may_be_stored:
            # A row may refer to the object; if none does, the sweep finds it.
            self._cache.drop((item.session_id, item.transcript_id))
        else:
            await self._discard_object(item)

    async def _execute(
        self, segments: Sequence[Segment], lease: PoolProxiedConnection
    ) -> Sequence[SegmentReceipt]:
        """Insert the segments where none of them was seen before; else judge them by the rules."""
        if not any(self._cache.knows((each.session_id, each.transcript_id)) for each in segments):
            position = await self._insert(segments, lease)
            if position is not None:
                return [receipt_of_new(each, position) for each in segments]
            lease = await self._database.lease(writes=True)
        results = await self._judge(segments, lease)
        return [receipt_of(each, results) for each in segments]

    async def _insert(self, segments: Sequence[Segment], lease: PoolProxiedConnection) -> int | None:
        """Insert segments and return the position; None, with nothing written, where one is not new."""
        rows = rows_of(segments, are_new=True)
        insert = bound_write(first_segment_statement, rows)
        try:
            [told] = await self._database.fetch_once(insert, writes=True, lease=lease)
        except (ConflictError, DuplicateError):
            return None  # stored by somebody else at the same moment
        return None if told["found"] else told["position"]

    async def _judge(self, segments: Sequence[Segment], lease: PoolProxiedConnection) -> WriteResults:
        merge = bound_write(segment_statement, rows_of(segments, are_new=False))
        attempts = ATTEMPTS
        while True:
            attempts -= 1
            try:
                return WriteResults(await self._database.fetch_once(merge, writes=True, lease=lease))
            except ConflictError:
                # The server has undone it all; what it met then is stored now.
                if not attempts:
                    raise
            lease = await self._database.lease(writes=True)

    async def _discard_object(self, segment: Segment) -> None:
        if segment.audio is not None:
            await self._storage.discard(segment.audio.storage_key)
