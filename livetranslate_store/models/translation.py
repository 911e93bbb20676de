"""A segment in one target language."""

from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Computed,
    ForeignKeyConstraint,
    Index,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from livetranslate_store.models.base import (
    LANGUAGE_TAG,
    Base,
    json_object,
    search_column,
    search_index,
    share,
    times,
)
from livetranslate_store.models.transcript import Transcript


class Translation(Base):
    """A segment in one target language; its id is derived from both, so that it exists once."""

    __tablename__ = "translations"
    __table_args__ = (
        ForeignKeyConstraint(
            ["session_id", "transcript_id"],
            [Transcript.session_id, Transcript.id],
            ondelete="CASCADE",
        ),
        *times(),
        json_object(),
        share("confidence"),
        CheckConstraint("transcript_revision >= 0", name="transcript_revision_not_negative"),
        Index("ix_translations_transcript_id", "session_id", "transcript_id", "target_language", "id"),
        search_index("translations"),
        # The order of the timeline, for the few translations with their own times.
        Index(
            "ix_translations_timeline",
            "session_id",
            "timestamp",
            postgresql_where=text("timestamp IS NOT NULL"),
        ),
    )

    # Part of the foreign key to the transcript, which has one to the session.
    session_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    transcript_id: Mapped[UUID]
    text: Mapped[str]
    source_language: Mapped[str] = mapped_column(LANGUAGE_TAG)
    target_language: Mapped[str] = mapped_column(LANGUAGE_TAG)
    start_time: Mapped[float | None]
    end_time: Mapped[float | None]
    # The place in the timeline; NULL if it inherits the times of its transcript.
    timestamp: Mapped[float | None] = mapped_column(
        Computed("COALESCE(start_time, end_time)", persisted=True)
    )
    confidence: Mapped[float | None]
    service: Mapped[str] = mapped_column(server_default="translator")
    model: Mapped[str | None]
    transcript_revision: Mapped[int] = mapped_column(BigInteger, server_default="0")
    search: Mapped[str | None] = search_column("target_language")
