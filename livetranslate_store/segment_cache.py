"""The segment cache: a bounded LRU of the facts that late translations need of their transcripts."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import TypeAlias
from uuid import UUID

from cachetools import LRUCache, TTLCache

from livetranslate_store.checks import checked_integer
from livetranslate_store.ids import NumberKey, number_key
from livetranslate_store.known_speakers import KnownSpeakers
from livetranslate_store.values import CacheStatistics, SegmentLookup

# A session has one tenant for good; other programs may have changed that in their own SQL.
TENANT_SECONDS = 60.0
MOST_TENANTS = 10_000

SegmentKey: TypeAlias = tuple[UUID, UUID]
Load: TypeAlias = Callable[[Sequence[SegmentKey]], Awaitable[Iterable[SegmentLookup]]]


class SegmentCache:
    """Frozen lookups by `(session_id, transcript_id)`; right after every commit and rollback.

    Belongs to one event loop. Writers publish the segments that they committed. A reader stores a loaded
    segment only if its key was not published or dropped meanwhile: it never revives a deleted or older one.
    """

    def __init__(self, limit: int) -> None:
        self._entries = _CountingLRU(checked_integer(limit, "limit", minimum=1))
        #: The speakers of segments, which are met again and again.
        self.speakers = KnownSpeakers()
        #: The tenants of sessions that the stores of tenants write into.
        self.tenants: TTLCache[UUID, str] = TTLCache(MOST_TENANTS, TENANT_SECONDS)
        # The running read of each key. A write removes the key, and with it the right to store the result.
        self._loading: dict[SegmentKey, asyncio.Future[SegmentLookup | None]] = {}
        self._hits = 0
        self._misses = 0

    async def get_many(self, keys: Iterable[SegmentKey], load: Load) -> dict[SegmentKey, SegmentLookup]:
        """Return the lookups of these keys, without the keys that the database does not have.

        `load` reads the keys that are not cached, each one for one caller at a time. The others wait for it,
        and one of them takes over if it is cancelled or fails.
        """
        found: dict[SegmentKey, SegmentLookup] = {}
        missing = []
        for key in dict.fromkeys(keys):
            entry = self._entries.get(number_key(*key))
            if entry is None:
                missing.append(key)
            else:
                found[key] = entry
        self._hits += len(found)
        self._misses += len(missing)
        while missing:
            # Taken before the own read: keys that others read meanwhile are not read again.
            others = {key: self._loading[key] for key in missing if key in self._loading}
            mine = [key for key in missing if key not in others]
            if mine:
                found |= await self._load(mine, load)
            missing = await self._wait_for_others(others, found)
        return found

    def knows(self, key: SegmentKey) -> bool:
        """Return whether a segment is cached, without counting as a use."""
        return number_key(*key) in self._entries

    def publish(self, lookups: Iterable[SegmentLookup]) -> None:
        """Store committed segments; a lower revision never replaces a higher one."""
        for lookup in lookups:
            if self._loading:
                self._loading.pop((lookup.session_id, lookup.transcript_id), None)
            key = number_key(lookup.session_id, lookup.transcript_id)
            # Commits may be published out of order, but revisions only grow.
            known = self._entries.get(key)
            if known is None or known.revision <= lookup.revision:
                self._entries[key] = lookup

    def drop(self, key: SegmentKey) -> None:
        """Forget a segment, for example after its deletion."""
        self._loading.pop(key, None)
        self._entries.pop(number_key(*key), None)

    def drop_session(self, session_id: UUID) -> int:
        """Forget the segments of a session, its speakers and its tenant; return the number of segments."""
        self.tenants.pop(session_id, None)
        self.speakers.drop_session(session_id)
        for key in [key for key in self._loading if key[0] == session_id]:
            del self._loading[key]
        dropped = [each for each in self._entries if each[0] == session_id.int]
        for each in dropped:
            del self._entries[each]
        return len(dropped)

    def statistics(self) -> CacheStatistics:
        """Return the current figures; waiting for another caller's read counts as a miss."""
        asked = self._hits + self._misses
        return CacheStatistics(
            size=len(self._entries),
            limit=int(self._entries.maxsize),
            hits=self._hits,
            misses=self._misses,
            evictions=self._entries.evictions,
            hit_rate=self._hits / asked if asked else 0.0,
        )

    async def _load(self, keys: Sequence[SegmentKey], load: Load) -> dict[SegmentKey, SegmentLookup]:
        loop = asyncio.get_running_loop()
        reads = {key: loop.create_future() for key in keys}
        self._loading |= reads
        loaded: dict[SegmentKey, SegmentLookup] = {}
        try:
            for lookup in await load(keys):
                loaded[lookup.session_id, lookup.transcript_id] = lookup
        except BaseException:
            for read in reads.values():
                read.cancel()  # the callers that wait for it read for themselves
            raise
        else:
            for key, read in reads.items():
                result = loaded.get(key)
                if result is not None and self._loading.get(key) is read:
                    self._entries[number_key(*key)] = result
                read.set_result(result)
        finally:
            for key, read in reads.items():
                if self._loading.get(key) is read:
                    del self._loading[key]
        return loaded

    async def _wait_for_others(
        self,
        reads: Mapping[SegmentKey, asyncio.Future[SegmentLookup | None]],
        found: dict[SegmentKey, SegmentLookup],
    ) -> list[SegmentKey]:
        """Add the segments that others read to `found`; return the keys whose reader gave up."""
        left = []
        for key, read in reads.items():
            await asyncio.wait([read])
            # A segment that was published meanwhile is newer than the one that was read.
            entry = self._entries.get(number_key(*key))
            if entry is None and read.cancelled():
                left.append(key)
                continue
            entry = entry or read.result()
            if entry is not None:
                found[key] = entry
        return left


class _CountingLRU(LRUCache[NumberKey, SegmentLookup]):
    """An LRU that counts its evictions."""

    def __init__(self, maxsize: int) -> None:
        super().__init__(maxsize)
        self.evictions = 0

    def popitem(self) -> tuple[NumberKey, SegmentLookup]:
        """Evict the entry with the oldest use."""
        self.evictions += 1
        return super().popitem()
