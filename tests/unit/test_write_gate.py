"""The gate: at most so many writes, in order, with a limit on waiting, and nothing left behind."""

import asyncio

import pytest
from helpers.clock import run_with_clock, skip
from helpers.support import until

from livetranslate_store import InvalidInputError, WriteRejectedError
from livetranslate_store.errors import UsageError
from livetranslate_store.write_gate import WriteGate


def gate_of(
    limit: int = 50,
    timeout: float = 30.0,
    *,
    max_waiting: int = 1000,
    max_waiting_bytes: int = 1_000_000,
) -> WriteGate:
    """Return a gate with limits that a test does not meet, unless it sets them."""
    return WriteGate(limit, timeout, max_waiting=max_waiting, max_waiting_bytes=max_waiting_bytes)


class Writers:
    """Writers that hold their slots until they are told to go on."""

    def __init__(self, gate: WriteGate) -> None:
        self.gate = gate
        self.admitted: list[str] = []
        self.running: dict[str, asyncio.Event] = {}
        self.tasks: dict[str, asyncio.Task[None]] = {}

    async def _write(self, name: str) -> None:
        async with self.gate.slot():
            self.admitted.append(name)
            self.running[name] = asyncio.Event()
            await self.running[name].wait()

    async def come(self, *names: str) -> None:
        for name in names:
            self.tasks[name] = asyncio.create_task(self._write(name))
            await asyncio.sleep(0)

    async def finish(self, name: str) -> None:
        self.running[name].set()
        await self.tasks[name]
        await asyncio.sleep(0)


async def test_at_most_the_limit_is_let_in_first_come_first_served() -> None:
    writers = Writers(gate_of(limit=2))
    await writers.come("a", "b", "c", "d", "e")
    assert writers.admitted == ["a", "b"]
    await writers.finish("b")
    await writers.finish("a")
    assert writers.admitted == ["a", "b", "c", "d"]
    for name in ("c", "d", "e"):
        await writers.finish(name)
    statistics = writers.gate.statistics()
    assert (statistics.completed, statistics.in_flight, statistics.waiting) == (5, 0, 0)


async def test_a_newcomer_never_overtakes_those_who_wait() -> None:
    writers = Writers(gate_of(limit=1))
    await writers.come("a", "b")
    writers.running["a"].set()
    # Right now a slot is being handed to b; c asks in between.
    await writers.come("c")
    await until(lambda: len(writers.admitted) == 2)
    assert writers.admitted == ["a", "b"]
    await writers.finish("b")
    await writers.finish("c")


async def test_waiting_has_a_limit_and_the_error_says_what_was_going_on() -> None:
    writers = Writers(gate_of(limit=1, timeout=0.01))
    await writers.come("a")
    with pytest.raises(WriteRejectedError, match=r"within 0\.01 s: 1 of 1 writes under way, 0 more"):
        async with writers.gate.slot():
            pytest.fail("there was no slot")
    statistics = writers.gate.statistics()
    assert (statistics.rejected, statistics.waiting, statistics.in_flight) == (1, 0, 1)
    assert statistics.rejection_rate == 0.5
    assert statistics.seconds_waited >= 0.01
    await writers.finish("a")
    assert writers.gate.statistics().in_flight == 0


async def test_a_cancelled_waiter_leaves_nothing_behind() -> None:
    writers = Writers(gate_of(limit=1))
    await writers.come("a", "b", "c")
    writers.tasks["b"].cancel()
    await asyncio.sleep(0)
    assert writers.gate.statistics().waiting == 1
    await writers.finish("a")
    assert writers.admitted == ["a", "c"]
    await writers.finish("c")
    assert writers.gate.statistics().in_flight == 0


async def test_a_waiter_cancelled_while_it_is_handed_a_slot_hands_it_on() -> None:
    writers = Writers(gate_of(limit=1))
    await writers.gate.acquire()
    await writers.come("b", "c")
    writers.gate.release(completed=True)
    # The slot is b's already, but b has not run yet.
    assert writers.gate.statistics().in_flight == 1
    writers.tasks["b"].cancel()
    await until(lambda: "c" in writers.admitted)
    assert "b" not in writers.admitted
    await writers.finish("c")
    assert writers.gate.statistics().in_flight == 0


async def test_a_waiter_cancelled_as_a_slot_becomes_free_does_not_take_it() -> None:
    writers = Writers(gate_of(limit=1))
    await writers.gate.acquire()
    await writers.come("b", "c")
    writers.tasks["b"].cancel()
    writers.gate.release(completed=True)
    await until(lambda: "c" in writers.admitted)
    assert writers.gate.statistics().in_flight == 1
    await writers.finish("c")
    assert writers.gate.statistics().in_flight == 0


def test_a_time_limit_that_passes_while_the_slot_is_handed_over_rejects_nobody() -> None:
    async def example() -> None:
        writers = Writers(gate_of(limit=1, timeout=30.0))
        await writers.gate.acquire()
        await writers.come("b")
        writers.gate.release(completed=True)
        skip(30.0)
        await until(lambda: "b" in writers.admitted)
        await writers.finish("b")
        assert (writers.gate.statistics().completed, writers.gate.statistics().rejected) == (2, 0)

    run_with_clock(example())


