"""Translations: one per transcript and target language, with the revision that it was made from."""

from collections.abc import AsyncIterator, Sequence
from typing import Any, Unpack
from uuid import UUID

from sqlalchemy import ColumnElement, and_, delete, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute

from livetranslate_store.checks import checked_language, checked_languages, checked_uuid
from livetranslate_store.database.transaction import Transaction
from livetranslate_store.errors import MissingReferenceError
from livetranslate_store.models import TextVersion, Transcript, Translation
from livetranslate_store.reading.columns import TRANSCRIPTS, TRANSLATIONS
from livetranslate_store.reading.filters import Entries, Shape, checked_filters, entry_conditions
from livetranslate_store.repositories.base import Repository, existing
from livetranslate_store.repositories.segment_lookups import SegmentLookups
from livetranslate_store.size_limits import SizeLimits
from livetranslate_store.values import SegmentFilters, TranslationInput, TranslationReceipt
from livetranslate_store.writing.edits import Edit
from livetranslate_store.writing.encoding import TranslationKey
from livetranslate_store.writing.protocol import write_rows
from livetranslate_store.writing.segments import check_languages
from livetranslate_store.writing.translations import (
    LateTranslation,
    missing_transcript,
    write_translations,
)

_KEY = (Translation.session_id, Translation.transcript_id, Translation.target_language)
_VERSION_KEY = (TextVersion.session_id, TextVersion.transcript_id, TextVersion.target_language)


