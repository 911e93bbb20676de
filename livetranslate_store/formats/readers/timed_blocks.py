"""Blocks of text below two times, which WebVTT, SubRip and SBV have in common.

Read line by line and with patience, because real files miss blank lines, numbers and headers, or have too
many of them; a head that cannot be read is refused with its line.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from livetranslate_store.formats.readers.cues import RawWord
from livetranslate_store.formats.readers.heads import (
    Head,
    head_of,
    is_meant_as_head,
    is_number,
    readable,
)
from livetranslate_store.values import Refusal

# Lines end as WebVTT says, Python's own splitlines ends them at more characters than that; a program that
# writes Windows' line ends twice doubles the first of their characters.
_LINE_END = re.compile(r"\r{0,3}\n|\r")
# A byte that was not of the file's encoding stands as a lone surrogate.
_BAD_BYTE = re.compile("[\udc80-\udcff]")
# A number in which a character is wrong is still short.
_LONGEST_NUMBER = 8
# Above the first cue some programs write who made the file.
_FIRST_LINES = 10
_BEGIN = 20_000
# Numbers and their blank lines are a file's custom, not a cue's.
_MOSTLY = 0.5


class Block(NamedTuple):
    """A cue as its file has it, with its markup; times are seconds, as the file says."""

    line: int
    identifier: str | None
    start: float | None
    end: float | None
    text: str
    words: Sequence[RawWord] = ()


class _Found(NamedTuple):
    """The line of a head, and the line where its cue begins: with its name, if it has one."""

    place: int
    begin: int
    head: Head | None


def lines_of(text: str) -> list[str]:
    """Return the lines without their ends."""
    return _LINE_END.split(text)


def has_times(text: str) -> bool:
    """Return whether any line holds the two times of a cue."""
    return ":" in text and any(map(head_of, lines_of(text)))


def begins_with_times(text: str) -> bool:
    """Return whether the first lines hold two times; a document that quotes cues has them below."""
    first = islice((line for line in lines_of(text[:_BEGIN]) if line.strip()), _FIRST_LINES)
    return any(head_of(line) is not None for line in first)


def blocks(
    lines: Sequence[str], *, blank_line_ends_text: bool, first_line: int = 1
) -> Iterator[Block | Refusal]:
    """Yield the cues in order.

    If a blank line ends a text (WebVTT), text below it without times is refused; if it does not
    (SubRip is written carelessly), that belongs to the cue. The caller has blanked the lines that are no cue.
    """
    found = list(_webvtt_heads(lines) if blank_line_ends_text else _numbered_heads(lines))
    yield from _outside(lines, 0, found[0].begin if found else len(lines), first_line)
    for number, each in enumerate(found):
        until = found[number + 1].begin if number + 1 < len(found) else len(lines)
        identifier = lines[each.begin].strip() if each.begin < each.place else None
        if blank_line_ends_text:
            # Some programs leave a blank line above the text, too.
            first = next((at for at in range(each.place + 1, until) if lines[at].strip()), until)
            last = next((at for at in range(first, until) if not lines[at].strip()), until)
        else:
            last = _headless(lines, each, until)
        yield _block(lines, each, identifier, last, first_line)
        yield from _outside(lines, last, until, first_line)


def _heads(lines: Sequence[str]) -> Iterator[tuple[int, Head | None]]:
    for place, line in enumerate(lines):
        # Most lines are texts and numbers, and have neither, in any writing.
        if line.isascii() and ":" not in line and ">" not in line:
            continue
        head = head_of(line)
        if head is not None:
            yield place, head
            continue
        numbered = place > 0 and _begins_paragraph(lines, place - 1) and is_number(lines[place - 1])
        if is_meant_as_head(line, numbered=numbered):
            yield place, None


def _webvtt_heads(lines: Sequence[str]) -> Iterator[_Found]:
    """Yield the heads of WebVTT: the line above times is the cue's name, if it begins a paragraph."""
    last = -1
    for place, head in _heads(lines):
        before = place - 1
        is_name = (
            before > last
            and bool(lines[before].strip())
            and (_begins_paragraph(lines, before) or is_number(lines[before], plain=True))
        )
        yield _Found(place, before if is_name else place, head)
        last = place


def _numbered_heads(lines: Sequence[str]) -> Iterator[_Found]:
    """Yield the heads of SubRip: the line above times is the cue's number, in a file that has numbers."""
    heads = list(_heads(lines))
    places = {place for place, _ in heads}
    plain = sum(place > 0 and is_number(lines[place - 1], plain=True) for place, _ in heads)
    apart = sum(
        place > 1 and not lines[place - 1].strip() and _is_paragraph(lines, place - 2) for place in places
    )
    numbered = plain + apart >= _MOSTLY * len(heads)
    last = -1
    for place, head in heads:
        before = place - 1
        # A program that doubles line ends leaves a blank line below each line.
        if apart >= _MOSTLY * len(heads) and before > last and not lines[before].strip():
            before -= 1
        is_one = before > last and before not in places and _is_number_of_cue(lines, before, numbered)
        yield _Found(place, before if is_one else place, head)
        last = place


def _is_number_of_cue(lines: Sequence[str], place: int, numbered: bool) -> bool:
    line = lines[place].strip()
    if is_number(line):
        begins = _begins_paragraph(lines, place)
        # The number may follow a text without the blank line between them; else it could be the text.
        return begins or numbered or (is_number(line, plain=True) and head_of(lines[place - 1]) is None)
    return (
        numbered
        and 0 < len(line) <= _LONGEST_NUMBER
        and " " not in line
        and any(map(str.isdigit, line))
        and _begins_paragraph(lines, place)
    )


def _is_paragraph(lines: Sequence[str], place: int) -> bool:
    """Return whether a number is a paragraph of its own: below a head it would be the text."""
    return is_number(lines[place]) and _begins_paragraph(lines, place)


def _begins_paragraph(lines: Sequence[str], place: int) -> bool:
    return place == 0 or not lines[place - 1].strip()


def _headless(lines: Sequence[str], found: _Found, until: int) -> int:
    """Return where the text ends: at the next cue's number, if that cue has no times."""
    if found.begin == found.place or not is_number(lines[found.begin], plain=True):
        return until
    following = str(int(readable(lines[found.begin])) + 1)
    for place in range(found.place + 2, until - 1):
        if lines[place].strip() == following and not lines[place - 1].strip() and lines[place + 1].strip():
            return place
    return until


def _block(
    lines: Sequence[str], found: _Found, identifier: str | None, last: int, first_line: int
) -> Block | Refusal:
    line = first_line + found.place
    if found.head is None:
        wrong = lines[found.place].strip()[:60]
        return Refusal(line, f"{wrong!r} are not two times such as 00:01:02.500 --> 00:01:04.000.")
    start, end, rest = found.head
    text = "\n".join([rest, *lines[found.place + 1 : last]]).replace("\ufeff", "").strip()
    if not text.isascii() and _BAD_BYTE.search(text):
        return Refusal(line, "The text holds bytes that are not UTF-8.")
    return Block(line, identifier, start, end, text)


def _outside(lines: Sequence[str], begin: int, end: int, first_line: int) -> Iterator[Refusal]:
    for place in range(begin, end):
        if lines[place].strip():
            text = "\n".join(lines[place:end]).strip()
            yield Refusal(first_line + place, f"{text[:40]!r} stands outside of any cue.")
            return