def test_a_waiter_rejected_and_cancelled_at_once_gives_back_no_slot() -> None:
    async def example() -> None:
        writers = Writers(gate_of(limit=1, timeout=30.0))
        await writers.come("a", "b")
        skip(30.0)
        await until(lambda: writers.gate.statistics().rejected == 1, pause=0.0)
        assert not writers.tasks["b"].done()
        writers.tasks["b"].cancel()
        await asyncio.wait([writers.tasks["b"]])
        assert writers.tasks["b"].cancelled()
        statistics = writers.gate.statistics()
        assert (statistics.in_flight, statistics.waiting, statistics.rejected) == (1, 0, 1)
        await writers.finish("a")

    run_with_clock(example())


def test_each_waiter_has_its_own_time_however_many_wait() -> None:
    async def example() -> None:
        writers = Writers(gate_of(limit=1, timeout=30.0))
        await writers.come("a", "b")
        skip(20.0)
        await writers.come("c")
        skip(20.0)
        await until(writers.tasks["b"].done)
        assert writers.gate.statistics().waiting == 1
        skip(20.0)
        await until(writers.tasks["c"].done)
        assert writers.gate.statistics().rejected == 2
        assert 60.0 <= writers.gate.statistics().seconds_waited < 90.0
        await writers.finish("a")

    run_with_clock(example())


async def test_a_write_prepares_before_it_takes_a_slot_and_its_errors_are_its_own() -> None:
    gate = gate_of(limit=1)
    goes_on = asyncio.Event()

    async def write() -> None:
        async with gate.slot(prepare=prepare):
            pass

    async def prepare() -> None:
        await goes_on.wait()
        raise ZeroDivisionError

    preparing = asyncio.create_task(write())
    await asyncio.sleep(0)
    async with gate.slot():
        assert (gate.statistics().in_flight, gate.statistics().waiting) == (1, 1)
    empty = asyncio.create_task(gate.until_empty())
    await asyncio.sleep(0)
    # It was accepted: closing waits for it.
    gate.close("The store is closing.")
    assert not empty.done()
    goes_on.set()
    with pytest.raises(ZeroDivisionError):
        await preparing
    await empty
    assert (gate.statistics().failed, gate.statistics().waiting) == (1, 0)


async def test_a_write_that_was_accepted_before_the_gate_closed_gets_its_slot() -> None:
    gate = gate_of(limit=1)
    goes_on = asyncio.Event()

    async def prepare() -> None:
        await goes_on.wait()

    async def write() -> None:
        async with gate.slot(prepare=prepare):
            await asyncio.sleep(0)

    preparing = asyncio.create_task(write())
    await asyncio.sleep(0)
    gate.close("The store is closing.")
    empty = asyncio.create_task(gate.until_empty())
    goes_on.set()
    await empty
    assert gate.statistics().completed == 1
    await preparing


async def test_preparing_writes_find_as_much_room_as_slots_and_waiting_ones() -> None:
    gate = gate_of(limit=1, max_waiting=1)
    goes_on = asyncio.Event()

    async def prepare() -> None:
        await goes_on.wait()

    async def write() -> None:
        async with gate.slot(prepare=prepare):
            pass

    tasks = [asyncio.create_task(write()) for _ in range(2)]
    await asyncio.sleep(0)
    with pytest.raises(WriteRejectedError, match="1 writes wait"):
        await write()
    goes_on.set()
    await asyncio.gather(*tasks)


async def test_a_slot_is_entered_once_and_given_back_once() -> None:
    gate = gate_of(limit=1)
    slot = gate.slot()
    with pytest.raises(UsageError, match="not held"):
        await slot.__aexit__(None, None, None)
    async with slot:
        with pytest.raises(UsageError, match="entered once"):
            await slot.__aenter__()
    with pytest.raises(UsageError, match="not held"):
        await slot.__aexit__(None, None, None)
    statistics = gate.statistics()
    assert (statistics.in_flight, statistics.completed) == (0, 1)


async def test_a_slot_that_was_refused_is_not_held() -> None:
    gate = gate_of(limit=1, timeout=0.01)
    await gate.acquire()
    slot = gate.slot()
    with pytest.raises(WriteRejectedError):
        await slot.__aenter__()
    with pytest.raises(UsageError, match="not held"):
        await slot.__aexit__(None, None, None)
    assert gate.statistics().in_flight == 1


async def test_a_slot_can_be_given_back_by_another_task() -> None:
    gate = gate_of(limit=1)
    slot = gate.slot()
    await asyncio.create_task(slot.__aenter__())
    await asyncio.create_task(slot.__aexit__(None, None, None))
    assert gate.statistics().completed == 1


