"""The circuit breaker: while the database is unreachable, calls fail at once instead of each waiting.

Every call reports to it. It opens only if no call was answered for as long as one call is retried: a restart
that retries bridge never opens it, however many calls wait. An error of the server about one statement (bad
data, a conflict, a time limit) is an answer.
"""

import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from time import monotonic

from livetranslate_store.errors import StoreUnavailableError
from livetranslate_store.incidents import Incident
from livetranslate_store.values import BreakerState, BreakerStatistics

logger = logging.getLogger(__name__)

# Fewer failures in a row are accidents of single connections, however old the first of them is.
FAILURES_TO_OPEN = 5
# A server that is back is found within this time; one connection per interval burdens no other.
PROBE_SECONDS = 2.0


class Breaker:
    """Refuses one kind of call, such as `reads`, once the database was unreachable for `after` seconds."""

    def __init__(self, what: str, after: float, *, clock: Callable[[], float] = monotonic) -> None:
        self._what = what
        self._after = after
        self._clock = clock
        # Failures in a row, and when the first of them was.
        self._failures = 0
        self._since = 0.0
        self._since_time: datetime | None = None
        # While it is open: the time of the next probe.
        self._probe_at: float | None = None
        self._probing = False
        self._opened = 0
        self._refused = 0
        self._incident = Incident(
            logger, "failing_fast", f"{what} are refused: the database is unreachable", calls=what
        )

    def admit(self) -> None:
        """Let a call through; raises StoreUnavailableError while calls are refused.

        From time to time one call passes as a probe. No call waits for its answer: if the probe is cancelled
        or slow, another one follows.
        """
        if self._probe_at is None:
            return
        self.check()
        self._probe_at = self._clock() + PROBE_SECONDS
        self._probing = True

    def check(self) -> None:
        """Raise the error of `admit`, before other work is begun in vain."""
        if self._probe_at is None or (left := self._probe_at - self._clock()) <= 0:
            return
        self._refused += 1
        until = datetime.now(UTC) + timedelta(seconds=left)
        raise StoreUnavailableError(
            f"The database has been unreachable for {self._what} since "
            f"{self._since_time:%Y-%m-%d %H:%M:%S} UTC: calls are refused until the next probe at "
            f"{until:%H:%M:%S} UTC."
        )

    def answered(self) -> None:
        """Record that the database answered."""
        if not self._failures:
            return
        self._incident.over()
        self._failures = 0
        self._probe_at = self._since_time = None
        self._probing = False

    def failed(self) -> None:
        """Record that the database could not be reached, or that the connection broke."""
        now = self._clock()
        if not self._failures:
            self._since, self._since_time = now, datetime.now(UTC)
        self._failures += 1
        if self._probe_at is not None:
            self._probe_at = now + PROBE_SECONDS
            self._probing = False
        elif self._failures >= FAILURES_TO_OPEN and now - self._since >= self._after:
            self._probe_at = now + PROBE_SECONDS
            self._opened += 1
            self._incident.met()

    def statistics(self) -> BreakerStatistics:
        """Return the current figures."""
        state: BreakerState = "closed"
        if self._probe_at is not None:
            state = "probing" if self._probing else "open"
        return BreakerStatistics(
            state=state,
            failing_since=self._since_time,
            failures=self._failures,
            opened=self._opened,
            refused=self._refused,
        )
