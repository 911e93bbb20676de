"""A diarization label and its name."""

from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from livetranslate_store.models.base import Base, json_object, one_of, share
from livetranslate_store.models.relations import AS_SPOKEN, related
from livetranslate_store.models.session import Session
from livetranslate_store.values import IDENTIFICATION_METHODS

if TYPE_CHECKING:
    from livetranslate_store.models.transcript import Transcript


class Speaker(Base):
    """A diarization label of one session, and its name if it has one."""

    __tablename__ = "speakers"
    __table_args__ = (
        one_of("identification_method", IDENTIFICATION_METHODS),
        json_object(),
        share("confidence"),
    )

    session_id: Mapped[UUID] = mapped_column(ForeignKey(Session.id, ondelete="CASCADE"), primary_key=True)
    label: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str | None]
    identification_method: Mapped[str] = mapped_column(server_default="diarization")
    confidence: Mapped[float | None]

    session: Mapped[Session] = related()
    # No foreign key: a label becomes a row with the first transcript that has it.
    transcripts: Mapped[list["Transcript"]] = related(
        primaryjoin="and_(Speaker.session_id == foreign(Transcript.session_id),"
        " Speaker.label == foreign(Transcript.speaker_label))",
        order_by=AS_SPOKEN,
    )
