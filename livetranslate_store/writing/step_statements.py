"""The statements of a write on a cluster, each for rows whose sessions lie in one shard.

Citus sends a statement through to the node of that shard as it is, if it finds the sessions in a condition
on every distributed table. It never sends an INSERT inside WITH: so a merge goes in steps, an update, an
insert, and the verdict on what both have left.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from itertools import chain
from operator import itemgetter
from typing import Any

from sqlalchemy import (
    ARRAY,
    CTE,
    BigInteger,
    ColumnElement,
    FromClause,
    Select,
    Table,
    Text,
    Uuid,
    and_,
    any_,
    bindparam,
    case,
    column,
    func,
    literal_column,
    or_,
    select,
    union_all,
    update,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.dialects.postgresql.dml import Insert
from sqlalchemy.sql.dml import ReturningInsert, ReturningUpdate
from sqlalchemy.types import TypeEngine

from livetranslate_store.database.statement import BoundStatement, Statement
from livetranslate_store.models import SCHEMA, Session
from livetranslate_store.models.base import table_of
from livetranslate_store.values import Outcome
from livetranslate_store.writing.binding import (
    ARRAYS,
    ArrayBinding,
    Binding,
    RowsByTable,
    ValueBinding,
    input_rows,
    key_values,
    value_rows,
)
from livetranslate_store.writing.encoding import COLUMNS, KEYS, SPEAKER_COLUMNS, Row
from livetranslate_store.writing.outcomes import (
    REVISION_COLUMNS,
    constant,
    outcome_rows,
    position,
    position_row,
    row_of_key,
)
from livetranslate_store.writing.revision_rules import TranscriptRule, TranslationRule, VersionRule
from livetranslate_store.writing.statements import any_stored, completed, completed_by_written
from livetranslate_store.writing.upserts import (
    AUDIO_FILES,
    SPEAKERS,
    TRANSCRIPTS,
    TRANSLATIONS,
    identification_method,
    judged_audio_files,
    may_be_written,
    refused_rows,
    revision_of,
    verdicts,
)

SESSIONS = table_of(Session)

#: The kind of a judged row that is not refused: another transaction came in between.
LOST = "lost"

# An insert has one of these numbers of rows, so that a connection prepares few of them. Its last row fills it
# up: a row that comes again is left alone, as one that is stored.
_SIZES = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128)
LARGEST_INSERT = _SIZES[-1]

_RULES: Mapping[Table, VersionRule] = {TRANSCRIPTS: TranscriptRule(), TRANSLATIONS: TranslationRule()}

# What became of the transcripts that translations came with: one array for each.
_WRITTEN: Mapping[str, TypeEngine[Any]] = {
    "session_id": Uuid(),
    "id": Uuid(),
    "outcome": Text(),
    "revision": BigInteger(),
}
WRITTEN_ARRAYS = tuple(f"written_{name}" for name in _WRITTEN)


def bound_insert(table: Table, rows: Sequence[Row]) -> BoundStatement:
    """Return the insert of at most LARGEST_INSERT rows; those whose key is stored are left alone.

    Like every step that writes, it returns the key, the revision if the table has one, and the position; the
    position only with the first row.
    """
    size = next(each for each in _SIZES if each >= len(rows))
    filled = [*rows, *[rows[-1]] * (size - len(rows))]
    statement, in_its_order = _insert_values(table, size)
    return BoundStatement(statement.name, statement.text, in_its_order([*chain.from_iterable(filled)]))


@cache
def _insert_values(table: Table, size: int) -> tuple[Statement, Callable[[list[Any]], Sequence[Any]]]:
    """Return the insert of so many rows, and a getter of its arguments from the values of all rows."""
    rows = value_rows(table, size)
    # The position takes a query of its own for each row that asks for it.
    is_first = and_(*(table.c[name] == rows[0][name] for name in KEYS[table.name][1:]))
    query = _where_missing(insert(table).values(rows), table, is_first)
    statement = Statement.compiled(f"{table.name}.insert", query)
    names = (f"{table.name}_{name}_{place}" for place in range(size) for name in COLUMNS[table.name])
    places = {name: place for place, name in enumerate(names)}
    return statement, itemgetter(*(places[name] for name in statement.parameters))


@cache
def insert_late_translations() -> Statement:
    """Return the insert of translations of stored transcripts; the others are left out."""
    return Statement.compiled("translations.insert", _insert_selected(TRANSLATIONS, _completed_by_stored()))


@cache
def insert_written_translations() -> Statement:
    """Return the insert of translations of transcripts that this transaction has written or refused.

    Those that are refused with their transcripts are left out: they have no revision.
    """
    completed_rows = _completed_by_written()
    rows = select(*completed_rows.c).where(completed_rows.c.transcript_revision.is_not(None))
    return Statement.compiled("translations.insert", _insert_selected(TRANSLATIONS, rows))


@cache
def insert_speakers() -> Statement:
    """Return the insert of speakers that are missing."""
    rows = ARRAYS.rows(SPEAKERS, SPEAKER_COLUMNS).subquery("label")
    values = select(*rows.c, identification_method(rows.c.name).label("identification_method"))
    columns = [*SPEAKER_COLUMNS, "identification_method"]
    return Statement.compiled("speakers.insert", _insert_selected(SPEAKERS, values, columns))


@cache
def look_at_speakers() -> Statement:
    """Return the naming of nameless speakers; it returns the labels without a speaker."""
    rows = input_rows(ARRAYS, SPEAKERS)
    named = (
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
    speaker: Select[Any] = select(literal_column("1")).where(
        *_here(SPEAKERS, "speakers"),
        and_(SPEAKERS.c.session_id == rows.c.session_id, SPEAKERS.c.label == rows.c.label),
    )
    missing = select(rows.c.session_id, rows.c.label).where(~speaker.exists())
    return Statement.compiled("speakers.look", missing.add_cte(named))


@cache
def revise_transcripts(binding: Binding) -> Statement:
    """Return the revision of stored transcripts that the rules accept.

    If speakers come with them, those are left out whose speaker has to be written first.
    """
    rows = binding.rows(TRANSCRIPTS, COLUMNS["transcripts"]).subquery("revision")
    query = _revision(TRANSCRIPTS, rows, binding)
    if binding.holds(SPEAKERS):
        sent = binding.rows(SPEAKERS, SPEAKER_COLUMNS).subquery("speaker")
        its_own = and_(sent.c.session_id == rows.c.session_id, sent.c.label == rows.c.speaker_label)
        stored = and_(SPEAKERS.c.session_id == sent.c.session_id, SPEAKERS.c.label == sent.c.label)
        known: Select[Any] = (
            select(literal_column("1"))
            .select_from(sent.join(SPEAKERS, stored))
            .where(its_own, _is_one_of(SPEAKERS.c.session_id, "speakers_session_id", binding))
            .where(or_(SPEAKERS.c.name.is_not(None), sent.c.name.is_(None)))
            .correlate(rows)
        )
        query = query.where(or_(rows.c.speaker_label.is_(None), known.exists()))
    return Statement.compiled("transcripts.revise", query)


@cache
def revise_late_translations() -> Statement:
    """Return the revision of translations of stored transcripts."""
    rows = _completed_by_stored().subquery("revision")
    return Statement.compiled("translations.revise", _revision(TRANSLATIONS, rows))


@cache
def revise_written_translations() -> Statement:
    """Return the same for transcripts that this transaction has written or refused."""
    return Statement.compiled("translations.revise", _revision(TRANSLATIONS, _completed_by_written()))


@cache
def judge_transcripts() -> Statement:
    """Return the outcomes of transcripts that were neither revised nor inserted."""
    return _judgement(TRANSCRIPTS, input_rows(ARRAYS, TRANSCRIPTS))


@cache
def judge_audio_files() -> Statement:
    """Return the same for audio files; a stored one never changes."""
    rows = input_rows(ARRAYS, AUDIO_FILES)
    judged, is_missing, found = judged_audio_files(rows, _here(AUDIO_FILES, "audio_files"))
    key = (judged.c.session_id, judged.c.id)
    stored = select(*key, found.label("outcome")).where(~is_missing).subquery("stored")
    lost = row_of_key(LOST, *key).where(is_missing)
    return Statement.compiled(
        "audio_files.judge", union_all(outcome_rows(stored, AUDIO_FILES.name), lost, position_row())
    )


@cache
def judge_late_translations() -> Statement:
    """Return the same for translations of stored transcripts; one without a transcript has no row."""
    return _judgement(TRANSLATIONS, _completed_by_stored().cte("translations_completed"))


@cache
def judge_written_translations() -> Statement:
    """Return the same for transcripts that this transaction has written or refused."""
    return _judgement(TRANSLATIONS, _completed_by_written())


def bound_look(rows: RowsByTable) -> BoundStatement:
    """Return the look at whether any of these audio files and transcripts is stored, by its key.

    Its one row has `found`, and the `position` of the transaction on the node of the shard.
    """
    return _look(ArrayBinding(frozenset(rows))).bind(key_values(rows))


@cache
def _look(binding: Binding) -> Statement:
    # Locked in this order, as all writes do it, and Citus when a migration changes one of them.
    tables = [each for each in (AUDIO_FILES, TRANSCRIPTS) if binding.holds(each)]
    found = or_(*(any_stored(binding, each, _here(each, each.name)) for each in tables))
    columns: list[ColumnElement[Any]] = [found.label("found"), position().label("position")]
    return Statement.compiled("segments.look", select(*columns).add_cte(_no_update(tables[0])))


def _no_update(table: Table) -> CTE:
    """Return an update of no row, which makes a write of the statement that has it.

    Citus takes a shard that a COPY writes for one that was only read, if a statement that only reads came
    before. It then reports success although the node has failed to commit, and the rows are lost.
    """
    none = update(table).where(*_here(table, table.name), func.statement_timestamp().is_(None))
    return none.values(updated_at=table.c.updated_at).returning(literal_column("1")).cte("nothing")


def _here(table: Table, rows: str) -> Sequence[ColumnElement[bool]]:
    """Return the condition that shows the router the shard: the sessions of these rows."""
    session_id = table.c.id if table is SESSIONS else table.c.session_id
    return (_is_one_of(session_id, f"{rows}_session_id", ARRAYS),)


def _is_one_of(value: ColumnElement[Any], parameter: str, binding: Binding) -> ColumnElement[bool]:
    if isinstance(binding, ValueBinding):
        # Of one row: a condition that Citus plans in half the time.
        return value == bindparam(f"{parameter}_0", type_=Uuid())
    return value == any_(bindparam(parameter, type_=ARRAY(Uuid())))


def _written(table: Table, is_first: ColumnElement[bool] | None = None) -> list[ColumnElement[Any]]:
    """Return the columns that a step returns for each row that it has written."""
    revision = REVISION_COLUMNS.get(table.name)
    names = [*KEYS[table.name], *([] if revision is None else [revision])]
    # Computed on the node, because it seems to depend on the row.
    stored: ColumnElement[Any] = literal_column(f"{SCHEMA}.{table.name}.xmin")
    position: ColumnElement[int] = getattr(func, SCHEMA).write_position(stored, type_=BigInteger())
    if is_first is not None:
        position = case((is_first, position))
    return [*(table.c[name] for name in names), position.label("position")]


def _where_missing(
    query: Insert, table: Table, is_first: ColumnElement[bool] | None = None
) -> ReturningInsert[Any]:
    return query.on_conflict_do_nothing(index_elements=KEYS[table.name]).returning(*_written(table, is_first))


def _insert_selected(table: Table, rows: Select[Any], columns: Sequence[str] = ()) -> ReturningInsert[Any]:
    """Return the insert of selected rows; it takes its shard from the sessions, which the router needs."""
    names = columns or COLUMNS[table.name]
    new = rows.subquery("new")
    values = (new.c[name] for name in names if name != "session_id")
    new_rows = (
        select(SESSIONS.c.id, *values)
        .select_from(SESSIONS.join(new, new.c.session_id == SESSIONS.c.id))
        .where(*_here(SESSIONS, table.name))
    )
    return _where_missing(insert(table).from_select(names, new_rows), table)


def _revision(table: Table, rows: FromClause, binding: Binding = ARRAYS) -> ReturningUpdate[Any]:
    revision = REVISION_COLUMNS[table.name]
    assert revision is not None  # noqa: S101 (a table without revisions is never revised)
    transcript_id = KEYS[table.name][1]
    here = [
        _is_one_of(table.c.session_id, f"{table.name}_session_id", binding),
        # Without the ids the planner may read whole sessions.
        _is_one_of(table.c[transcript_id], f"{table.name}_{transcript_id}", binding),
    ]
    query = revision_of(table, rows, _RULES[table], here)
    return query.where(may_be_written(rows, revision)).returning(*_written(table))


def _judgement(table: Table, rows: CTE) -> Statement:
    revision = REVISION_COLUMNS[table.name]
    assert revision is not None  # noqa: S101 (as above)
    here = _here(table, table.name)
    judged = verdicts(rows, table, _RULES[table], revision_column=revision, here=here)
    refused = refused_rows(judged, table, revision_column=revision).subquery("refused")
    key = [judged.c[name] for name in KEYS[table.name]]
    is_lost = judged.c.verdict.in_([constant(Outcome.INSERTED), constant(Outcome.UPDATED)])
    lost = row_of_key(LOST, *key).where(is_lost)
    outcomes = outcome_rows(refused, table.name)
    return Statement.compiled(f"{table.name}.judge", union_all(outcomes, lost, position_row()))


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
