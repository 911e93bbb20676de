"""The write of translations that arrive after their transcripts, in groups."""

from collections.abc import Collection, Sequence
from typing import NamedTuple
from uuid import UUID

from asyncpg import Record
from sqlalchemy.pool import PoolProxiedConnection

from livetranslate_store.database.engine import Database
from livetranslate_store.errors import ConflictError, MissingReferenceError, StoreError
from livetranslate_store.ids import translation_id_for
from livetranslate_store.values import TranslationInput, TranslationReceipt
from livetranslate_store.writing.first_statement import first_translation_statement
from livetranslate_store.writing.given import source_of
from livetranslate_store.writing.group_commit import GroupCommit
from livetranslate_store.writing.results import WriteResults
from livetranslate_store.writing.rows import Key, key_of, translation_row
from livetranslate_store.writing.segment_statement import ATTEMPTS, translation_statement
from livetranslate_store.writing.statement import StatementKind


class LateTranslation(NamedTuple):
    """A translation of a transcript that was written before."""

    session_id: UUID
    transcript_id: UUID
    translation_id: UUID
    translation: TranslationInput

    @property
    def key(self) -> tuple[UUID, UUID]:
        """The key of its row."""
        return self.session_id, self.translation_id


class TranslationWriter:
    """Writes translations, each by itself, in groups as large as the load makes them."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._groups: GroupCommit[LateTranslation, TranslationReceipt] = GroupCommit(database, self)

    async def write(
        self, session_id: UUID, transcript_id: UUID, translation: TranslationInput
    ) -> TranslationReceipt:
        """Write a translation; raises MissingReferenceError where its transcript is not there."""
        translation_id = translation_id_for(transcript_id, translation.target_language)
        late = LateTranslation(session_id, transcript_id, translation_id, translation)
        return await self._groups.write(late)

    async def close(self) -> None:
        """Write what was accepted."""
        await self._groups.close()

    def keys(self, item: LateTranslation) -> Collection[Key]:
        """Return the keys that one statement can write once."""
        return (key_of(*item.key),)

    async def write_group(
        self, items: Sequence[LateTranslation], lease: PoolProxiedConnection
    ) -> Sequence[TranslationReceipt | StoreError]:
        """Insert the translations, and let the rules judge those that are stored already."""
        results = WriteResults(await self._run(first_translation_statement, items, lease))
        await self._judge_missing(items, results)
        return [
            results.translation(item.key, item.translation.target_language)
            if results.has_translation(item.key)
            else missing_transcript(item.session_id, item.transcript_id)
            for item in items
        ]

    async def give_up(self, item: LateTranslation, error: StoreError | None) -> None:
        """Do nothing: a translation leaves nothing behind."""

    async def _judge_missing(self, items: Sequence[LateTranslation], results: WriteResults) -> None:
        """Add the results of those items that have none, but for those without a transcript."""
        for _ in range(ATTEMPTS):
            missing = [item for item in items if not results.has_translation(item.key)]
            if not missing:
                return
            lease = await self._database.lease()
            results.add(await self._run(translation_statement, missing, lease))
            if not results.overtaken:
                return
        raise ConflictError

    async def _run(
        self, kind: StatementKind, items: Sequence[LateTranslation], lease: PoolProxiedConnection
    ) -> Sequence[Record]:
        rows = {
            "translations": [
                translation_row(each.session_id, each.translation_id, each.transcript_id, each.translation)
                for each in items
            ]
        }
        statement = kind(source_of(rows))
        arguments = statement.arguments(rows)
        return await self._database.fetch_on(lease, statement.text, arguments, writes=True)


def missing_transcript(session_id: UUID, transcript_id: UUID) -> MissingReferenceError:
    """Return the error of a translation whose transcript is not there."""
    return MissingReferenceError(
        f"There is no transcript {transcript_id} in session {session_id}: write the transcript first."
    )
