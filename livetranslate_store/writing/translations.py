"""Translations that arrive after their transcripts: inserted, or judged where they are stored already."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, NamedTuple, TypeAlias
from uuid import UUID

from livetranslate_store.database.statement import BoundStatement
from livetranslate_store.errors import ConflictError, MissingReferenceError
from livetranslate_store.ids import translation_id_for
from livetranslate_store.values import TranslationInput, TranslationReceipt
from livetranslate_store.writing.encoding import Key, key_of, translation_row
from livetranslate_store.writing.first_statement import first_translation_statement
from livetranslate_store.writing.outcomes import WriteResults
from livetranslate_store.writing.segment_statement import ATTEMPTS, translation_statement
from livetranslate_store.writing.statement import StatementFactory, bound_write

#: Runs a statement and returns the driver's rows.
Run: TypeAlias = Callable[[BoundStatement], Awaitable[Sequence[Any]]]


class LateTranslation(NamedTuple):
    """A translation of a transcript that was written before."""

    session_id: UUID
    transcript_id: UUID
    translation_id: UUID
    translation: TranslationInput

    @property
    def key(self) -> Key:
        """The key that one statement can write once."""
        return key_of(self.session_id, self.translation_id)


def late_translation(session_id: UUID, transcript_id: UUID, translation: TranslationInput) -> LateTranslation:
    """Return the translation with the id that it has, now and on every retry."""
    translation_id = translation_id_for(transcript_id, translation.target_language)
    return LateTranslation(session_id, transcript_id, translation_id, translation)


async def write_translations(
    run: Run, items: Sequence[LateTranslation]
) -> list[TranslationReceipt | MissingReferenceError]:
    """Write translations, none of whose keys occurs twice; those without a transcript fail alone.

    What they take from their transcripts is read with them: another process may have moved these on.
    """
    results = WriteResults(await _run(run, first_translation_statement, items))
    for _ in range(ATTEMPTS):
        missing = [item for item in items if not _is_known(item, results)]
        if not missing:
            break
        results.add(await _run(run, translation_statement, missing))
        if not results.overtaken:
            break
    else:
        raise ConflictError
    return [_receipt(item, results) for item in items]


async def _run(run: Run, factory: StatementFactory, items: Sequence[LateTranslation]) -> Sequence[Any]:
    rows = {
        "translations": [
            translation_row(each.session_id, each.translation_id, each.transcript_id, each.translation)
            for each in items
        ]
    }
    return await run(bound_write(factory, rows))


def _is_known(item: LateTranslation, results: WriteResults) -> bool:
    return results.has_translation((item.session_id, item.translation_id))


def _receipt(item: LateTranslation, results: WriteResults) -> TranslationReceipt | MissingReferenceError:
    if not _is_known(item, results):
        return missing_transcript(item.session_id, item.transcript_id)
    language = item.translation.target_language
    return results.translation((item.session_id, item.translation_id), language)


def missing_transcript(session_id: UUID, transcript_id: UUID) -> MissingReferenceError:
    """Return the error of a translation whose transcript is not there."""
    return MissingReferenceError(
        f"There is no transcript {transcript_id} in session {session_id}: write the transcript first."
    )
