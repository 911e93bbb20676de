"""The transcript as the page shows it: one line per segment, one cell per language."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from livetranslate_store.page.lanes import Voice
from livetranslate_store.page.wording import clock, seconds_attribute
from livetranslate_store.values import TranscriptRow, ViewedTranslation, is_variant


class Badge(NamedTuple):
    """A mark of a text; the title says more, if it is not empty."""

    text: str
    title: str = ""


class Cell(NamedTuple):
    """A text in its language; if there is none, `note` says why."""

    text: str
    language: str
    note: str = ""
    badges: Sequence[Badge] = ()


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
        spoken = Cell(
            row.text, row.language, badges=_badges("" if row.is_final else "interim", row.edited_by)
        )
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
        badges = _badges("stale" if translation.is_stale else "", translation.edited_by)
        return Cell(translation.text, translation.language, badges=badges)
    return Cell("", language, "as spoken" if is_variant(row.language, language) else "not translated")


def _badges(state: str, edited_by: str | None) -> list[Badge]:
    edited = [] if edited_by is None else [Badge("edited", f"by {edited_by}")]
    return [*([Badge(state)] if state else []), *edited]
