"""Plain text: one line per segment with its time and speaker, translations in the lines below it.

Word joiners, which are not seen, keep apart what a reader could take for another part of a line.
"""

import re
from collections.abc import Iterator, Sequence

from livetranslate_store.formats.joiners import JOINER, doubled
from livetranslate_store.formats.writers.row_text import clock, one_line, said, speaker_of
from livetranslate_store.values import SessionFacts, TranscriptRow

_INDENT = "    "
# A colon at the end of a word reads as the end of a name.
_COLON = re.compile(r":(?= |$)")


class TextWriter:
    """Writes one session."""

    def __init__(self, session: SessionFacts, languages: Sequence[str]) -> None:
        self._title = one_line(session.title or "")
        self._languages = languages

    def begin(self) -> str:
        """Return the title, if the session has one."""
        return f"{self._title}\n\n" if self._title else ""

    def add(self, row: TranscriptRow) -> str:
        """Return the lines of the next row."""
        return "".join(f"{line}\n" for line in self._lines(row))

    def end(self) -> str:
        """Return the end of the file: it has none."""
        return ""

    def _lines(self, row: TranscriptRow) -> Iterator[str]:
        time = clock(row.timestamp) if row.is_timed else "-:--:--"
        speaker = speaker_of(row)
        name = f"{_COLON.sub(f':{JOINER}', doubled(speaker))}: " if speaker else ""
        for place, (text, note) in enumerate(noted(row, self._languages)):
            said = doubled(one_line(text))
            if not (place or name) and _COLON.search(said):
                said = JOINER + said
            if not note and said.endswith(")"):
                said += JOINER
            yield f"{_INDENT if place else f'[{time}] {name}'}{said}{' ' if said and note else ''}{note}"


def noted(row: TranscriptRow, languages: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield each text of a row with a note in brackets about it, or an empty one."""
    for each, language in zip(said(row, languages), languages or [row.language], strict=True):
        if each is None:
            yield "", f"(not translated into {language})"
        elif each.is_stale:
            yield each.text, "(of an earlier version)"
        else:
            yield each.text, "" if row.is_final else "(not final)"
