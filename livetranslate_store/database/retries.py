"""Repetition of what failed for a reason that passes, where repeating is safe.

What may pass is said by the error (`is_transient`, which `failures.py` decides by SQLSTATE). What is safe to
repeat is said by who asks: a read, a transaction that was rolled back, or a write under keys that the client
has made, which finds its own rows where an answer was lost.
"""

from collections.abc import Awaitable, Callable
from time import monotonic
from typing import TypeVar

from tenacity import AsyncRetrying, RetryCallState, wait_exponential, wait_random_exponential

from livetranslate_store.errors import ConflictError, OutcomeUnknownError, StoreError
from livetranslate_store.values import RetryStatistics

T = TypeVar("T")

# As many as fit into the time allowed by default, and some more.
ATTEMPTS = 30
# Who has lost that often, each time after a longer pause, is up against something that does not pass.
CONFLICT_ATTEMPTS = 6
# Half of a pause is certain and half is chance, so that those who failed together do not come again together.
# The first is for a dead connection, which is replaced; the last, a second, for a restart.
_PAUSE = wait_exponential(multiplier=0.025, max=0.5) + wait_random_exponential(multiplier=0.025, max=0.5)


class Retries:
    """Repeats for `timeout` seconds after the first attempt began; 0 turns it off."""

    def __init__(self, timeout: float) -> None:
        self._timeout = timeout
        self._stopped = False
        self._repeated = 0
        self._recovered = 0
        self._exhausted = 0

    async def run(self, attempt: Callable[[], Awaitable[T]], *, since: float | None = None) -> T:
        """Return what `attempt` returns, calling it again where it fails for a reason that passes.

        `since`, of the monotonic clock, is when trying began, where that was before. Raises the error of the
        last attempt, or OutcomeUnknownError where an earlier one may have committed.
        """
        began = monotonic() if since is None else since
        try:
            # Without the machinery, which costs more than the rest of a call that succeeds.
            return await attempt()
        except StoreError as error:
            if not self.allows(error, attempts=1, since=began):
                raise
            return await self._repeat(attempt, error, began)

    def allows(self, error: StoreError, *, attempts: int, since: float) -> bool:
        """Tell whether what failed with `error`, after so many attempts since then, is to be repeated."""
        limit = CONFLICT_ATTEMPTS if isinstance(error, ConflictError) else ATTEMPTS
        return (
            error.is_transient
            and not self._stopped
            and attempts < limit
            and monotonic() - since < self._timeout
        )

    def pause(self, attempts: int) -> float:
        """Return how many seconds to wait after so many attempts, and count the next one."""
        self._repeated += 1
        state = RetryCallState(AsyncRetrying(), None, (), {})
        state.attempt_number = attempts
        return _PAUSE(state)

    def ended(self, *, well: bool) -> None:
        """Count something repeated as done, or as given up."""
        if well:
            self._recovered += 1
        else:
            self._exhausted += 1

    def stop(self) -> None:
        """Repeat nothing any more."""
        self._stopped = True

    def statistics(self) -> RetryStatistics:
        """Return the figures as they are now."""
        return RetryStatistics(repeated=self._repeated, recovered=self._recovered, exhausted=self._exhausted)

    async def _repeat(self, attempt: Callable[[], Awaitable[T]], first: StoreError, began: float) -> T:
        made: StoreError | None = first
        unsure = isinstance(first, OutcomeUnknownError)

        async def next_attempt() -> T:
            nonlocal made, unsure
            if made is not None:
                error, made = made, None
                raise error
            try:
                return await attempt()
            except OutcomeUnknownError:
                unsure = True
                raise

        def is_to_go_on(state: RetryCallState) -> bool:
            error = None if state.outcome is None else state.outcome.exception()
            return isinstance(error, StoreError) and self.allows(
                error, attempts=state.attempt_number, since=began
            )

        retrying = AsyncRetrying(
            retry=is_to_go_on,
            wait=_PAUSE,
            before_sleep=self._count,
            reraise=True,
        )
        try:
            result: T = await retrying(next_attempt)
        except StoreError as error:
            self.ended(well=False)
            if unsure and not isinstance(error, OutcomeUnknownError):
                raise OutcomeUnknownError from error
            raise
        self.ended(well=True)
        return result

    def _count(self, _state: RetryCallState) -> None:
        self._repeated += 1
