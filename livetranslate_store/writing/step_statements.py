"""The statements of a write on a cluster, each for rows whose sessions lie in one shard.

Citus sends a statement through to the node of that shard as it is, if it finds the sessions in a condition
on every distributed table. It never sends an INSERT inside WITH: so a merge is an update that judges all
rows, and an insert of those that it finds missing. An insert selects from the sessions, because it takes its
shard from a table: rows without a session are left out.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import (
    ARRAY,
    CTE,
    BigInteger,
    ColumnElement,
    Select,
    SelectBase,
    Table,
    Text,
    Uuid,
    and_,
    any_,
    bindparam,
    column,
    func,
    literal_column,
    select,
    union_all,
    update,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.sql.dml import ReturningInsert
from sqlalchemy.types import TypeEngine

from livetranslate_store.database.statement import Statement
from livetranslate_store.models import SCHEMA, Session
from livetranslate_store.models.base import table_of
from livetranslate_store.values import Outcome
from livetranslate_store.writing.binding import ARRAYS, input_rows
from livetranslate_store.writing.encoding import COLUMNS, KEYS, SPEAKER_COLUMNS
from livetranslate_store.writing.outcomes import (
    REVISION_COLUMNS,
    constant,
    outcome_rows,
    position_row,
    row_of_key,
)
from livetranslate_store.writing.revision_rules import TranscriptRule, TranslationRule
from livetranslate_store.writing.statements import (
    any_stored,
    completed,
    completed_by_written,
    speaker_is_known,
)
from livetranslate_store.writing.upserts import (
    AUDIO_FILES,
    SPEAKERS,
    TRANSCRIPTS,
    TRANSLATIONS,
    Judgement,
    identification_method,
    judged_audio_files,
    judgement,
    revision_of,
)

SESSIONS = table_of(Session)

#: The kinds of rows that a judging statement returns besides outcomes: a key that is missing, a label without
#: a speaker, a session that does not exist, a key that a concurrent transaction wrote.
NEW, NEW_SPEAKER, NO_SESSION, LOST = "new", "new_speaker", "no_session", "lost"

# What became of the transcripts that translations came with: one array for each.
_WRITTEN: Mapping[str, TypeEngine[Any]] = {
    "session_id": Uuid(),
    "id": Uuid(),
    "outcome": Text(),
    "revision": BigInteger(),
}
WRITTEN_ARRAYS = tuple(f"written_{name}" for name in _WRITTEN)


@cache
def insert_statement(table: Table) -> Statement:
    """Return the insert of rows that are missing; it returns the key, the revision and the position."""
    return Statement.compiled(f"{table.name}.insert", _insert(table, ARRAYS.rows(table, COLUMNS[table.name])))


@cache
def is_any_stored(table: Table) -> Statement:
    """Return the read of whether any of these rows is stored, by its key."""
    return Statement.compiled("import.look_up", select(any_stored(ARRAYS, table, _here(table, table.name))))


@cache
def insert_speakers() -> Statement:
    """Return the insert of speakers that are missing; it returns their keys."""
    rows = ARRAYS.rows(SPEAKERS, SPEAKER_COLUMNS).subquery("new")
    columns = [*SPEAKER_COLUMNS, "identification_method"]
    values = select(*rows.c, identification_method(rows.c.name).label("identification_method"))
    return Statement.compiled("speakers.insert", _insert(SPEAKERS, values, columns))


@cache
def look_at_speakers() -> Statement:
    """Return the naming of nameless speakers; it returns the labels without a speaker."""
    rows = input_rows(ARRAYS, SPEAKERS)
    return Statement.compiled("speakers.look", _missing_speakers(rows).add_cte(_named_speakers(rows)))


@cache
def insert_late_translations() -> Statement:
    """Return the insert of translations of stored transcripts; the others are left out."""
    return Statement.compiled("translations.insert", _insert(TRANSLATIONS, _completed_by_stored()))


@cache
def insert_written_translations() -> Statement:
    """Return the insert of translations of transcripts that this transaction has written."""
    return Statement.compiled(
        "translations.insert", _insert(TRANSLATIONS, select(*_completed_by_written().c))
    )


@cache
def revise_segment(*, has_speaker: bool) -> Statement:
    """Return the revision of a stored segment that brings its transcript alone."""
    rows = ARRAYS.rows(TRANSCRIPTS, COLUMNS["transcripts"]).subquery("revision")
    query = revision_of(TRANSCRIPTS, rows, TranscriptRule(), _here(TRANSCRIPTS, "transcripts"))
    if has_speaker:
        speaker = ARRAYS.rows(SPEAKERS, SPEAKER_COLUMNS).subquery("speaker")
        query = query.where(speaker_is_known(speaker, _here(SPEAKERS, "speakers")))
    returned = query.returning(TRANSCRIPTS.c.revision, _position(TRANSCRIPTS).label("position"))
    return Statement.compiled("segments.revise", returned)


@cache
def judge_transcripts(*, has_speakers: bool) -> Statement:
    """Return the revision of transcripts, the naming of their speakers, and the verdict on all rows."""
    here = _here(TRANSCRIPTS, "transcripts")
    rows = input_rows(ARRAYS, TRANSCRIPTS)
    judged = judgement(rows, TRANSCRIPTS, TranscriptRule(), revision_column="revision", here=here)
    parts = [*_verdicts(judged, TRANSCRIPTS), _without_session(rows)]
    if not has_speakers:
        return Statement.compiled("transcripts.judge", union_all(*parts, position_row()))
    speakers = input_rows(ARRAYS, SPEAKERS)
    query = union_all(*parts, _missing_speakers(speakers), position_row())
    return Statement.compiled("transcripts.judge", query.add_cte(_named_speakers(speakers)))


@cache
def judge_audio_files() -> Statement:
    """Return the verdict on audio files; a stored one never changes."""
    rows = input_rows(ARRAYS, AUDIO_FILES)
    judged, is_missing, found = judged_audio_files(rows, _here(AUDIO_FILES, "audio_files"))
    key = (judged.c.session_id, judged.c.id)
    stored = select(*key, found.label("outcome")).where(~is_missing).subquery("stored")
    new = row_of_key(NEW, *key).where(is_missing)
    parts = (outcome_rows(stored, AUDIO_FILES.name), new, _without_session(rows), position_row())
    return Statement.compiled("audio_files.judge", union_all(*parts))


@cache
def judge_late_translations() -> Statement:
    """Return the revision of translations of stored transcripts, and the verdict on all rows."""
    return _judge_translations(_completed_by_stored().cte("translations_completed"))


@cache
def judge_written_translations() -> Statement:
    """Return the same for translations of transcripts that this transaction has written."""
    return _judge_translations(_completed_by_written())


def _judge_translations(rows: CTE) -> Statement:
    here = _here(TRANSLATIONS, "translations")
    judged = judgement(
        rows, TRANSLATIONS, TranslationRule(), revision_column="transcript_revision", here=here
    )
    return Statement.compiled(
        "translations.judge", union_all(*_verdicts(judged, TRANSLATIONS), position_row())
    )


def _here(table: Table, rows: str) -> Sequence[ColumnElement[bool]]:
    """Return the condition that shows the router the shard: the sessions of these rows."""
    session_id = table.c.id if table is SESSIONS else table.c.session_id
    return (session_id == any_(bindparam(f"{rows}_session_id", type_=ARRAY(Uuid()))),)


def _position(table: Table) -> ColumnElement[int]:
    # Computed on the node, because it seems to depend on the row.
    written: ColumnElement[Any] = literal_column(f"{SCHEMA}.{table.name}.xmin")
    position: ColumnElement[int] = getattr(func, SCHEMA).write_position(written, type_=BigInteger())
    return position


def _insert(table: Table, rows: SelectBase, columns: Sequence[str] = ()) -> ReturningInsert[Any]:
    names = columns or COLUMNS[table.name]
    new = rows.subquery("new")
    values = (new.c[name] for name in names if name != "session_id")
    new_rows = (
        select(SESSIONS.c.id, *values)
        .select_from(SESSIONS.join(new, new.c.session_id == SESSIONS.c.id))
        .where(*_here(SESSIONS, table.name))
    )
    revision = REVISION_COLUMNS.get(table.name)
    returned = [*KEYS[table.name], *([] if revision is None else [revision])]
    return (
        insert(table)
        .from_select(names, new_rows)
        .on_conflict_do_nothing(index_elements=KEYS[table.name])
        .returning(*(table.c[name] for name in returned), _position(table).label("position"))
    )


def _verdicts(judged: Judgement, table: Table) -> list[Select[Any]]:
    outcomes = [outcome_rows(each.subquery(), table.name) for each in judged.outcomes()]
    verdict = judged.judged.c.verdict
    key = [judged.judged.c[name] for name in KEYS[table.name]]
    new = row_of_key(NEW, *key).where(verdict == constant(Outcome.INSERTED))
    lost = row_of_key(LOST, *key).where(verdict == constant(Outcome.UPDATED))
    return [*outcomes, new, lost]


def _without_session(rows: CTE) -> Select[Any]:
    session: Select[Any] = select(literal_column("1")).where(
        SESSIONS.c.id == rows.c.session_id, *_here(SESSIONS, rows.name.removesuffix("_input"))
    )
    return row_of_key(NO_SESSION, rows.c.session_id, rows.c.session_id).where(~session.exists())


def _missing_speakers(rows: CTE) -> Select[Any]:
    speaker: Select[Any] = select(literal_column("1")).where(
        SPEAKERS.c.session_id == rows.c.session_id,
        SPEAKERS.c.label == rows.c.label,
        *_here(SPEAKERS, "speakers"),
    )
    none: ColumnElement[Any] = literal_column("NULL::uuid")
    return row_of_key(NEW_SPEAKER, rows.c.session_id, none, rows.c.label).where(~speaker.exists())


def _named_speakers(rows: CTE) -> CTE:
    return (
        update(SPEAKERS)
        .where(
            *_here(SPEAKERS, "speakers"),
            and_(SPEAKERS.c.session_id == rows.c.session_id, SPEAKERS.c.label == rows.c.label),
            and_(SPEAKERS.c.name.is_(None), rows.c.name.is_not(None)),
        )
        .values(
            name=rows.c.name,
            identification_method=constant("transcriber"),
            updated_at=func.statement_timestamp(),
        )
        .returning(SPEAKERS.c.label)
        .cte("speakers_named")
    )


def _completed_by_stored() -> Select[Any]:
    """Return translations completed from stored transcripts; those without one are left out."""
    rows = ARRAYS.rows(TRANSLATIONS, COLUMNS["translations"]).subquery("late")
    # No lookup in LATERAL as on a single server: Citus mistakes its table in an insert.
    its_transcript = and_(
        TRANSCRIPTS.c.session_id == rows.c.session_id, TRANSCRIPTS.c.id == rows.c.transcript_id
    )
    sources = rows.join(TRANSCRIPTS, its_transcript)
    query = completed(rows, sources, language=TRANSCRIPTS.c.language, revision=TRANSCRIPTS.c.revision)
    return query.where(*_here(TRANSCRIPTS, "translations"))


def _completed_by_written() -> CTE:
    arrays = (bindparam(f"written_{name}", type_=ARRAY(kind)) for name, kind in _WRITTEN.items())
    written = (
        func.unnest(*arrays)
        .table_valued(*(column(name, kind) for name, kind in _WRITTEN.items()), name="written")
        .render_derived()
    )
    sent = input_rows(ARRAYS, TRANSCRIPTS)
    return completed_by_written(input_rows(ARRAYS, TRANSLATIONS), sent, select(*written.c).cte("written"))
