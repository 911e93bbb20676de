"""WebVTT: cues with the speaker's voice, and texts without a time as notes.

https://www.w3.org/TR/webvtt1/
"""

from collections.abc import Iterator, Sequence

from livetranslate_store.formats.readers.heads import looks_like_head
from livetranslate_store.formats.readers.webvtt import UNTIMED, VOICES
from livetranslate_store.formats.writers.row_text import one_line
from livetranslate_store.formats.writers.subtitles import PlainCues, ReadableCues, SubtitleCue, Untimed
from livetranslate_store.values import SessionFacts, TranscriptRow

_ESCAPED = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


class WebVTTWriter:
    """Writes one session."""

    def __init__(
        self, session: SessionFacts, cues: PlainCues | ReadableCues, languages: Sequence[str] = ()
    ) -> None:
        self._title = one_line(session.title or "")
        self._cues = cues
        self._number = 0
        self._language = languages[0] if languages else None
        self._several = len(languages) > 1
        self._has_header = False

    def begin(self) -> str:
        """Return the head of the file."""
        # Escaped like the rest: an arrow would make the line a cue.
        return f"WEBVTT{' - ' if self._title else ''}{self._title.translate(_ESCAPED)}\n"

    def add(self, row: TranscriptRow) -> str:
        """Return the cues that the next row makes ready."""
        return self._header(row) + "".join(map(self._written, self._cues.add(row)))

    def end(self) -> str:
        """Return the cues that are left."""
        return "".join(map(self._written, self._cues.rest()))

    def _header(self, row: TranscriptRow) -> str:
        """Return the rest of the header before the first row, whose language it names unless one is given."""
        if self._has_header:
            return ""
        self._has_header = True
        self._language = self._language or row.language
        return f"Language: {self._language}\n{VOICES}\n"

    def _written(self, cue: SubtitleCue | Untimed) -> str:
        return "".join(f"\n{line}" for line in self._lines(cue)) + "\n"

    def _lines(self, cue: SubtitleCue | Untimed) -> Iterator[str]:
        speaker = cue.speaker.translate(_ESCAPED)
        if isinstance(cue, Untimed):
            yield UNTIMED
        else:
            self._number += 1
            yield str(self._number)
            yield f"{_time(cue.start)} --> {_time(cue.end)}"
        for place, line in enumerate(cue.lines):
            text = line.text.translate(_ESCAPED)
            if looks_like_head(line.text) or line.text.startswith("WEBVTT"):
                # A class without a name shows nothing, and the line begins with it.
                text = f"<c>{text}</c>"
            if self._several or line.language != self._language:
                text = f"<lang {line.language.translate(_ESCAPED)}>{text}</lang>"
            yield f"<v {speaker}>{text}" if speaker and place == 0 else text


def _time(milliseconds: int) -> str:
    seconds, milliseconds = divmod(milliseconds, 1000)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{milliseconds:03}"
