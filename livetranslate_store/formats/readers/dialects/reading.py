"""Reads a document by its dialect: its segments become raw cues."""

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice

from livetranslate_store.errors import InvalidInputError
from livetranslate_store.formats.readers.cues import RawCue, RawWord, Read
from livetranslate_store.formats.readers.dialects.dialect import Dialect, Places, Segment
from livetranslate_store.formats.readers.dialects.paths import (
    Fields,
    fields_of,
    first,
    found,
    found_all,
    items_of,
    text_at,
)
from livetranslate_store.formats.readers.dialects.tokens import is_word, joined, spoken_together
from livetranslate_store.formats.readers.dialects.units import Unit, number
from livetranslate_store.formats.readers.source import JSON
from livetranslate_store.values import Note

# So many items of a list are looked at to know a dialect: the first ones may be unlike the rest.
_LOOKED_AT = 3
# In seconds: no recording takes three years, and no clock shows the year 5000.
_WALL_CLOCK = (1e8, 1e11)
# Microseconds: seconds since 1970 hold no more.
_DIGITS = 6
# How programs write that they do not know who speaks.
_NOBODY = frozenset({"not_activated", "unknown", "uu", "?"})


def fits(dialect: Dialect, document: JSON) -> bool:
    """Return whether a document is of a dialect."""
    if dialect.fits is not None and not dialect.fits(document):
        return False
    if any(found(document, place) is not None for place in dialect.without):
        return False
    if dialect.silent and all(found(document, place) == [] for place in dialect.silent):
        return True
    return any(
        _have(dialect, document, place, marks)
        for places, marks in ((dialect.at, dialect.marks), (dialect.words.at, dialect.word_marks))
        for place in places
        if marks
    )


def read_dialect(dialect: Dialect, document: JSON) -> Iterator[Read]:
    """Yield the segments of a document."""
    segments = list((dialect.segments or segments_of)(dialect, document))
    origin = _origin(dialect, segments)
    if origin:
        yield Note(None, "Its times are of the wall clock; they are counted from the first one.")
    several_channels = len({str(segment.channel) for segment in segments} - {"None"}) > 1
    for line, segment in enumerate(segments, start=1):
        yield _cue(dialect, segment, line, origin, several_channels=several_channels)


def language_of(dialect: Dialect, document: JSON) -> str | None:
    """Return the language of a document in its own words."""
    return text_at(document, dialect.language_of) or None


def segments_of(dialect: Dialect, document: JSON) -> Iterator[Segment]:
    """Yield the segments that a document lists; if it has words alone, those that they make."""
    for place in dialect.at:
        if _have(dialect, document, place, dialect.marks):
            for item in _items(document, place):
                yield segment_of(dialect, fields_of(item))
            return
    for place in dialect.words.at:
        if words := items_of(found(document, place)):
            unit = dialect.words.unit or dialect.unit
            yield from spoken_together(words, dialect.words, unit, text_at(document, dialect.whole))
            return


def segment_of(dialect: Dialect, fields: Fields) -> Segment:
    """Return a segment with the words and the channel that its fields hold."""
    words = next((words for place in dialect.words.at if (words := items_of(found(fields, place)))), ())
    return Segment(fields, words, channel=first(fields, dialect.channel))


def _items(document: JSON, place: str) -> Iterator[JSON]:
    """Yield the items of the lists at a place; a document that is one item itself is no list."""
    for value in found_all(document, place):
        if isinstance(value, list):
            yield from value
        elif value is not None and place:
            yield value


def _have(dialect: Dialect, document: JSON, place: str, marks: Places) -> bool:
    items = _items(document, place)
    return any(
        all(mark in fields_of(item) if "." not in mark else found(item, mark) is not None for mark in marks)
        and all(found(item, each) is None for each in dialect.without)
        for item in islice(items, _LOOKED_AT)
    )


def _origin(dialect: Dialect, segments: Sequence[Segment]) -> float:
    """Return the first time if most times are of the wall clock, else zero."""
    times = _Times(dialect.unit)
    starts = [at for each in segments if (at := times.at(each.fields, dialect.start)) is not None]
    begin, end = _WALL_CLOCK
    of_the_clock = [start for start in starts if begin <= start <= end]
    return min(of_the_clock) if len(of_the_clock) * 2 > len(starts) else 0.0


