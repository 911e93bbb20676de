"""The statements of a bulk import.

What is new is copied straight to where it belongs. What may be stored already is copied into staging tables
and merged from there by the write of whole segments, under the same rules, with tables in place of arrays.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    CTE,
    ColumnElement,
    Integer,
    Select,
    Table,
    TableClause,
    Uuid,
    and_,
    bindparam,
    column,
    exists,
    func,
    literal_column,
    or_,
    select,
    table,
    union_all,
)

from livetranslate_store.database.statement import Statement
from livetranslate_store.models import AudioFile, Session, Transcript, Translation
from livetranslate_store.models.base import Base, table_of
from livetranslate_store.values import Outcome
from livetranslate_store.writing.binding import ARRAYS
from livetranslate_store.writing.encoding import AUDIO_COLUMNS, TRANSCRIPT_COLUMNS, TRANSLATION_COLUMNS
from livetranslate_store.writing.first_statement import any_stored
from livetranslate_store.writing.segment_statement import write_segments
from livetranslate_store.writing.steps import SPEAKERS, given_to, write_speakers
from livetranslate_store.writing.upserts import constant, count_of

#: The first column of every staged row: a key that is repeated within a batch is judged by what the turn
#: before has left.
TURN = "turn"


class Staging(NamedTuple):
    """A temporary table that takes rows, each with its turn, on their way into `target`."""

    target: Table
    source: TableClause
    columns: Sequence[str]

    def given(self, turn: ColumnElement[int]) -> CTE:
        """Return the rows of one turn."""
        rows = select(*(self.source.c[name] for name in self.columns)).where(self.source.c[TURN] == turn)
        return rows.cte(f"{self.target.name}_given")

    def creation(self) -> str:
        """Return the statement that makes the table, for one transaction and without constraints."""
        shape = select(literal_column("0").label(TURN), *(self.target.c[name] for name in self.columns))
        rows = Statement.compiled("import.stage", shape).text
        return f"CREATE TEMPORARY TABLE {self.source.name} ON COMMIT DROP AS {rows} WITH NO DATA"


def _staging(model: type[Base], columns: Sequence[str]) -> Staging:
    target = table_of(model)
    staged = (column(name, target.c[name].type) for name in columns)
    return Staging(target, table(f"staged_{target.name}", column(TURN, Integer()), *staged), columns)


STAGED_AUDIO_FILES = _staging(AudioFile, AUDIO_COLUMNS)
STAGED_TRANSCRIPTS = _staging(Transcript, TRANSCRIPT_COLUMNS)
STAGED_TRANSLATIONS = _staging(Translation, TRANSLATION_COLUMNS)


@cache
def is_stored_statement() -> Statement:
    """Return the read that tells whether any of these audio files or transcripts is stored.

    Its parameters are arrays, named by table and column of the key. Translations need no look: of a
    transcript that is not stored there are none.
    """
    stored = (any_stored(ARRAYS, each.target) for each in (STAGED_TRANSCRIPTS, STAGED_AUDIO_FILES))
    return Statement.compiled("import.look_up", select(or_(*stored).label("is_stored")))


@cache
def speakers_statement() -> Statement:
    """Return the write of speakers alone: those that are not there yet, and the names of the nameless."""
    written = write_speakers(given_to(ARRAYS, SPEAKERS))
    return Statement.compiled("import.speakers", select(count_of(written)))


@cache
def staging_statements() -> str:
    """Return the script that makes the staging tables."""
    creations = [each.creation() for each in (STAGED_AUDIO_FILES, STAGED_TRANSCRIPTS, STAGED_TRANSLATIONS)]
    # The planner knows nothing of tables that were filled a moment ago, and a nested loop over two of them,
    # cheap where they are small, takes minutes. Lookups by key have no other way, and stay.
    return ";".join(["SET LOCAL enable_nestloop = off", *creations])


@cache
def merge_statement() -> Statement:
    """Return the write of one turn, its argument, under the rules of revisions.

    It tells table, outcome and number of rows; and of audio files that were there already, and transcripts
    that were updated, three arrays: session_id, id and revision.
    """
    turn = bindparam(TURN, type_=Integer())
    stagings = (STAGED_AUDIO_FILES, STAGED_TRANSCRIPTS, STAGED_TRANSLATIONS)
    rows = union_all(*write_segments(*(each.given(turn) for each in stagings))).subquery()
    kind, outcome = rows.c.kind, rows.c.outcome
    matters = or_(
        and_(kind == constant(STAGED_AUDIO_FILES.target.name), outcome == constant(Outcome.UNCHANGED)),
        and_(kind == constant(STAGED_TRANSCRIPTS.target.name), outcome == constant(Outcome.UPDATED)),
    )
    arrays = (func.array_agg(rows.c[name]).filter(matters) for name in ("session_id", "id", "revision"))
    return Statement.compiled(
        "import.merge", select(kind, outcome, func.count(), *arrays).group_by(kind, outcome)
    )


@cache
def missing_sessions() -> Statement:
    """Return the read of those ids, of an array, that are no session's."""
    ids: ColumnElement[UUID] = func.unnest(bindparam("ids", type_=ARRAY(Uuid()))).column_valued("wanted")
    known: Select[Any] = select(literal_column("1")).where(table_of(Session).c.id == ids)
    return Statement.compiled("import.missing_sessions", select(ids).where(~exists(known)))
