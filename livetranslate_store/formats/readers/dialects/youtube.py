"""YouTube's json3: events with parts; words of recognized speech have offsets from their event's start."""

from collections.abc import Iterator, Sequence
from typing import TypeGuard

from livetranslate_store.checks import MAX_SECONDS
from livetranslate_store.formats.readers.dialects.dialect import Dialect, Segment
from livetranslate_store.formats.readers.dialects.paths import Fields, fields_of, found, items_of
from livetranslate_store.formats.readers.source import JSON


def youtube_segments(_: Dialect, document: JSON) -> Iterator[Segment]:
    """Yield the events that say something."""
    spoken = [each for each in map(fields_of, items_of(found(document, "events"))) if _said(each)]
    for place, event in enumerate(spoken):
        parts = items_of(event.get("segs"))
        if all(found(part, "tOffsetMs") is None for part in parts):
            yield Segment(event, text=_said(event))
            continue
        following = spoken[place + 1] if place + 1 < len(spoken) else {}
        end = _end(event, following)
        fields: Fields = event if end is None else {"tStartMs": event.get("tStartMs"), "end": end}
        yield Segment(fields, _words(parts, event.get("tStartMs"), end), _said(event))


def _said(event: Fields) -> str:
    parts = (found(part, "utf8") for part in items_of(event.get("segs")))
    return "".join(part for part in parts if isinstance(part, str)).strip()


def _end(event: Fields, following: Fields) -> JSON:
    """Return when recognized speech ends: its line is shown on while the next one is spoken."""
    start, length, after = event.get("tStartMs"), event.get("dDurationMs"), following.get("tStartMs")
    if not _is_time(start) or not _is_number(length):
        return None
    end = start + length
    return min(end, after) if isinstance(after, int | float) and after >= start else end


def _words(parts: Sequence[JSON], start: JSON, end: JSON) -> list[JSON]:
    if not _is_time(start):
        return []
    begins = [_sum(start, found(part, "tOffsetMs") or 0) for part in parts]
    return [
        {"text": found(part, "utf8"), "start": begin, "end": until}
        for part, begin, until in zip(parts, begins, [*begins[1:], end], strict=True)
    ]


def _is_time(start: JSON) -> TypeGuard[float]:
    """Return whether offsets from `start` can be right."""
    return _is_number(start) and not isinstance(start, bool) and start >= 0


def _is_number(value: JSON) -> TypeGuard[float]:
    """Return whether a value is a number that can be added: a whole number may be too large for that."""
    return isinstance(value, int | float) and abs(value) <= MAX_SECONDS * 1000


def _sum(start: float, offset: JSON) -> JSON:
    return start + offset if _is_number(offset) else offset
