"""The hits of a search."""

from datetime import datetime
from uuid import UUID

from livetranslate_store.values.page import Page
from livetranslate_store.values.timeline import EntryKind
from livetranslate_store.values.value import Value


class SearchHit(Value, frozen=True):
    """A transcript or a translation whose text matches, with its meeting and its place in it.

    `snippet` is an extract of the matching text, which is in `matched_language`. `highlights` are the
    matching places in it: pairs of start and end in code points, in order, without overlaps. `text` is the
    original, in `language`. `translation` is the one into the requested language, else the one that matched,
    else None. `timestamp` is in seconds since the session's start; `session_started_at` is wall-clock time.
    `rank` compares the hits of a block: see `search`.
    """

    session_id: UUID
    session_title: str | None
    meeting_id: str
    session_started_at: datetime
    kind: EntryKind
    transcript_id: UUID
    timestamp: float
    speaker_label: str | None
    speaker_name: str | None
    text: str
    language: str
    translation: str | None
    translation_language: str | None
    matched_language: str
    is_final: bool
    is_stale: bool
    rank: float
    snippet: str
    highlights: tuple[tuple[int, int], ...]


class SearchPage(Page[SearchHit], frozen=True):
    """A page of hits: the newest meetings first, and in a block of hits the best."""
