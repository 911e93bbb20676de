"""SubRip (.srt)."""

import re
from collections.abc import Iterator
from functools import partial

from livetranslate_store.formats.readers.cues import made
from livetranslate_store.formats.readers.timed_blocks import Block, blocks, lines_of
from livetranslate_store.values import ImportedCue, Refusal

# What players understand; anything else in angle brackets is text.
_MARKUP = re.compile(r"</?(?:[bius]|font)(?:\s[^<>]*)?>|\{\\[^{}]*\}", re.IGNORECASE)


def read_subrip(text: str, language: str) -> Iterator[ImportedCue | Refusal]:
    """Yield the cues of a SubRip file; their numbers are their places, not their names."""
    for block in blocks(lines_of(text), blank_line_ends_text=False):
        if block.problem is not None:
            yield Refusal(block.line, block.problem)
        else:
            yield made(block.line, partial(_cue, block, language))


def _cue(block: Block, language: str) -> ImportedCue:
    lines = (line.strip() for line in _MARKUP.sub("", block.text).split("\n"))
    return ImportedCue(
        text="\n".join(line for line in lines if line),
        language=language,
        line=block.line,
        start_time=block.start,
        end_time=block.end,
    )
