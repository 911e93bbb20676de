"""The wording of times and numbers on the page."""

from livetranslate_store.values import ScriptCounts

UNKNOWN_SPEAKER = "Unknown speaker"


def clock(seconds: float) -> str:
    """Return `75.2` as `1:15`, and from an hour on as `1:00:05`."""
    total = int(abs(seconds))
    sign = "-" if seconds <= -1 else ""
    hours, minutes, rest = total // 3600, total // 60 % 60, total % 60
    return f"{sign}{hours}:{minutes:02}:{rest:02}" if hours else f"{sign}{minutes}:{rest:02}"


def length(seconds: float) -> str:
    """Return a duration as `42 s`, `9 min 58 s` or `4 h 59 min`."""
    total = round(seconds)
    if total < 60:  # noqa: PLR2004 (seconds of a minute)
        return f"{total} s"
    minutes, rest = divmod(total, 60)
    if minutes < 60:  # noqa: PLR2004 (minutes of an hour)
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours:,} h {minutes} min"


def seconds_attribute(seconds: float) -> str:
    """Return seconds for attributes and links, to the millisecond, without trailing zeros."""
    return f"{seconds:.3f}".rstrip("0").rstrip(".")


def share(part: float) -> str:
    """Return a share from 0 to 1 in per cent; less than the whole is never rounded up to it."""
    percent = part * 100
    if 99 < percent < 100:  # noqa: PLR2004 (per cent)
        return ">99%"
    return "<1%" if 0 < percent < 1 else f"{percent:.0f}%"


def amount(counts: ScriptCounts) -> str:
    """Return the amount of speech, in words, in characters, or in both."""
    parts = []
    if counts.words or not counts.characters:
        parts.append(_count(counts.words, "word"))
    if counts.characters:
        parts.append(_count(counts.characters, "character"))
    return " and ".join(parts)


def _count(number: int, unit: str) -> str:
    return f"{number:,} {unit}" if number == 1 else f"{number:,} {unit}s"
