"""Translations that arrive after their transcripts, each a write of its own."""

from collections.abc import Collection, Sequence
from typing import NamedTuple
from uuid import UUID

from livetranslate_store.errors import MissingReferenceError
from livetranslate_store.ids import number_key
from livetranslate_store.values import TranslationInput, TranslationReceipt
from livetranslate_store.writing.connection import Connection
from livetranslate_store.writing.encoding import TranslationKey, WriteKey, translation_row
from livetranslate_store.writing.outcomes import WriteOutcomes
from livetranslate_store.writing.protocol import write_rows


class LateTranslation(NamedTuple):
    """A translation of a transcript that was written before."""

    session_id: UUID
    transcript_id: UUID
    translation: TranslationInput

    @property
    def row_key(self) -> TranslationKey:
        """The key of its row."""
        return self.session_id, self.transcript_id, self.translation.target_language

    @property
    def keys(self) -> Collection[WriteKey]:
        """One statement writes this key once."""
        return ((*number_key(self.session_id, self.transcript_id), self.translation.target_language),)


async def write_translations(
    items: Sequence[LateTranslation], connection: Connection
) -> list[TranslationReceipt | MissingReferenceError]:
    """Write translations, none of whose keys occurs twice; those without a transcript fail alone.

    The statement reads their transcripts: another process may have written a later revision.
    """
    rows = [translation_row(each.session_id, each.transcript_id, each.translation) for each in items]
    outcomes = await write_rows("translations", {"translations": rows}, connection)
    return [_receipt(each, outcomes) for each in items]


def _receipt(item: LateTranslation, outcomes: WriteOutcomes) -> TranslationReceipt | MissingReferenceError:
    if item.row_key not in outcomes.keys("translations"):
        return missing_transcript(item.session_id, item.transcript_id)
    return outcomes.translation(item.row_key)


def missing_transcript(session_id: UUID, transcript_id: UUID) -> MissingReferenceError:
    """Return the error of a translation whose transcript is missing."""
    return MissingReferenceError(
        f"There is no transcript {transcript_id} in session {session_id}: write the transcript first."
    )
