"""What an interruption of a command cuts off is its own doing, and nothing to be told."""

import asyncio
import signal
from collections.abc import Iterator

import pytest

from livetranslate_store.cli.command import wait_for


@pytest.fixture(autouse=True)
def handler_of_a_command() -> Iterator[None]:
    """The handler that a command starts with, whatever an earlier test has left."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


async def leave_a_failure_that_nobody_awaits() -> None:
    asyncio.get_running_loop().create_future().set_exception(ConnectionError("cut off"))


async def interrupted() -> None:
    try:
        signal.raise_signal(signal.SIGINT)
        await asyncio.sleep(60)
    finally:
        await leave_a_failure_that_nobody_awaits()


def test_what_an_interruption_cuts_off_is_not_told(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(KeyboardInterrupt):
        wait_for(interrupted())
    assert caplog.records == []


def test_a_failure_that_nobody_awaits_is_told_otherwise(caplog: pytest.LogCaptureFixture) -> None:
    wait_for(leave_a_failure_that_nobody_awaits())
    assert ["never retrieved" in each.message for each in caplog.records] == [True]
