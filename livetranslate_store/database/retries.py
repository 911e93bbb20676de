"""Retries of transient failures, for calls that are safe to repeat.

The error says whether it is transient (`is_transient`, which `failures.py` decides by SQLSTATE). The caller
says what is safe to repeat: a read, a transaction that was rolled back, or a write under keys that the client
has made, which finds its own rows if an answer was lost.
"""

import asyncio
from collections.abc import Awaitable, Callable
from random import random
from time import monotonic
from typing import TypeVar

from livetranslate_store.errors import ConflictError, OutcomeUnknownError, StoreError
from livetranslate_store.values import RetryStatistics

T = TypeVar("T")

# As many as fit into the time allowed by default, and some more.
ATTEMPTS = 30
# A caller that has lost this often, after longer and longer pauses, meets a conflict that does not pass.
CONFLICT_ATTEMPTS = 6
# The first pause is for a dead connection, which is replaced; the last for a restart.
SHORTEST_PAUSE_SECONDS = 0.05
LONGEST_PAUSE_SECONDS = 1.0


class Retries:
    """Repeats a call for `timeout` seconds after its first attempt began; 0 turns it off."""

    def __init__(
        self,
        timeout: float,
        *,
        clock: Callable[[], float] = monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._timeout = timeout
        self._clock = clock
        self._sleep = sleep
        self._stopped = False
        self._repeated = 0
        self._recovered = 0
        self._exhausted = 0

    async def run(self, attempt: Callable[[], Awaitable[T]], *, since: float | None = None) -> T:
        """Return the result of `attempt`, which is called again after a transient failure.

        `since`, of the monotonic clock, is the time of the first attempt if it was made before. Raises the
        error of the last attempt, or OutcomeUnknownError if an earlier one may have committed.
        """
        began = self._clock() if since is None else since
        attempts, is_unknown = 0, False
        while True:
            attempts += 1
            try:
                result = await attempt()
            except StoreError as error:
                is_unknown = is_unknown or isinstance(error, OutcomeUnknownError)
                if not self.allows(error, attempts=attempts, since=began):
                    self._count_end(attempts, well=False)
                    if is_unknown and not isinstance(error, OutcomeUnknownError):
                        raise OutcomeUnknownError from error
                    raise
            else:
                self._count_end(attempts, well=True)
                return result
            await self._sleep(self.pause(attempts))

    def allows(self, error: StoreError, *, attempts: int, since: float) -> bool:
        """Return whether to try again after `error`, the last of `attempts` since the first one began."""
        limit = CONFLICT_ATTEMPTS if isinstance(error, ConflictError) else ATTEMPTS
        return (
            error.is_transient
            and not self._stopped
            and attempts < limit
            and self._clock() - since < self._timeout
        )

    def pause(self, attempts: int) -> float:
        """Return the seconds to wait after this number of attempts, and count the next attempt."""
        self._repeated += 1
        longest = min(LONGEST_PAUSE_SECONDS, SHORTEST_PAUSE_SECONDS * 2.0 ** (attempts - 1))
        # One half is chance: calls that failed together do not come back together.
        return longest * (1 + random()) / 2  # noqa: S311 (no secret)

    def ended(self, *, well: bool) -> None:
        """Count a repeated call as done, or as given up."""
        if well:
            self._recovered += 1
        else:
            self._exhausted += 1

    def stop(self) -> None:
        """Repeat nothing from now on."""
        self._stopped = True

    def statistics(self) -> RetryStatistics:
        """Return the current figures."""
        return RetryStatistics(repeated=self._repeated, recovered=self._recovered, exhausted=self._exhausted)

    def _count_end(self, attempts: int, *, well: bool) -> None:
        if attempts > 1:
            self.ended(well=well)
