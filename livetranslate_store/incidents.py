"""Incidents: a lasting failure is logged twice, when it begins and when it ends."""

from logging import Logger
from time import monotonic
from typing import Any


class Incident:
    """One kind of failure, with one event for its begin and one for its end, however many calls it affects.

    The events are `<name>_began`, a warning, and `<name>_over`, with its length in `seconds` and the number
    of `failures`; both have the `fields` given here. Each event has its name in `event`.
    """

    __slots__ = ("_failures", "_fields", "_logger", "_name", "_since", "_words")

    def __init__(self, logger: Logger, name: str, words: str, **fields: Any) -> None:
        self._logger = logger
        self._name = name
        self._words = words
        self._fields = fields
        self._since: float | None = None
        self._failures = 0

    @property
    def is_on(self) -> bool:
        """Whether it has begun and not ended."""
        return self._since is not None

    def met(self, reason: Exception | str | None = None, /, **fields: Any) -> None:
        """Count a failure; log the first one with its reason and these fields."""
        self._failures += 1
        if self._since is not None:
            return
        self._since = monotonic()
        # The message is one of the store's own: it has no secret and no text.
        error = {"error": type(reason).__name__} if isinstance(reason, Exception) else {}
        why = {} if reason is None else {"reason": str(reason)}
        self._logger.warning(
            "%s%s",
            self._words,
            "" if reason is None else f": {reason}",
            extra={"event": f"{self._name}_began", **self._fields, **error, **why, **fields},
        )

    def over(self) -> None:
        """Log the end, if it has begun."""
        if self._since is None:
            return
        seconds, failures = monotonic() - self._since, self._failures
        self._since, self._failures = None, 0
        self._logger.info(
            "ended after %.1f s and %d failures: %s",
            seconds,
            failures,
            self._words,
            extra={
                "event": f"{self._name}_over",
                **self._fields,
                "seconds": seconds,
                "failures": failures,
            },
        )
