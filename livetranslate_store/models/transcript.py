"""One transcribed segment of speech."""

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ColumnElement,
    Computed,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, column_property, mapped_column
from sqlalchemy.sql.base import ReadOnlyColumnCollection

from livetranslate_store.models.audio_file import AudioFile
from livetranslate_store.models.base import (
    LANGUAGE_TAG,
    Base,
    edit_whole,
    json_object,
    search_index,
    share,
    times,
)
from livetranslate_store.models.relations import related
from livetranslate_store.models.session import Session
from livetranslate_store.models.sparse import SparseObject, SparseText
from livetranslate_store.models.speaker import Speaker
from livetranslate_store.values.inputs import USUAL_SOURCE

if TYPE_CHECKING:
    from livetranslate_store.models.translation import Translation


class Transcript(Base):
    """One transcribed segment of speech, as its latest accepted revision.

    A live meeting writes ten interim revisions for each final. They change no indexed column, so that each is
    a HOT update, and only the last columns of the row, so that the log holds little more than these. Their
    text is the `draft`, which no index has: a search reads it on the fly. The migration leaves room in
    each page for them (`fillfactor`), which SQLAlchemy 2.0 cannot say of a table.
    """

    __tablename__ = "transcripts"
    __table_args__ = (
        ForeignKeyConstraint(["session_id", "audio_file_id"], [AudioFile.session_id, AudioFile.id]),
        *times(),
        json_object(),
        share("confidence"),
        CheckConstraint("segment_index >= 0", name="segment_index_not_negative"),
        CheckConstraint("revision >= 0", name="revision_not_negative"),
        CheckConstraint("(text IS NULL) <> (draft IS NULL)", name="text_or_draft"),
        edit_whole(),
        search_index("transcripts", "language", where="text IS NOT NULL"),
        # The rows whose words are read on the fly.
        Index("ix_transcripts_drafts", "session_id", postgresql_where=text("text IS NULL")),
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
    start_time: Mapped[float | None]
    # The place in the timeline: never NULL, also in rows of other programs.
    timestamp: Mapped[float] = mapped_column(Computed("COALESCE(start_time, end_time, 0.0)", persisted=True))
    segment_index: Mapped[int] = mapped_column(server_default="0")
    audio_file_id: Mapped[UUID | None]
    language: Mapped[str] = mapped_column(LANGUAGE_TAG)
    source: Mapped[str] = mapped_column(SparseText(USUAL_SOURCE), nullable=True)
    segment_key: Mapped[str | None]
    speaker_label: Mapped[str | None]
    metadata_: Mapped[Mapping[str, Any]] = mapped_column("metadata", SparseObject(), nullable=True)
    words: Mapped[list[dict[str, Any]] | None] = mapped_column(JSONB(none_as_null=True))
    # What an interim revision changes.
    confidence: Mapped[float | None]
    revision: Mapped[int] = mapped_column(BigInteger, server_default="0")
    end_time: Mapped[float | None]
    updated_at: Mapped[datetime | None]
    is_final: Mapped[bool] = mapped_column(server_default="false")
    # A text is final, or no revision of it is expected because its session is over; else it is a draft.
    settled_text: Mapped[str | None] = mapped_column("text")
    draft: Mapped[str | None] = mapped_column("draft")
    # The person whose words these are; NULL if they are a machine's.
    edited_by: Mapped[str | None]
    edited_at: Mapped[datetime | None]
    text: Mapped[str] = column_property(func.coalesce(settled_text, draft))

    session: Mapped[Session] = related()
    audio_file: Mapped[AudioFile | None] = related()
    # No foreign key: see `Speaker.transcripts`.
    speaker: Mapped[Speaker | None] = related(
        primaryjoin="and_(Speaker.session_id == foreign(Transcript.session_id),"
        " Speaker.label == foreign(Transcript.speaker_label))"
    )
    translations: Mapped[list["Translation"]] = related(order_by="Translation.target_language")


def spoken_text(transcript: ReadOnlyColumnCollection[str, Any]) -> ColumnElement[str]:
    """Return the text of a transcript by its columns, whether it is a draft or not."""
    return func.coalesce(transcript.text, transcript.draft)