async def test_failures_and_cancellations_of_writes_are_counted_apart() -> None:
    gate = gate_of(limit=1)
    with pytest.raises(ZeroDivisionError):
        async with gate.slot():
            raise ZeroDivisionError
    writers = Writers(gate)
    await writers.come("a")
    writers.tasks["a"].cancel()
    with pytest.raises(asyncio.CancelledError):
        await writers.tasks["a"]
    statistics = gate.statistics()
    assert (statistics.completed, statistics.failed, statistics.in_flight) == (0, 2, 0)


async def test_raising_the_limit_lets_waiters_in_at_once_and_in_order() -> None:
    writers = Writers(gate_of(limit=1))
    await writers.come("a", "b", "c", "d")
    writers.gate.limit = 3
    await until(lambda: len(writers.admitted) == 3)
    assert writers.admitted == ["a", "b", "c"]
    for name in ("a", "b", "c", "d"):
        await writers.finish(name)


async def test_lowering_the_limit_takes_effect_as_writes_end() -> None:
    writers = Writers(gate_of(limit=3))
    await writers.come("a", "b", "c", "d")
    writers.gate.limit = 1
    await writers.finish("a")
    await writers.finish("b")
    assert writers.admitted == ["a", "b", "c"]
    await writers.finish("c")
    assert writers.admitted[-1] == "d"
    await writers.finish("d")


@pytest.mark.parametrize("limit", [0, -1, 1.5, True, "many"])
async def test_a_limit_below_one_is_refused(limit: int) -> None:
    with pytest.raises(InvalidInputError, match="limit must be"):
        gate_of(limit=limit)
    gate = gate_of()
    with pytest.raises(InvalidInputError, match="limit must be"):
        gate.limit = limit
    assert gate.limit == 50


@pytest.mark.parametrize("seconds", [0, -1.0, float("nan"), True, "soon"])
async def test_a_time_limit_that_is_no_time_is_refused(seconds: float) -> None:
    with pytest.raises(InvalidInputError, match="timeout must be"):
        gate_of(timeout=seconds)


async def test_a_slot_that_is_free_costs_no_turn_of_the_loop() -> None:
    gate = gate_of()
    entering = gate.slot().__aenter__()
    with pytest.raises(StopIteration):
        entering.send(None)
    gate.release(completed=True)


async def test_more_than_may_wait_are_rejected_at_once() -> None:
    gate = gate_of(limit=1, max_waiting=2)
    writers = Writers(gate)
    await writers.come("a", "b", "c")
    with pytest.raises(WriteRejectedError, match="No room to wait at the write gate: 2 writes wait"):
        await gate.acquire()
    assert (gate.statistics().waiting, gate.statistics().rejected) == (2, 1)
    writers.tasks["c"].cancel()
    await until(lambda: gate.statistics().waiting == 1)
    await writers.come("d")
    assert gate.statistics().waiting == 2
    for name in ("a", "b", "d"):
        await writers.finish(name)
    assert writers.admitted == ["a", "b", "d"]


async def test_the_audio_of_those_that_wait_is_bounded_too() -> None:
    gate = gate_of(limit=1, max_waiting_bytes=100)
    await gate.acquire(1000)
    # One alone may wait whatever its size, and so may those without audio.
    first = asyncio.create_task(gate.acquire(500))
    silent = asyncio.create_task(gate.acquire())
    await until(lambda: gate.statistics().waiting == 2)
    assert gate.statistics().waiting_bytes == 500
    with pytest.raises(WriteRejectedError, match="500 bytes of audio wait"):
        await gate.acquire(1)
    first.cancel()
    await until(lambda: gate.statistics().waiting == 1)
    second, third = (asyncio.create_task(gate.acquire(50)) for _ in range(2))
    await until(lambda: gate.statistics().waiting == 3)
    with pytest.raises(WriteRejectedError, match="100 bytes of audio wait"):
        await gate.acquire(1)
    for task in (silent, second, third):
        gate.release(completed=True)
        await task
    gate.release(completed=True)
    assert (gate.statistics().waiting_bytes, gate.statistics().in_flight) == (0, 0)


async def test_a_gate_that_closes_refuses_newcomers_and_lets_in_who_waits() -> None:
    gate = gate_of(limit=1)
    writers = Writers(gate)
    await writers.come("a", "b")
    gate.close("It closes.")
    with pytest.raises(UsageError, match="It closes"):
        await gate.acquire()
    emptied = asyncio.create_task(gate.until_empty())
    await writers.finish("a")
    assert writers.admitted == ["a", "b"]
    assert not emptied.done()
    await writers.finish("b")
    await asyncio.wait_for(emptied, 5)


async def test_those_who_wait_can_be_rejected_together() -> None:
    gate = gate_of(limit=1)
    await gate.acquire()
    tasks = [asyncio.create_task(gate.acquire()) for _ in range(3)]
    await until(lambda: gate.statistics().waiting == 3)
    gate.reject_all()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert {type(result) for result in results} == {WriteRejectedError}
    gate.release(completed=True)
    assert (gate.statistics().rejected, gate.statistics().in_flight) == (3, 0)
