"""Documents with lines of "Name: text", with or without times, as Google Meet saves them.

A line with nothing but a time holds for the lines below it, a time in a line for that line. A line without a
name goes on with the text before it. Who speaks is decided over the whole document, not by a colon.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from livetranslate_store.formats.clock import seconds_of
from livetranslate_store.formats.readers.cues import RawCue, Read
from livetranslate_store.formats.readers.speakers import credible, is_person, speaker_of
from livetranslate_store.formats.readers.timed_blocks import lines_of
from livetranslate_store.values import Refusal, SpeakerChoice

CLOCK = r"(?:[0-9]{1,3}:)?[0-9]{1,3}:[0-9]{2}(?:\.[0-9]{1,9})?"
_TIME_ALONE = re.compile(rf"[\[(]?({CLOCK})[\])]?")
# Dashes are a hyphen, an en dash and an em dash; the other colon is the full-width one. Guests, telephones
# and rooms speak, too: "Bo (Guest)", "+1 *** 42", "2nd Floor".
_SAID = re.compile(
    rf"(?:[\[(]?(?P<before>{CLOCK})[\])]?\s*+(?:[-\u2013\u2014]\s*+)?)?"
    rf"(?P<name>(?=\+|[^:\uff1a\n]*[^\W\d_])(?:[^\W_]|\+(?=[0-9]))[^:\uff1a\[\]<>=|{{}}]{{0,79}}?)\s*(?:[\[(](?P<after>{CLOCK})[\])]\s*)?"
    rf"(?::(?:\s+|$)|\uff1a\s*)(?P<text>.*)"
)
_BEGINS_TIMED = re.compile(rf"[\[(]?{CLOCK}")
# Markdown: **Name:** text, **Name**: text, ### 00:05:00
_BOLD = re.compile(rf"(\[?{CLOCK}\]?\s*+(?:[-\u2013\u2014]\s*+)?)?\*\*([^*]{{1,80}}?)(:?)\*\*(:?)")
_HEADED = re.compile(r"#{1,6}\s+")
# The document's own words at its begin; those at its end hold the meeting's length, in any language.
_HEADING = re.compile(r"(?:.*\s-\s)?transcript", re.IGNORECASE)
_ENDING = re.compile(r"(?:transcription|meeting) ended (?:after|at)\b.*", re.IGNORECASE)
_LENGTH = re.compile(r".*(?<![0-9:])[0-9]{1,2}:[0-9]{2}:[0-9]{2}(?![0-9:]).*")
_LINES_OF_END = 4
_SENTENCE_ENDS = (".", "!", "?", "\u2026", "\u3002", "\uff01", "\uff1f", "\u061f", "\u0964")
# A document of dialogue is mostly dialogue; any other text has a line with a colon now and then.
_MOSTLY = 0.5


class _Line(NamedTuple):
    number: int
    text: str
    said: re.Match[str] | None
    clock: str | None

    @property
    def name(self) -> str | None:
        """The words before the line's colon."""
        return None if self.said is None else " ".join(self.said["name"].split())

    @property
    def own_clock(self) -> str | None:
        """The time in the line, before or behind the name."""
        return None if self.said is None else self.said["before"] or self.said["after"]


class _Document(NamedTuple):
    """The spoken lines of a document, and the names of who speaks."""

    lines: Sequence[_Line]
    names: frozenset[str]


def is_dialogue(text: str) -> bool:
    """Return whether a text is mostly what named people say."""
    document = _document(text)
    said = [line for line in document.lines if line.name in document.names]
    if not said:
        return False
    if any(line.own_clock for line in said):
        return True
    if any(line.clock for line in document.lines):
        return len(said) > 1 or is_person(said[0].name or "")
    known = len({line.name for line in said}) < len(said) or any(is_person(line.name or "") for line in said)
    spoken = sum(line.text.endswith(_SENTENCE_ENDS) for line in said)
    return len(said) > 1 and len(said) >= _MOSTLY * len(document.lines) and (known or 2 * spoken >= len(said))


def has_colons(text: str) -> bool:
    """Return whether any line could be what somebody says."""
    return any(line.said is not None for line in _parted(text)[1])


