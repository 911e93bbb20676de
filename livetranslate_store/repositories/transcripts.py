"""Transcripts: every write is a revision, and the receipt gives its outcome."""

from collections.abc import AsyncIterator, Sequence
from typing import Any, Unpack
from uuid import UUID

from sqlalchemy import ColumnElement, delete, func, select

from livetranslate_store.checks import checked_uuid
from livetranslate_store.database.transaction import Transaction
from livetranslate_store.models import Transcript
from livetranslate_store.reading.columns import TRANSCRIPTS
from livetranslate_store.reading.filters import Entries, checked_filters, entry_conditions
from livetranslate_store.repositories.base import Repository, existing
from livetranslate_store.repositories.segment_lookups import SegmentLookups
from livetranslate_store.size_limits import SizeLimits
from livetranslate_store.values import (
    Outcome,
    SegmentFilters,
    SegmentLookup,
    TranscriptInput,
    TranscriptReceipt,
)
from livetranslate_store.writing.binding import RowsByTable
from livetranslate_store.writing.edits import Edit
from livetranslate_store.writing.encoding import speaker_rows, transcript_id_of, transcript_row
from livetranslate_store.writing.protocol import write_rows


class TranscriptRepository(Repository[Transcript]):
    """Transcribed segments of speech."""

    model = Transcript

    def __init__(self, transaction: Transaction, lookups: SegmentLookups, limits: SizeLimits) -> None:
        super().__init__(transaction)
        self._limits = limits
        self._lookups = lookups

    async def add(self, session_id: UUID, transcript: TranscriptInput) -> TranscriptReceipt:
        """Write one revision of a segment, and its speaker.

        Raises InvalidInputError if it is too large, MissingReferenceError if the session or the audio file
        does not exist.
        """
        checked_uuid(session_id, "session_id")
        self._limits.check_transcript(transcript)
        await self._transaction.check_session(session_id)
        transcript_id = transcript_id_of(session_id, transcript)
        rows = {
            "speakers": speaker_rows([(session_id, transcript)]),
            "transcripts": [transcript_row(session_id, transcript_id, None, transcript)],
        }
        probably_new = not self._lookups.knows((session_id, transcript_id))
        outcomes = await write_rows("transcripts", rows, self._transaction, probably_new=probably_new)
        receipt = outcomes.transcript((session_id, transcript_id))
        if receipt.outcome is not Outcome.STALE:
            self._lookups.wrote(
                SegmentLookup(session_id, transcript_id, transcript.language, receipt.revision)
            )
        return receipt

    async def edit(
        self,
        session_id: UUID,
        transcript_id: UUID,
        *,
        text: str,
        edited_by: str,
        expected_revision: int | None = None,
        expected_text: str | None = None,
    ) -> TranscriptReceipt:
        """Correct the text of a transcript by hand: the text is final then, and no machine replaces it.

        The edit counts the revision up, so that translations become stale; the text that it replaces is kept,
        see `store.text_history`. `words` stay those of the transcriber. The same text again changes nothing.
        Editing back to an earlier text is an edit too. Raises NotFoundError, InvalidInputError, and
        ConflictError if the stored text is not the one of `expected_revision`, or not `expected_text`.
        """
        edit = Edit(text, edited_by, expected_revision, expected_text)
        edit.check()
        self._limits.check_text(text)
        self._transaction.check_usable(writing=True)
        checked_uuid(session_id, "session_id")
        checked_uuid(transcript_id, "transcript_id")
        statement = select(Transcript, func.statement_timestamp()).where(*_key(session_id, transcript_id))
        # Rows are typed otherwise in SQLAlchemy 2.0 than in 2.1.
        found: Sequence[Any] = (await self._transaction.execute(statement.with_for_update())).all()
        stored, now = existing(found, _named(session_id, transcript_id))
        row = edit.row(stored, now, draft=None, is_final=True)
        rows: RowsByTable = {"speakers": [], "transcripts": [row]}
        outcomes = await write_rows("transcripts", rows, self._transaction, probably_new=False)
        receipt = outcomes.transcript((session_id, transcript_id))
        self._lookups.wrote(SegmentLookup(session_id, transcript_id, stored.language, receipt.revision))
        return receipt

    async def get(self, session_id: UUID, transcript_id: UUID) -> Transcript:
        """Return the transcript; raises NotFoundError."""
        checked_uuid(session_id, "session_id")
        checked_uuid(transcript_id, "transcript_id")
        return await self._one(*_key(session_id, transcript_id), what=_named(session_id, transcript_id))

    async def list_for_session(self, session_id: UUID, **filters: Unpack[SegmentFilters]) -> list[Transcript]:
        """Return a session's transcripts in the order of the timeline.

        The filters are those of `store.timeline`. Raises InvalidInputError.
        """
        shape, values = checked_filters(SegmentFilters.__optional_keys__, filters)
        statement = self.statement().where(Transcript.session_id == checked_uuid(session_id, "session_id"))
        if "speakers" in shape.given:
            statement = statement.outerjoin(Transcript.speaker)
        kept = entry_conditions(shape, Entries(TRANSCRIPTS, TRANSCRIPTS.c.language))
        order = (Transcript.timestamp, Transcript.segment_index, Transcript.id)
        return await self.get_many(statement.where(*kept).order_by(*order).params(values))

    def stream_for_session(self, session_id: UUID) -> AsyncIterator[Transcript]:
        """Yield a session's transcripts in the order of their ids, in bounded memory."""
        mine = Transcript.session_id == checked_uuid(session_id, "session_id")
        return self.stream(self.statement().where(mine).order_by(Transcript.session_id, Transcript.id))

    async def delete(self, session_id: UUID, transcript_id: UUID) -> None:
        """Delete a transcript with its translations; raises NotFoundError."""
        await self.get(session_id, transcript_id)
        self._transaction.check_usable(writing=True)
        await self._transaction.delete(delete(Transcript).where(*_key(session_id, transcript_id)))
        self._lookups.deleted((session_id, transcript_id))


def _named(session_id: UUID, transcript_id: UUID) -> str:
    return f"transcript {transcript_id} in session {session_id}"


def _key(session_id: UUID, transcript_id: UUID) -> tuple[ColumnElement[bool], ...]:
    return Transcript.session_id == session_id, Transcript.id == transcript_id
