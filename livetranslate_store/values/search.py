"""What a search finds."""

from datetime import datetime
from uuid import UUID

from livetranslate_store.values.page import Page
from livetranslate_store.values.timeline import EntryKind
from livetranslate_store.values.value import Value


class SearchHit(Value, frozen=True):
    """A transcript or a translation whose text matches, with where it was said and how it reads elsewhere.

    `snippet` is an extract of the text that matched, and `highlights` the places in it that did: pairs of
    start and end, in characters (code points) of the snippet, in order and apart from each other. `text` is
    the original and `language` its language; `translation` is the one in the language that was asked for, or
    else the one that matched, or None. Times are seconds since the session's start, as on the timeline;
    `session_started_at` is wall-clock time. `rank` orders the hits of one query and means nothing beyond it.
    """

    session_id: UUID
    session_title: str | None
    meeting_id: str
    session_started_at: datetime
    kind: EntryKind
    id: UUID
    transcript_id: UUID
    timestamp: float
    speaker_label: str | None
    speaker_name: str | None
    text: str
    language: str
    translation: str | None
    translation_language: str | None
    is_final: bool
    is_stale: bool
    rank: float
    snippet: str
    highlights: tuple[tuple[int, int], ...]


class SearchPage(Page[SearchHit]):
    """A page of hits, the best first."""

    __slots__ = ()
