"""Whose a part of a store is: the event loop that it was made in, and with it one thread and one process."""

import asyncio

from livetranslate_store.errors import UsageError

_ELSEWHERE = (
    "The store belongs to the event loop that opened it: open another one in each loop, thread and process, "
    "or hand the call over with asyncio.run_coroutine_threadsafe."
)


class OwnLoop:
    """The event loop that something belongs to: the running one, or else the first that uses it."""

    __slots__ = ("_loop",)

    def __init__(self) -> None:
        self._loop = _running_loop()

    @property
    def is_here(self) -> bool:
        """Whether the running loop is that one; a forked process has none, or another."""
        return _running_loop() is self._loop

    def check(self) -> None:
        """Raise UsageError in another loop, in a thread without one, and in a forked process."""
        try:
            here = asyncio.get_running_loop()
        except RuntimeError:
            raise UsageError(_ELSEWHERE) from None
        if here is not self._loop:
            if self._loop is not None:
                raise UsageError(_ELSEWHERE)
            self._loop = here


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None
