"""A loop whose clock a test can put forward."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class SkippingLoop(asyncio.SelectorEventLoop):
    """Its timers that are due after a skip ring in the next turn."""

    skipped = 0.0

    def time(self) -> float:
        return super().time() + self.skipped


def skip(seconds: float) -> None:
    """Put the clock of the running loop forward."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, SkippingLoop)
    loop.skipped += seconds


def run_with_clock(work: Coroutine[Any, Any, T]) -> T:
    """Run `work` on a loop that can skip."""
    with asyncio.Runner(loop_factory=SkippingLoop) as runner:
        return runner.run(work)
