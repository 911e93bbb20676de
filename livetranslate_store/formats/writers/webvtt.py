"""WebVTT: cues with the speaker's voice, and what has no time as notes.

https://www.w3.org/TR/webvtt1/
"""

from collections.abc import Iterator

from livetranslate_store.formats.writers.row_text import one_line
from livetranslate_store.formats.writers.subtitles import PlainCues, ReadableCues, SubtitleCue, Untimed
from livetranslate_store.values import SessionFacts, TranscriptRow

_ESCAPED = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


class WebVTTWriter:
    """Writes one session."""

    def __init__(self, session: SessionFacts, cues: PlainCues | ReadableCues) -> None:
        self._title = one_line(session.title or "")
        self._cues = cues
        self._number = 0

    def begin(self) -> str:
        """Return the head of the file."""
        # Escaped like the rest: an arrow would make the line a cue.
        return f"WEBVTT{' - ' if self._title else ''}{self._title.translate(_ESCAPED)}\n"

    def add(self, row: TranscriptRow) -> str:
        """Return the cues that the next row makes ready."""
        return "".join(map(self._written, self._cues.add(row)))

    def end(self) -> str:
        """Return what is left."""
        return "".join(map(self._written, self._cues.rest()))

    def _written(self, cue: SubtitleCue | Untimed) -> str:
        return "".join(f"\n{line}" for line in self._lines(cue)) + "\n"

    def _lines(self, cue: SubtitleCue | Untimed) -> Iterator[str]:
        speaker = cue.speaker.translate(_ESCAPED)
        if isinstance(cue, Untimed):
            yield "NOTE said at an unknown time"
            name = f"{speaker}: " if speaker else ""
            yield from (f"{name}{line.text.translate(_ESCAPED)}" for line in cue.lines)
            return
        self._number += 1
        yield str(self._number)
        yield f"{_time(cue.start)} --> {_time(cue.end)}"
        several = len({line.language for line in cue.lines}) > 1
        for place, line in enumerate(cue.lines):
            text = line.text.translate(_ESCAPED)
            if several:
                text = f"<lang {line.language.translate(_ESCAPED)}>{text}</lang>"
            yield f"<v {speaker}>{text}" if speaker and place == 0 else text


def _time(milliseconds: int) -> str:
    seconds, milliseconds = divmod(milliseconds, 1000)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{milliseconds:03}"
