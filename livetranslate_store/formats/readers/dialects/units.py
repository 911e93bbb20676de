"""Units of time: each turns what a dialect writes into seconds."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import TypeAlias

from livetranslate_store.errors import InvalidInputError
from livetranslate_store.formats.clock import seconds_of
from livetranslate_store.formats.readers.source import JSON

#: Returns the seconds of a JSON value; raises InvalidInputError if it is no time in this unit.
Unit: TypeAlias = Callable[[JSON], float]

_ISO_DURATION = re.compile(r"PT(?=[0-9])(?:([0-9]+)H)?(?:([0-9]+)M)?(?:([0-9]+(?:\.[0-9]+)?)S)?", re.ASCII)


def number(value: JSON) -> float:
    """Return a number, also one that is written as text."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise InvalidInputError(f"{_shown(value)} is no number")
    try:
        return float(value)
    except (ValueError, OverflowError):
        raise InvalidInputError(f"{_shown(value)} is no number") from None


seconds = number


def milliseconds(value: JSON) -> float:
    """Return the seconds of a number of milliseconds."""
    return number(value) / 1000


def ticks(value: JSON) -> float:
    """Return the seconds of a number of 100 nanoseconds, or of a duration such as `"PT1.5S"`."""
    is_duration = isinstance(value, str) and value.startswith("PT")
    return duration(value) if is_duration else number(value) / 10_000_000


def duration(value: JSON) -> float:
    """Return the seconds of `"1.5s"`, of `"PT1.5S"`, or of an object of seconds and nanos."""
    if isinstance(value, Mapping) and ("seconds" in value or "nanos" in value):
        return number(value.get("seconds") or 0) + number(value.get("nanos") or 0) / 1_000_000_000
    if isinstance(value, str) and value.endswith("s"):
        return number(value.removesuffix("s"))
    parts = _ISO_DURATION.fullmatch(value) if isinstance(value, str) else None
    if parts is None:
        raise InvalidInputError(f"{_shown(value)} is no duration")
    return (number(parts[1] or 0) * 60 + number(parts[2] or 0)) * 60 + number(parts[3] or 0)


def clock(value: JSON) -> float:
    """Return the seconds of `"01:02:03.5"`, or of a number of seconds."""
    if isinstance(value, str) and ":" in value:
        return seconds_of(value.replace(",", "."), "the time")
    return number(value)


def instant(value: JSON) -> float:
    """Return the seconds since 1970 of `"2026-01-31T09:30:00Z"`."""
    try:
        at = datetime.fromisoformat(value if isinstance(value, str) else "")
    except ValueError:
        raise InvalidInputError(f"{_shown(value)} is no time such as 2026-01-31T09:30:00Z") from None
    return (at if at.tzinfo is not None else at.replace(tzinfo=UTC)).timestamp()


def _shown(value: JSON) -> str:
    return f"{value!r:.40}" if isinstance(value, str | int | float) else type(value).__name__
