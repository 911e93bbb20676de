"""Plain text: one line per segment with its time and speaker, translations in the lines below it.

Word joiners, which are not seen, keep apart what a reader could take for another part of a line.
"""

import re
from collections.abc import Callable, Iterator, Sequence

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
        for place, (text, note) in enumerate(noted(row, self._languages, _editor)):
            said = doubled(one_line(text))
            if not note and said.endswith(")"):
                said += JOINER
            shown = f"{said}{' ' if said and note else ''}{note}"
            if not (place or name) and _COLON.search(shown):
                shown = JOINER + shown
            yield f"{_INDENT if place else f'[{time}] {name}'}{shown}"


def noted(
    row: TranscriptRow, languages: Sequence[str], shown: Callable[[str], str]
) -> Iterator[tuple[str, str]]:
    """Yield each text of a row with a note in brackets about it, or an empty one.

    `shown` returns the name of an editor so that it cannot be taken for another part of the file.
    """
    for each, language in zip(said(row, languages), languages or [row.language], strict=True):
        if each is None:
            yield "", f"(not translated into {language})"
            continue
        remarks = []
        if each.is_stale:
            remarks.append("of an earlier version")
        elif not row.is_final:
            remarks.append("not final")
        if each.edited_by is not None:
            remarks.append(f"edited by {shown(each.edited_by)}")
        yield each.text, f"({', '.join(remarks)})" if remarks else ""


def _editor(name: str) -> str:
    # Without a joiner behind it, a bracket begins a note.
    return doubled(one_line(name)).replace("(", f"({JOINER}")
