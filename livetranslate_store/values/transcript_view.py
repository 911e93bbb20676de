"""A meeting side by side: one row per segment, one place per language."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from livetranslate_store.values.inputs import Word
from livetranslate_store.values.page import Page
from livetranslate_store.values.value import Value


class ViewedTranslation(Value, frozen=True, gc=False, omit_defaults=True):
    """A translation in the place of its language; `is_stale` if its transcript has a newer revision.

    Who edited it, and when, is None unless a read includes it.
    """

    text: str
    language: str
    confidence: float | None
    service: str
    transcript_revision: int
    is_stale: bool
    edited_by: str | None = None
    edited_at: datetime | None = None


class TranscriptRow(Value, frozen=True, gc=False, omit_defaults=True):
    """A transcript and its translations, at its place in the meeting.

    `timestamp` and `duration` are those of the timeline. `translations` has one place for each requested
    language, in that order; None marks a gap. The last four fields are None unless a read includes them.
    """

    transcript_id: UUID
    timestamp: float
    duration: float
    start_time: float | None
    end_time: float | None
    text: str
    language: str
    speaker_label: str | None
    speaker_name: str | None
    confidence: float | None
    segment_index: int
    source: str
    revision: int
    is_final: bool
    translations: tuple[ViewedTranslation | None, ...]
    words: Sequence[Word] | None = None
    audio_file_id: UUID | None = None
    edited_by: str | None = None
    edited_at: datetime | None = None

    @property
    def is_timed(self) -> bool:
        """Whether a time of the transcript is known."""
        return self.start_time is not None or self.end_time is not None


class TranscriptViewPage(Page[TranscriptRow], frozen=True):
    """A page of the view, in the order that was asked for.

    `previous_cursor` continues before its first row: pass it with the other order. None if it is empty.
    """

    previous_cursor: str | None = None
