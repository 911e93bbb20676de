"""The upsert of each table: rows in, outcomes out.

Each input row is judged against the stored version: it is new, or a revision, or refused by the rules. If a
concurrent transaction writes the row meanwhile, the insert leaves it alone, and the update judges once more.
A row that is not written then has no outcome: the race is lost, and the statement must run again.
"""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import (
    CTE,
    ColumnElement,
    FromClause,
    Table,
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
from livetranslate_store.writing.revision_rules import TranscriptRule, TranslationRule, VersionRule

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
    stored = looked_up(AUDIO_FILES, rows, "audio_files_stored", session_id="session_id", id="id")
    judged = (
        select(rows, stored.c.storage_key.label("stored_storage_key"))
        .select_from(rows.outerjoin(stored, true()))
        .cte("audio_files_judged")
    )
    is_missing = judged.c.stored_storage_key.is_(None)
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
    # A row that refers to this very object is ours, from an attempt whose answer was lost.
    is_ours = judged.c.stored_storage_key == judged.c.storage_key
    found = case((is_ours, constant(Outcome.INSERTED)), else_=constant(Outcome.UNCHANGED))
    outcomes = union_all(
        select(written.c.session_id, written.c.id, constant(Outcome.INSERTED).label("outcome")),
        select(judged.c.session_id, judged.c.id, found.label("outcome")).where(~is_missing),
    ).cte("audio_files_outcomes")
    return Upsert(outcomes, count_of(judged, is_missing) - count_of(written))


def upsert_speakers(rows: CTE) -> CTE:
    """Insert the missing speakers, and name the nameless ones."""
    stored = looked_up(SPEAKERS, rows, "speakers_stored", session_id="session_id", label="label")
    is_news = or_(stored.c.label.is_(None), and_(stored.c.name.is_(None), rows.c.name.is_not(None)))
    method = case((rows.c.name.is_(None), constant("diarization")), else_=constant("transcriber"))
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


def looked_up(table: Table, rows: FromClause, name: str, **key: str) -> LateralFromClause:
    """Return the one stored row for each of `rows`; `key` maps columns of the table to columns of `rows`.

    It is a lookup by the primary key for each row, and never a scan of the table: the plan is kept for as
    long as the connection lives, and the table may have been empty when it was made.
    """
    conditions = (table.c[column] == rows.c[value] for column, value in key.items())
    return select(table).where(*conditions).limit(literal_column("1")).lateral(name)


def count_of(rows: CTE, condition: ColumnElement[bool] | None = None) -> ColumnElement[int]:
    """Return the number of rows that meet the condition."""
    counted = select(func.count()).select_from(rows)
    return (counted if condition is None else counted.where(condition)).scalar_subquery()


def _upsert(
    rows: CTE, table: Table, columns: Sequence[str], rule: VersionRule, *, revision_column: str
) -> Upsert:
    """Write the rows that `rule` accepts; one whose `revision_column` is NULL is refused.

    A stored row is written by a plain UPDATE: `ON CONFLICT DO UPDATE` would lock each row first, with a
    record of its own in the log.
    """
    judged = _judged(rows, table, columns, rule, revision_column)
    key = [table.c[name] for name in KEYS[table.name]]
    same_key = [column == judged.c[column.name] for column in key]
    is_new, is_revision = (judged.c.verdict == constant(each) for each in (Outcome.INSERTED, Outcome.UPDATED))
    inserted = (
        insert(table)
        .from_select(columns, select(*(judged.c[name] for name in columns)).where(is_new))
        .on_conflict_do_nothing(index_elements=KEYS[table.name])
        .returning(*key, table.c[revision_column])
        .cte(f"{table.name}_inserted")
    )
    # A version that was written meanwhile is judged once more, by the condition of the update.
    revised = (
        update(table)
        .where(*same_key, is_revision, rule.accepts(table.c, judged.c))
        .values(rule.revised(table.c, judged.c) | {"updated_at": func.statement_timestamp()})
        .returning(*key, table.c[revision_column])
        .cte(f"{table.name}_revised")
    )
    refused = select(
        *(judged.c[name] for name in KEYS[table.name]),
        judged.c[f"stored_{revision_column}"].label(revision_column),
        judged.c.verdict.label("outcome"),
    ).where(~is_new, ~is_revision)
    # Inserts come before updates, each in the order of the keys: writers that lock so never deadlock.
    outcomes = union_all(
        select(*inserted.c, constant(Outcome.INSERTED).label("outcome")),
        select(*revised.c, constant(Outcome.UPDATED).label("outcome")),
        refused,
    ).cte(f"{table.name}_outcomes")
    return Upsert(outcomes, count_of(rows) - count_of(outcomes))


def _judged(rows: CTE, table: Table, columns: Sequence[str], rule: VersionRule, revision_column: str) -> CTE:
    """Return the rows in the order of their keys, each with the verdict by the stored version."""
    key = KEYS[table.name]
    stored = looked_up(table, rows, f"{table.name}_stored", **dict(zip(key, key, strict=True)))
    has_revision = rows.c[revision_column].is_not(None)
    verdict = case(
        (and_(has_revision, stored.c.session_id.is_(None)), constant(Outcome.INSERTED)),
        (and_(has_revision, rule.accepts(stored.c, rows.c)), constant(Outcome.UPDATED)),
        (rule.same(stored.c, rows.c), constant(Outcome.UNCHANGED)),
        else_=constant(Outcome.STALE),
    )
    return (
        select(
            *(rows.c[name] for name in columns),
            stored.c[revision_column].label(f"stored_{revision_column}"),
            verdict.label("verdict"),
        )
        .select_from(rows.outerjoin(stored, true()))
        .order_by(*(rows.c[name] for name in key))
        .cte(f"{table.name}_judged")
    )
