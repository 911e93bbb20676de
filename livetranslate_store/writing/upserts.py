"""The upsert of each table: rows in, outcomes out.

The rows come in the order of their keys, so that writers lock them in that order. Each is judged against the
stored version: it is a revision, or new, or refused by the rules. If a concurrent transaction writes the row
meanwhile, the update judges once more, and the insert leaves it alone. A row that is not written then has no
outcome: the race is lost, and the statement must run again.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import (
    CTE,
    ColumnElement,
    FromClause,
    Select,
    Table,
    Update,
    and_,
    case,
    func,
    literal_column,
    or_,
    select,
    true,
    union_all,
    update,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.sql.selectable import LateralFromClause

from livetranslate_store.checks import MAX_BIG_INTEGER
from livetranslate_store.models import AudioFile, Speaker, Transcript, Translation
from livetranslate_store.models.base import table_of
from livetranslate_store.values import Outcome
from livetranslate_store.writing.encoding import (
    AUDIO_COLUMNS,
    KEYS,
    SPEAKER_COLUMNS,
    TRANSCRIPT_COLUMNS,
    TRANSLATION_COLUMNS,
)
from livetranslate_store.writing.outcomes import constant
from livetranslate_store.writing.revision_rules import (
    Columns,
    TranscriptRule,
    TranslationRule,
    VersionRule,
)

AUDIO_FILES = table_of(AudioFile)
SPEAKERS = table_of(Speaker)
TRANSCRIPTS = table_of(Transcript)
TRANSLATIONS = table_of(Translation)


class Upsert(NamedTuple):
    """The upsert of one table as part of a statement."""

    #: The key, the outcome, and the revision's column as it is now; rows of a lost race are missing.
    outcomes: CTE
    #: How many rows lost their race.
    lost: ColumnElement[int]


def upsert_transcripts(rows: CTE) -> Upsert:
    """Write revisions of transcripts."""
    return _upsert(rows, TRANSCRIPTS, TRANSCRIPT_COLUMNS, TranscriptRule(), revision_column="revision")


def upsert_translations(rows: CTE) -> Upsert:
    """Write translations that have all that they take from their transcripts."""
    return _upsert(
        rows, TRANSLATIONS, TRANSLATION_COLUMNS, TranslationRule(), revision_column="transcript_revision"
    )


def upsert_audio_files(rows: CTE) -> Upsert:
    """Insert the missing chunks; a stored row never changes, because its id is derived from its bytes."""
    judged, is_missing, found = judged_audio_files(rows)
    accepted = (
        select(*(judged.c[name] for name in AUDIO_COLUMNS))
        .where(is_missing)
        .order_by(judged.c.session_id, judged.c.id)
    )
    written = (
        insert(AUDIO_FILES)
        .from_select(AUDIO_COLUMNS, accepted)
        .on_conflict_do_nothing(index_elements=["session_id", "id"])
        .returning(AUDIO_FILES.c.session_id, AUDIO_FILES.c.id)
        .cte("audio_files_written")
    )
    outcomes = union_all(
        select(written.c.session_id, written.c.id, constant(Outcome.INSERTED).label("outcome")),
        select(judged.c.session_id, judged.c.id, found.label("outcome")).where(~is_missing),
    ).cte("audio_files_outcomes")
    return Upsert(outcomes, count_of(judged, is_missing) - count_of(written))


def judged_audio_files(
    rows: CTE, here: Sequence[ColumnElement[bool]] = ()
) -> tuple[CTE, ColumnElement[bool], ColumnElement[str]]:
    """Return the rows, whether one is missing, and the outcome of one that is stored."""
    stored = looked_up(AUDIO_FILES, rows, "audio_files_stored", here)
    judged = (
        select(rows, stored.c.storage_key.label("stored_storage_key"))
        .select_from(rows.outerjoin(stored, true()))
        .cte("audio_files_judged")
    )
    # A row that refers to this very object is ours, from an attempt whose answer was lost.
    is_ours = judged.c.stored_storage_key == judged.c.storage_key
    found = case((is_ours, constant(Outcome.INSERTED)), else_=constant(Outcome.UNCHANGED))
    return judged, judged.c.stored_storage_key.is_(None), found


def upsert_speakers(rows: CTE) -> CTE:
    """Insert the missing speakers, and name the nameless ones."""
    stored = looked_up(SPEAKERS, rows, "speakers_stored")
    is_news = or_(stored.c.label.is_(None), and_(stored.c.name.is_(None), rows.c.name.is_not(None)))
    method = identification_method(rows.c.name)
    accepted = (
        select(*(rows.c[name] for name in SPEAKER_COLUMNS), method)
        .select_from(rows.outerjoin(stored, true()))
        .where(is_news)
        .order_by(rows.c.session_id, rows.c.label)
    )
    statement = insert(SPEAKERS).from_select([*SPEAKER_COLUMNS, "identification_method"], accepted)
    new = statement.excluded
    return (
        statement.on_conflict_do_update(
            index_elements=["session_id", "label"],
            set_={
                "name": new.name,
                "identification_method": new.identification_method,
                "updated_at": func.statement_timestamp(),
            },
            where=and_(SPEAKERS.c.name.is_(None), new.name.is_not(None)),
        )
        .returning(SPEAKERS.c.label)
        .cte("speakers_written")
    )


def identification_method(name: ColumnElement[str | None]) -> ColumnElement[str]:
    """Return who knows a new speaker: the transcriber, if it gives the name."""
    return case((name.is_(None), constant("diarization")), else_=constant("transcriber"))


def revision_of(
    table: Table, rows: FromClause, rule: VersionRule, here: Sequence[ColumnElement[bool]] = ()
) -> Update:
    """Return the update of stored rows, those `here`, to those of `rows` that `rule` accepts."""
    return (
        update(table)
        .where(*here, *_same_key(KEYS[table.name], table.c, rows.c), rule.accepts(table.c, rows.c))
        .values(rule.revised(table.c, rows.c) | {"updated_at": func.statement_timestamp()})
    )


def looked_up(
    table: Table,
    rows: FromClause,
    name: str,
    here: Sequence[ColumnElement[bool]] = (),
    *,
    key: Mapping[str, str] | None = None,
    columns: Sequence[ColumnElement[Any]] = (),
) -> LateralFromClause:
    """Return the one stored row for each of `rows`, with all columns of the table, or the given ones.

    `key` maps columns of the table to columns of `rows`; without it those of the key have the same names.

    It is a lookup by the primary key for each row, and never a scan of the table: the plan is kept for as
    long as the connection lives, and the table may have been empty when it was made.
    """
    names = key or {name: name for name in KEYS[table.name]}
    conditions = (table.c[column] == rows.c[value] for column, value in names.items())
    row: Select[Any] = select(*columns or table.c).select_from(table)
    return row.where(*here, *conditions).limit(literal_column("1")).lateral(name)


def count_of(rows: CTE, condition: ColumnElement[bool] | None = None) -> ColumnElement[int]:
    """Return the number of rows that meet the condition."""
    counted = select(func.count()).select_from(rows)
    return (counted if condition is None else counted.where(condition)).scalar_subquery()


def verdicts(
    rows: CTE,
    table: Table,
    rule: VersionRule,
    *,
    revision_column: str,
    here: Sequence[ColumnElement[bool]] = (),
) -> CTE:
    """Return the rows, each with `verdict`, an Outcome, and with `stored_` and the revision's column.

    A row whose verdict is `INSERTED` is missing; one that is `UPDATED` would be a revision. A row without a
    revision is refused.
    """
    stored = looked_up(table, rows, f"{table.name}_stored", here)
    may_be_written = rows.c[revision_column].is_not(None)
    verdict = case(
        (and_(may_be_written, stored.c.session_id.is_(None)), constant(Outcome.INSERTED)),
        (and_(may_be_written, rule.accepts(stored.c, rows.c)), constant(Outcome.UPDATED)),
        (rule.same(stored.c, rows.c), constant(Outcome.UNCHANGED)),
        else_=constant(Outcome.STALE),
    )
    return (
        select(
            *rows.c, stored.c[revision_column].label(f"stored_{revision_column}"), verdict.label("verdict")
        )
        .select_from(rows.outerjoin(stored, true()))
        .cte(f"{table.name}_judged")
    )


def refused_rows(judged: CTE, table: Table, *, revision_column: str) -> Select[Any]:
    """Return the key, the stored revision and the outcome of the rows that the rules refuse."""
    return select(
        *(judged.c[name] for name in KEYS[table.name]),
        judged.c[f"stored_{revision_column}"].label(revision_column),
        judged.c.verdict.label("outcome"),
    ).where(judged.c.verdict.in_([constant(Outcome.UNCHANGED), constant(Outcome.STALE)]))


def _upsert(
    rows: CTE, table: Table, columns: Sequence[str], rule: VersionRule, *, revision_column: str
) -> Upsert:
    """Write the rows that `rule` accepts; one whose `revision_column` is NULL is refused.

    Most rows are revisions of stored ones. They are written by a plain UPDATE, which finds and judges them in
    one go: `ON CONFLICT DO UPDATE` would lock each row first, with a record of its own in the log. Only the
    rows that it leaves are looked up: they are new, or refused, or lost to a concurrent transaction.
    """
    key = KEYS[table.name]
    revised = (
        revision_of(table, rows, rule)
        .where(may_be_written(rows, revision_column))
        .returning(*(table.c[name] for name in (*key, revision_column)))
        .cte(f"{table.name}_revised")
    )
    was_revised = select(literal_column("1")).where(*_same_key(key, revised.c, rows.c)).exists()
    left = select(*rows.c).where(~was_revised).cte(f"{table.name}_left")
    judged = verdicts(left, table, rule, revision_column=revision_column)
    new = select(*(judged.c[name] for name in columns)).where(judged.c.verdict == constant(Outcome.INSERTED))
    inserted = (
        insert(table)
        .from_select(columns, new)
        .on_conflict_do_nothing(index_elements=key)
        .returning(*(table.c[name] for name in (*key, revision_column)))
        .cte(f"{table.name}_inserted")
    )
    outcomes = union_all(
        select(*revised.c, constant(Outcome.UPDATED).label("outcome")),
        select(*inserted.c, constant(Outcome.INSERTED).label("outcome")),
        refused_rows(judged, table, revision_column=revision_column),
    ).cte(f"{table.name}_outcomes")
    return Upsert(outcomes, count_of(rows) - count_of(outcomes))


def may_be_written(rows: FromClause, revision_column: str) -> ColumnElement[bool]:
    """Return whether a row has a revision.

    A range, and not just "not NULL": the planner expects one row of it, which it looks up by the key. A plan
    from when the table was empty would else read all of it.
    """
    return rows.c[revision_column].between(literal_column("0"), literal_column(f"{MAX_BIG_INTEGER}"))


def _same_key(key: Sequence[str], one: Columns, other: Columns) -> list[ColumnElement[bool]]:
    return [one[name] == other[name] for name in key]
