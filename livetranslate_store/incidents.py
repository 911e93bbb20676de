"""What goes wrong for a while is logged twice: when it begins, and when it is over."""

from logging import Logger
from time import monotonic
from typing import Any


class Incident:
    """One kind of trouble: however often it is met meanwhile, one event tells of it and one of its end.

    The events are `<name>_began`, a warning, and `<name>_over` with the `seconds` that it took and how many
    `failures` were met, both with the `fields` given here. Every event carries its name as `event`, so that
    it can be found without its text.
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
        """Whether it has begun and is not over."""
        return self._since is not None

    def met(self, error: Exception | None = None, **fields: Any) -> None:
        """Count a failure; the first is logged, with its `error` by type and message, and these fields."""
        self._failures += 1
        if self._since is not None:
            return
        self._since = monotonic()
        # The message is one of the store's own, which hold no secret and no text.
        told = {} if error is None else {"error": type(error).__name__, "reason": str(error)}
        self._logger.warning(
            "%s%s",
            self._words,
            "" if error is None else f": {error}",
            extra={"event": f"{self._name}_began", **self._fields, **told, **fields},
        )

    def over(self) -> None:
        """Log the end, if it had begun."""
        if self._since is None:
            return
        seconds, failures = monotonic() - self._since, self._failures
        self._since, self._failures = None, 0
        self._logger.info(
            "%s no longer, after %.1f s and %d failures",
            self._words,
            seconds,
            failures,
            extra={
                "event": f"{self._name}_over",
                **self._fields,
                "seconds": seconds,
                "failures": failures,
            },
        )
