"""SubRip (.srt), and SBV, which YouTube writes: the same blocks below another head."""

import re
from collections.abc import Iterator

from livetranslate_store.formats.readers.cues import RawCue, Read
from livetranslate_store.formats.readers.markup import broken_lines, characters, trimmed
from livetranslate_store.formats.readers.rolling import unhighlighted, unrolled
from livetranslate_store.formats.readers.speakers import with_speakers
from livetranslate_store.formats.readers.timed_blocks import Block, blocks, lines_of
from livetranslate_store.values import SpeakerChoice

# What players understand; anything else in angle brackets is text.
_MARKUP = re.compile(r"</?(?:[bius]|font)(?:\s[^<>]*)?>|\{\\[^{}]*\}", re.IGNORECASE)
_SBV_TIME = r"[0-9]{1,3}:[0-9]{2}:[0-9]{2}\.[0-9]{3}"
_SBV = re.compile(rf"\s*{_SBV_TIME},{_SBV_TIME}\s*")
# This package's own SubRip sets a word joiner behind what is no markup, and before what is no name.
_JOINER = "\u2060"
_JOINED = re.compile(rf"(?<=[<{{\\&:-]){_JOINER}|^{_JOINER}", re.MULTILINE)


def is_sbv(text: str) -> bool:
    """Return whether a text begins with the two times of SBV."""
    first = next((line for line in lines_of(text[:1000].lstrip("\ufeff")) if line.strip()), "")
    return _SBV.fullmatch(first) is not None


def read_subrip(text: str, speakers: SpeakerChoice) -> Iterator[Read]:
    """Yield the cues of a SubRip or SBV file; their numbers are their places, not their names."""
    found = [
        each._replace(text=broken_lines(each.text)) if isinstance(each, Block) else each
        for each in blocks(lines_of(text), blank_line_ends_text=False)
    ]
    once = unrolled(unhighlighted(found, _plain), _plain, timed=False)
    read = with_speakers((_cue(each) if isinstance(each, Block) else each for each in once), speakers)
    return (_unjoined(each) if isinstance(each, RawCue) else each for each in read)


def _cue(block: Block) -> RawCue:
    return RawCue(
        text=_plain(block.text), line=block.line, start=block.start, end=block.end, words=block.words
    )


def _plain(markup: str) -> str:
    return trimmed(characters(_MARKUP.sub("", markup)))


def _unjoined(cue: RawCue) -> RawCue:
    if _JOINER not in cue.text:
        return cue
    name = None if cue.name is None else _JOINED.sub("", cue.name)
    label = None if cue.label is None else _JOINED.sub("", cue.label)
    return cue._replace(text=_JOINED.sub("", cue.text), name=name, label=label)
