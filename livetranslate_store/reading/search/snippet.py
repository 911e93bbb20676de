"""The extract of a matching text, and the places in it to highlight."""

from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

from livetranslate_store.characters import JOINER, joins
from livetranslate_store.reading.search.hits import ALIKE
from livetranslate_store.reading.search.text import (
    MAX_POSITION,
    READ_CHARACTERS,
    Run,
    runs,
    with_places,
)

# Two or three lines on a screen.
SNIPPET_CHARACTERS = 200
# The characters before the first highlight.
LEAD_CHARACTERS = 60
# The ends move at most this far to the next space: a script without spaces has none near.
WORD_CHARACTERS = 20


class Snippet(NamedTuple):
    """An extract, and its highlights: pairs of start and end."""

    text: str
    highlights: tuple[tuple[int, int], ...]


def snippet(
    text: str, positions: Collection[int], unspaced: Sequence[tuple[str, ...]], similar: Sequence[str]
) -> Snippet:
    """Return an extract of `text` around its highlights.

    Highlighted are the words at `positions` of the text's tsvector, every place of the runs without spaces,
    and each word that resembles one of `similar`. No character is cut, however many code points it has.
    """
    wanted = frozenset(position for position in positions if position < MAX_POSITION)
    ranges = _merged(_whole_characters(text, _places(text, wanted, unspaced, similar)))
    if len(text) <= SNIPPET_CHARACTERS:
        return Snippet(text, tuple(ranges))
    start, end = _extract(text, ranges)
    inside = [(max(a, start) - start, min(b, end) - start) for a, b in ranges if a < end and b > start]
    return Snippet(text[start:end], tuple(inside))


def _places(
    text: str, wanted: frozenset[int], unspaced: Sequence[tuple[str, ...]], similar: Sequence[str]
) -> Iterator[tuple[int, int]]:
    if not wanted and not similar:
        read, places = with_places(text[:READ_CHARACTERS])
        if places is None:
            # Each character is read unchanged and has no marks: the runs occur literally.
            for asked in unspaced:
                yield from _occurrences(read, "".join(asked))
            return
    alike = [(_trigrams(word)) for word in similar]
    last = max(wanted, default=0)
    for run in runs(text):
        if run.position > last and not unspaced and not alike:
            return
        if run.unspaced:
            yield from _inside(run, unspaced)
        elif run.position in wanted or (alike and any(_is_alike(each, run.units[0]) for each in alike)):
            yield run.spans[0]


def _occurrences(text: str, asked: str) -> Iterator[tuple[int, int]]:
    place = text.find(asked)
    while place >= 0:
        yield place, place + len(asked)
        place = text.find(asked, place + 1)


def _inside(run: Run, unspaced: Sequence[tuple[str, ...]]) -> Iterator[tuple[int, int]]:
    for asked in unspaced:
        size = len(asked)
        for first in range(len(run.units) - size + 1):
            last = run.units[first + size - 1]
            # The last character asked for may have fewer marks than the one in the text.
            if run.units[first : first + size - 1] == asked[:-1] and last.startswith(asked[-1]):
                yield run.spans[first][0], run.spans[first + size - 1][1]


def _trigrams(word: str) -> frozenset[str]:
    padded = f"  {word} "
    return frozenset(padded[index : index + 3] for index in range(len(padded) - 2))


def _is_alike(asked: frozenset[str], word: str) -> bool:
    return len(asked & _trigrams(word)) >= ALIKE * len(asked)


def _whole_characters(text: str, places: Iterator[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    for start, end in places:
        first, last = start, end
        while not _may_cut(text, first):
            first -= 1
        while not _may_cut(text, last):
            last += 1
        yield first, last


def _merged(places: Iterator[tuple[int, int]]) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for start, end in sorted(places):
        if merged and start < merged[-1][1]:
            merged[-1] = merged[-1][0], max(end, merged[-1][1])
        else:
            merged.append((start, end))
    return merged


def _extract(text: str, ranges: Sequence[tuple[int, int]]) -> tuple[int, int]:
    start = max(0, ranges[0][0] - LEAD_CHARACTERS) if ranges else 0
    start = min(start, len(text) - SNIPPET_CHARACTERS)
    end = start + SNIPPET_CHARACTERS
    if start:
        start = _word_start(text, start, ranges[0][0] if ranges else end)
    if end < len(text):
        cut = next(((a, b) for a, b in ranges if a < end < b), None)
        if cut is not None:
            # The extract has each highlight whole or not at all; a first one that is too long is cut.
            end = min(cut[1], cut[0] + SNIPPET_CHARACTERS) if cut == ranges[0] else cut[0]
        else:
            end = _word_end(text, end, max((b for _, b in ranges if b <= end), default=start))
    while not _may_cut(text, start):
        start -= 1
    while not _may_cut(text, end):
        end += 1
    return start, end


def _word_start(text: str, start: int, limit: int) -> int:
    """Return the place after the next space before `limit`, or `start` if no space is near."""
    space = text.find(" ", start - 1, min(limit, start + WORD_CHARACTERS))
    return start if space < 0 else space + 1


def _word_end(text: str, end: int, limit: int) -> int:
    space = text.rfind(" ", max(limit, end - WORD_CHARACTERS), end + 1)
    return end if space < 0 else space


def _may_cut(text: str, place: int) -> bool:
    """Return whether a character, as a reader sees it, ends at `place`."""
    if place in (0, len(text)):
        return True
    before, behind = text[place - 1], text[place]
    if joins(behind) or before == JOINER or (before == "\r" and behind == "\n"):
        return False
    if _is_flag_letter(before) and _is_flag_letter(behind):
        letters = 0
        while letters < place and _is_flag_letter(text[place - 1 - letters]):
            letters += 1
        return letters % 2 == 0
    return True


def _is_flag_letter(character: str) -> bool:
    return "\U0001f1e6" <= character <= "\U0001f1ff"
