"""Work that runs to its end even if the caller is cancelled."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from typing import Any, Generic, TypeVar

# A cancelled caller waits this long for the end of its work: most ends by then, and leaves nothing behind.
LEAVE_SECONDS = 1.0

T = TypeVar("T")
Item = TypeVar("Item")


async def run_to_end(work: Coroutine[Any, Any, T], *, hurry: Callable[[], None] | None = None) -> T:
    """Run `work` in its own task and wait for it; a cancellation is raised after its end.

    The work must have a time limit of its own. If it takes longer than a second after a cancellation, `hurry`
    is called, which makes it end.
    """
    task = asyncio.ensure_future(work)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            if cancelled is None or hurry is None:
                await asyncio.wait([task])
            elif not (await asyncio.wait([task], timeout=LEAVE_SECONDS))[0]:
                hurry()
                hurry = None
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        failure = None if task.cancelled() else task.exception()
        raise cancelled from failure
    return task.result()


class Shared(Generic[T]):
    """Work that runs once at a time: callers that come meanwhile share its result, or its error."""

    def __init__(self, work: Callable[[], Coroutine[Any, Any, T]]) -> None:
        self._work = work
        self._task: asyncio.Task[T] | None = None

    async def __call__(self) -> T:
        """Return the result of the running work, or start it; a cancellation leaves it running."""
        if self._task is None or self._task.done():
            self._task = asyncio.ensure_future(self._work())
            self._task.add_done_callback(_retrieve)
        task = self._task
        await asyncio.wait([task])
        return task.result()


def _retrieve(task: "asyncio.Task[Any]") -> None:
    """Take the error out of a task that nobody may wait for."""
    if not task.cancelled():
        task.exception()


async def for_each(items: Iterable[Item], work: Callable[[Item], Awaitable[None]], *, at_once: int) -> None:
    """Do `work` for every item, `at_once` items at a time, and leave nothing running.

    The first failure, or a cancellation, is raised after the started work has ended.
    """
    left = iter(items)

    async def worker() -> None:
        for item in left:
            await work(item)

    workers = [asyncio.create_task(worker()) for _ in range(at_once)]
    try:
        await asyncio.gather(*workers)
    finally:
        for each in workers:
            each.cancel()
        await run_to_end(asyncio.wait(workers))
