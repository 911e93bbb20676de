"""The breaker: opens on lasting unavailability only, refuses at once, looks with one call, closes."""

import logging

import pytest

from livetranslate_store import StoreUnavailableError
from livetranslate_store.database.breaker import FAILURES_TO_OPEN, PROBE_SECONDS, Breaker

AFTER = 15.0


class Clock:
    """A clock that is put forward by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def opened(clock: Clock) -> Breaker:
    breaker = Breaker("writes", AFTER, clock=clock)
    for _ in range(FAILURES_TO_OPEN):
        breaker.failed()
        clock.now += AFTER / (FAILURES_TO_OPEN - 1)
    breaker.failed()
    assert breaker.statistics().state == "open"
    return breaker


def test_a_restart_never_opens_it_however_many_calls_it_fails(clock: Clock) -> None:
    breaker = Breaker("writes", AFTER, clock=clock)
    for _ in range(1000):
        breaker.failed()
        clock.now += (AFTER - 1) / 1000
    breaker.admit()
    breaker.answered()
    clock.now += AFTER
    breaker.failed()
    breaker.admit()
    assert breaker.statistics().opened == 0


def test_accidents_that_are_far_apart_never_open_it(clock: Clock) -> None:
    breaker = Breaker("writes", AFTER, clock=clock)
    for _ in range(FAILURES_TO_OPEN - 1):
        breaker.failed()
        clock.now += 1000 * AFTER
    breaker.admit()
    assert breaker.statistics().state == "closed"


def test_open_it_refuses_and_says_since_when_and_until_when(clock: Clock) -> None:
    breaker = opened(clock)
    with pytest.raises(
        StoreUnavailableError,
        match=r"unreachable for writes since \d{4}-\d\d-\d\d \S+ UTC: .* refused until .* at \S+ UTC",
    ) as raised:
        breaker.admit()
    assert not raised.value.is_transient
    now = breaker.statistics()
    assert (now.opened, now.refused, now.failures) == (1, 1, FAILURES_TO_OPEN + 1)
    assert now.failing_since is not None


def test_open_it_lets_one_call_look_at_a_time(clock: Clock) -> None:
    breaker = opened(clock)
    clock.now += PROBE_SECONDS
    breaker.check()
    breaker.admit()
    assert breaker.statistics().state == "probing"
    with pytest.raises(StoreUnavailableError):
        breaker.admit()
    breaker.failed()
    assert breaker.statistics().state == "open"
    with pytest.raises(StoreUnavailableError):
        breaker.admit()


def test_a_probe_that_never_answers_is_followed_by_another(clock: Clock) -> None:
    breaker = opened(clock)
    for _ in range(3):
        clock.now += PROBE_SECONDS
        breaker.admit()


def test_an_answer_closes_it(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        breaker = opened(clock)
        clock.now += PROBE_SECONDS
        breaker.admit()
        breaker.answered()
        for _ in range(100):
            breaker.admit()
            breaker.answered()
    now = breaker.statistics()
    assert (now.state, now.failures, now.failing_since) == ("closed", 0, None)
    # One word at the beginning of the incident, one at its end.
    assert len(caplog.records) == 2
