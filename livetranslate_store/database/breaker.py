"""The circuit breaker: while the database stays away, calls fail at once instead of each finding out.

It is told what every call met, and opens only when none has been answered for as long as a repeated call
keeps trying: a restart that repetition bridges never opens it, however many wait for that. What a server says
about one statement (an error in the data, a conflict, a time limit) is an answer.
"""

import logging
from datetime import UTC, datetime, timedelta
from time import monotonic

from livetranslate_store.errors import StoreUnavailableError
from livetranslate_store.incidents import Incident
from livetranslate_store.values import BreakerState, BreakerStatistics

logger = logging.getLogger(__name__)

# Fewer in a row are accidents of single connections, however long ago the first of them was.
FAILURES_TO_OPEN = 5
# A server that is back is found this soon; one connection in this time is no burden to one that is not.
PROBE_SECONDS = 2.0


class Breaker:
    """Guards one kind of call, such as `reads`, against a database that has been away for `after` seconds."""

    def __init__(self, what: str, after: float) -> None:
        self._what = what
        self._after = after
        # Failures in a row, and when the first of them was.
        self._failures = 0
        self._since = 0.0
        self._since_time: datetime | None = None
        # While it is open: when the next call may look whether the database is back.
        self._probe_at: float | None = None
        self._probing = False
        self._opened = 0
        self._refused = 0
        self._incident = Incident(
            logger, "failing_fast", f"{what} fail at once: the database is away", calls=what
        )

    def admit(self) -> None:
        """Let a call through; raises StoreUnavailableError where it has to fail at once.

        Once in a while one call is let through as a probe. One that is cancelled, or takes its time, is
        followed by another: nothing waits for its answer.
        """
        if self._probe_at is None:
            return
        self.check()
        self._probe_at = monotonic() + PROBE_SECONDS
        self._probing = True

    def check(self) -> None:
        """Raise what `admit` would raise, before something is begun for nothing."""
        if self._probe_at is None or (left := self._probe_at - monotonic()) <= 0:
            return
        self._refused += 1
        until = datetime.now(UTC) + timedelta(seconds=left)
        raise StoreUnavailableError(
            f"The database is away for {self._what} since {self._since_time:%Y-%m-%d %H:%M:%S} UTC: "
            f"calls fail at once until {until:%H:%M:%S} UTC, when one looks again."
        )

    def answered(self) -> None:
        """Take note that the database has answered."""
        if not self._failures:
            return
        self._incident.over()
        self._failures = 0
        self._probe_at = self._since_time = None
        self._probing = False

    def failed(self) -> None:
        """Take note that the database was not there, or went away."""
        now = monotonic()
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
        """Return the figures as they are now."""
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
