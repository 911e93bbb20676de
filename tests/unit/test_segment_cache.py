"""The segment cache: bounded, right after every write, and read once for many."""

import asyncio
from collections.abc import Sequence
from uuid import UUID

import pytest

from livetranslate_store import InvalidInputError
from livetranslate_store.ids import new_id
from livetranslate_store.segment_cache import SegmentCache, SegmentKey
from livetranslate_store.values import SegmentLookup

SESSION = UUID(int=1)


def key(number: int, session_id: UUID = SESSION) -> SegmentKey:
    return session_id, UUID(int=number)


def lookup(number: int, revision: int = 0, session_id: UUID = SESSION) -> SegmentLookup:
    return SegmentLookup(session_id, UUID(int=number), "en", revision)


class Reads:
    """A database that answers when it is told to."""

    def __init__(self, *rows: SegmentLookup) -> None:
        self.rows = {(row.session_id, row.transcript_id): row for row in rows}
        self.asked: list[Sequence[SegmentKey]] = []
        self.answer = asyncio.Event()

    async def load(self, keys: Sequence[SegmentKey]) -> list[SegmentLookup]:
        self.asked.append(keys)
        read = [self.rows[each] for each in keys if each in self.rows]
        await self.answer.wait()
        return read


async def test_what_was_published_is_found_without_a_read() -> None:
    cache, reads = SegmentCache(limit=1000), Reads()
    cache.publish([lookup(1)])
    assert await cache.get_many([key(1)], reads.load) == {key(1): lookup(1)}
    assert reads.asked == []


async def test_it_never_grows_beyond_its_limit_and_forgets_what_was_used_longest_ago() -> None:
    cache, reads = SegmentCache(limit=3), Reads()
    reads.answer.set()
    for number in range(3):
        cache.publish([lookup(number)])
    await cache.get_many([key(0)], reads.load)
    for number in range(3, 5):
        cache.publish([lookup(number)])
        assert cache.statistics().size == 3
    assert cache.statistics().evictions == 2
    assert await cache.get_many([key(0)], reads.load)
    assert await cache.get_many([key(1)], reads.load) == {}


async def test_many_misses_for_one_key_read_it_once() -> None:
    cache, reads = SegmentCache(limit=1000), Reads(lookup(1))
    callers = [asyncio.create_task(cache.get_many([key(1)], reads.load)) for _ in range(10)]
    await asyncio.sleep(0)
    reads.answer.set()
    assert await asyncio.gather(*callers) == [{key(1): lookup(1)}] * 10
    assert len(reads.asked) == 1
    assert (cache.statistics().misses, cache.statistics().hits) == (10, 0)


async def test_only_what_is_missing_is_read_and_what_is_not_there_is_left_out() -> None:
    cache, reads = SegmentCache(limit=1000), Reads(lookup(2))
    reads.answer.set()
    cache.publish([lookup(1)])
    found = await cache.get_many([key(1), key(2), key(3), key(1)], reads.load)
    assert found == {key(1): lookup(1), key(2): lookup(2)}
    assert reads.asked == [[key(2), key(3)]]
    assert cache.statistics().hit_rate == pytest.approx(1 / 3)
    # That something is not there is not remembered: it may come any moment.
    reads.rows[key(3)] = lookup(3)
    assert await cache.get_many([key(3)], reads.load) == {key(3): lookup(3)}


async def test_when_the_reader_is_cancelled_one_of_those_who_wait_reads_instead() -> None:
    cache, first, second = SegmentCache(limit=1000), Reads(lookup(1)), Reads(lookup(1))
    reader = asyncio.create_task(cache.get_many([key(1)], first.load))
    await asyncio.sleep(0)
    others = [asyncio.create_task(cache.get_many([key(1)], second.load)) for _ in range(3)]
    await asyncio.sleep(0)
    reader.cancel()
    second.answer.set()
    async with asyncio.timeout(10):
        found = await asyncio.gather(*others)
    assert found == [{key(1): lookup(1)}] * 3
    assert (len(first.asked), len(second.asked)) == (1, 1)
    assert reader.cancelled()


