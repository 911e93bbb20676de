"""A session as a document for other programs: facts about it, and its segments side by side."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal
from uuid import UUID

from livetranslate_store.values.transcript_view import TranscriptRow
from livetranslate_store.values.value import Value


class SessionFacts(Value, frozen=True):
    """The facts about a session; `ended_at` is None while the meeting runs."""

    id: UUID
    title: str | None
    bot_id: str
    meeting_id: str
    external_id: str | None
    started_at: datetime
    ended_at: datetime | None
    target_languages: Sequence[str]


class SessionDocument(Value, frozen=True):
    """A session as one JSON document; a segment has a translation, or null, for each of `languages`."""

    format: Literal["livetranslate-store session"]
    version: Literal[1]
    session: SessionFacts
    languages: Sequence[str]
    segments: Sequence[TranscriptRow]
