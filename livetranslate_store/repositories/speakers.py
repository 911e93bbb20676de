"""Speakers: diarization labels and their names."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, ColumnElement, Uuid, any_, bindparam, delete, exists, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import InstrumentedAttribute

from livetranslate_store.audio.storage import AudioStorage
from livetranslate_store.checks import (
    checked_choice,
    checked_name,
    checked_number,
    checked_uuid,
    optional_number,
)
from livetranslate_store.database.transaction import Transaction
from livetranslate_store.errors import InvalidInputError, NotFoundError
from livetranslate_store.models import AudioFile, Session, Speaker, Transcript, Translation
from livetranslate_store.repositories.base import Repository
from livetranslate_store.repositories.segment_lookups import SegmentLookups
from livetranslate_store.repositories.stored_objects import remove_if_committed
from livetranslate_store.values import IDENTIFICATION_METHODS, DeletedSpeakerContent


class SpeakerRepository(Repository[Speaker]):
    """The speakers of sessions; a transcript has the label, and its speaker row the name."""

    model = Speaker

    def __init__(self, transaction: Transaction, lookups: SegmentLookups, storage: AudioStorage) -> None:
        super().__init__(transaction)
        self._lookups = lookups
        self._storage = storage

    async def rename(
        self,
        session_id: UUID,
        label: str,
        name: str,
        *,
        identification_method: str = "manual",
        confidence: float | None = None,
    ) -> Speaker:
        """Name a speaker, or rename it, in the whole timeline.

        A label without a speaker gets one. Raises MissingReferenceError if the session does not exist.
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
        await self._transaction.check_session(session_id)
        given = insert(Speaker).values(session_id=session_id, label=label, **values)
        # The moment of this statement; a cluster refuses a function here.
        changed = {"updated_at": given.excluded.created_at}
        await self._transaction.insert(
            given.on_conflict_do_update(index_elements=["session_id", "label"], set_=values | changed)
        )
        return await self.get(session_id, label)

    async def merge(self, session_id: UUID, label: str, *, into: str) -> Speaker:
        """Merge the speaker `label` into the speaker `into`, which keeps its name if it has one.

        A later revision of a segment brings the label of its transcriber again. Raises NotFoundError if
        either speaker does not exist, and InvalidInputError if both are the same.
        """
        _check_different(label, into)
        gone, kept = await self.get(session_id, label), await self.get(session_id, into)
        self._transaction.check_usable(writing=True)
        await self._give(session_id, label, into)
        if kept.name is None and gone.name is not None:
            await self.rename(
                session_id,
                into,
                gone.name,
                identification_method=gone.identification_method,
                confidence=gone.confidence,
            )
        await self._transaction.delete(
            delete(Speaker).where(Speaker.session_id == session_id, Speaker.label == label)
        )
        self._lookups.deleted_speakers()
        return await self.get(session_id, into)

    async def split(self, session_id: UUID, label: str, *, at: float, into: str) -> Speaker:
        """Split a speaker: the segments of `label` from `at` seconds on become those of `into`.

        Segments that begin earlier, or have no time, stay. `into` is created if it does not exist; a merge
        into `label` undoes the split. A later revision of a segment brings the label of its transcriber
        again. Raises NotFoundError if `label` does not exist, and InvalidInputError if both are the same.
        """
        _check_different(label, into)
        checked_name(into, "into")
        at = checked_number(at, "at")
        await self.get(session_id, label)
        self._transaction.check_usable(writing=True)
        await self._transaction.insert(
            insert(Speaker).values(session_id=session_id, label=into).on_conflict_do_nothing()
        )
        has_time = or_(Transcript.start_time.is_not(None), Transcript.end_time.is_not(None))
        await self._give(session_id, label, into, has_time, Transcript.timestamp >= at)
        return await self.get(session_id, into)

    async def _give(self, session_id: UUID, label: str, into: str, *which: ColumnElement[bool]) -> None:
        """Change the label of transcripts from `label` to `into`."""
        said = await self._transaction.execute(
            select(Transcript.id)
            .where(Transcript.session_id == session_id, Transcript.speaker_label == label, *which)
            .order_by(Transcript.id)  # the order in which every writer locks them
            .with_for_update()
        )
        await self._transaction.execute(
            update(Transcript)
            .where(Transcript.session_id == session_id, _among(Transcript.id, said.scalars().all()))
            .values(speaker_label=into, updated_at=func.statement_timestamp())
        )

    async def forget(self, session_id: UUID, label: str) -> DeletedSpeakerContent:
        """Delete a speaker: the name, and all transcripts of `label` with their translations and audio.

        Audio that only these transcripts use is deleted, its objects after the commit. Other audio belongs to
        no speaker and stays. Segments that arrive for the label later are stored again. Raises NotFoundError
        if the session has no such label, and UsageError for audio without an `audio_url`.
        """
        checked_uuid(session_id, "session_id")
        checked_name(label, "label")
        self._transaction.check_usable(writing=True)
        # From here on no other transaction can add to the session or to these transcripts.
        await self._transaction.execute(select(Session.id).where(Session.id == session_id).with_for_update())
        of_label = (Transcript.session_id == session_id, Transcript.speaker_label == label)
        said = await self._transaction.execute(
            select(Transcript.id, Transcript.audio_file_id)
            .where(*of_label)
            .order_by(Transcript.id)
            .with_for_update()
        )
        transcripts = {row.id: row.audio_file_id for row in said}
        if any(transcripts.values()):
            await self._storage.check_may_delete(self._transaction.fetch)
        translations = await self._transaction.delete(
            delete(Translation)
            .where(Translation.session_id == session_id, _among(Translation.transcript_id, [*transcripts]))
            .returning(Translation.transcript_id)
        )
        await self._transaction.delete(
            delete(Transcript).where(
                Transcript.session_id == session_id, _among(Transcript.id, [*transcripts])
            )
        )
        storage_keys = await self._delete_unused_audio(session_id, [*filter(None, transcripts.values())])
        forgotten = await self._transaction.delete(
            delete(Speaker)
            .where(Speaker.session_id == session_id, Speaker.label == label)
            .returning(Speaker.label)
        )
        if not transcripts and not forgotten.all():
            raise NotFoundError(f"Session {session_id} has no speaker {label!r}.")
        self._lookups.deleted_speakers()
        for transcript_id in transcripts:
            self._lookups.deleted((session_id, transcript_id))
        remove_if_committed(self._transaction, self._storage, storage_keys)
        return DeletedSpeakerContent(
            session_id=session_id,
            label=label,
            transcripts=len(transcripts),
            translations=len(translations.all()),
            audio_files=len(storage_keys),
        )

    async def _delete_unused_audio(self, session_id: UUID, audio_file_ids: Sequence[UUID]) -> list[str]:
        """Delete those audio files that no transcript refers to, and return their storage keys."""
        candidates = (AudioFile.session_id == session_id, _among(AudioFile.id, audio_file_ids))
        # Waits for transactions that are about to refer to one of them; the next statement sees them.
        await self._transaction.execute(
            select(AudioFile.id).where(*candidates).order_by(AudioFile.id).with_for_update()
        )
        is_used = exists().where(
            Transcript.session_id == AudioFile.session_id, Transcript.audio_file_id == AudioFile.id
        )
        deleted = await self._transaction.delete(
            delete(AudioFile).where(*candidates, ~is_used).returning(AudioFile.storage_key)
        )
        return list(deleted.scalars())

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


def _check_different(label: str, into: str) -> None:
    if label == into:
        raise InvalidInputError("label and into are the same speaker.")


def _among(column: InstrumentedAttribute[UUID], ids: Sequence[UUID]) -> ColumnElement[bool]:
    # As one array: a long meeting has more ids than a statement can have parameters.
    return column == any_(bindparam(None, ids, type_=ARRAY(Uuid)))
