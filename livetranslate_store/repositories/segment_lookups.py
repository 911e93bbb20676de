"""Segment lookups of one unit of work: its own writes first, then the cache, then the database."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select, tuple_

from livetranslate_store.database.transaction import Ending, Transaction
from livetranslate_store.models import Transcript
from livetranslate_store.segment_cache import SegmentCache, SegmentKey
from livetranslate_store.values import SegmentLookup


class SegmentLookups:
    """The unit's view of the segment cache; its own writes are published after the commit only."""

    def __init__(self, cache: SegmentCache, transaction: Transaction) -> None:
        self._cache = cache
        self._transaction = transaction
        self._written: dict[SegmentKey, SegmentLookup] = {}
        self._deleted: set[SegmentKey] = set()
        self._deleted_sessions: set[UUID] = set()
        self._deleted_speakers = False
        transaction.when_done(self._publish)

    async def find(self, keys: Sequence[SegmentKey]) -> dict[SegmentKey, SegmentLookup]:
        """Return the lookups of these keys, without the keys that do not exist."""
        # The cache has the segments of all tenants.
        keys = [key for key in keys if await self._transaction.owns(key[0])]
        found = {key: self._written[key] for key in keys if key in self._written}
        unknown = [key for key in keys if key not in found and not self._is_deleted(key)]
        if unknown:
            # A caller that reads for others must not wait for a connection that one of them holds.
            await self._transaction.begin()
            found |= await self._cache.get_many(unknown, self._load)
        return found

    def knows(self, key: SegmentKey) -> bool:
        """Return whether a segment is probably stored."""
        return key in self._written or self._cache.knows(key)

    def wrote(self, lookup: SegmentLookup) -> None:
        """Remember a segment that the unit wrote."""
        key = (lookup.session_id, lookup.transcript_id)
        self._written[key] = lookup
        self._deleted.discard(key)

    def deleted(self, key: SegmentKey) -> None:
        """Remember that the unit deleted a transcript."""
        self._written.pop(key, None)
        self._deleted.add(key)

    def deleted_session(self, session_id: UUID) -> None:
        """Remember that the unit deleted a session."""
        self._written = {key: v for key, v in self._written.items() if key[0] != session_id}
        self._deleted_sessions.add(session_id)

    def deleted_speakers(self) -> None:
        """Remember that the unit deleted speakers, whose labels may come again."""
        self._deleted_speakers = True

    def _is_deleted(self, key: SegmentKey) -> bool:
        return key in self._deleted or key[0] in self._deleted_sessions

    async def _load(self, keys: Sequence[SegmentKey]) -> Sequence[SegmentLookup]:
        statement = select(
            Transcript.session_id, Transcript.id, Transcript.language, Transcript.revision
        ).where(tuple_(Transcript.session_id, Transcript.id).in_(keys))
        rows = await self._transaction.execute(statement)
        return [SegmentLookup(row.session_id, row.id, row.language, row.revision) for row in rows]

    async def _publish(self, ending: Ending) -> None:
        if ending is Ending.ROLLED_BACK:
            return
        if self._deleted_speakers:
            self._cache.speakers.clear()
        for session_id in self._deleted_sessions:
            self._cache.drop_session(session_id)
        for key in self._deleted:
            self._cache.drop(key)
        if ending is Ending.COMMITTED:
            self._cache.publish(self._written.values())
        else:
            # The commit may have happened: the next lookup asks the database.
            for key in self._written:
                self._cache.drop(key)
