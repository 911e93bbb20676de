"""The forms of a write on a cluster: short transactions of plain statements, each to one shard.

Rows of a table are revised, inserted, and judged only if both have left them. Audio files come before the
transcripts that refer to them, and these before their translations: the server checks a reference at the end
of a step, and not of the write.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import Table

from livetranslate_store.database.statement import Run
from livetranslate_store.errors import ConflictError
from livetranslate_store.values import Outcome
from livetranslate_store.writing.binding import RowsByTable, array_values, bound
from livetranslate_store.writing.connection import Connection, RunningTransaction
from livetranslate_store.writing.encoding import (
    COLUMNS,
    KEYS,
    TRANSCRIPT_COLUMNS,
    TRANSLATION_COLUMNS,
    Row,
    RowKey,
)
from livetranslate_store.writing.outcomes import LOST_RACE, POSITION, row_of_statement
from livetranslate_store.writing.segments import Segment
from livetranslate_store.writing.step_statements import (
    LARGEST_INSERT,
    LOST,
    WRITTEN_ARRAYS,
    bound_insert,
    bound_look,
    insert_late_translations,
    insert_speakers,
    insert_written_translations,
    judge_audio_files,
    judge_late_translations,
    judge_transcripts,
    judge_written_translations,
    look_at_speakers,
    revise_late_translations,
    revise_transcripts,
    revise_written_translations,
)
from livetranslate_store.writing.upserts import AUDIO_FILES, TRANSCRIPTS, TRANSLATIONS

_TABLES: Mapping[str, Table] = {each.name: each for each in (AUDIO_FILES, TRANSCRIPTS, TRANSLATIONS)}
_LANGUAGE = TRANSCRIPT_COLUMNS.index("language")
_SOURCE_LANGUAGE = TRANSLATION_COLUMNS.index("source_language")
_TRANSCRIPT_REVISION = TRANSLATION_COLUMNS.index("transcript_revision")


def may_revise(segments: Sequence[Segment]) -> bool:
    """See `WriteForms.may_revise`: one update revises any number of them."""
    return all(each.is_transcript_alone for each in segments)


async def insert_segments(rows: RowsByTable, connection: Connection) -> int | None:
    """See `WriteForms.insert_segments`."""
    return await connection.transact(partial(_insert_segments, rows))


async def revise_segments(rows: RowsByTable, connection: Connection) -> Sequence[Any]:
    """See `WriteForms.revise_segments`."""
    mine = {table: rows[table] for table in ("transcripts", "speakers") if rows[table]}
    return await connection.fetch(bound(revise_transcripts, mine))


async def merge_segments(rows: RowsByTable, connection: Connection) -> Sequence[Any]:
    """See `WriteForms.merge_segments`."""
    return await connection.transact(lambda transaction: merge_all(rows, transaction.fetch))


async def insert(table: str, rows: RowsByTable, connection: Connection) -> Sequence[Any]:
    """See `WriteForms.insert`."""
    progress = _Progress(_TABLES[table], rows)
    if table == TRANSLATIONS.name:
        inserted = await connection.fetch(insert_late_translations().bind(progress.values()))
        progress.wrote(inserted, Outcome.INSERTED)
    else:
        if rows.get("speakers"):
            await add_speakers(rows, connection.fetch)
        await _insert_waiting(progress, connection.fetch)
    return progress.outcomes


async def merge(table: str, rows: RowsByTable, connection: Connection) -> Sequence[Any]:
    """See `WriteForms.merge`."""
    steps = {"audio_files": _audio_files, "transcripts": _transcripts, "translations": _late_translations}
    progress = await connection.transact(lambda transaction: steps[table](rows, transaction.fetch))
    return progress.outcomes


async def merge_all(rows: RowsByTable, run: Run) -> Sequence[Any]:
    """Merge segments in the running transaction; raises ConflictError for a lost race: roll back then."""
    audio_files = await _audio_files(rows, run)
    transcripts = await _transcripts(rows, run)
    if audio_files.is_lost or transcripts.is_lost:
        raise ConflictError
    translations = await _written_translations(rows, transcripts, run)
    if translations.is_lost:
        raise ConflictError
    return [*audio_files.outcomes, *transcripts.outcomes, *translations.outcomes]


async def add_speakers(rows: RowsByTable, run: Run) -> None:
    """Insert the missing speakers, and name the nameless ones."""
    missing = await run(look_at_speakers().bind(array_values({"speakers": rows["speakers"]})))
    if missing:
        keys = {tuple(row) for row in missing}
        new = [row for row in rows["speakers"] if row[:2] in keys]
        # One that a concurrent transaction has inserted is left alone: the first name in use stays.
        await run(insert_speakers().bind(array_values({"speakers": new})))


class _Progress:
    """The rows of one table that still wait for an outcome, and the outcomes so far."""

    def __init__(self, table: Table, rows: RowsByTable) -> None:
        self.table = table
        self._key_length = len(KEYS[table.name])
        self.waiting: dict[RowKey, Row] = {row[: self._key_length]: row for row in rows[table.name]}
        #: As one chained statement would return them.
        self.outcomes: list[Row] = []

    @property
    def is_lost(self) -> bool:
        """Whether another transaction came in between."""
        return any(row[0] == LOST_RACE for row in self.outcomes)

    def values(self) -> dict[str, Any]:
        """Return the arrays of the waiting rows."""
        return array_values({self.table.name: [*self.waiting.values()]})

    def wrote(self, written: Sequence[Any], outcome: Outcome) -> None:
        """Note rows that a step has written: key, revision if there is one, and position."""
        for row in written:
            key, (*revision, position) = tuple(row[: self._key_length]), row[self._key_length :]
            if position is not None:
                self.outcomes.append(row_of_statement(POSITION, position))
            session_id, row_id, *language = key
            self.outcomes.append(
                (self.table.name, session_id, row_id, *(language or [None]), outcome, *(revision or [None]))
            )
            del self.waiting[key]

    def judged(self, rows: Sequence[Any]) -> None:
        """Note the verdict on the waiting rows; one without a verdict stays without an outcome."""
        for row in rows:
            if row[0] == LOST:
                self.outcomes.append(row_of_statement(LOST_RACE, 1))
            else:
                self.outcomes.append(tuple(row))


async def _insert_segments(rows: RowsByTable, transaction: RunningTransaction) -> int | None:
    """Insert segments unless one is stored.

    A COPY costs all servers together half of an INSERT, which Citus plans and sends as text each time; but it
    fails if a row is stored. The look that comes before is a round trip, which a lone segment does without.
    """
    if len(rows[TRANSCRIPTS.name]) == 1:
        return await _insert_one(rows, transaction.fetch)
    keys = {table: rows[table] for table in (AUDIO_FILES.name, TRANSCRIPTS.name) if rows[table]}
    [stored] = await transaction.fetch(bound_look(keys))
    if stored["found"]:
        return None
    await _copy(AUDIO_FILES, rows, transaction)
    if rows["speakers"]:
        await add_speakers(rows, transaction.fetch)
    await _copy(TRANSCRIPTS, rows, transaction)
    await _copy(TRANSLATIONS, rows, transaction)
    position: int = stored["position"]
    return position


async def _copy(table: Table, rows: RowsByTable, transaction: RunningTransaction) -> None:
    """Copy new rows; raises DuplicateError if a concurrent transaction has stored one."""
    if new := rows[table.name]:
        await transaction.copy(f"{table.name}.copy", table.name, COLUMNS[table.name], new)


async def _insert_one(rows: RowsByTable, run: Run) -> int:
    await _insert_all(AUDIO_FILES, rows, run)
    if rows["speakers"]:
        await add_speakers(rows, run)
    transcripts = await _insert_all(TRANSCRIPTS, rows, run)
    await _insert_all(TRANSLATIONS, rows, run)
    position: int = next(row[-1] for row in transcripts.outcomes if row[0] == POSITION)
    return position


async def _insert_all(table: Table, rows: RowsByTable, run: Run) -> _Progress:
    """Insert all rows; raises ConflictError if one is stored."""
    progress = _Progress(table, rows)
    await _insert_waiting(progress, run)
    if progress.waiting:
        raise ConflictError
    return progress


async def _insert_waiting(progress: _Progress, run: Run) -> None:
    await _insert_rows(progress, [*progress.waiting.values()], run)


async def _insert_rows(progress: _Progress, rows: Sequence[Row], run: Run) -> None:
    for start in range(0, len(rows), LARGEST_INSERT):
        written = await run(bound_insert(progress.table, rows[start : start + LARGEST_INSERT]))
        progress.wrote(written, Outcome.INSERTED)


async def _audio_files(rows: RowsByTable, run: Run) -> _Progress:
    progress = _Progress(AUDIO_FILES, rows)
    await _insert_waiting(progress, run)
    if progress.waiting:
        progress.judged(await run(judge_audio_files().bind(progress.values())))
    return progress


async def _transcripts(rows: RowsByTable, run: Run) -> _Progress:
    progress = _Progress(TRANSCRIPTS, rows)
    if rows.get("speakers"):
        await add_speakers(rows, run)
    revised = await run(bound(revise_transcripts, {TRANSCRIPTS.name: rows[TRANSCRIPTS.name]}))
    progress.wrote(revised, Outcome.UPDATED)
    await _insert_waiting(progress, run)
    if progress.waiting:
        progress.judged(await run(judge_transcripts().bind(progress.values())))
    return progress


async def _late_translations(rows: RowsByTable, run: Run) -> _Progress:
    progress = _Progress(TRANSLATIONS, rows)
    progress.wrote(await run(revise_late_translations().bind(progress.values())), Outcome.UPDATED)
    if progress.waiting:
        progress.wrote(await run(insert_late_translations().bind(progress.values())), Outcome.INSERTED)
    if progress.waiting:
        progress.judged(await run(judge_late_translations().bind(progress.values())))
    return progress


async def _written_translations(rows: RowsByTable, transcripts: _Progress, run: Run) -> _Progress:
    """Merge translations of transcripts that were merged in the same transaction."""
    progress = _Progress(TRANSLATIONS, rows)
    if not progress.waiting:
        return progress
    written = [
        (session_id, transcript_id, outcome, revision)
        for kind, session_id, transcript_id, _, outcome, revision in transcripts.outcomes
        if kind == TRANSCRIPTS.name
    ]
    # Most of them are new, and of a transcript that was accepted.
    await _insert_rows(progress, _completed(rows, written), run)
    if progress.waiting:
        arrays = dict(zip(WRITTEN_ARRAYS, zip(*written, strict=True), strict=True))
        more = {**array_values({"transcripts": rows["transcripts"]}), **arrays}
        revised = await run(revise_written_translations().bind({**more, **progress.values()}))
        progress.wrote(revised, Outcome.UPDATED)
        if progress.waiting:
            inserted = await run(insert_written_translations().bind({**more, **progress.values()}))
            progress.wrote(inserted, Outcome.INSERTED)
        if progress.waiting:
            progress.judged(await run(judge_written_translations().bind({**more, **progress.values()})))
    return progress


def _completed(rows: RowsByTable, written: Iterable[tuple[UUID, UUID, str, int]]) -> list[Row]:
    """Return the translations of accepted transcripts with the language and the revision of these."""
    revisions = {tuple(key): revision for *key, outcome, revision in written if outcome != Outcome.STALE}
    languages = {row[:2]: row[_LANGUAGE] for row in rows["transcripts"]}
    completed = []
    for row in rows["translations"]:
        if (revision := revisions.get(row[:2])) is not None:
            filled = list(row)
            if filled[_SOURCE_LANGUAGE] is None:
                filled[_SOURCE_LANGUAGE] = languages[row[:2]]
            if filled[_TRANSCRIPT_REVISION] is None:
                filled[_TRANSCRIPT_REVISION] = revision
            completed.append(tuple(filled))
    return completed
