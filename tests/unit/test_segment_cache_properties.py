"""The cache under generated schedules, against a model of the database behind it."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livetranslate_store.segment_cache import SegmentCache, SegmentKey
from livetranslate_store.values import SegmentLookup

pytestmark = pytest.mark.slow

# Two sessions of three transcripts each.
KEYS = [(UUID(int=session), UUID(int=number)) for session in (1, 2) for number in (1, 2, 3)]

steps = st.lists(
    st.tuples(
        st.sampled_from(
            [
                *("look", "look", "answer", "break", "cancel", "turn"),
                *("write", "commit", "publish", "delete", "delete session"),
            ]
        ),
        st.integers(0, 5),
    ),
    # Without a least size most schedules would end after five steps, before anything can go wrong.
    min_size=30,
    max_size=60,
)

# More turns of the loop than any schedule needs to come to its end.
MANY_TURNS = 500


class Schedule:
    """Plays steps against a cache and the database that it stands for."""

    def __init__(self, limit: int) -> None:
        self.cache = SegmentCache(limit)
        # All is there and nothing is cached: what is looked up has to be read.
        self.database = {key: SegmentLookup(*key, "en", 0) for key in KEYS}
        self.asked = 0
        # Committed, and not published yet.
        self.unpublished: list[SegmentLookup] = []
        self.revisions: Counter[SegmentKey] = Counter()
        self.reading: Counter[SegmentKey] = Counter()
        self.answers: list[asyncio.Future[None]] = []
        self.tasks: list[asyncio.Task[None]] = []

    async def load(self, keys: Sequence[SegmentKey]) -> list[SegmentLookup]:
        self.reading.update(keys)
        read = [self.database[key] for key in keys if key in self.database]
        answer: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.answers.append(answer)
        try:
            await answer
        finally:
            self.reading.subtract(keys)
        return read

    async def look(self, number: int) -> None:
        keys = [KEYS[number], KEYS[(number * 2 + 1) % 6]]
        self.asked += len(set(keys))
        try:
            found = await self.cache.get_many(keys, self.load)
        except ZeroDivisionError:
            return
        assert found.keys() <= set(keys)

    def play(self, step: str, number: int) -> None:
        key = KEYS[number]
        pending = [answer for answer in self.answers if not answer.done()]
        if step == "look":
            self.tasks.append(asyncio.ensure_future(self.look(number)))
        elif step == "answer" and pending:
            pending[number % len(pending)].set_result(None)
        elif step == "break" and pending:
            pending[number % len(pending)].set_exception(ZeroDivisionError())
        elif step == "cancel" and self.tasks:
            self.tasks[-1 - number % len(self.tasks)].cancel()
        elif step in ("write", "commit"):
            self.commit(key, publish=step == "write")
        elif step == "publish" and self.unpublished:
            self.cache.publish([self.unpublished.pop(number % len(self.unpublished))])
        elif step == "delete":
            self.publish()
            self.database.pop(key, None)
            self.cache.drop(key)
        elif step == "delete session":
            self.publish()
            for each in [each for each in self.database if each[0] == key[0]]:
                del self.database[each]
            self.cache.drop_session(key[0])

    def commit(self, key: SegmentKey, *, publish: bool) -> None:
        self.revisions[key] += 1
        self.database[key] = SegmentLookup(*key, "en", self.revisions[key])
        self.unpublished.append(self.database[key])
        # Of two revisions the cache knows the higher one as long as it holds it.
        if publish or self.cache.statistics().limit < len(KEYS):
            self.publish()

    def publish(self) -> None:
        # In the other order than they were committed in.
        while self.unpublished:
            self.cache.publish([self.unpublished.pop()])

    def check(self) -> None:
        statistics = self.cache.statistics()
        assert statistics.size <= statistics.limit
        assert 0.0 <= statistics.hit_rate <= 1.0
        # Whatever is remembered is what the database holds: no deleted row, no older revision than published.
        unpublished = {(lookup.session_id, lookup.transcript_id) for lookup in self.unpublished}
        for remembered in self.cache._entries.values():
            key = (remembered.session_id, remembered.transcript_id)
            assert key in self.database
            assert key in unpublished or self.database[key] == remembered
            assert self.database[key].revision >= remembered.revision

    async def end(self) -> None:
        self.publish()
        turns = 0
        while not all(task.done() for task in self.tasks):
            turns += 1
            assert turns < MANY_TURNS, "somebody waits for ever"
            for answer in self.answers:
                if not answer.done():
                    answer.set_result(None)
            await asyncio.sleep(0)
            self.check()
        assert not self.cache._loading
        statistics = self.cache.statistics()
        assert statistics.hits + statistics.misses == self.asked
        await asyncio.gather(*(task for task in self.tasks if not task.cancelled()))


@settings(max_examples=300)
@given(st.integers(1, 6), steps)
def test_no_schedule_makes_the_cache_wrong(limit: int, schedule: list[tuple[str, int]]) -> None:
    async def example() -> None:
        played = Schedule(limit)
        for step, number in schedule:
            if step == "turn":
                await asyncio.sleep(0)
            else:
                played.play(step, number)
            played.check()
        await played.end()

    asyncio.run(example())


@settings(max_examples=100)
@given(st.lists(st.integers(0, 5), min_size=1, max_size=20))
def test_without_writes_a_key_is_read_by_one_caller_at_a_time(numbers: list[int]) -> None:
    async def example() -> None:
        played = Schedule(6)
        for number in numbers:
            played.play("look", number)
            await asyncio.sleep(0)
            assert max(played.reading.values()) <= 1
        await played.end()

    asyncio.run(example())
