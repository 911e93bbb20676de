"""One transcribed segment of speech."""

from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Computed,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from livetranslate_store.models.audio_file import AudioFile
from livetranslate_store.models.base import (
    LANGUAGE_TAG,
    Base,
    json_object,
    search_column,
    search_index,
    share,
    times,
)
from livetranslate_store.models.session import Session


class Transcript(Base):
    """One transcribed segment of speech, as its latest accepted revision."""

    __tablename__ = "transcripts"
    __table_args__ = (
        ForeignKeyConstraint(["session_id", "audio_file_id"], [AudioFile.session_id, AudioFile.id]),
        *times(),
        json_object(),
        share("confidence"),
        CheckConstraint("segment_index >= 0", name="segment_index_not_negative"),
        CheckConstraint("revision >= 0", name="revision_not_negative"),
        search_index("transcripts"),
        # The order of the timeline.
        Index("ix_transcripts_timeline", "session_id", "timestamp", "segment_index", "id"),
        # For the foreign key: audio can be deleted without a scan of the transcripts.
        Index(
            "ix_transcripts_audio_file_id",
            "session_id",
            "audio_file_id",
            postgresql_where=text("audio_file_id IS NOT NULL"),
        ),
    )

    session_id: Mapped[UUID] = mapped_column(ForeignKey(Session.id, ondelete="CASCADE"), primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    text: Mapped[str]
    language: Mapped[str] = mapped_column(LANGUAGE_TAG)
    start_time: Mapped[float | None]
    end_time: Mapped[float | None]
    # The place in the timeline: never NULL, also in rows of other programs.
    timestamp: Mapped[float] = mapped_column(Computed("COALESCE(start_time, end_time, 0.0)", persisted=True))
    speaker_label: Mapped[str | None]
    confidence: Mapped[float | None]
    segment_index: Mapped[int] = mapped_column(server_default="0")
    segment_key: Mapped[str | None]
    source: Mapped[str] = mapped_column(server_default="transcriber")
    revision: Mapped[int] = mapped_column(BigInteger, server_default="0")
    is_final: Mapped[bool] = mapped_column(server_default="false")
    audio_file_id: Mapped[UUID | None]
    words: Mapped[list[dict[str, Any]] | None] = mapped_column(JSONB(none_as_null=True))
    search: Mapped[str | None] = search_column("language")