def _cue(dialect: Dialect, segment: Segment, line: int, origin: float, *, several_channels: bool) -> RawCue:
    fields = segment.fields
    times = _Times(dialect.unit, origin)
    start, end = times.at(fields, dialect.start), times.at(fields, dialect.end)
    words = _words(dialect, segment, times, start)
    begins = start
    if start is None and first(fields, dialect.start) is None:
        start = next((word.start for word in words if word.start is not None), None)
        # The duration counts from the first word, and not from a later one whose time is there.
        begins = words[0].start if words else None
    if end is None and first(fields, dialect.end) is None:
        end = times.after(begins, fields, dialect.duration)
        if end is None:
            end = next((word.end for word in reversed(words) if word.end is not None), None)
    name = text_at(fields, dialect.speaker_name) or None
    label = _label(first(fields, dialect.label)) or _label(_of_words(segment, dialect.words.speaker)) or name
    return RawCue(
        line=line,
        text=segment.text or text_at(fields, dialect.text) or joined(segment.words, dialect.words),
        start=start,
        end=end,
        label=_with_channel(label, segment.channel) if several_channels else label,
        name=name,
        confidence=_confidence(fields, dialect.confidence, dialect.logarithm, times),
        words=words,
        language=_language(dialect, segment),
        identifier=text_at(fields, dialect.identifier) or None,
        is_final=first(fields, dialect.is_final) is not False,
        left_out=times.left_out,
    )


def _words(dialect: Dialect, segment: Segment, times: "_Times", start: float | None) -> list[RawWord]:
    words = dialect.words
    reading = times.of_words(words.unit, start if words.relative else None)
    read = [
        RawWord(
            text,
            begins := reading.at(item, words.start),
            reading.at(item, words.end) if words.end else reading.after(begins, item, words.duration),
            _confidence(item, words.confidence, words.logarithm, reading),
        )
        for item in segment.words
        if is_word(item, words) and (text := text_at(item, words.text))
    ]
    if reading.left_out:
        times.left_out.append(
            f"{len(reading.left_out)} details of its words cannot be read; they are left out."
        )
    return read


class _Times:
    """Reads times of one segment, and remembers those that cannot be read."""

    def __init__(self, unit: Unit, origin: float = 0.0, shift: float = 0.0) -> None:
        self._unit = unit
        self._origin = origin
        self._shift = shift
        self.left_out: list[str] = []

    def of_words(self, unit: Unit | None, shift: float | None) -> "_Times":
        """Return what reads the times of the words, which may count from their segment's start."""
        if shift is not None:
            return _Times(unit or self._unit, 0.0, shift)
        return _Times(unit or self._unit, self._origin)

    def at(self, value: JSON, places: Places) -> float | None:
        """Return a time in seconds, None if it is missing or cannot be read."""
        at = self._read(value, places, self._unit)
        if at is None or not (self._origin or self._shift):
            return at
        if self._shift and at < 0:
            self.left_out.append("A word cannot begin or end before its segment.")
            return None
        return round(at - self._origin + self._shift, _DIGITS)

    def after(self, start: float | None, value: JSON, places: Places) -> float | None:
        """Return the time at which a duration from `start` is over."""
        duration = self._read(value, places, self._unit)
        if start is None or start < 0 or duration is None:
            return None
        return round(start + duration, _DIGITS)

    def number(self, value: JSON, places: Places) -> float | None:
        """Return a plain number, None if it is missing or cannot be read."""
        return self._read(value, places, number)

    def _read(self, value: JSON, places: Places, unit: Unit) -> float | None:
        at = first(value, places)
        if at is None:
            return None
        try:
            return unit(at)
        except InvalidInputError as error:
            self.left_out.append(f"{str(error).removesuffix('.')}; it is left out.")
            return None


def _confidence(value: JSON, places: Places, logarithms: Places, times: _Times) -> float | None:
    """Return a confidence, which some programs give as its logarithm."""
    logarithm = times.number(value, logarithms) if logarithms else None
    if logarithm is not None:
        return math.exp(min(logarithm, 0.0))
    return times.number(value, places)


def _language(dialect: Dialect, segment: Segment) -> str | None:
    """Return the language that a segment names, else that of most of its words, else that of its channel."""
    said = first(segment.fields, dialect.language) or _of_words(segment, dialect.words.language)
    said = said or segment.language
    return said if isinstance(said, str) else None


def _of_words(segment: Segment, places: Places) -> JSON:
    """Return the value that most words of a segment have."""
    values = [at for word in segment.words if isinstance(at := first(word, places), str | int)]
    return Counter(values).most_common(1)[0][0] if values else None


def _label(value: JSON) -> str | None:
    """Return the label of a speaker; a number becomes one as diarization programs write it."""
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10**9:
        return f"SPEAKER_{value:02d}"
    text = value.strip() if isinstance(value, str) else ""
    return None if text.lower() in _NOBODY else text or None


def _with_channel(label: str | None, channel: JSON) -> str | None:
    """Return a label that is unique over all channels: each counts its speakers from 0."""
    if channel is None:
        return label
    place = f"CHANNEL_{str(channel).removeprefix('channel_').removeprefix('ch_')}"
    return place if label is None else f"{place}_{label}"
