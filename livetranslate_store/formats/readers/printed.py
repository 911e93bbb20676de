"""Whisper's other files: its table (.tsv) and the lines that its programs print."""

import re
from collections.abc import Iterator

from livetranslate_store.formats.readers.cues import RawCue, Read
from livetranslate_store.formats.readers.heads import head_of
from livetranslate_store.formats.readers.speakers import with_speakers
from livetranslate_store.formats.readers.timed_blocks import lines_of
from livetranslate_store.values import Refusal, SpeakerChoice

_HEADER = re.compile(r"start\tend\t(?:speaker\t)?text\s*", re.IGNORECASE)
_MILLISECONDS = 1000.0
# [00:00.000 --> 00:02.000]  text, [0.00s -> 2.00s] text
_PRINTED = re.compile(r"\s*\[(?P<head>[0-9:.,s \t>-]{5,60})\]\s*(?P<text>.*)")
_SECONDS = re.compile(r"\s*([0-9]{1,9}(?:\.[0-9]{1,9})?)s?\s*--?>\s*([0-9]{1,9}(?:\.[0-9]{1,9})?)s?\s*")
_LANGUAGE = re.compile(r"Detected language:?\s+'?([A-Za-z-]+)", re.IGNORECASE)


def is_table(text: str) -> bool:
    """Return whether the text begins with the columns of Whisper's table."""
    return _HEADER.fullmatch(lines_of(text[:200].lstrip("\ufeff"))[0]) is not None


def read_table(text: str, speakers: SpeakerChoice) -> Iterator[Read]:
    """Yield the rows of Whisper's table, whose times are milliseconds."""
    lines = lines_of(text.lstrip("\ufeff"))
    columns = lines[0].strip().lower().split("\t")
    return with_speakers(
        (_row(number, columns, line) for number, line in enumerate(lines[1:], start=2) if line.strip()),
        speakers,
    )


def _row(number: int, columns: list[str], line: str) -> Read:
    fields = dict(zip(columns, line.split("\t", len(columns) - 1), strict=False))
    try:
        start, end = int(fields["start"]) / _MILLISECONDS, int(fields["end"]) / _MILLISECONDS
        text = fields["text"].strip()
    except (KeyError, ValueError):
        return Refusal(number, f"{line[:40]!r} is not a start and an end in milliseconds and a text.")
    return RawCue(number, text, start, end, label=fields.get("speaker") or None)


def is_printed(text: str) -> bool:
    """Return whether a line has its two times in brackets before its text."""
    return any(map(_printed, lines_of(text)))


def language_of_printed(text: str) -> str | None:
    """Return the language that Whisper says it detected."""
    found = _LANGUAGE.search(text[:5000])
    return found[1] if found is not None else None


def read_printed(text: str, speakers: SpeakerChoice) -> Iterator[Read]:
    """Yield the lines that Whisper printed; lines of other programs between them are refused."""
    return with_speakers(_lines(text), speakers)


def _lines(text: str) -> Iterator[Read]:
    began = False
    for number, line in enumerate(lines_of(text), start=1):
        found = _printed(line)
        if found is not None:
            began = True
            yield RawCue(number, *found)
        elif began and line.strip():
            yield Refusal(number, f"{line.strip()[:40]!r} has no times, which would tell when it was said.")


def _printed(line: str) -> tuple[str, float, float] | None:
    found = _PRINTED.match(line) if "[" in line else None
    if found is None:
        return None
    seconds = _SECONDS.fullmatch(found["head"])
    if seconds is not None:
        return found["text"].strip(), float(seconds[1]), float(seconds[2])
    head = head_of(found["head"])
    return None if head is None or head.rest else (found["text"].strip(), head.start, head.end)
