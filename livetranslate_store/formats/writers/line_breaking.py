"""Lines for a screen: no longer than so many columns, of much the same length, and nothing lost.

Characters of East Asian scripts and emoji take two columns, marks that sit on others none. A line ends at a
space or beside a wide character; a word that is longer than a line is broken between characters as people see
them. Texts in Thai, Lao, Khmer and Burmese break there, too: their words would need a dictionary.
"""

import re
import unicodedata
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple

from livetranslate_store.characters import JOINER, is_korean_part, joins

# Unicode's categories of closing and following characters, and of opening ones.
_NOT_FIRST = frozenset({"Pe", "Pf", "Po", "Lm"})
_NOT_LAST = frozenset({"Ps", "Pi"})
_WORDS = re.compile(r"\S+")


class _Unit(NamedTuple):
    """What stays together on a line, and whether a space stands before it."""

    text: str
    columns: int
    spaced: bool


def broken(text: str, columns: int) -> list[str]:
    """Return the lines of `text`, each no wider than `columns` and as full as can be."""
    lines: list[str] = []
    current: list[str] = []
    width = 0
    for unit in _fitting(text, columns):
        space = 1 if unit.spaced and current else 0
        if current and width + space + unit.columns > columns:
            lines.append("".join(current))
            current, width, space = [], 0, 0
        current.append(" " * space + unit.text)
        width += space + unit.columns
    if current:
        lines.append("".join(current))
    return lines


def balanced(text: str, columns: int, lines: int) -> list[str]:
    """Return `text` in at most `lines` lines, if so many are enough, that are as narrow as that allows."""
    if lines <= 1:
        return broken(text, columns)
    narrowest = bisect_left(range(1, columns), True, key=lambda each: len(broken(text, each)) <= lines)
    return broken(text, narrowest + 1)


def width_of(text: str) -> int:
    """Return how many columns a text takes."""
    return sum(map(_width, text))


def clusters(text: str) -> Iterator[str]:
    """Yield the characters of a text as people see them: with their marks, and emoji sequences whole."""
    start = 0
    flags = 0
    for place in range(1, len(text)):
        character, before = text[place], text[place - 1]
        flags = flags + 1 if _is_flag(before) else 0
        joined = joins(character) or before == JOINER or (_is_flag(character) and flags % 2 == 1)
        if not joined:
            yield text[start:place]
            start = place
    if text:
        yield text[start:]


def _fitting(text: str, columns: int) -> Iterator[_Unit]:
    """Yield the units of a text; those that are wider than a line in pieces."""
    for unit in _units(text):
        if unit.columns <= columns:
            yield unit
            continue
        spaced = unit.spaced
        for cluster in clusters(unit.text):
            yield _Unit(cluster, width_of(cluster), spaced)
            spaced = False


@lru_cache(maxsize=2)  # lines are balanced by breaking one text several times
def _units(text: str) -> tuple[_Unit, ...]:
    return tuple(_units_in(_WORDS.findall(text)))


def _units_in(words: Iterable[str]) -> Iterator[_Unit]:
    for number, word in enumerate(words):
        spaced = number > 0
        if word.isascii() and word.isprintable():
            yield _Unit(word, len(word), spaced)
            continue
        unit = ""
        for cluster in clusters(word):
            if unit and _may_break(unit, cluster):
                yield _Unit(unit, width_of(unit), spaced)
                unit, spaced = "", False
            unit += cluster
        yield _Unit(unit, width_of(unit), spaced)


def _may_break(unit: str, cluster: str) -> bool:
    last, first = unit[-1], cluster[0]
    return (
        (_width(first) > 1 or next((wide for each in reversed(unit) if (wide := _width(each))), 0) > 1)
        and unicodedata.category(last) not in _NOT_LAST
        and _may_begin(first)
    )


@lru_cache(maxsize=4096)
def _may_begin(character: str) -> bool:
    # The small kana change the sound of the one before.
    small = "LETTER SMALL" in unicodedata.name(character, "") and _width(character) > 1
    return not small and unicodedata.category(character) not in _NOT_FIRST


def _is_flag(character: str) -> bool:
    return "\U0001f1e6" <= character <= "\U0001f1ff"


@lru_cache(maxsize=4096)
def _width(character: str) -> int:
    if unicodedata.category(character) in {"Mn", "Me", "Cf"} or is_korean_part(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in {"W", "F"} else 1
