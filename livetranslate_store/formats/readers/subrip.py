"""SubRip (.srt)."""

import re
from collections.abc import Iterator

from livetranslate_store.formats.readers.cues import RawCue, Read
from livetranslate_store.formats.readers.timed_blocks import Block, blocks, lines_of
from livetranslate_store.values import Refusal

# What players understand; anything else in angle brackets is text.
_MARKUP = re.compile(r"</?(?:[bius]|font)(?:\s[^<>]*)?>|\{\\[^{}]*\}", re.IGNORECASE)


def read_subrip(text: str) -> Iterator[Read]:
    """Yield the cues of a SubRip file; their numbers are their places, not their names."""
    for block in blocks(lines_of(text), blank_line_ends_text=False):
        if block.problem is not None:
            yield Refusal(block.line, block.problem)
        else:
            yield _cue(block)


def _cue(block: Block) -> RawCue:
    lines = (line.strip() for line in _MARKUP.sub("", block.text).split("\n"))
    return RawCue(
        text="\n".join(line for line in lines if line),
        line=block.line,
        start=block.start,
        end=block.end,
    )
