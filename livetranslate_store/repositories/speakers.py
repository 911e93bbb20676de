"""Speakers: diarization labels and the names that people read everywhere."""

from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, update
from sqlalchemy.dialects.postgresql import insert

from livetranslate_store.checks import (
    checked_choice,
    checked_name,
    checked_uuid,
    optional_number,
)
from livetranslate_store.errors import InvalidInputError
from livetranslate_store.models import Speaker, Transcript
from livetranslate_store.repositories.base import Repository
from livetranslate_store.values import IDENTIFICATION_METHODS


class SpeakerRepository(Repository[Speaker]):
    """The speakers of sessions; a transcript carries the label, the name is read from here."""

    model = Speaker

    async def rename(
        self,
        session_id: UUID,
        label: str,
        name: str,
        *,
        identification_method: str = "manual",
        confidence: float | None = None,
    ) -> Speaker:
        """Give a speaker its name, whatever name it had; the whole timeline follows.

        A label that has not spoken yet is made. Raises MissingReferenceError where the session is not there.
        """
        values: dict[str, Any] = {
            "name": checked_name(name, "name"),
            "identification_method": checked_choice(
                identification_method, "identification_method", IDENTIFICATION_METHODS
            ),
            "confidence": optional_number(confidence, "confidence", minimum=0.0, maximum=1.0),
        }
        checked_uuid(session_id, "session_id")
        checked_name(label, "label")
        self._transaction.check_usable(writing=True)
        await self._transaction.execute(
            insert(Speaker)
            .values(session_id=session_id, label=label, **values)
            .on_conflict_do_update(
                index_elements=["session_id", "label"],
                set_=values | {"updated_at": func.statement_timestamp()},
            )
        )
        return await self.get(session_id, label)

    async def merge(self, session_id: UUID, label: str, *, into: str) -> Speaker:
        """Make one speaker of two: what `label` said becomes `into`'s, who keeps the name if there is one.

        Raises NotFoundError where either is not there.
        """
        if label == into:
            raise InvalidInputError("label and into are the same speaker.")
        gone, kept = await self.get(session_id, label), await self.get(session_id, into)
        self._transaction.check_usable(writing=True)
        await self._transaction.execute(
            update(Transcript)
            .where(Transcript.session_id == session_id, Transcript.speaker_label == label)
            .values(speaker_label=into, updated_at=func.statement_timestamp())
        )
        if kept.name is None and gone.name is not None:
            await self.rename(
                session_id,
                into,
                gone.name,
                identification_method=gone.identification_method,
                confidence=gone.confidence,
            )
        await self._transaction.execute(
            delete(Speaker).where(Speaker.session_id == session_id, Speaker.label == label)
        )
        return await self.get(session_id, into)

    async def get(self, session_id: UUID, label: str) -> Speaker:
        """Return the speaker; raises NotFoundError."""
        checked_uuid(session_id, "session_id")
        checked_name(label, "label")
        return await self._one(
            Speaker.session_id == session_id,
            Speaker.label == label,
            what=f"speaker {label!r} in session {session_id}",
        )

    async def list_for_session(self, session_id: UUID) -> list[Speaker]:
        """Return a session's speakers by label."""
        checked_uuid(session_id, "session_id")
        return await self._list(Speaker.session_id == session_id, order=(Speaker.label,))
