"""WebVTT (.vtt): voices, identifiers, and the words of cues that are timed word by word."""

import re
from collections.abc import Iterator
from html import unescape
from typing import NamedTuple

from livetranslate_store.formats.readers.cues import RawCue, RawWord, Read
from livetranslate_store.formats.readers.rolling import unrolled
from livetranslate_store.formats.readers.timed_blocks import Block, blocks, lines_of
from livetranslate_store.values import Refusal

_HEADER = re.compile(r"WEBVTT(?:[ \t]|$)")
_LANGUAGE = re.compile(r"Language:\s*([A-Za-z0-9-]+)\s*$")
# Blocks that hold no speech: comments, styles, regions.
_NO_CUE = re.compile(r"(?:NOTE|STYLE|REGION)(?:[ \t]|$)")
_VOICE = re.compile(r"<v(?:\.[^\s<>]*)?(?:[ \t\n]([^<>]*))?>")
_TAG = re.compile(r"</?[A-Za-z0-9][^<>]*>|</>")
_WORD_TIME = re.compile(r"<(?:([0-9]{1,9}):)?([0-9]{1,2}):([0-9]{1,2}\.[0-9]{1,9})>")


class _Spoken(NamedTuple):
    voice: str | None
    markup: str


def is_webvtt(text: str) -> bool:
    """Tell whether the text begins as a WebVTT file does."""
    return _HEADER.match(lines_of(text[:100])[0]) is not None


def language_of_webvtt(text: str) -> str | None:
    """Return the language that the header names, as some programs write it."""
    for line in lines_of(text[:1000])[1:]:
        if not line.strip():
            break
        found = _LANGUAGE.match(line)
        if found is not None:
            return found[1]
    return None


def read_webvtt_text(text: str) -> Iterator[Read]:
    """Yield the cues of a WebVTT file; where several voices speak in one, each is a cue."""
    found = list(blocks(_cue_lines(text), blank_line_ends_text=True))
    if _WORD_TIME.search(text):
        found = unrolled(found, _plain)
    for block in found:
        if block.problem is not None:
            yield Refusal(block.line, block.problem)
            continue
        for voice, markup in _voices(block.text):
            yield _cue(block, voice, markup)


def _cue_lines(text: str) -> list[str]:
    """Return the file's lines with header, comments, styles and regions left blank."""
    lines = lines_of(text)
    place = 0
    if _HEADER.match(lines[0]):
        place = _blank_block(lines, 0)
    while place < len(lines):
        # A note that is not set apart by a blank line is part of a text.
        begins_block = place == 0 or not lines[place - 1].strip()
        if begins_block and _NO_CUE.match(lines[place]):
            place = _blank_block(lines, place)
        else:
            place += 1
    return lines


def _blank_block(lines: list[str], place: int) -> int:
    # Cues may follow a header without the blank line that belongs between them.
    while place < len(lines) and lines[place].strip() and "-->" not in lines[place]:
        lines[place] = ""
        place += 1
    return place


def _voices(markup: str) -> Iterator[_Spoken]:
    """Yield what each voice says; text before the first one belongs to nobody."""
    voice, begin = None, 0
    for found in _VOICE.finditer(markup):
        if _plain(markup[begin : found.start()]):
            yield _Spoken(voice, markup[begin : found.start()])
        name = unescape((found[1] or "").strip())
        voice, begin = " ".join(name.split()) or None, found.end()
    # A cue without any text is one too: it is told that it has none.
    if begin == 0 or _plain(markup[begin:]):
        yield _Spoken(voice, markup[begin:])


def _cue(block: Block, voice: str | None, markup: str) -> RawCue:
    return RawCue(
        text=_plain(markup),
        line=block.line,
        start=block.start,
        end=block.end,
        label=voice,
        name=voice,
        words=_words(block, markup),
        identifier=block.identifier,
    )


def _plain(markup: str) -> str:
    lines = (unescape(_TAG.sub("", line)).strip() for line in markup.split("\n"))
    return "\n".join(line for line in lines if line)


def _words(block: Block, markup: str) -> list[RawWord]:
    """Return the words of a cue with times inside of it: each time begins the text that follows it."""
    pieces: list[tuple[float, str]] = []
    at, begin = block.start, 0
    for found in _WORD_TIME.finditer(markup):
        pieces.append((at, markup[begin : found.start()]))
        at, begin = int(found[1] or 0) * 3600 + int(found[2]) * 60 + float(found[3]), found.end()
    if begin == 0:
        return []
    pieces.append((at, markup[begin:]))
    words = []
    for place, (start, piece) in enumerate(pieces):
        text = " ".join(_plain(piece).split())
        end = pieces[place + 1][0] if place + 1 < len(pieces) else block.end
        if text:
            words.append(RawWord(text, start, end))
    return words
