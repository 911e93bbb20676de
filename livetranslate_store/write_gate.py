"""The write gate: at most so many writes at a time, first come first served, with a limit on waiting."""

import asyncio
import logging
from collections import OrderedDict
from types import TracebackType

from livetranslate_store.checks import checked_integer, checked_number
from livetranslate_store.errors import UsageError, WriteRejectedError
from livetranslate_store.incidents import Incident
from livetranslate_store.values import GateStatistics

logger = logging.getLogger(__name__)


class WriteGate:
    """Stands before the connection pool, so that a crowd of writers waits here and not in the database.

    Belongs to one event loop. A slot may be given back by another task than the one that took it.
    """

    def __init__(self, limit: int = 50, timeout: float = 30.0) -> None:
        self._limit = checked_integer(limit, "limit", minimum=1)
        self._timeout = checked_number(timeout, "timeout", minimum=0.001)
        self._in_flight = 0
        # Since when each has waited, in order; quick to take one out of the middle when it is cancelled.
        self._waiters: OrderedDict[asyncio.Future[None], float] = OrderedDict()
        # One for all of them: it rings for whoever stands in front.
        self._timer: asyncio.TimerHandle | None = None
        self._completed = 0
        self._failed = 0
        self._rejected = 0
        self._seconds_waited = 0.0
        self._overload = Incident(logger, "writes_rejected", "writes are rejected at the gate")

    @property
    def limit(self) -> int:
        """How many writes may be under way; can be set while running."""
        return self._limit

    @limit.setter
    def limit(self, value: int) -> None:
        self._limit = checked_integer(value, "limit", minimum=1)
        self._admit()

    def slot(self) -> "WriteSlot":
        """Return the context manager around one write; entering it may raise WriteRejectedError."""
        return WriteSlot(self)

    def statistics(self) -> GateStatistics:
        """Return the figures as they are now."""
        decided = self._in_flight + self._completed + self._failed + self._rejected
        return GateStatistics(
            limit=self._limit,
            in_flight=self._in_flight,
            waiting=len(self._waiters),
            completed=self._completed,
            failed=self._failed,
            rejected=self._rejected,
            rejection_rate=self._rejected / decided if decided else 0.0,
            seconds_waited=self._seconds_waited,
        )

    async def acquire(self) -> None:
        """Take a slot; whoever takes one gives it back with `release`."""
        # Whoever comes while others wait goes behind them.
        if self._in_flight < self._limit and not self._waiters:
            self._in_flight += 1
            return
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
            self._seconds_waited += loop.time() - began

    def release(self, *, completed: bool) -> None:
        """Give a slot back; it goes to whoever has waited longest."""
        self._in_flight -= 1
        if completed:
            self._completed += 1
        else:
            self._failed += 1
        self._admit()
        if self._overload.is_on and not self._waiters:
            self._overload.over()

    def _admit(self) -> None:
        while self._waiters and self._in_flight < self._limit:
            turn, _ = self._waiters.popitem(last=False)
            if not turn.done():
                self._in_flight += 1
                turn.set_result(None)

    def _reject_late(self) -> None:
        """Refuse those whose time is up; all wait equally long, so that they stand in front."""
        loop = asyncio.get_running_loop()
        self._timer = None
        while self._waiters:
            turn, began = next(iter(self._waiters.items()))
            if began + self._timeout > loop.time():
                self._timer = loop.call_at(began + self._timeout, self._reject_late)
                return
            del self._waiters[turn]
            if not turn.done():
                self._rejected += 1
                rejection = self._rejection()
                self._overload.met(rejection)
                turn.set_exception(rejection)

    def _rejection(self) -> WriteRejectedError:
        return WriteRejectedError(
            f"No slot at the write gate within {self._timeout:g} s: {self._in_flight} of "
            f"{self._limit} writes under way, {len(self._waiters)} more waiting. Try again later."
        )


class WriteSlot:
    """One passage through the gate: entered once, left once, by whichever task."""

    __slots__ = ("_entered", "_gate", "_held")

    def __init__(self, gate: WriteGate) -> None:
        self._gate = gate
        self._entered = False
        self._held = False

    async def __aenter__(self) -> None:
        if self._entered:
            raise UsageError("A slot is entered once: ask the gate for a new one.")
        self._entered = True
        await self._gate.acquire()
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
