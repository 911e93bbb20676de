"""A day of translations that arrive late, in virtual time, against the segment cache alone."""

import heapq
import random
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from uuid import UUID

from benchmarks.soak.meetings import LANGUAGES
from benchmarks.soak.speech import Arrival, arrivals
from livetranslate_store.segment_cache import Key, SegmentCache
from livetranslate_store.settings import StoreSettings
from livetranslate_store.values import SegmentLookup

DEFAULT_SIZE = StoreSettings.model_fields["cache_size"].default


async def hit_rate(bots: int, number: int, seed: int) -> float:
    """Return the share of late translations that find their segment, in so many arrivals at so many bots."""
    cache = SegmentCache(DEFAULT_SIZE)
    spoken = heapq.merge(*(_spoken(bot, seed) for bot in range(bots)))
    for _, bot, arrival in islice(spoken, number):
        key = (UUID(int=bot), UUID(int=arrival.place))
        if arrival.language is None:
            cache.publish([_lookup(key)])
        else:
            await cache.get_many([key], _load)
    return cache.statistics().hit_rate


def _spoken(bot: int, seed: int) -> Iterator[tuple[float, int, Arrival]]:
    chance = random.Random(f"{seed}-{bot}")  # noqa: S311 (no secret)
    for arrival in arrivals(chance, LANGUAGES[: 2 + bot % 2]):
        yield arrival.at, bot, arrival


def _lookup(key: Key) -> SegmentLookup:
    return SegmentLookup(*key, language="en", revision=0)


async def _load(keys: Sequence[Key]) -> Iterable[SegmentLookup]:
    return map(_lookup, keys)