def read_dialogue(text: str, speakers: SpeakerChoice) -> Iterator[Read]:
    """Yield who said what; several paragraphs of one speaker become lines of one text."""
    document = _document(text)
    names = document.names
    if speakers == "prefix" or not names:
        names = frozenset(line.name for line in document.lines if line.name is not None)
    clock: str | None = None
    speaking: _Line | None = None
    spoken: list[str] = []
    for line in document.lines:
        is_turn = line.name in names
        if not is_turn and line.clock is None and speaking is not None:
            spoken.append(line.text)
            continue
        if speaking is not None:
            yield _cue(speaking, spoken, clock)
            speaking = None
        if is_turn and line.said is not None:
            speaking, spoken = line, [line.said["text"]]
        elif line.clock is not None:
            clock = line.clock
        else:
            yield Refusal(line.number, f"Nobody is named who says {line.text[:40]!r}.")
    if speaking is not None:
        yield _cue(speaking, spoken, clock)


def _document(text: str) -> _Document:
    head, lines = _parted(text)
    clocked = [line.name for line in lines if line.name is not None and line.own_clock]
    timed = sum(_BEGINS_TIMED.match(line.text) is not None and line.clock is None for line in lines)
    if clocked and len(clocked) < _MOSTLY * timed:
        # A list of chapters has times, and a colon now and then.
        return _Document(lines, frozenset())
    if clocked:
        # Each turn has its time: a colon elsewhere is one of the text.
        return _Document(lines, frozenset(clocked))
    first = {
        after.name for before, after in pairwise(lines) if before.clock is not None and after.name is not None
    }
    named = [line.name for line in lines if line.clock is None]
    if first:
        counts = Counter(named)
        again = {name for name in named if name is not None and counts[name] > 1}
        people = {name for name in named if name is not None and is_person(name)}
        # Meet lists the attendees above the transcript.
        attending = {name.strip() for line in head for name in line.text.split(",")}
        return _Document(lines, frozenset(first | again | people | attending.intersection(named)))
    return _Document(lines, credible(named))


def _parted(text: str) -> tuple[Sequence[_Line], Sequence[_Line]]:
    """Return the lines of the document's head, and those between its head and its end."""
    numbered = enumerate(lines_of(text), start=1)
    lines = [_line(number, _unmarked(line.strip("\ufeff \t"))) for number, line in numbered]
    lines = [line for line in lines if line.text]
    begin = next((at for at, line in enumerate(lines) if line.clock is not None), None)
    timed = begin is not None
    if begin is None:
        headings = [at for at, line in enumerate(lines) if _HEADING.fullmatch(line.text)]
        begin = headings[-1] + 1 if headings else 0
    elif any(line.own_clock for line in lines[:begin]):
        begin = 0
    until = next((at for at in range(begin, len(lines)) if _ENDING.fullmatch(lines[at].text)), len(lines))
    for at in range(max(begin, until - _LINES_OF_END), until):
        if timed and lines[at].clock is None and lines[at].said is None and _LENGTH.fullmatch(lines[at].text):
            until = at
            break
    return lines[:begin], lines[begin:until]


def _unmarked(line: str) -> str:
    """Return a line without Markdown around names and times."""
    line = _HEADED.sub("", line, count=1) if line.startswith("#") else line
    bold = _BOLD.match(line) if "**" in line else None
    if bold is None:
        return line.strip()
    return f"{bold[1] or ''}{bold[2]}{bold[3] or bold[4]}{line[bold.end() :]}".strip()


def _line(number: int, text: str) -> _Line:
    alone = _TIME_ALONE.fullmatch(text)
    if alone is not None:
        return _Line(number, text, None, alone[1])
    return _Line(number, text, _SAID.fullmatch(text), None)


def _cue(line: _Line, spoken: Sequence[str], clock: str | None) -> RawCue:
    at = line.own_clock or clock
    label, name = speaker_of(line.name)
    return RawCue(
        text="\n".join(each for each in spoken if each),
        line=line.number,
        start=None if at is None else seconds_of(at, "the time"),
        label=label,
        name=name,
    )
