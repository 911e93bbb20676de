"""A day of late translations in virtual time, against the segment cache alone."""

import heapq
import random
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from uuid import UUID

from rich.progress import Progress

from benchmarks.soak.bot import LANGUAGES
from benchmarks.soak.meetings import SEED
from benchmarks.soak.speech import Arrival, arrivals
from benchmarks.soak.table import Measure
from livetranslate_store.segment_cache import SegmentCache, SegmentKey
from livetranslate_store.settings import StoreSettings
from livetranslate_store.values import SegmentLookup

DEFAULT_SIZE = StoreSettings.model_fields["cache_size"].default


# Eight hours of ten bots.
ARRIVALS = 1_000_000
#: The limits, by the number of bots.
HIT_RATES = {10: 0.95, 100: 0.80}


async def cache_days(share: float, progress: Progress) -> list[Measure]:
    """Measure the hit rate of ten and of a hundred bots over this share of a day."""
    bar = progress.add_task("cache day", total=len(HIT_RATES))
    measures = []
    for bots, limit in HIT_RATES.items():
        rate = await _hit_rate(bots, int(ARRIVALS * share))
        measures.append(Measure(f"cache day: hit rate, {bots} bots", rate, "{:.2%}", limit, above=True))
        progress.advance(bar)
    return measures


async def _hit_rate(bots: int, number: int) -> float:
    """Return the share of late translations whose segment is cached, over so many arrivals."""
    cache = SegmentCache(DEFAULT_SIZE)
    spoken = heapq.merge(*(_spoken(bot) for bot in range(bots)))
    for _, bot, arrival in islice(spoken, number):
        key = (UUID(int=bot), UUID(int=arrival.place))
        if arrival.language is None:
            cache.publish([_lookup(key)])
        else:
            await cache.get_many([key], _load)
    return cache.statistics().hit_rate


def _spoken(bot: int) -> Iterator[tuple[float, int, Arrival]]:
    chance = random.Random(f"{SEED}-{bot}")  # noqa: S311 (no secret)
    for arrival in arrivals(chance, LANGUAGES[: 2 + bot % 2]):
        yield arrival.at, bot, arrival


def _lookup(key: SegmentKey) -> SegmentLookup:
    return SegmentLookup(*key, language="en", revision=0)


async def _load(keys: Sequence[SegmentKey]) -> Iterable[SegmentLookup]:
    return map(_lookup, keys)
