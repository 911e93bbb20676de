"""Captions that show one text several times become captions that say it once.

Three programs do so: video sites roll lines up, transcribers highlight one word after the other, and streams
repeat a cue at the border of two segments.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby, pairwise
from typing import TypeAlias

from livetranslate_store.formats.readers.cues import RawWord
from livetranslate_store.formats.readers.timed_blocks import Block
from livetranslate_store.values import Refusal

Blocks: TypeAlias = list[Block | Refusal]
#: Takes the markup out of a text.
Plain: TypeAlias = Callable[[str], str]

# A text is said twice now and then; in captions that roll, nearly every cue begins with the end of the last.
_ROLLING = 0.5
# Of the cues that repeat a line, those that add one; in between some only show on.
_ADDING = 0.25
# What programs highlight a word with.
_HIGHLIGHT = re.compile(r"<(u|font|b|i|c)\b[^<>]*>([^<>]*)</\1>", re.IGNORECASE)
# Renditions of one text follow each other without a pause; clocks are rounded to hundredths.
_PAUSE = 0.05


def unrolled(blocks: Blocks, plain: Plain, *, timed: bool) -> Blocks:
    """Return the cues of captions that roll up, each with its new lines; other captions as they are.

    A cue that shows nothing new is left out. `timed` says that words have times, as only live captions do.
    """
    shown = [plain(each.text).split("\n") for each in blocks if isinstance(each, Block)]
    repeats = [0, *(_repeated(before, after) for before, after in pairwise(shown))]
    repeating = sum(each > 0 for each in repeats)
    adding = sum(0 < each < len(lines) for each, lines in zip(repeats, shown, strict=False))
    # Somebody may say the same again; captions roll if their cues go on with something new.
    rolls = repeating >= _ROLLING * len(shown) and (timed or adding >= _ADDING * repeating)
    if not repeating or not rolls:
        return blocks
    left = zip(shown, repeats, strict=False)
    kept: Blocks = []
    for each in blocks:
        lines, repeated = next(left) if isinstance(each, Block) else ([], -1)
        if isinstance(each, Block) and repeated < len(lines):
            kept.append(each._replace(text=_without_lines(each.text, repeated, plain)))
        elif isinstance(each, Refusal):
            kept.append(each)
    return kept


def _repeated(before: Sequence[str], after: Sequence[str]) -> int:
    """Return how many lines at the end of one text begin the next one."""
    most = min(len(before), len(after))
    # For each place, how many lines up to it are those of the begin (Knuth, Morris, Pratt): of a long cue, to
    # try every number would take for ever.
    lines = [*after[:most], None, *before[-most:]]
    alike = [0]
    for line in lines[1:]:
        number = alike[-1]
        while number and line != lines[number]:
            number = alike[number - 1]
        alike.append(number + (line == lines[number]))
    return alike[-1] if list(after[: alike[-1]]) != [""] else 0


def _without_lines(text: str, number: int, plain: Plain) -> str:
    lines = text.split("\n")
    seen = [place for place, line in enumerate(lines) if plain(line)]
    return "\n".join(lines[seen[number - 1] + 1 :]) if number else text


def unhighlighted(blocks: Blocks, plain: Plain) -> Blocks:
    """Return the cues with renditions of one text, that highlight one word each, as one cue with words."""
    if not any(isinstance(each, Block) and _HIGHLIGHT.search(each.text) for each in blocks):
        return blocks
    merged: Blocks = []
    for (is_rendition, _), group in groupby(_numbered(blocks, plain), key=lambda pair: pair[0]):
        renditions = [each for _, each in group]
        first, last = renditions[0], renditions[-1]
        words = _highlighted(renditions, plain) if is_rendition else []
        if len(words) > 1 and isinstance(first, Block) and isinstance(last, Block):
            merged.append(first._replace(end=last.end, text=plain(first.text), words=words))
        else:
            merged += renditions
    return merged


def _numbered(blocks: Blocks, plain: Plain) -> Iterator[tuple[tuple[bool, int], Block | Refusal]]:
    """Yield each cue with the number of its text: renditions of one have the same."""
    number = 0
    before: Block | None = None
    text = ""
    for each in blocks:
        if not isinstance(each, Block):
            number, before = number + 1, None
            yield (False, number), each
            continue
        said = plain(each.text)
        if before is None or said != text or not _follows(before, each):
            number += 1
        before, text = each, said
        yield (True, number), each


def _highlighted(renditions: Sequence[Block | Refusal], plain: Plain) -> list[RawWord]:
    words: list[RawWord] = []
    places: set[int] = set()
    for each in renditions:
        found = _HIGHLIGHT.search(each.text) if isinstance(each, Block) else None
        if found is not None and isinstance(each, Block) and plain(found[2]):
            # The same word again, as in bold throughout, is no highlight that moves.
            place = len(plain(each.text[: found.start()]))
            if place not in places:
                words.append(RawWord(plain(found[2]), each.start, each.end))
            places.add(place)
    return words


def joined(parts: Sequence[Blocks]) -> Blocks:
    """Return the cues of a stream's segments, each once: a cue over a border is in both of its segments."""
    kept: Blocks = []
    seen: set[tuple[float | None, float | None, str]] = set()
    for part in parts:
        for place, each in enumerate(part):
            before = kept[-1] if kept else None
            if not isinstance(each, Block):
                kept.append(each)
            elif (each.start, each.end, each.text) in seen:
                continue
            elif place == 0 and isinstance(before, Block) and _goes_on(before, each):
                kept[-1] = before._replace(end=each.end)
            else:
                kept.append(each)
        seen.update((each.start, each.end, each.text) for each in part if isinstance(each, Block))
    return kept


def _goes_on(before: Block, after: Block) -> bool:
    return before.text == after.text and _follows(before, after)


def _follows(before: Block, after: Block) -> bool:
    return before.end is not None and after.start is not None and abs(after.start - before.end) <= _PAUSE
