"""The lane to an audio storage: blocking calls in threads, each with a time limit for its caller.

A call that takes too long is left to its thread. It keeps its place in the lane until it ends, so that
threads and the bytes that they hold stay bounded while the storage hangs.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar, TypeVarTuple

from livetranslate_store.errors import StoreUnavailableError, WriteRejectedError
from livetranslate_store.ownership import OwnLoop
from livetranslate_store.tasks import LEAVE_SECONDS, run_to_end

# Number of objects in transfer at once: an object store mostly waits.
THREADS = 32

_CLOSED = "The store closed before the audio storage answered."

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


class Lane:
    """Runs calls of a storage, each for at most `seconds`; `max_waiting_bytes` bounds the waiting ones."""

    def __init__(self, seconds: float, *, max_waiting_bytes: int) -> None:
        self._owner = OwnLoop()
        self._seconds = seconds
        self._max_waiting_bytes = max_waiting_bytes
        self._waiting_bytes = 0
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="audio-storage")
        self._places = asyncio.Semaphore(THREADS)
        self._limits: set[asyncio.Timeout] = set()
        self._is_closing = False
        self._is_closed = False

    async def run(
        self, work: Callable[[*Ts], T], *arguments: *Ts, size: int = 0, seconds: float | None = None
    ) -> T:
        """Return what `work` returns; `size` counts the bytes that the call holds.

        Raises the errors of `work`; StoreUnavailableError, a transient one, without an answer in time;
        WriteRejectedError if too many bytes wait.
        """
        self._owner.check()
        limit = self._seconds if seconds is None else seconds
        if self._is_closed:
            raise StoreUnavailableError(_CLOSED)
        timeout = asyncio.timeout(limit)
        self._limits.add(timeout)
        try:
            async with timeout:
                await self._take_place(size)
                call = self._started(work, *arguments)
                return await self._answer_of(timeout, call)
        except TimeoutError:
            if not timeout.expired():
                raise
        finally:
            self._limits.discard(timeout)
        if self._is_closing:
            raise StoreUnavailableError(_CLOSED)
        raise StoreUnavailableError(f"The audio storage did not answer within {limit:g} s.", transient=True)

    def cut_off(self) -> None:
        """Fail the running calls at once: the store closes."""
        self._is_closing = True
        for each in self._limits:
            # One that has expired ends anyway, and takes no other time.
            if not each.expired():
                each.reschedule(0)

    def close(self) -> None:
        """Fail the running calls, and every later one."""
        self._is_closed = True
        self.cut_off()
        self._threads.shutdown(wait=False)

    async def _take_place(self, size: int) -> None:
        if not self._places.locked():
            await self._places.acquire()
            return
        waiting = self._waiting_bytes
        if size and waiting and waiting + size > self._max_waiting_bytes:
            raise WriteRejectedError(
                f"No room to wait for the audio storage: {waiting:,} bytes of audio wait. Try again later."
            )
        self._waiting_bytes += size
        try:
            await self._places.acquire()
        finally:
            self._waiting_bytes -= size

    def _started(self, work: Callable[[*Ts], T], *arguments: *Ts) -> "asyncio.Future[T]":
        try:
            call = asyncio.get_running_loop().run_in_executor(self._threads, work, *arguments)
        except BaseException:
            # There may be no more threads.
            self._places.release()
            raise
        call.add_done_callback(self._leave)
        return call

    async def _answer_of(self, limit: asyncio.Timeout, call: "asyncio.Future[T]") -> T:
        try:
            # Not awaited itself: a cancellation would not reach the thread.
            await asyncio.wait([call])
        except asyncio.CancelledError:
            if not limit.expired():
                await run_to_end(asyncio.wait([call], timeout=LEAVE_SECONDS))
            raise
        return call.result()

    def _leave(self, call: "asyncio.Future[T]") -> None:
        self._places.release()
        if not call.cancelled():
            call.exception()  # nobody may be left to hear of it
