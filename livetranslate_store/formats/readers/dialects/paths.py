"""Places in JSON: `results.channels.0` is one, `results.channels.*.alternatives` is one in each channel."""

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import TypeAlias

from livetranslate_store.formats.readers.source import JSON

Fields: TypeAlias = Mapping[str, JSON]


def fields_of(value: JSON) -> Fields:
    """Return a JSON object, an empty one in place of anything else."""
    return value if isinstance(value, Mapping) else {}


def items_of(value: JSON) -> Sequence[JSON]:
    """Return a JSON array, an empty one in place of anything else."""
    return value if isinstance(value, list) else ()


def found(value: JSON, path: str) -> JSON:
    """Return the value at a place, None if nothing is there; the empty path is the value itself."""
    for step in _steps(path):
        # Parsed JSON has no other mappings, and a check of the abstract class takes long.
        if isinstance(value, dict):
            value = value.get(step)
        elif isinstance(value, list) and step.isdecimal() and int(step) < len(value):
            value = value[int(step)]
        else:
            return None
    return value


def found_all(value: JSON, path: str) -> Iterator[JSON]:
    """Yield the values at every place that fits the path."""
    before, star, after = path.partition("*")
    if not star:
        yield found(value, path)
        return
    for item in items_of(found(value, before.strip("."))):
        yield from found_all(item, after.strip("."))


def first(value: JSON, paths: Sequence[str]) -> JSON:
    """Return the first of these values that is not missing."""
    for path in paths:
        if (at := found(value, path)) is not None:
            return at
    return None


def text_at(value: JSON, paths: Sequence[str]) -> str:
    """Return the first of these values that is a text and not empty, without space around it; else ""."""
    for path in paths:
        at = found(value, path)
        if isinstance(at, str) and (text := at.strip()):
            return text
    return ""


@lru_cache(maxsize=512)
def _steps(path: str) -> tuple[str, ...]:
    return tuple(path.split(".")) if path else ()
