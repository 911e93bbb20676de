"""One bot's stay in one meeting."""

from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import ARRAY, CheckConstraint, Index, Text, func, text
from sqlalchemy.orm import Mapped, mapped_column

from livetranslate_store.models.base import SCHEMA, Base, json_object, one_of, search_index
from livetranslate_store.models.relations import AS_SPOKEN, related
from livetranslate_store.values import SESSION_STATUSES

if TYPE_CHECKING:
    from livetranslate_store.models.audio_file import AudioFile
    from livetranslate_store.models.speaker import Speaker
    from livetranslate_store.models.transcript import Transcript

# Titles have no known language: their words are not stemmed.
LANGUAGE_OF_TITLES = "und"


class Session(Base):
    """One bot's stay in one meeting; all other rows belong to a session."""

    __tablename__ = "sessions"
    __table_args__ = (
        json_object(),
        one_of("status", SESSION_STATUSES),
        CheckConstraint("ended_at >= started_at", name="stay_ordered"),
        Index("ix_sessions_meeting_id", "meeting_id", "started_at"),
        Index("ix_sessions_bot_id", "bot_id", "started_at"),
        Index("ix_sessions_started_at", "started_at", "id"),
        Index("ix_sessions_tenant_id", "tenant_id", "started_at", "id"),
        Index("ix_sessions_status", "status", "started_at", "id"),
        Index("ix_sessions_ended_at", "ended_at"),
        Index("ix_sessions_external_id", "external_id", postgresql_where=text("external_id IS NOT NULL")),
        Index(
            "ix_sessions_metadata",
            "metadata",
            postgresql_using="gin",
            postgresql_ops={"metadata": "jsonb_path_ops"},
        ),
        Index(
            "ix_sessions_target_languages",
            text(f"{SCHEMA}.languages_listed(target_languages)"),
            postgresql_using="gin",
        ),
        search_index("sessions", f"'{LANGUAGE_OF_TITLES}'", column="title", where="title IS NOT NULL"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    # For good; empty if the application has no tenants.
    tenant_id: Mapped[str] = mapped_column(server_default="")
    bot_id: Mapped[str]
    meeting_id: Mapped[str]
    title: Mapped[str | None]
    uri: Mapped[str | None]
    external_id: Mapped[str | None]
    status: Mapped[str] = mapped_column(server_default="active")
    started_at: Mapped[datetime] = mapped_column(server_default=func.now())
    ended_at: Mapped[datetime | None]
    target_languages: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}")

    transcripts: Mapped[list["Transcript"]] = related(order_by=AS_SPOKEN)
    audio_files: Mapped[list["AudioFile"]] = related(order_by="(AudioFile.start_time, AudioFile.id)")
    speakers: Mapped[list["Speaker"]] = related(order_by="Speaker.label")
