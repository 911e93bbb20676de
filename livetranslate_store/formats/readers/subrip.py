"""SubRip (.srt), and SBV, which YouTube writes: the same blocks below another head."""

import re
from collections.abc import Iterator

from livetranslate_store.formats import joiners
from livetranslate_store.formats.joiners import JOINER
from livetranslate_store.formats.readers.cues import RawCue, Read
from livetranslate_store.formats.readers.markup import broken_lines, characters, trimmed
from livetranslate_store.formats.readers.rolling import Blocks, unhighlighted, unrolled
from livetranslate_store.formats.readers.speakers import speaker_of, with_speakers
from livetranslate_store.formats.readers.timed_blocks import Block, blocks, lines_of
from livetranslate_store.values import SpeakerChoice

# What players understand; anything else in angle brackets is text.
_MARKUP = re.compile(r"</?(?:[bius]|font)(?:\s[^<>]*)?>|\{\\[^{}]*\}", re.IGNORECASE)
_SBV_TIME = r"[0-9]{1,3}:[0-9]{2}:[0-9]{2}\.[0-9]{3}"
_SBV = re.compile(rf"\s*{_SBV_TIME},{_SBV_TIME}\s*")


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
    first = next((each for each in found if isinstance(each, Block)), None)
    if first is not None and joiners.speaker_in(first.text)[0] is not None:
        return _marked(found)
    once = unrolled(unhighlighted(found, _plain), _plain, timed=False)
    return with_speakers((_cue(each) if isinstance(each, Block) else each for each in once), speakers)


def _marked(found: Blocks) -> Iterator[Read]:
    """Yield the cues of this package's own SubRip, whose marks say who speaks: until the next mark."""
    speaker = ""
    for each in found:
        if not isinstance(each, Block):
            yield each
            continue
        cue = _cue(each)
        named, text = joiners.speaker_in(cue.text)
        speaker = speaker if named is None else named
        label, name = speaker_of(speaker or None)
        # The joiner stays for who pairs two languages.
        said = joiners.without(text) + (JOINER if joiners.is_second(text) else "")
        yield cue._replace(text=said, label=label, name=name)


def _cue(block: Block) -> RawCue:
    return RawCue(
        text=_plain(block.text), line=block.line, start=block.start, end=block.end, words=block.words
    )


def _plain(markup: str) -> str:
    return trimmed(characters(_MARKUP.sub("", markup) if "<" in markup or "{" in markup else markup))
