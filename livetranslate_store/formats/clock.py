"""Times as people read them from a clock: 12:05, 1:02:03, 01:02:03.250."""

import re

from livetranslate_store.errors import InvalidInputError

_CLOCK = re.compile(r"(?:([0-9]{1,9}):)?([0-9]{1,9}):([0-9]{1,2}(?:\.[0-9]{1,9})?)")


def seconds_of(value: str, field: str) -> float:
    """Return the seconds that a clock shows; raises InvalidInputError if it shows none."""
    found = _CLOCK.fullmatch(value.strip())
    if found is None:
        raise InvalidInputError(f"{field} {value[:40]!r} is not a time such as 12:05 or 01:02:03.")
    return (int(found[1] or 0) * 60 + int(found[2])) * 60 + float(found[3])
