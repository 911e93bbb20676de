"""WebVTT (.vtt): voices, languages, identifiers, timed words, and the segments of a stream in one file.

https://www.w3.org/TR/webvtt1/
"""

import re
from collections.abc import Iterator
from html import unescape
from typing import NamedTuple

from livetranslate_store.formats.readers.cues import RawCue, RawWord, Read
from livetranslate_store.formats.readers.markup import trimmed
from livetranslate_store.formats.readers.rolling import Blocks, joined, unhighlighted, unrolled
from livetranslate_store.formats.readers.speakers import speaker_of, with_speakers
from livetranslate_store.formats.readers.timed_blocks import Block, blocks, lines_of
from livetranslate_store.values import SpeakerChoice

_HEADER = re.compile(r"\ufeff?WEBVTT(?:[ \t]|$)")
_FIELD = re.compile(r"([A-Za-z-]{1,30})\s*[:=]\s*(.*?)\s*")
# Blocks that hold no speech: comments, styles, regions.
_NO_CUE = re.compile(r"(?:NOTE|STYLE|REGION)(?:[ \t]|$)")
#: The comment in which this package's own WebVTT keeps what was said at no known time.
UNTIMED = "NOTE said at an unknown time"
#: The line in the header of this package's own WebVTT: a name in front of a text is no speaker.
VOICES = "Speakers: voice"
_TAG = re.compile(r"</?[A-Za-z0-9][^<>]*>|</>")
_VOICE_OR_LANGUAGE = re.compile(
    r"<v(?:\.[^\s<>]*)?(?:[ \t\n](?P<voice>[^<>]*))?>"
    r"|<lang(?:\.[^\s<>]*)?[ \t\n](?P<language>[^<>]*)>|(?P<end></lang>)|(?P<line>\n)"
)
_WORD_TIME = re.compile(r"<(?:([0-9]{1,9}):)?([0-9]{1,2}):([0-9]{1,2}\.[0-9]{1,9})>")
_MPEG_TIME = re.compile(r"MPEGTS:([0-9]{1,12})")
_LOCAL_TIME = re.compile(r"LOCAL:(?:([0-9]{1,9}):)?([0-9]{1,9}):([0-9]{1,2}(?:\.[0-9]{1,9})?)")
# MPEG's clock ticks 90,000 times a second and has 33 bits.
_TICKS = 90_000
_CLOCK = 2**33


class _Part(NamedTuple):
    """The lines of one segment, and how much later its clock starts than that of the file."""

    begin: int
    lines: list[str]
    later: float


class _Spoken(NamedTuple):
    """What one voice says in one language."""

    voice: str | None
    language: str | None
    markup: str


class _Lines(NamedTuple):
    """The lines that one voice says in one language."""

    who: tuple[str | None, str | None]
    lines: list[str]


def is_webvtt(text: str) -> bool:
    """Return whether the text begins as a WebVTT file does."""
    return _HEADER.match(lines_of(text[:100])[0]) is not None


def language_of_webvtt(text: str) -> str | None:
    """Return the language that the header names, as some programs write it."""
    return _fields(lines_of(text[:1000])).get("language")


def read_webvtt(text: str, speakers: SpeakerChoice) -> Iterator[Read]:
    """Yield the cues of a WebVTT file; if several voices or languages are in one, each is a cue."""
    lines = lines_of(text)
    parts = [_blocks(part) for part in _parts(lines)]
    if VOICES in lines[1:3]:
        return _own(joined(parts), lines)
    once = unhighlighted(joined(parts), _plain)
    once = unrolled(once, _plain, timed=_WORD_TIME.search(text) is not None)
    return with_speakers(_cues(once), speakers)


def _own(found: Blocks, lines: list[str]) -> Iterator[Read]:
    """Yield the cues of this package's own WebVTT and of its comments, in the file's order."""
    untimed: Blocks = []
    for place, line in enumerate(lines):
        if line == UNTIMED and not lines[place - 1]:
            last = next((at for at in range(place, len(lines)) if not lines[at]), len(lines))
            text = "\n".join(lines[place + 1 : last])
            untimed.append(Block(place + 2, None, None, None, text))
    return _cues(sorted([*found, *untimed], key=lambda each: each.line))


def _blocks(part: _Part) -> Blocks:
    found = blocks(_cue_lines(part.lines), blank_line_ends_text=True, first_line=part.begin + 1)
    if not part.later:
        return list(found)
    return [_later(each, part.later) if isinstance(each, Block) else each for each in found]


