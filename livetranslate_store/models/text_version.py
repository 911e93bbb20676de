"""An earlier or a refused version of a text."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKeyConstraint
from sqlalchemy.orm import Mapped, mapped_column

from livetranslate_store.models.base import LANGUAGE_TAG, Base, edit_whole, json_object
from livetranslate_store.models.transcript import Transcript

#: The language of a version of the transcript itself.
SPOKEN = ""


class TextVersion(Base):
    """A version that a person's edit replaced, or a machine's that came after an edit and was refused.

    Its metadata is that of the text; `created_at` is the moment when it was replaced or refused.
    """

    __tablename__ = "text_versions"
    __table_args__ = (
        ForeignKeyConstraint(
            ["session_id", "transcript_id"], [Transcript.session_id, Transcript.id], ondelete="CASCADE"
        ),
        json_object(),
        edit_whole(),
        CheckConstraint("revision >= 0", name="revision_not_negative"),
    )

    session_id: Mapped[UUID] = mapped_column(primary_key=True)
    transcript_id: Mapped[UUID] = mapped_column(primary_key=True)
    target_language: Mapped[str] = mapped_column(LANGUAGE_TAG, primary_key=True)
    # Derived from the version, so that one that is kept again is the same row.
    id: Mapped[UUID] = mapped_column(primary_key=True)
    text: Mapped[str]
    # The transcript's own, or that of the transcript that a translation was made from.
    revision: Mapped[int] = mapped_column(BigInteger)
    # Its own editor; NULL if the version is a machine's.
    edited_by: Mapped[str | None]
    edited_at: Mapped[datetime | None]
    # The editor of the edit that replaced it; NULL if it was refused.
    replaced_by: Mapped[str | None]
