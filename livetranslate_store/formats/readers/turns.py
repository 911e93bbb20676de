"""Documents with name and time in a line above each text: Otter, Teams' documents, Zoom's saved captions."""

import re
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from livetranslate_store.formats.clock import seconds_of
from livetranslate_store.formats.readers.cues import RawCue, Read
from livetranslate_store.formats.readers.dialogue import CLOCK
from livetranslate_store.formats.readers.speakers import is_person, speaker_of
from livetranslate_store.formats.readers.timed_blocks import lines_of
from livetranslate_store.values import Note, SpeakerChoice

# "Ana Lima  0:05" of Otter and Teams, "[Ana Lima] 14:05:22" of Zoom.
_HEAD = re.compile(
    rf"(?P<name>[^\W_][^:\uff1a\[\]\t|]{{0,79}}?)(?:\s*\|\s*|\s+(?:[-\u2013\u2014]\s+)?)\(?(?P<time>{CLOCK})\)?"
)
_ZOOM = re.compile(r"\[(?P<name>[^\[\]]{1,80})\]\s+(?P<time>[0-9]{1,2}:[0-9]{2}:[0-9]{2})")
# The lines of the programs themselves: "Transcribed by https://…", "Ana Lima stopped transcription".
_PROGRAM = re.compile(r"(?:transcribed|generated|exported) (?:by|with|from)\b", re.IGNORECASE)
_ADDRESS = re.compile(r"\bhttps?://\S", re.IGNORECASE)
_WORDS_OF_NOTICE = 3
_HOUR, _DAY = 3600.0, 86_400.0


class _Turn(NamedTuple):
    number: int
    name: str
    time: float
    lines: list[str]


def is_turns(text: str) -> bool:
    """Return whether most of a text stands below names with times."""
    turns = _turns(text)
    return any(turn.lines for turn in turns)


def read_turns(text: str, _: SpeakerChoice) -> Iterator[Read]:
    """Yield who said what; times of the day count from the first one."""
    turns = _turns(text)
    begin = 0.0
    if any(_ZOOM.fullmatch(line.strip()) for line in lines_of(text)) and turns and turns[0].time >= _HOUR:
        begin = turns[0].time
        yield Note(turns[0].number, "The times are those of a day; they count from the first one.")
    for turn in turns:
        label, name = speaker_of(turn.name)
        # A meeting may go on over midnight.
        start = turn.time - begin if turn.time >= begin else turn.time - begin + _DAY
        yield RawCue(turn.number, "\n".join(turn.lines), start, label=label, name=name)


def _turns(text: str) -> list[_Turn]:
    lines = [line.strip("\ufeff \t") for line in lines_of(text)]
    heads = [_head(line) for line in lines]
    names = Counter(" ".join(head["name"].split()) for head in heads if head is not None)
    turns: list[_Turn] = []
    for place, (line, head) in enumerate(zip(lines, heads, strict=True)):
        name = " ".join(head["name"].split()) if head is not None else ""
        if head is not None and (names[name] > 1 or is_person(name) or head.re is _ZOOM):
            turns.append(_Turn(place + 1, name, seconds_of(head["time"], "the time"), []))
        elif turns and line:
            turns[-1].lines.append(line)
    if turns and turns[-1].lines:
        _drop_notice(turns[-1].lines, names)
    return turns


def _head(line: str) -> re.Match[str] | None:
    return _ZOOM.fullmatch(line) or _HEAD.fullmatch(line)


def _drop_notice(spoken: list[str], names: Counter[str]) -> None:
    """Take the program's own last line out of the last text, if that has others."""
    last = spoken[-1]
    by = next((name for name in names if last.startswith(f"{name} ")), None)
    is_notice = by is not None and len(last.removeprefix(by).split()) < _WORDS_OF_NOTICE
    is_program = _PROGRAM.match(last) or _ADDRESS.search("".join(last.split()[-1:]))
    if len(spoken) > 1 and (is_notice or is_program):
        spoken.pop()
