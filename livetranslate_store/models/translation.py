"""A segment in one target language."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
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
    edit_whole,
    json_object,
    search_index,
    share,
    times,
)
from livetranslate_store.models.relations import related
from livetranslate_store.models.sparse import SparseObject, SparseText
from livetranslate_store.models.transcript import Transcript
from livetranslate_store.values.inputs import USUAL_SERVICE


class Translation(Base):
    """A segment in one target language.

    Its words are in the index only: they are read from the text again where they are needed.
    """

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
        edit_whole(),
        search_index("translations", "target_language"),
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
    transcript_id: Mapped[UUID] = mapped_column(primary_key=True)
    target_language: Mapped[str] = mapped_column(LANGUAGE_TAG, primary_key=True)
    start_time: Mapped[float | None]
    end_time: Mapped[float | None]
    # The place in the timeline; NULL if it inherits the times of its transcript.
    timestamp: Mapped[float | None] = mapped_column(
        Computed("COALESCE(start_time, end_time)", persisted=True)
    )
    transcript_revision: Mapped[int] = mapped_column(BigInteger, server_default="0")
    confidence: Mapped[float | None]
    source_language: Mapped[str] = mapped_column(LANGUAGE_TAG)
    service: Mapped[str] = mapped_column(SparseText(USUAL_SERVICE), nullable=True)
    model: Mapped[str | None]
    metadata_: Mapped[Mapping[str, Any]] = mapped_column("metadata", SparseObject(), nullable=True)
    updated_at: Mapped[datetime | None]
    text: Mapped[str]
    # The person whose words these are; NULL if they are a machine's.
    edited_by: Mapped[str | None]
    edited_at: Mapped[datetime | None]

    transcript: Mapped[Transcript] = related()
