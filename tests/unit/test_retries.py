"""Repetition: what passes and nothing else, bounded, with chance in its pauses, counted."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from livetranslate_store import (
    ConflictError,
    InvalidInputError,
    OutcomeUnknownError,
    StoreError,
    StoreUnavailableError,
)
from livetranslate_store.database.retries import ATTEMPTS, CONFLICT_ATTEMPTS, Retries


class Clock:
    """A clock that only its pauses put forward."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds


def retries_for(timeout: float) -> Retries:
    clock = Clock()
    return Retries(timeout, clock=clock, sleep=clock.sleep)


def away() -> StoreUnavailableError:
    return StoreUnavailableError("away", transient=True)


def failing(*failures: Exception) -> tuple[Callable[[], Awaitable[str]], list[Exception]]:
    """Return a call that fails with these one after the other, then returns; and what is left of them."""
    left = list(failures)

    async def call() -> str:
        if left:
            raise left.pop(0)
        return "done"

    return call, left


@pytest.mark.parametrize("failure", [away(), ConflictError(), OutcomeUnknownError()])
async def test_what_passes_is_repeated_and_counted(failure: StoreError) -> None:
    retries = retries_for(60)
    call, _ = failing(failure, failure)
    assert await retries.run(call) == "done"
    now = retries.statistics()
    assert (now.repeated, now.recovered, now.exhausted) == (2, 1, 0)


@pytest.mark.parametrize(
    "failure", [InvalidInputError(), StoreUnavailableError("no privilege"), ZeroDivisionError()]
)
async def test_what_stays_is_not_repeated(failure: Exception) -> None:
    retries = retries_for(60)
    call, left = failing(failure, failure)
    with pytest.raises(type(failure)):
        await retries.run(call)
    assert len(left) == 1
    assert retries.statistics().repeated == 0


async def test_it_can_be_turned_off() -> None:
    call, left = failing(away(), away())
    with pytest.raises(StoreUnavailableError):
        await retries_for(0).run(call)
    assert len(left) == 1


@pytest.mark.parametrize(("kind", "limit"), [(away, ATTEMPTS), (ConflictError, CONFLICT_ATTEMPTS)])
async def test_its_number_is_bounded(kind: Callable[[], StoreError], limit: int) -> None:
    retries = retries_for(3600)
    call, left = failing(*(kind() for _ in range(100)))
    with pytest.raises(StoreError):
        await retries.run(call)
    assert 100 - len(left) == limit
    now = retries.statistics()
    assert (now.repeated, now.recovered, now.exhausted) == (limit - 1, 0, 1)


async def test_its_time_is_bounded_from_when_trying_began() -> None:
    clock = Clock()

    async def pass_over(_seconds: float) -> None:
        return

    async def call() -> None:
        clock.now += 4
        raise away()

    retries = Retries(10, clock=clock, sleep=pass_over)
    with pytest.raises(StoreUnavailableError):
        await retries.run(call)
    assert clock.now == 1012.0
    with pytest.raises(StoreUnavailableError):
        await retries.run(call, since=1000.0)
    assert clock.now == 1016.0


@pytest.mark.parametrize("last", [away, ConflictError, InvalidInputError])
async def test_once_an_answer_was_lost_only_success_makes_the_outcome_known(
    last: Callable[[], StoreError],
) -> None:
    error = last()
    call, _ = failing(OutcomeUnknownError(), *(error for _ in range(100)))
    with pytest.raises(OutcomeUnknownError) as raised:
        await retries_for(60).run(call)
    assert raised.value.__cause__ is error


async def test_a_cancellation_ends_the_pause_at_once() -> None:
    async def for_ever(_seconds: float) -> None:
        await asyncio.Event().wait()

    retries = Retries(7200, sleep=for_ever)
    call, left = failing(away(), away())
    task = asyncio.create_task(retries.run(call))
    while len(left) == 2 or retries.statistics().repeated == 0:
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert len(left) == 1


async def test_pauses_grow_to_a_second_and_differ() -> None:
    retries = Retries(10)
    pauses = [[retries.pause(attempts) for _ in range(50)] for attempts in range(1, 10)]
    for attempts, these in enumerate(pauses, start=1):
        most = min(1.0, 0.05 * 2 ** (attempts - 1))
        assert most / 2 <= min(these) < max(these) <= most
