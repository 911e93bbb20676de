"""Documents with lines of "Name: what was said", with or without times, as Google Meet saves them.

A line with nothing but a time holds for what follows, a time in a line for that line. What has no name goes
on with what was said before it.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from livetranslate_store.errors import InvalidInputError
from livetranslate_store.formats.clock import seconds_of
from livetranslate_store.formats.readers.cues import RawCue, Read
from livetranslate_store.formats.readers.timed_blocks import lines_of
from livetranslate_store.values import Refusal

_CLOCK = r"(?:[0-9]{1,3}:)?[0-9]{1,3}:[0-9]{2}(?:\.[0-9]{1,9})?"
_TIME_ALONE = re.compile(rf"[\[(]?({_CLOCK})[\])]?")
_SAID = re.compile(
    # Dashes are a hyphen, an en dash and an em dash; the other colon is the full-width one.
    rf"(?:[\[(]?(?P<before>{_CLOCK})[\])]?\s*[-\u2013\u2014]?\s*)?"
    rf"(?P<name>[^\W\d_][^:\uff1a\[\]()]{{0,79}}?)\s*(?:[\[(](?P<after>{_CLOCK})[\])]\s*)?[:\uff1a](?:\s+(?P<text>.*)|$)"
)
# How the document's own words begin and end, as far as Meet writes them in English.
_HEADING = re.compile(r"(?:.*\s-\s)?transcript", re.IGNORECASE)
_ENDING = re.compile(r"(?:transcription|meeting) ended (?:after|at)\b.*", re.IGNORECASE)
# A document of dialogue is mostly dialogue; any other text has a line with a colon now and then.
_MOSTLY = 0.5


class _Line(NamedTuple):
    number: int
    text: str
    said: re.Match[str] | None
    clock: str | None


def is_dialogue(text: str) -> bool:
    """Tell whether most lines say who said what, or some do in a text that has times."""
    lines = list(_spoken_lines(text))
    said = sum(line.said is not None for line in lines)
    if any(line.clock is not None or _inner_clock(line) for line in lines):
        return said > 0
    return said > 1 and said >= _MOSTLY * len(lines)


def read_dialogue(text: str) -> Iterator[Read]:
    """Yield who said what; several paragraphs of one speaker's become lines of one text."""
    clock: str | None = None
    open_line: _Line | None = None
    spoken: list[str] = []
    for line in _spoken_lines(text):
        if line.said is None and line.clock is None and open_line is not None:
            spoken.append(line.text)
            continue
        if open_line is not None:
            yield _cue(open_line, spoken, clock)
            open_line = None
        if line.said is not None:
            open_line, spoken = line, [line.said["text"] or ""]
        elif line.clock is not None:
            clock = line.clock
        else:
            yield Refusal(line.number, f"Nobody is named who says {line.text[:40]!r}.")
    if open_line is not None:
        yield _cue(open_line, spoken, clock)


def _spoken_lines(text: str) -> Iterator[_Line]:
    """Yield the lines between the document's head and its end."""
    lines = [_line(number, line.strip()) for number, line in enumerate(lines_of(text), start=1)]
    lines = [line for line in lines if line.text]
    begin = next((at for at, line in enumerate(lines) if line.clock is not None), None)
    if begin is None:
        headings = [at for at, line in enumerate(lines) if _HEADING.fullmatch(line.text)]
        begin = headings[-1] + 1 if headings else 0
    elif any(line.said is not None and _inner_clock(line) for line in lines[:begin]):
        begin = 0
    for line in lines[begin:]:
        if _ENDING.fullmatch(line.text):
            return
        yield line


def _line(number: int, text: str) -> _Line:
    alone = _TIME_ALONE.fullmatch(text)
    if alone is not None:
        return _Line(number, text, None, alone[1])
    return _Line(number, text, _SAID.fullmatch(text), None)


def _inner_clock(line: _Line) -> str | None:
    return None if line.said is None else line.said["before"] or line.said["after"]


def _cue(line: _Line, spoken: list[str], clock: str | None) -> RawCue:
    if line.said is None:
        raise InvalidInputError("Nobody is named.")
    at = _inner_clock(line) or clock
    name = " ".join(line.said["name"].split())
    return RawCue(
        text="\n".join(each for each in spoken if each),
        line=line.number,
        start=None if at is None else seconds_of(at, "the time"),
        label=name,
        name=name,
    )
