"""Tasks that go on while a test does something to the server."""

import asyncio
from types import TracebackType


class Background:
    """Tasks that a block starts; leaving it asks them to stop, waits for them, and raises their errors."""

    def __init__(self) -> None:
        self._tasks: list[asyncio.Task[None]] = []
        self._stopping = False

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stopping = True
        results = await asyncio.gather(*self._tasks, return_exceptions=True)
        for result in results:
            if result is not None and kind is None:
                raise result