def _later(block: Block, seconds: float) -> Block:
    start = None if block.start is None else block.start + seconds
    return block._replace(start=start, end=None if block.end is None else block.end + seconds)


def _fields(lines: list[str]) -> dict[str, str]:
    """Return the fields of a header, which ends at a blank line or a cue; names in lower case."""
    found: dict[str, str] = {}
    for line in lines[1:]:
        field = _FIELD.fullmatch(line)
        if not line.strip() or "-->" in line:
            break
        if field is not None:
            found[field[1].lower()] = field[2]
    return found


def _parts(lines: list[str]) -> Iterator[_Part]:
    """Yield the segments of a stream that were put one behind the other; most files are one."""
    headers = [place for place, line in enumerate(lines) if place == 0 or _is_header(lines, place)]
    first: float | None = None
    for place, until in zip(headers, [*headers[1:], len(lines)], strict=True):
        # A map says at which time of the stream the segment's clock starts; the first one's is the file's.
        clock = _mapped(_fields(lines[place : place + 20]).get("x-timestamp-map", ""))
        first = clock if first is None else first
        later = 0.0 if clock is None or first is None else (clock - first) % (_CLOCK / _TICKS)
        yield _Part(place, lines[place:until], round(later, 3))


def _is_header(lines: list[str], place: int) -> bool:
    """Return whether a segment begins here, even if the blank line before it is missing."""
    if _HEADER.match(lines[place]) is None:
        return False
    following = lines[place + 1] if place + 1 < len(lines) else ""
    return not following.strip() or _FIELD.fullmatch(following) is not None or "-->" in following


def _mapped(field: str) -> float | None:
    stream, local = _MPEG_TIME.search(field), _LOCAL_TIME.search(field)
    if stream is None or local is None:
        return None
    return int(stream[1]) / _TICKS - (int(local[1] or 0) * 3600 + int(local[2]) * 60 + float(local[3]))


def _cue_lines(lines: list[str]) -> list[str]:
    """Return a segment's lines with header, comments, styles and regions left blank."""
    lines = lines.copy()
    place = _blank_block(lines, 0) if _HEADER.match(lines[0]) else 0
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


def _cues(found: Blocks) -> Iterator[Read]:
    for each in found:
        if isinstance(each, Block):
            yield from _cues_of(each)
        else:
            yield each


def _cues_of(block: Block) -> Iterator[RawCue]:
    for voice, language, markup in _spoken(block.text):
        label, name = speaker_of(voice)
        yield RawCue(
            text=_plain(markup),
            line=block.line,
            start=block.start,
            end=block.end,
            label=label,
            name=name,
            language=language,
            words=block.words or _words(block, markup),
            identifier=block.identifier,
        )


def _spoken(markup: str) -> list[_Spoken]:
    """Return what each voice says in each language; text before the first voice belongs to nobody.

    A language of a part of a line is that of a quotation: the line is in the file's language.
    """
    spoken: list[_Lines] = []
    voice: str | None = None
    language: str | None = None
    pieces: list[_Spoken] = []
    begin = 0
    for found in _VOICE_OR_LANGUAGE.finditer(markup):
        pieces.append(_Spoken(voice, language, markup[begin : found.start()]))
        begin = found.end()
        if found["line"]:
            _add_line(spoken, pieces)
            pieces = []
        elif found["end"]:
            language = None
        elif found["language"] is not None:
            language = found["language"].strip()
        else:
            _add_line(spoken, pieces)
            pieces = []
            voice = " ".join(unescape(found["voice"] or "").split()) or None
    pieces.append(_Spoken(voice, language, markup[begin:]))
    _add_line(spoken, pieces)
    # A cue without any text is one, too: it is refused.
    return [_Spoken(*who, "\n".join(lines)) for who, lines in spoken] or [_Spoken(None, None, "")]


def _add_line(spoken: list[_Lines], pieces: list[_Spoken]) -> None:
    said = [each for each in pieces if _plain(each.markup)]
    if not said:
        return
    languages = {each.language for each in said}
    voice, language = said[0].voice, said[0].language if len(languages) == 1 else None
    markup = "".join(each.markup for each in pieces)
    if spoken and spoken[-1].who == (voice, language):
        spoken[-1].lines.append(markup)
    else:
        spoken.append(_Lines((voice, language), [markup]))


def _plain(markup: str) -> str:
    return trimmed("\n".join(unescape(_TAG.sub("", line)) for line in markup.split("\n")))


def _words(block: Block, markup: str) -> list[RawWord]:
    """Return the words of a cue with times inside of it: each time begins the text that follows it."""
    pieces: list[tuple[float | None, str]] = []
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