async def test_a_failure_is_the_readers_own() -> None:
    cache, reads = SegmentCache(limit=1000), Reads(lookup(1))

    async def fail(_keys: Sequence[SegmentKey]) -> list[SegmentLookup]:
        await asyncio.sleep(0)
        raise ZeroDivisionError

    failing = asyncio.create_task(cache.get_many([key(1)], fail))
    await asyncio.sleep(0)
    waiting = asyncio.create_task(cache.get_many([key(1)], reads.load))
    reads.answer.set()
    with pytest.raises(ZeroDivisionError):
        await failing
    async with asyncio.timeout(10):
        found = await waiting
    assert found == {key(1): lookup(1)}


@pytest.mark.parametrize("write", ["publish", "drop", "drop_session"])
async def test_a_read_under_way_never_revives_what_a_write_overtook(write: str) -> None:
    cache, reads = SegmentCache(limit=1000), Reads(lookup(1, revision=1))
    reading = asyncio.create_task(cache.get_many([key(1)], reads.load))
    await asyncio.sleep(0)
    if write == "publish":
        cache.publish([lookup(1, revision=2)])
    elif write == "drop":
        cache.drop(key(1))
    else:
        cache.drop_session(SESSION)
    reads.answer.set()
    await reading
    reads.rows.clear()
    expected = {key(1): lookup(1, revision=2)} if write == "publish" else {}
    assert await cache.get_many([key(1)], reads.load) == expected


async def test_an_overtaken_read_leaves_the_one_after_it_alone() -> None:
    cache, old, new = SegmentCache(limit=1000), Reads(lookup(1, revision=1)), Reads(lookup(1, revision=2))
    overtaken = asyncio.create_task(cache.get_many([key(1)], old.load))
    await asyncio.sleep(0)
    cache.drop(key(1))
    reading = [asyncio.create_task(cache.get_many([key(1)], new.load))]
    await asyncio.sleep(0)
    old.answer.set()
    await overtaken
    reading.append(asyncio.create_task(cache.get_many([key(1)], new.load)))
    await asyncio.sleep(0)
    new.answer.set()
    assert await asyncio.gather(*reading) == [{key(1): lookup(1, revision=2)}] * 2
    assert len(new.asked) == 1
    assert await cache.get_many([key(1)], old.load) == {key(1): lookup(1, revision=2)}


async def test_whoever_waits_while_a_newer_revision_is_published_gets_that() -> None:
    cache, reads = SegmentCache(limit=1000), Reads(lookup(1, revision=1))
    callers = [asyncio.create_task(cache.get_many([key(1)], reads.load)) for _ in range(2)]
    await asyncio.sleep(0)
    cache.publish([lookup(1, revision=2)])
    reads.answer.set()
    assert await callers[1] == {key(1): lookup(1, revision=2)}
    await callers[0]


async def test_what_others_found_missing_during_the_own_read_is_not_read_again() -> None:
    cache, quick, slow = SegmentCache(limit=1000), Reads(), Reads(lookup(1))
    other = asyncio.create_task(cache.get_many([key(2)], quick.load))
    await asyncio.sleep(0)
    own = asyncio.create_task(cache.get_many([key(1), key(2)], slow.load))
    await asyncio.sleep(0)
    quick.answer.set()
    await other
    slow.answer.set()
    assert await own == {key(1): lookup(1)}
    assert slow.asked == [[key(1)]]


async def test_a_lower_revision_never_replaces_a_higher_one() -> None:
    cache, reads = SegmentCache(limit=1000), Reads()
    cache.publish([lookup(1, revision=5)])
    cache.publish([lookup(1, revision=4)])
    assert await cache.get_many([key(1)], reads.load) == {key(1): lookup(1, revision=5)}


async def test_a_sessions_entries_can_be_dropped() -> None:
    cache, another = SegmentCache(limit=1000), new_id()
    cache.publish([lookup(1), lookup(2), lookup(1, session_id=another)])
    assert cache.drop_session(SESSION) == 2
    assert cache.statistics().size == 1
    cache.drop(key(1, another))
    assert cache.statistics().size == 0
    assert cache.statistics().evictions == 0


@pytest.mark.parametrize("limit", [0, -5, True])
async def test_a_limit_below_one_is_refused(limit: int) -> None:
    with pytest.raises(InvalidInputError, match="limit must be"):
        SegmentCache(limit)
