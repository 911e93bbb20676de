"""What WebVTT and SubRip have in common: lines of text below a line of two times.

Read line by line and with patience, because real files lack blank lines, numbers and headers, or have too
many of them; what cannot be read is told with its line and never lost in silence.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

# Lines end as WebVTT says; Python's own splitlines ends them at more characters than that.
_LINE_END = re.compile(r"\r\n|\n|\r")
_TIME = r"(?:([0-9]{1,9}):)?([0-9]{1,9}):([0-9]{1,2})(?:[.,:]([0-9]{1,9}))?"
_TIMES = re.compile(rf"\s*{_TIME}\s*-{{1,2}}>\s*{_TIME}(?=\s|$)")
# An arrow in a text is no line of times; one beside a digit was meant to be.
_MEANT_AS_TIMES = re.compile(r"\s*-?[0-9][0-9:.,\s-]*-->|.*-->\s*-?[0-9]+[:.,][0-9]")
# A byte that was not of the file's encoding stands as a lone surrogate.
_BAD_BYTE = re.compile("[\udc80-\udcff]")
_NUMBER = re.compile(r"\s*[0-9]+\s*")


class Block(NamedTuple):
    """A cue as it stands in the file; `problem` says why it cannot become one."""

    line: int
    identifier: str | None
    start: float
    end: float
    text: str
    problem: str | None = None


def lines_of(text: str) -> list[str]:
    """Return the lines without their ends."""
    return _LINE_END.split(text)


def has_times(text: str) -> bool:
    """Tell whether any line holds the two times of a cue."""
    return any(_TIMES.match(line) for line in lines_of(text) if "->" in line)


def blocks(lines: list[str], *, blank_line_ends_text: bool) -> Iterator[Block]:
    """Yield the cues in order.

    Where a blank line ends a text (WebVTT), what follows it without times is told; where it does not
    (SubRip is written carelessly), it belongs to the text. The caller has taken out what is no cue.
    """
    heads = [place for place, line in enumerate(lines) if "->" in line and _is_head(line)]
    begins = [_begin(lines, place, blank_line_ends_text=blank_line_ends_text) for place in heads]
    yield from _outside(lines, 0, begins[0] if begins else len(lines))
    for number, place in enumerate(heads):
        until = begins[number + 1] if number + 1 < len(heads) else len(lines)
        last = until
        if blank_line_ends_text:
            # Some programs leave a blank line above the text, too.
            first = next((at for at in range(place + 1, until) if lines[at].strip()), until)
            last = next((at for at in range(first, until) if not lines[at]), until)
        identifier = lines[begins[number]].strip() if begins[number] < place else None
        yield _block(place + 1, identifier, lines[place], "\n".join(lines[place + 1 : last]))
        yield from _outside(lines, last, until)


def _is_head(line: str) -> bool:
    return _TIMES.match(line) is not None or ("-->" in line and _MEANT_AS_TIMES.match(line) is not None)


def _begin(lines: list[str], place: int, *, blank_line_ends_text: bool) -> int:
    """Return where the cue begins whose times stand at `place`: at its name, if it has one."""
    before = place - 1
    if before < 0 or not lines[before].strip() or _is_head(lines[before]):
        return place
    # A number is one also where the blank line before it is missing.
    first_of_its_block = before == 0 or not lines[before - 1].strip()
    if _NUMBER.fullmatch(lines[before]) or (blank_line_ends_text and first_of_its_block):
        return before
    return place


def _block(line: int, identifier: str | None, times: str, text: str) -> Block:
    found = _TIMES.match(times)
    if found is None:
        wrong = f"{times.strip()[:60]!r} are not two times such as 00:01:02.500 --> 00:01:04.000."
        return Block(line, identifier, 0.0, 0.0, text, wrong)
    start, end = _seconds(*found.groups()[:4]), _seconds(*found.groups()[4:])
    problem: str | None = None
    if end < start:
        problem = f"It ends at {end:g} s, before it starts at {start:g} s."
    elif not text.isascii() and _BAD_BYTE.search(text):
        problem = "The text holds bytes that are not UTF-8."
    return Block(line, identifier, start, end, text.strip(), problem)


def _outside(lines: list[str], begin: int, end: int) -> Iterator[Block]:
    for place in range(begin, end):
        if lines[place].strip():
            text = "\n".join(lines[place:end]).strip()
            yield Block(place + 1, None, 0.0, 0.0, text, f"{text[:40]!r} stands outside of any cue.")
            return


def _seconds(hours: str | None, minutes: str, seconds: str, fraction: str | None) -> float:
    whole = (int(hours or 0) * 60 + int(minutes)) * 60 + int(seconds)
    # Read as one number: adding a fraction would leave its error in the last digits.
    return float(f"{whole}.{fraction or 0}")
