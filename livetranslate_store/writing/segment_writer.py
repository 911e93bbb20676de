"""Whole segments in one step: the object first, then one statement, then what follows from its outcome."""

from collections.abc import Sequence
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from livetranslate_store.audio.storage import AudioStorage, StagedAudio
from livetranslate_store.checks import checked_uuid
from livetranslate_store.database.engine import Database
from livetranslate_store.errors import ConflictError, InvalidInputError, OutcomeUnknownError, StoreError
from livetranslate_store.ids import translation_id_for
from livetranslate_store.segment_cache import SegmentCache
from livetranslate_store.tasks import run_to_end
from livetranslate_store.values import (
    AudioInput,
    Outcome,
    SegmentLookup,
    SegmentReceipt,
    TranscriptInput,
    TranslationInput,
)
from livetranslate_store.writing.results import WriteResults
from livetranslate_store.writing.rows import (
    audio_row,
    speaker_rows,
    transcript_id_of,
    transcript_row,
    translation_row,
)
from livetranslate_store.writing.segment_statement import WriteStatement, segment_statement

# A concurrent write of the same segment comes in between once, hardly ever twice.
ATTEMPTS = 5


class Segment(NamedTuple):
    """A segment on its way in."""

    session_id: UUID
    transcript_id: UUID
    transcript: TranscriptInput
    translations: Sequence[TranslationInput]
    audio: StagedAudio | None


class SegmentWriter:
    """Writes segments, each all or nothing."""

    def __init__(self, database: Database, storage: AudioStorage, cache: SegmentCache) -> None:
        self._database = database
        self._storage = storage
        self._cache = cache

    async def write(
        self,
        session_id: UUID,
        transcript: TranscriptInput,
        translations: Sequence[TranslationInput],
        audio: AudioInput | None,
    ) -> SegmentReceipt:
        """Write a segment in one statement, which is a transaction of its own.

        Once the statement is on its way, a cancellation waits for its outcome and what follows from it.
        """
        checked_segment(session_id, transcript, translations, audio)
        staged = None if audio is None else await self._storage.stage(session_id, audio)
        transcript_id = transcript_id_of(session_id, transcript)
        segment = Segment(session_id, transcript_id, transcript, translations, staged)
        try:
            if staged is not None:
                await self._storage.put(staged)
            connection = await self._database.connect(one_statement=True)
        except BaseException:
            await run_to_end(self._discard_object(segment))
            raise
        return await run_to_end(self._write(connection, segment))

    async def _write(self, connection: AsyncConnection, segment: Segment) -> SegmentReceipt:
        try:
            results = await self._execute(connection, segment)
        except OutcomeUnknownError:
            # A row may refer to the object; if none does, the sweep finds it.
            self._cache.drop((segment.session_id, segment.transcript_id))
            raise
        except StoreError:
            await self._discard_object(segment)
            raise
        receipt = _receipt(segment, results)
        if receipt.outcome is not Outcome.STALE:
            language = segment.transcript.language
            lookup = SegmentLookup(segment.session_id, segment.transcript_id, language, receipt.revision)
            self._cache.publish([lookup])
        if receipt.audio is not None and receipt.audio.outcome is Outcome.UNCHANGED:
            await self._discard_object(segment)
        return receipt

    async def _execute(self, connection: AsyncConnection, segment: Segment) -> WriteResults:
        statement = segment_statement()
        arguments = _arguments(statement, segment)
        attempts = ATTEMPTS
        while True:
            attempts -= 1
            try:
                return WriteResults(
                    await self._database.fetch_on(connection, statement.text, arguments, writes=True)
                )
            except ConflictError:
                # The server has undone it all; what it met then is stored now.
                if not attempts:
                    raise
            connection = await self._database.connect(one_statement=True)

    async def _discard_object(self, segment: Segment) -> None:
        if segment.audio is not None:
            await self._storage.discard(segment.audio.storage_key)


def checked_segment(
    session_id: UUID,
    transcript: TranscriptInput,
    translations: Sequence[TranslationInput],
    audio: AudioInput | None,
) -> None:
    """Refuse what does not make one segment; raises InvalidInputError."""
    checked_uuid(session_id, "session_id")
    languages = [translation.target_language for translation in translations]
    if len(set(languages)) < len(languages):
        raise InvalidInputError("A segment has one translation for each target_language.")
    if audio is not None and transcript.audio_file_id is not None:
        raise InvalidInputError("Give audio, or the audio_file_id of one stored before, not both.")


def _arguments(statement: WriteStatement, segment: Segment) -> tuple[Sequence[Any], ...]:
    session_id, transcript_id, transcript, translations, audio = segment
    audio_file_id = None if audio is None else audio.audio_file_id
    return statement.arguments(
        audio_files=[] if audio is None else [audio_row(session_id, audio)],
        speakers=speaker_rows([(session_id, transcript)]),
        transcripts=[transcript_row(session_id, transcript_id, audio_file_id, transcript)],
        translations=[translation_row(session_id, transcript_id, each) for each in translations],
    )


def _receipt(segment: Segment, results: WriteResults) -> SegmentReceipt:
    session_id, transcript_id, _, translations, audio = segment
    return SegmentReceipt(
        results.transcript((session_id, transcript_id)),
        tuple(
            results.translation(
                (session_id, translation_id_for(transcript_id, each.target_language)),
                each.target_language,
            )
            for each in translations
        ),
        None if audio is None else results.audio_file((session_id, audio.audio_file_id)),
    )
