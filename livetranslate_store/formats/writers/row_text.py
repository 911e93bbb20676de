"""The texts of a row in the languages that are asked for, so that no format can trip over them."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from livetranslate_store.values import TranscriptRow, is_variant

# Control characters that are neither space nor line end: a terminal would obey some of them. A mark shows
# that one was there.
_CONTROLS = re.compile("[\x00-\x08\x0e-\x1f\x7f\x80-\x84\x86-\x9f]")
# A mark of byte order within a text shows nothing, and readers take it out.
_MARK = "\ufeff"


class Said(NamedTuple):
    """A text and its language; a stale translation is of an earlier revision of its transcript."""

    text: str
    language: str
    is_stale: bool
    edited_by: str | None = None


def said(row: TranscriptRow, languages: Sequence[str]) -> tuple[Said | None, ...]:
    """Return what the row says in each language, the original alone without languages.

    What was said in a language, or a variant of it, stands in that language's place; None marks a gap.
    """
    original = Said(row.text, row.language, is_stale=False, edited_by=row.edited_by)
    if not languages:
        return (original,)
    found: list[Said | None] = []
    for language, translation in zip(languages, row.translations, strict=True):
        if is_variant(row.language, language):
            found.append(original)
        elif translation is None:
            found.append(None)
        else:
            found.append(
                Said(translation.text, translation.language, translation.is_stale, translation.edited_by)
            )
    return tuple(found)


def clean_lines(text: str) -> list[str]:
    """Return the lines of a text that show something, without the space around them."""
    lines = (line.strip() for line in text.replace(_MARK, "").splitlines())
    return [_CONTROLS.sub("\ufffd", line) for line in lines if line]


def one_line(text: str) -> str:
    """Return the text in one line, with single spaces."""
    return _CONTROLS.sub("\ufffd", " ".join(text.replace(_MARK, "").split()))


def speaker_of(row: TranscriptRow) -> str:
    """Return the speaker's name, or the label without a name; empty if neither is known."""
    return one_line(row.speaker_name or row.speaker_label or "")


def clock(seconds: float) -> str:
    """Return a time as 1:02:03; what comes before the start has a minus sign."""
    total = int(abs(seconds))
    return f"{'-' if seconds < 0 else ''}{total // 3600}:{total // 60 % 60:02}:{total % 60:02}"