class TranslationRepository(Repository[Translation]):
    """Segments in their target languages."""

    model = Translation

    def __init__(self, transaction: Transaction, lookups: SegmentLookups, limits: SizeLimits) -> None:
        super().__init__(transaction)
        self._limits = limits
        self._lookups = lookups

    async def add(
        self, session_id: UUID, transcript_id: UUID, translation: TranslationInput
    ) -> TranslationReceipt:
        """Write a translation of a stored transcript; raises the errors of `add_many`."""
        [receipt] = await self.add_many(session_id, transcript_id, [translation])
        return receipt

    async def add_many(
        self, session_id: UUID, transcript_id: UUID, translations: Sequence[TranslationInput]
    ) -> list[TranslationReceipt]:
        """Write translations of a stored transcript into several languages, in one round trip.

        Raises InvalidInputError if two have the same language or one is too large, and MissingReferenceError
        if the transcript does not exist; nothing is written then, and the unit of work can continue.
        """
        self._transaction.check_usable(writing=True)
        key = (checked_uuid(session_id, "session_id"), checked_uuid(transcript_id, "transcript_id"))
        check_languages(translations)
        for each in translations:
            self._limits.check_translation(each)
        if not translations:
            return []
        if key not in await self._lookups.find([key]):
            raise missing_transcript(*key)
        late = [LateTranslation(*key, each) for each in translations]
        receipts: list[TranslationReceipt] = []
        for receipt in await write_translations(late, self._transaction):
            if isinstance(receipt, MissingReferenceError):
                # Another process deleted the transcript, which the cache still has.
                self._lookups.deleted(key)
                raise receipt
            receipts.append(receipt)
        return receipts

    async def edit(
        self,
        session_id: UUID,
        transcript_id: UUID,
        target_language: str,
        *,
        text: str,
        edited_by: str,
        expected_revision: int | None = None,
        expected_text: str | None = None,
    ) -> TranslationReceipt:
        """Correct a translation by hand: no machine replaces it.

        It is a translation of the transcript's current revision then. The text that it replaces is kept, see
        `store.text_history`. The same text again changes nothing else. Raises NotFoundError,
        InvalidInputError, and ConflictError if the stored text was not made from `expected_revision` of the
        transcript, or is not `expected_text`.
        """
        edit = Edit(text, edited_by, expected_revision, expected_text)
        edit.check()
        self._limits.check_text(text)
        self._transaction.check_usable(writing=True)
        key = _checked_key(session_id, transcript_id, target_language)
        statement = (
            select(Translation, Transcript.revision, func.statement_timestamp())
            .join(Translation.transcript)
            .where(*_has(_KEY, key), Transcript.session_id == session_id)
            .with_for_update(of=Translation)
        )
        # Rows are typed otherwise in SQLAlchemy 2.0 than in 2.1.
        found: Sequence[Any] = (await self._transaction.execute(statement)).all()
        stored, revision, now = existing(found, _named(key))
        rows = {"translations": [edit.row(stored, now, transcript_revision=revision)]}
        outcomes = await write_rows("translations", rows, self._transaction, probably_new=False)
        return outcomes.translation(key)

    async def delete(self, session_id: UUID, transcript_id: UUID, target_language: str) -> None:
        """Delete a translation with its earlier versions; raises NotFoundError."""
        key = _checked_key(session_id, transcript_id, target_language)
        self._transaction.check_usable(writing=True)
        deleted = await self._transaction.delete(
            delete(Translation).where(*_has(_KEY, key)).returning(Translation.target_language)
        )
        existing(deleted.scalars().all(), _named(key))
        await self._transaction.delete(delete(TextVersion).where(*_has(_VERSION_KEY, key)))

    async def get(self, session_id: UUID, transcript_id: UUID, target_language: str) -> Translation:
        """Return the transcript's translation into that language; raises NotFoundError."""
        key = _checked_key(session_id, transcript_id, target_language)
        return await self._one(*_has(_KEY, key), what=_named(key))

    def stream_for_session(self, session_id: UUID) -> AsyncIterator[Translation]:
        """Yield a session's translations by transcript and target language, in bounded memory."""
        mine = Translation.session_id == checked_uuid(session_id, "session_id")
        return self.stream(self.statement().where(mine).order_by(*_KEY))

    async def list_for_transcript(self, session_id: UUID, transcript_id: UUID) -> list[Translation]:
        """Return a transcript's translations by target language."""
        checked_uuid(session_id, "session_id")
        checked_uuid(transcript_id, "transcript_id")
        return await self._list(
            Translation.session_id == session_id,
            Translation.transcript_id == transcript_id,
            order=_KEY,
        )

    async def list_for_session(
        self,
        session_id: UUID,
        *,
        target_languages: Sequence[str] | None = None,
        **filters: Unpack[SegmentFilters],
    ) -> list[Translation]:
        """Return a session's translations by transcript and target language, or those in these languages.

        The filters are those of `store.timeline`: `speakers` and `finals_only` are of the transcript, and a
        translation without times lies where its transcript does. Raises InvalidInputError.
        """
        checked = checked_filters(SegmentFilters.__optional_keys__, filters)
        statement = self.statement().where(Translation.session_id == checked_uuid(session_id, "session_id"))
        if target_languages is not None:
            languages = checked_languages(target_languages, "target_languages")
            statement = statement.where(Translation.target_language.in_(languages))
        if checked.shape.given:
            statement = (
                statement.join(Translation.transcript)
                .outerjoin(Transcript.speaker)
                .where(Transcript.session_id == session_id, _kept(checked.shape))
                .params(checked.values)
            )
        return await self.get_many(statement.order_by(*_KEY))


def _kept(shape: Shape) -> ColumnElement[bool]:
    """Return whether the filters keep a translation, by its own times or by those of its transcript."""
    own, inherited = (
        and_(*entry_conditions(shape, Entries(times, TRANSLATIONS.c.target_language)))
        for times in (TRANSLATIONS, TRANSCRIPTS)
    )
    has_times = Translation.timestamp.is_not(None)
    return or_(and_(has_times, own), and_(~has_times, inherited))


def _checked_key(session_id: UUID, transcript_id: UUID, target_language: str) -> TranslationKey:
    checked_uuid(session_id, "session_id")
    checked_uuid(transcript_id, "transcript_id")
    return session_id, transcript_id, checked_language(target_language, "target_language")


def _has(columns: Sequence[InstrumentedAttribute[Any]], key: TranslationKey) -> Sequence[ColumnElement[bool]]:
    return [column == value for column, value in zip(columns, key, strict=True)]


def _named(key: TranslationKey) -> str:
    session_id, transcript_id, language = key
    return f"translation of transcript {transcript_id} into {language} in session {session_id}"
