r"""SubRip (SRT): cues with the speaker's name if the speaker changes.

The format has no escapes: a word joiner, which is not seen, keeps apart what players take for markup (`<i>`,
`{\an8}`) and what would begin a new cue (`-->`, or times).
"""

import logging
import re

from livetranslate_store.formats.joiners import JOINER
from livetranslate_store.formats.readers.heads import looks_like_head
from livetranslate_store.formats.writers.subtitles import PlainCues, ReadableCues, SubtitleCue, Untimed
from livetranslate_store.values import SessionFacts, TranscriptRow

logger = logging.getLogger(__name__)

_MARKUP = re.compile(
    r"[<{](?=.)|--(?=>)|(?<=\d):(?=\d\d?:\d\d?[.,]\d)|\\(?=[Nh])|&(?=[#\w])|\[(?=br\])", re.IGNORECASE
)


class SubRipWriter:
    """Writes one session."""

    def __init__(self, session: SessionFacts, cues: PlainCues | ReadableCues) -> None:
        self._session_id = session.id
        self._cues = cues
        self._number = 0
        self._left_out = 0

    def begin(self) -> str:
        """Return the head of the file: it has none."""
        return ""

    def add(self, row: TranscriptRow) -> str:
        """Return the cues that the next row makes ready."""
        return "".join(map(self._written, self._cues.add(row)))

    def end(self) -> str:
        """Return the cues that are left, and log the rows that have no place."""
        rest = "".join(map(self._written, self._cues.rest()))
        if self._left_out:
            logger.warning(
                "SubRip has no place for what was said at an unknown time",
                extra={
                    "event": "export_left_out",
                    "session_id": str(self._session_id),
                    "segments": self._left_out,
                },
            )
        return rest

    def _written(self, cue: SubtitleCue | Untimed) -> str:
        if isinstance(cue, Untimed):
            self._left_out += 1
            return ""
        self._number += 1
        lines = "\n".join(_apart(line.text) for line in cue.lines)
        return f"{self._number}\n{_time(cue.start)} --> {_time(cue.end)}\n{lines}\n\n"


def _apart(line: str) -> str:
    line = _MARKUP.sub(rf"\g<0>{JOINER}", line)
    # A joiner first in a line would be the mark of nobody.
    return f"{line[0]}{JOINER}{line[1:]}" if looks_like_head(line) else line


def _time(milliseconds: int) -> str:
    seconds, milliseconds = divmod(milliseconds, 1000)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02},{milliseconds:03}"
