"""The transcript as the page shows it: one line per segment, one cell per language."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from livetranslate_store.page.lanes import Voice
from livetranslate_store.page.wording import clock, seconds_attribute
from livetranslate_store.values import TranscriptRow, ViewedTranslation, is_variant


class Cell(NamedTuple):
    """A text in its language; if there is none, `note` says why."""

    text: str
    language: str
    note: str
    badge: str


class Line(NamedTuple):
    """A segment; `seconds` and `time` are empty if its time is unknown."""

    voice: Voice
    continues: bool
    seconds: str
    time: str
    cells: list[Cell]


def lines_of(
    rows: Sequence[TranscriptRow], languages: Sequence[str], voices: Mapping[str | None, Voice]
) -> list[Line]:
    """Return the lines in the order of the rows; `continues` marks the same speaker as before."""
    lines: list[Line] = []
    for row in rows:
        voice = voices[row.speaker_label]
        timed = row.is_timed
        spoken = Cell(row.text, row.language, "", "" if row.is_final else "interim")
        translated = [
            _cell(row, language, translation)
            for language, translation in zip(languages, row.translations, strict=True)
        ]
        lines.append(
            Line(
                voice,
                continues=bool(lines) and lines[-1].voice == voice,
                seconds=seconds_attribute(row.timestamp) if timed else "",
                time=clock(row.timestamp) if timed else "",
                cells=[spoken, *translated],
            )
        )
    return lines


def _cell(row: TranscriptRow, language: str, translation: ViewedTranslation | None) -> Cell:
    if translation is not None:
        return Cell(translation.text, translation.language, "", "stale" if translation.is_stale else "")
    if is_variant(row.language, language):
        return Cell("", language, "as spoken", "")
    return Cell("", language, "not translated", "")
