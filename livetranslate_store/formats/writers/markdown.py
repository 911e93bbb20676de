"""Markdown: a heading, then one paragraph per segment, translations as quotes below it."""

import re
from collections.abc import Iterator, Sequence

from livetranslate_store.formats.writers.row_text import clock, one_line, speaker_of
from livetranslate_store.formats.writers.text import noted
from livetranslate_store.values import SessionFacts, TranscriptRow

# Characters with a meaning anywhere in a line, and those with one at its beginning.
_ANYWHERE = re.compile(r"[\\`*_\[\]<>&~|$]|(?<=:)(?=//)|(?<=www)(?=\.)")
# A text that is nothing but a time, which would be the next row's.
_CLOCK = re.compile(r"^(-?\d+):(?=\d\d:\d\d$)")
_AT_BEGINNING = re.compile(r"^([#+=-]|\d+(?=[.)]))")


class MarkdownWriter:
    """Writes one session."""

    def __init__(self, session: SessionFacts, languages: Sequence[str]) -> None:
        self._session = session
        self._languages = languages

    def begin(self) -> str:
        """Return the heading and the day."""
        title = escaped(self._session.title or self._session.meeting_id)
        return f"# {title}\n\n{self._session.started_at:%Y-%m-%d %H:%M %Z}\n"

    def add(self, row: TranscriptRow) -> str:
        """Return the paragraphs of the next row."""
        return "".join(f"\n{line}\n" for line in self._paragraphs(row))

    def end(self) -> str:
        """Return the end of the file: it has none."""
        return ""

    def _paragraphs(self, row: TranscriptRow) -> Iterator[str]:
        if not any(text or note for text, note in noted(row, self._languages, escaped)):
            return
        speaker = escaped(speaker_of(row))
        time = clock(row.timestamp) if row.is_timed else ""
        who = " ".join(part for part in (speaker and f"**{speaker}**", time) if part)
        if who:
            yield who
        for place, (text, note) in enumerate(noted(row, self._languages, escaped)):
            said = _CLOCK.sub(r"\1\\:", escaped(text))
            shown = " ".join(part for part in (said, note and f"*{note}*") if part)
            if shown:
                yield f"> {shown}" if place else shown


def escaped(text: str) -> str:
    r"""Return the text in one line that Markdown shows as it is: `*` becomes `\*`."""
    return _AT_BEGINNING.sub(_ordinary, _ANYWHERE.sub(r"\\\g<0>", one_line(text)))


def _ordinary(beginning: re.Match[str]) -> str:
    mark = beginning[0]
    # The dot of a list's number is what makes it one.
    return f"{mark}\\" if mark.isdecimal() else f"\\{mark}"
