"""One recorded chunk of a session's audio; its bytes are in the object store."""

from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from livetranslate_store.models.base import Base, json_object, not_negative, one_of, times
from livetranslate_store.models.relations import AS_SPOKEN, related
from livetranslate_store.models.session import Session
from livetranslate_store.values import AUDIO_STATUSES

if TYPE_CHECKING:
    from livetranslate_store.models.transcript import Transcript


class AudioFile(Base):
    """One recorded chunk; no row exists without its bytes."""

    __tablename__ = "audio_files"
    __table_args__ = (
        json_object(),
        one_of("status", AUDIO_STATUSES),
        *times(),
        CheckConstraint("size_bytes >= 0", name="size_bytes_not_negative"),
        CheckConstraint("sample_rate > 0", name="sample_rate_positive"),
        CheckConstraint("channels > 0", name="channels_positive"),
        CheckConstraint("sha256 ~ '^[0-9a-f]{64}$'", name="sha256_hex"),
        not_negative("duration"),
        not_negative("quality_score"),
    )

    session_id: Mapped[UUID] = mapped_column(ForeignKey(Session.id, ondelete="CASCADE"), primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    storage_key: Mapped[str]
    format: Mapped[str]
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str]
    duration: Mapped[float | None]
    sample_rate: Mapped[int | None]
    channels: Mapped[int | None]
    start_time: Mapped[float | None]
    end_time: Mapped[float | None]
    quality_score: Mapped[float | None]
    status: Mapped[str] = mapped_column(server_default="completed")

    session: Mapped[Session] = related()
    transcripts: Mapped[list["Transcript"]] = related(order_by=AS_SPOKEN)
