"""The gate under generated schedules: it never lets too many in, keeps the order, and loses nothing."""

import asyncio
from collections import Counter

import pytest
from helpers.clock import run_with_clock, skip
from hypothesis import given, settings
from hypothesis import strategies as st

from livetranslate_store import WriteRejectedError
from livetranslate_store.write_gate import WriteGate

pytestmark = pytest.mark.slow

# What happens next: a writer comes, or one of those around (chosen by the number) ends, fails, is
# cancelled; or time passes; or the limit changes; or the loop gets a turn.
steps = st.lists(
    st.tuples(
        st.sampled_from(["come", "come", "end", "fail", "cancel", "skip", "limit", "turn"]),
        st.integers(0, 5),
    ),
    # Without a least size most schedules would end after five steps, before anything can go wrong.
    min_size=30,
    max_size=60,
)

TIMEOUT = 1000.0

# More turns of the loop than any schedule needs to come to its end.
MANY_TURNS = 500


class WatchedGate(WriteGate):
    """A gate that is watched while it lets waiters in."""

    def _admit(self) -> None:
        before = self._in_flight
        super()._admit()
        assert self._in_flight in range(before, max(before, self._limit) + 1)


class Schedule:
    """Plays steps against a gate, and checks what must hold after each."""

    def __init__(self, limit: int) -> None:
        self.gate = WatchedGate(limit, timeout=TIMEOUT, max_waiting=1000, max_waiting_bytes=0)
        self.highest_limit = limit
        self.tasks: list[asyncio.Task[str]] = []
        self.finish: dict[int, asyncio.Future[None]] = {}
        self.admitted: list[int] = []

    async def write(self, number: int) -> str:
        try:
            async with self.gate.slot():
                self.admitted.append(number)
                self.finish[number] = asyncio.get_running_loop().create_future()
                await self.finish[number]
        except ZeroDivisionError:
            return "failed"
        except WriteRejectedError:
            return "rejected"
        except asyncio.CancelledError:
            return "cancelled inside" if number in self.finish else "cancelled waiting"
        return "completed"

    def play(self, step: str, number: int) -> None:
        inside = [each for each in self.finish.values() if not each.done()]
        around = [task for task in self.tasks if not task.done()]
        if step == "come":
            self.tasks.append(asyncio.ensure_future(self.write(len(self.tasks))))
        elif step == "end" and inside:
            inside[number % len(inside)].set_result(None)
        elif step == "fail" and inside:
            inside[number % len(inside)].set_exception(ZeroDivisionError())
        elif step == "cancel" and around:
            around[number % len(around)].cancel()
        elif step == "skip":
            # Also past the time of writers that were handed a slot just now.
            skip(TIMEOUT * number / 5)
        elif step == "limit":
            self.gate.limit = number + 1
            self.highest_limit = max(self.highest_limit, number + 1)

    def check(self) -> None:
        now = self.gate.statistics()
        assert 0 <= now.in_flight <= self.highest_limit
        assert now.waiting >= 0
        assert min(now.completed, now.failed, now.rejected) >= 0
        assert 0.0 <= now.rejection_rate <= 1.0
        # Nobody waits while there is room.
        assert now.waiting == 0 or now.in_flight >= now.limit

    async def end(self) -> None:
        turns = 0
        while not all(task.done() for task in self.tasks):
            turns += 1
            assert turns < MANY_TURNS, "somebody waits for ever"
            for each in self.finish.values():
                if not each.done():
                    each.set_result(None)
            await asyncio.sleep(0)
            self.check()
        # Those cancelled before they began never came to the gate.
        results = Counter(task.result() for task in self.tasks if not task.cancelled())
        now = self.gate.statistics()
        assert now.in_flight == now.waiting == 0
        assert now.completed == results["completed"]
        assert now.failed == results["failed"] + results["cancelled inside"]
        assert sum(results.values()) == sum(not task.cancelled() for task in self.tasks)
        # One that is rejected and cancelled in the same turn counts as rejected, and sees the cancellation.
        assert results["rejected"] <= now.rejected <= results["rejected"] + results["cancelled waiting"]


@settings(max_examples=300)
@given(st.integers(1, 3), steps, st.booleans())
def test_no_schedule_breaks_the_gate(limit: int, schedule: list[tuple[str, int]], calm: bool) -> None:
    async def example() -> None:
        played = Schedule(limit)
        for step, number in schedule:
            if step == "turn":
                await asyncio.sleep(0)
            else:
                played.play(step, number)
            played.check()
            if calm:
                # Everybody gets to see what was handed over, so that the order can be told.
                await asyncio.sleep(0)
                await asyncio.sleep(0)
                assert played.admitted == sorted(played.admitted)
        await played.end()

    run_with_clock(example())
