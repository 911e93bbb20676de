"""The forms of a write on a cluster: short transactions of plain statements, each to one shard.

Audio files come before the transcripts that refer to them, and these before their translations: here the
server checks a reference at the end of a step, and not of the write.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

from sqlalchemy import Table

from livetranslate_store.database.failures import NO_SESSION as NO_SESSION_MESSAGE
from livetranslate_store.database.statement import Run, Statement
from livetranslate_store.errors import ConflictError, MissingReferenceError
from livetranslate_store.values import Outcome
from livetranslate_store.writing.binding import RowsByTable, array_values
from livetranslate_store.writing.connection import Connection
from livetranslate_store.writing.encoding import KEYS, Row
from livetranslate_store.writing.outcomes import LOST_RACE, POSITION, row_of_statement
from livetranslate_store.writing.step_statements import (
    LOST,
    NEW,
    NEW_SPEAKER,
    NO_SESSION,
    WRITTEN_ARRAYS,
    insert_late_translations,
    insert_speakers,
    insert_statement,
    insert_written_translations,
    judge_audio_files,
    judge_late_translations,
    judge_transcripts,
    judge_written_translations,
    look_at_speakers,
)
from livetranslate_store.writing.step_statements import revise_segment as segments_revise
from livetranslate_store.writing.upserts import AUDIO_FILES, TRANSCRIPTS, TRANSLATIONS

_TABLES: Mapping[str, Table] = {each.name: each for each in (AUDIO_FILES, TRANSCRIPTS, TRANSLATIONS)}


class _Steps(NamedTuple):
    """The merge of one table in two steps: the verdict on all rows, and the insert of the missing ones."""

    table: Table
    judge: Statement
    insert: Statement


async def insert_segments(rows: RowsByTable, connection: Connection) -> int | None:
    """See `WriteForms.insert_segments`."""
    return await connection.transact(partial(_insert_segments, rows))


async def revise_segment(rows: RowsByTable, connection: Connection) -> Sequence[Any]:
    """See `WriteForms.revise_segment`."""
    statement = segments_revise(has_speaker=bool(rows["speakers"]))
    return await connection.fetch(statement.bind(array_values(rows)))


async def merge_segments(rows: RowsByTable, connection: Connection) -> Sequence[Any]:
    """See `WriteForms.merge_segments`."""
    return await connection.transact(partial(merge_all, rows))


async def insert(table: str, rows: RowsByTable, connection: Connection) -> Sequence[Any]:
    """See `WriteForms.insert`."""
    if rows.get("speakers"):
        await add_speakers(rows, connection.fetch)
    return _inserted(table, await connection.fetch(_insert_of(table).bind(array_values(rows))))


async def merge(table: str, rows: RowsByTable, connection: Connection) -> Sequence[Any]:
    """See `WriteForms.merge`."""
    steps = {"audio_files": _audio_files, "transcripts": _transcripts, "translations": _late_translations}
    return await connection.transact(partial(_merge, steps[table](rows), rows))


def _audio_files(_rows: RowsByTable) -> _Steps:
    return _Steps(AUDIO_FILES, judge_audio_files(), insert_statement(AUDIO_FILES))


def _transcripts(rows: RowsByTable) -> _Steps:
    judge = judge_transcripts(has_speakers=bool(rows.get("speakers")))
    return _Steps(TRANSCRIPTS, judge, insert_statement(TRANSCRIPTS))


def _late_translations(_rows: RowsByTable) -> _Steps:
    return _Steps(TRANSLATIONS, judge_late_translations(), insert_late_translations())


def _written_translations() -> _Steps:
    return _Steps(TRANSLATIONS, judge_written_translations(), insert_written_translations())


async def _insert_segments(rows: RowsByTable, run: Run) -> int:
    if rows["audio_files"]:
        await _insert_all(AUDIO_FILES, rows, run)
    if rows["speakers"]:
        await add_speakers(rows, run)
    position = await _insert_all(TRANSCRIPTS, rows, run)
    if rows["translations"]:
        await _insert_all(TRANSLATIONS, rows, run)
    return position


async def _insert_all(table: Table, rows: RowsByTable, run: Run) -> int:
    """Insert all rows and return the position; raises ConflictError if one is stored or has no session."""
    inserted = await run(insert_statement(table).bind(array_values(rows)))
    if len(inserted) < len(rows[table.name]):
        raise ConflictError
    position: int = inserted[0]["position"]
    return position


async def merge_all(rows: RowsByTable, run: Run) -> Sequence[Any]:
    """Merge segments in the running transaction; raises ConflictError for a lost race: roll back then."""
    outcomes: list[Any] = []
    if rows["audio_files"]:
        outcomes += await _merge(_audio_files(rows), rows, run)
    transcripts = await _merge(_transcripts(rows), rows, run)
    outcomes += transcripts
    _check_race(outcomes)
    if rows["translations"]:
        written = [
            (session_id, transcript_id, outcome, revision)
            for kind, session_id, transcript_id, _, outcome, revision in transcripts
            if kind == TRANSCRIPTS.name
        ]
        more = dict(zip(WRITTEN_ARRAYS, zip(*written, strict=True), strict=True))
        outcomes += await _merge(_written_translations(), rows, run, more)
    _check_race(outcomes)
    return outcomes


def _check_race(outcomes: Sequence[Any]) -> None:
    if any(row[0] == LOST_RACE for row in outcomes):
        raise ConflictError


async def _merge(
    steps: _Steps,
    rows: RowsByTable,
    run: Run,
    more: Mapping[str, Sequence[Any]] = {},
) -> Sequence[Any]:
    """Judge the rows of a table, and insert those that are missing."""
    table = steps.table.name
    judged: dict[str, list[Any]] = defaultdict(list)
    for row in await run(steps.judge.bind({**array_values(rows), **more})):
        judged[row[0]].append(row)
    if judged[NO_SESSION]:
        raise MissingReferenceError(NO_SESSION_MESSAGE)
    await _insert_speakers(judged[NEW_SPEAKER], rows, run)
    outcomes = judged[table] + judged[POSITION]
    is_lost = bool(judged[LOST])
    if judged[NEW]:
        key_length = len(KEYS[table])
        keys = {tuple(row)[1 : 1 + key_length] for row in judged[NEW]}
        new = [row for row in rows[table] if row[:key_length] in keys]
        inserted = await run(steps.insert.bind({**array_values({**rows, table: new}), **more}))
        is_lost |= len(inserted) < len(new)
        outcomes += _inserted(table, inserted)
    return [*outcomes, row_of_statement(LOST_RACE, 1)] if is_lost else outcomes


def _insert_of(table: str) -> Statement:
    return insert_late_translations() if table == TRANSLATIONS.name else insert_statement(_TABLES[table])


def _inserted(table: str, inserted: Sequence[Any]) -> list[Row]:
    """Return the outcomes of inserted rows: each came with its key, its revision and the position."""
    key_length = len(KEYS[table])
    outcomes: list[Row] = []
    for row in inserted:
        *key_and_revision, position = row
        session_id, row_id, *language = key_and_revision[:key_length]
        [revision] = key_and_revision[key_length:] or [None]
        outcomes.append((table, session_id, row_id, *(language or [None]), Outcome.INSERTED, revision))
    return [*outcomes, row_of_statement(POSITION, position)] if inserted else outcomes


async def add_speakers(rows: RowsByTable, run: Run) -> None:
    """Insert the missing speakers, and name the nameless ones."""
    missing = await run(look_at_speakers().bind(array_values({"speakers": rows["speakers"]})))
    await _insert_speakers(missing, rows, run)


async def _insert_speakers(missing: Sequence[Any], rows: RowsByTable, run: Run) -> None:
    if not missing:
        return
    keys = {(session_id, label) for _, session_id, _, label, _, _ in missing}
    new = [row for row in rows["speakers"] if row[:2] in keys]
    # One that a concurrent transaction has inserted is left alone: the first name in use stays.
    await run(insert_speakers().bind(array_values({"speakers": new})))
