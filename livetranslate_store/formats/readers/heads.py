"""Heads of cues: the two times above a text, as careful and as careless programs write them.

They may have full-width digits and marks, spaces in times and arrows, arrows of other kinds, the cue's number
before them and text behind them. A line that was meant as a head is known as one, even if it cannot be read.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

from livetranslate_store.formats.joiners import JOINER

_TIME = (
    r"(-?)\s?(?:([0-9]{1,9})\s?:\s?)?([0-9]{1,9})\s?:\s?([0-9]{1,2})"
    r"(?:\s?[.,:;]\s?([0-9]{1,9})(\.[0-9]{1,20})?)?"
)
# A time ends at a space, or with its milliseconds: behind them a text may follow at once.
_BEHIND = r"(?:(?=\s|$)|(?<=[.,:;][0-9]{3})(?![0-9]|[.,:;][0-9]))"
_HEAD = re.compile(rf"\s*(?:[#(]?[0-9]{{1,9}}[).:]?\s+)?{_TIME}([-=~>|,\s]{{1,12}}){_TIME}{_BEHIND}")
# How many groups a time has: its sign, hours, minutes, seconds, fraction, and what follows its milliseconds.
_PARTS = 6
_ARROW = re.compile(r"--+>")
# Places of cues on the screen, in WebVTT and some players of SubRip: no text.
_SETTINGS = re.compile(r"(?:\s*(?:align|line|position|size|vertical|region|[A-Z]|[XY][12]):[^\s:]+(?=\s|$))*")
_DIGIT = re.compile(r"\d")
# What people and programs write in place of the marks of a head.
_OTHER_MARKS = str.maketrans(
    {
        **dict.fromkeys("\uff1a\ufe55\u2236\ua789\u02d0", ":"),
        **dict.fromkeys("\uff0c\u3001\ufe50\u060c", ","),
        **dict.fromkeys("\uff0e\u3002", "."),
        **dict.fromkeys("\uff0d\u2013\u2014\u2212\u2010\u2011\u2012\u2015", "-"),
        **dict.fromkeys("\uff1e\u203a\u00bb", ">"),
        **dict.fromkeys("\u2192\u27f6\u21d2\u279c\u2794\u279d\u27a1", "->"),
        # Marks of byte order and of the direction of writing are not seen.
        **dict.fromkeys(
            "\ufeff\u200b\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
        ),
    }
)
# A number as careless programs count: 7, 7.5, -7, #7, (7), 7:.
_NUMBER = re.compile(r"\s*[#(\[]?\s*[-+]?[0-9]{1,9}(?:[.,][0-9]{1,9})?\s*[)\].:]?\s*")
_PLAIN_NUMBER = re.compile(r"\s*[0-9]{1,9}\s*")
# In a damaged head some characters are others. The longest head that is written has as many.
_LONGEST_TIME = 24
_FEWEST_DIGITS = 3
_MOST_LETTERS = 3
_BEGINS_DAMAGED = re.compile(r"\W*\w?[0-9]")
_FRACTION = re.compile(r"[0-9][.,][0-9]")
_DAMAGED_ARROW = re.compile(r"[-=~]\s?>")


class Head(NamedTuple):
    """The times of a cue in seconds, and the text that stands behind them."""

    start: float
    end: float
    rest: str


def readable(line: str) -> str:
    """Return a line with the digits and marks of a head as they ought to be."""
    if line.isascii():
        return line
    return _DIGIT.sub(lambda digit: str(int(digit[0])), line.translate(_OTHER_MARKS))


def head_of(line: str) -> Head | None:
    """Return the times that a line begins with, None if there are none."""
    if not _DIGIT.search(line) or JOINER in line:
        return None
    line = readable(line)
    found = _HEAD.match(line)
    if found is None:
        return None
    first, between, second = found.groups()[:_PARTS], found[_PARTS + 1], found.groups()[_PARTS + 1 :]
    # "10:30 - 11:00" in a text is no head: without its arrow, one has fractions of seconds.
    if not _ARROW.search("".join(between.split())) and (first[-2] is None or second[-2] is None):
        return None
    rest = line[found.end() :]
    if len(second[-2] or "") < len(first[-2] or "") and rest.lstrip()[:1].isdigit():
        # The second time goes on behind a wrong character.
        return None
    placed = _SETTINGS.match(rest)
    return Head(_seconds(first), _seconds(second), rest[placed.end() if placed else 0 :].strip())


def is_meant_as_head(line: str, *, numbered: bool) -> bool:
    """Return whether an unreadable line was meant as a head; `numbered` if a cue's number is above it."""
    if not _DIGIT.search(line) or JOINER in line:
        return False
    line = readable(line)
    arrow = _DAMAGED_ARROW.search(line)
    if arrow is None or not ("-->" in line or _FRACTION.search(line)):
        return numbered and _is_damaged(line.strip(), longest=2 * _LONGEST_TIME)
    before, after = line[: arrow.start()].strip(" -=~"), line[arrow.end() :].strip()
    first = after[: _LONGEST_TIME // 2]
    if "-->" in line and not before.strip("0123456789:., ") and _DIGIT.search(before):
        return True
    if _is_damaged(before):
        return not first or first[0].isdigit() or _is_damaged(first) or "-->" in line
    return _is_damaged(first) and (not before or _BEGINS_DAMAGED.match(before) is not None)


def looks_like_head(line: str) -> bool:
    """Return whether a reader could take a line of a text for a head."""
    return head_of(line) is not None or is_meant_as_head(line, numbered=True)


def is_number(line: str, *, plain: bool = False) -> bool:
    """Return whether a line is a cue's number; `plain` if only digits will do."""
    pattern = _PLAIN_NUMBER if plain else _NUMBER
    return pattern.fullmatch(readable(line)) is not None


def _is_damaged(part: str, longest: int = _LONGEST_TIME) -> bool:
    """Return whether a part of a line reads like a time in which a few characters are wrong."""
    if len(part) > longest or _BEGINS_DAMAGED.match(part) is None:
        return False
    digits, letters = sum(map(str.isdigit, part)), sum(map(str.isalpha, part))
    marks = sum(part.count(mark) for mark in ":.,;")
    enough = digits >= _FEWEST_DIGITS and digits > letters + part.count(" ")
    return enough and letters <= _MOST_LETTERS and marks > 0


def _seconds(time: Sequence[str | None]) -> float:
    sign, hours, minutes, seconds, fraction, beyond = time
    whole = (int(hours or 0) * 60 + int(minutes or 0)) * 60 + int(seconds or 0)
    if beyond is not None:
        # Some programs write milliseconds with a fraction of their own, and without zeros before them.
        return float(f"{sign}{whole + float(f'{fraction}{beyond}') / 1000:.6f}")
    # Read as one number: adding a fraction would leave its error in the last digits.
    return float(f"{sign}{whole}.{fraction or 0}")
