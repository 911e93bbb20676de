"""Captions that roll up, as video sites make them of speech: each cue shows the line before it once more."""

from collections.abc import Callable, Sequence
from itertools import pairwise

from livetranslate_store.formats.readers.timed_blocks import Block

# A text is said twice now and then; in captions that roll, nearly every cue begins as the last one ended.
_ROLLING = 0.5


def unrolled(blocks: Sequence[Block], plain: Callable[[str], str]) -> list[Block]:
    """Return the cues with what each of them says anew; those of a file that does not roll as they are.

    `plain` takes the markup out of a text. A cue that only shows on is left out: it says nothing.
    """
    shown = [plain(block.text).split("\n") for block in blocks]
    repeats = [False, *(before[-1] == after[0] != "" for before, after in pairwise(shown))]
    # What is refused is told, whatever it shows.
    repeats = [each and block.problem is None for each, block in zip(repeats, blocks, strict=False)]
    if sum(repeats) < _ROLLING * len(blocks):
        return list(blocks)
    return [
        block._replace(text=_without_first_line(block.text, plain)) if repeated else block
        for block, lines, repeated in zip(blocks, shown, repeats, strict=True)
        if not repeated or len(lines) > 1
    ]


def _without_first_line(text: str, plain: Callable[[str], str]) -> str:
    lines = text.split("\n")
    first = next(place for place, line in enumerate(lines) if plain(line))
    return "\n".join(lines[first + 1 :])
