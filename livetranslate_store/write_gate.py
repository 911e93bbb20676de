"""The write gate: a limited number of writes at a time, first come first served, with limits on waiting."""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import TypeAlias

from livetranslate_store.checks import MAX_BIG_INTEGER, checked_integer, checked_number
from livetranslate_store.errors import UsageError, WriteRejectedError
from livetranslate_store.incidents import Incident
from livetranslate_store.ownership import OwnLoop
from livetranslate_store.values import GateStatistics

logger = logging.getLogger(__name__)

#: Something that a write does before it asks for a slot.
Prepare: TypeAlias = Callable[[], Awaitable[None]]


class WriteGate:
    """Limits the writes before the connection pool, so that a crowd waits here and not in the database.

    Belongs to one event loop. Another task than the one that took a slot may give it back.
    """

    def __init__(
        self,
        limit: int,
        timeout: float,
        *,
        max_waiting: int,
        max_waiting_bytes: int,
    ) -> None:
        self._owner = OwnLoop()
        self._limit = checked_integer(limit, "limit", minimum=1)
        self._timeout = checked_number(timeout, "timeout", minimum=0.001)
        self._max_waiting = checked_integer(max_waiting, "max_waiting")
        self._max_waiting_bytes = checked_integer(
            max_waiting_bytes, "max_waiting_bytes", maximum=MAX_BIG_INTEGER
        )
        self._waiting_bytes = 0
        # Why new writes are refused; None while they are accepted.
        self._refusal: str | None = None
        # Set once no write waits or runs, if a caller waits for that.
        self._empty: asyncio.Event | None = None
        self._in_flight = 0
        # Accepted writes that do something else before they ask for a slot.
        self._preparing = 0
        # In the order of their arrival, with the time of each.
        self._waiters: OrderedDict[asyncio.Future[None], float] = OrderedDict()
        # One timer for all, set for the first in the queue: one for each write would cost 2.2 µs.
        self._timer: asyncio.TimerHandle | None = None
        self._completed = 0
        self._failed = 0
        self._rejected = 0
        self._seconds_waited = 0.0
        self._overload = Incident(logger, "writes_rejected", "writes are rejected at the gate")

    @property
    def limit(self) -> int:
        """How many writes may run at a time; can be set while running."""
        return self._limit

    @limit.setter
    def limit(self, value: int) -> None:
        self._owner.check()
        self._limit = checked_integer(value, "limit", minimum=1)
        self._admit()

    def slot(self, size: int = 0, *, prepare: Prepare | None = None) -> "WriteSlot":
        """Return the context manager of one write, which holds `size` bytes of audio while it waits.

        Entering it may raise WriteRejectedError, and UsageError once the gate closes. It calls `prepare`
        after the write is accepted and before a slot is taken, and raises its errors.
        """
        return WriteSlot(self, size, prepare)

    def close(self, refusal: str) -> None:
        """Refuse new writes with a UsageError that says `refusal`; waiting writes still get their slots."""
        self._refusal = refusal

    async def until_empty(self) -> None:
        """Wait until no write waits or runs."""
        self._empty = asyncio.Event()
        self._set_if_empty()
        await self._empty.wait()

    def reject_all(self) -> None:
        """Reject the waiting writes."""
        for turn in list(self._waiters):
            self._reject(turn, "The store closed before a slot at the write gate became free.")

    def statistics(self) -> GateStatistics:
        """Return the current figures."""
        decided = self._in_flight + self._completed + self._failed + self._rejected
        return GateStatistics(
            limit=self._limit,
            in_flight=self._in_flight,
            waiting=len(self._waiters) + self._preparing,
            waiting_bytes=self._waiting_bytes,
            completed=self._completed,
            failed=self._failed,
            rejected=self._rejected,
            rejection_rate=self._rejected / decided if decided else 0.0,
            seconds_waited=self._seconds_waited,
        )

    async def acquire(self, size: int = 0, prepare: Prepare | None = None) -> None:
        """Take a slot, which `release` gives back."""
        self._owner.check()
        if self._refusal is not None:
            raise UsageError(self._refusal)
        if prepare is not None:
            await self._prepare(size, prepare)
        # A new write goes behind the waiting ones.
        if self._in_flight < self._limit and not self._waiters:
            self._in_flight += 1
            return
        self._check_room(size, len(self._waiters))
        self._waiting_bytes += size
        loop = asyncio.get_running_loop()
        turn: asyncio.Future[None] = loop.create_future()
        began = self._waiters[turn] = loop.time()
        if self._timer is None:
            self._timer = loop.call_at(began + self._timeout, self._reject_late)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled() and turn.exception() is None:
                # The slot was handed over at the same moment: it goes on to the next.
                self._in_flight -= 1
                self._admit()
            raise
        finally:
            self._waiters.pop(turn, None)
            if not self._waiters and self._timer is not None:
                self._timer.cancel()
                self._timer = None
            self._waiting_bytes -= size
            self._set_if_empty()
            self._seconds_waited += loop.time() - began

    def release(self, *, completed: bool) -> None:
        """Give a slot back; the write that has waited longest gets it."""
        self._in_flight -= 1
        if completed:
            self._completed += 1
        else:
            self._failed += 1
        self._admit()
        if self._overload.is_on and not self._waiters:
            self._overload.over()
        self._set_if_empty()

    async def _prepare(self, size: int, prepare: Prepare) -> None:
        ahead = self._in_flight + len(self._waiters) + self._preparing
        if ahead >= self._limit:
            self._check_room(size, ahead - self._limit)
        self._preparing += 1
        try:
            await prepare()
        except BaseException:
            self._preparing -= 1
            self._failed += 1
            self._set_if_empty()
            raise
        # The gate is not empty: the write takes its slot, or waits, before anybody else runs.
        self._preparing -= 1

    def _set_if_empty(self) -> None:
        if self._empty is not None and not (self._in_flight or self._waiters or self._preparing):
            self._empty.set()

    def _check_room(self, size: int, waiting: int) -> None:
        """Reject a write that finds no room: waiting writes take memory while the database is unreachable."""
        if waiting >= self._max_waiting:
            what = f"{waiting} writes wait"
        elif size and self._waiting_bytes and self._waiting_bytes + size > self._max_waiting_bytes:
            # A single one may wait whatever its size, or it would never be written under load.
            what = f"{self._waiting_bytes:,} bytes of audio wait"
        else:
            return
        raise self._rejection(f"No room to wait at the write gate: {what}. Try again later.")

    def _admit(self) -> None:
        while self._waiters and self._in_flight < self._limit:
            turn, _ = self._waiters.popitem(last=False)
            if not turn.done():
                self._in_flight += 1
                turn.set_result(None)

    def _reject_late(self) -> None:
        """Reject the writes whose time is up: all wait equally long, so they are the first in the queue."""
        loop = asyncio.get_running_loop()
        self._timer = None
        while self._waiters:
            turn, began = next(iter(self._waiters.items()))
            if began + self._timeout > loop.time():
                self._timer = loop.call_at(began + self._timeout, self._reject_late)
                return
            self._reject(
                turn,
                f"No slot at the write gate within {self._timeout:g} s: {self._in_flight} of "
                f"{self._limit} writes under way, {len(self._waiters) - 1} more waiting. Try again later.",
            )

    def _reject(self, turn: asyncio.Future[None], message: str) -> None:
        del self._waiters[turn]
        if not turn.done():
            turn.set_exception(self._rejection(message))

    def _rejection(self, message: str) -> WriteRejectedError:
        self._rejected += 1
        rejection = WriteRejectedError(message)
        self._overload.met(rejection)
        return rejection


class WriteSlot:
    """The slot of one write: entered once and left once, by any task."""

    __slots__ = ("_entered", "_gate", "_held", "_prepare", "_size")

    def __init__(self, gate: WriteGate, size: int, prepare: Prepare | None) -> None:
        self._gate = gate
        self._size = size
        self._prepare = prepare
        self._entered = False
        self._held = False

    async def __aenter__(self) -> None:
        if self._entered:
            raise UsageError("A slot is entered once: ask the gate for a new one.")
        self._entered = True
        await self._gate.acquire(self._size, self._prepare)
        self._held = True

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if not self._held:
            # Counted twice it would let one write too many in, for ever.
            raise UsageError("This slot is not held: it was given back already, or never entered.")
        self._held = False
        self._gate.release(completed=kind is None)
