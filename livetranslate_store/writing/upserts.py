"""The upsert of each table: rows in, outcomes out.

Each input row is judged against the stored version, and a version that the rules refuse is not written. If a
concurrent transaction writes the row meanwhile, `ON CONFLICT` judges once more. A row that is refused there
was neither written nor seen by the first judgement: the race is lost, and the statement must run again.

A statement recognizes its own inserts by `statement_timestamp()`, not by system columns: engines that
distribute by session hand out none.
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
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.sql.selectable import LateralFromClause

from livetranslate_store.models import AudioFile, Speaker, Transcript, Translation
from livetranslate_store.models.base import table_of
from livetranslate_store.values import Outcome
from livetranslate_store.writing.encoding import (
    AUDIO_COLUMNS,
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

    #: session_id, id, outcome and the revision's column as they are now; rows of a lost race are missing.
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
    """Write the rows that `rule` accepts; one whose `revision_column` is NULL is refused."""
    judged = _judged(rows, table, columns, rule, revision_column)
    accepted = (
        select(*(judged.c[name] for name in columns))
        .where(judged.c.is_accepted)
        .order_by(judged.c.session_id, judged.c.id)  # writers that lock in one order never deadlock
    )
    statement = insert(table).from_select(columns, accepted)
    written = (
        statement.on_conflict_do_update(
            index_elements=["session_id", "id"],
            set_=rule.revised(table.c, statement.excluded) | {"updated_at": func.statement_timestamp()},
            where=rule.accepts(table.c, statement.excluded),
        )
        .returning(
            table.c.session_id,
            table.c.id,
            table.c[revision_column],
            (table.c.created_at == func.statement_timestamp()).label("is_new"),
        )
        .cte(f"{table.name}_written")
    )
    done = case((written.c.is_new, constant(Outcome.INSERTED)), else_=constant(Outcome.UPDATED))
    refused = case((judged.c.is_same, constant(Outcome.UNCHANGED)), else_=constant(Outcome.STALE))
    # Written rows and refused rows need no join; an accepted row that was not written lost its race.
    outcomes = union_all(
        select(
            written.c.session_id,
            written.c.id,
            done.label("outcome"),
            written.c[revision_column].label(revision_column),
        ),
        select(
            judged.c.session_id,
            judged.c.id,
            refused.label("outcome"),
            judged.c[f"stored_{revision_column}"].label(revision_column),
        ).where(~judged.c.is_accepted),
    ).cte(f"{table.name}_outcomes")
    return Upsert(outcomes, count_of(judged, judged.c.is_accepted) - count_of(written))


def _judged(rows: CTE, table: Table, columns: Sequence[str], rule: VersionRule, revision_column: str) -> CTE:
    """Return the rows with the verdict on each, by the stored version if one exists."""
    stored = looked_up(table, rows, f"{table.name}_stored", session_id="session_id", id="id")
    has_revision = rows.c[revision_column].is_not(None)
    accepted = and_(has_revision, or_(stored.c.id.is_(None), rule.accepts(stored.c, rows.c)))
    return (
        select(
            *(rows.c[name] for name in columns),
            stored.c[revision_column].label(f"stored_{revision_column}"),
            accepted.label("is_accepted"),
            rule.same(stored.c, rows.c).label("is_same"),
        )
        .select_from(rows.outerjoin(stored, true()))
        .cte(f"{table.name}_judged")
    )
