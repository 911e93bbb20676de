"""The statements of a bulk import: staging tables, and what moves their rows to where they belong.

The merge is the write of whole segments under the same rules, with staging tables in place of arrays. Where
nothing is stored yet there is nothing to judge, and plain INSERTs do the same in less time.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    CTE,
    ColumnElement,
    Insert,
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
    insert,
    literal_column,
    or_,
    select,
    table,
    true,
)

from livetranslate_store.database.compiling import compiled
from livetranslate_store.models import AudioFile, Session, Speaker, Transcript, Translation
from livetranslate_store.models.base import Base, table_of
from livetranslate_store.values import Outcome
from livetranslate_store.writing.rows import (
    AUDIO_COLUMNS,
    SPEAKER_COLUMNS,
    TRANSCRIPT_COLUMNS,
    TRANSLATION_COLUMNS,
)
from livetranslate_store.writing.segment_statement import (
    of_new_transcripts,
    write_segments,
    write_speakers,
)
from livetranslate_store.writing.upserts import constant, count_of, looked_up

#: The first column of every staged row: a key that is repeated within a batch is judged by what the turn
#: before has left.
TURN = "turn"
_FIRST: ColumnElement[int] = literal_column("0")


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
        shape = select(_FIRST.label(TURN), *(self.target.c[name] for name in self.columns))
        return (
            f"CREATE TEMPORARY TABLE {self.source.name} ON COMMIT DROP AS {compiled(shape).text} WITH NO DATA"
        )


def _staging(model: type[Base], columns: Sequence[str]) -> Staging:
    target = table_of(model)
    staged = (column(name, target.c[name].type) for name in columns)
    return Staging(target, table(f"staged_{target.name}", column(TURN, Integer()), *staged), columns)


AUDIO_FILES = _staging(AudioFile, AUDIO_COLUMNS)
SPEAKERS = _staging(Speaker, SPEAKER_COLUMNS)
TRANSCRIPTS = _staging(Transcript, TRANSCRIPT_COLUMNS)
TRANSLATIONS = _staging(Translation, TRANSLATION_COLUMNS)


class BulkStatements(NamedTuple):
    """The texts of a batch, in the order in which one transaction runs them."""

    #: Makes the staging tables.
    prepare: str
    #: Tells whether anything of the first turn is stored.
    is_stored: str
    #: Writes the first turn where nothing of it is stored.
    insert: str
    #: Writes the turn that it is given under the rules of revisions; tells kind, outcome, the number of rows,
    #: and the ids of audio files that were there already.
    merge: str
    #: Makes the speakers of all turns.
    speakers: str


@cache
def bulk_statements() -> BulkStatements:
    """Return the statements of a batch."""
    creations = [each.creation() for each in (AUDIO_FILES, SPEAKERS, TRANSCRIPTS, TRANSLATIONS)]
    # The planner knows nothing of tables that were filled a moment ago, and a nested loop over two of them,
    # cheap where they are small, takes minutes. Lookups by key have no other way, and stay.
    prepare = ["SET LOCAL enable_nestloop = off", *creations]
    return BulkStatements(
        ";".join(prepare),
        compiled(select(or_(_is_stored(TRANSCRIPTS), _is_stored(AUDIO_FILES)))).text,
        ";".join(compiled(each).text for each in _inserts()),
        compiled(_merge()).text,
        compiled(select(count_of(write_speakers(SPEAKERS.given(_FIRST))))).text,
    )


@cache
def missing_sessions() -> str:
    """Return the read of those ids, of an array, that are no session's."""
    ids: ColumnElement[UUID] = func.unnest(bindparam("ids", type_=ARRAY(Uuid()))).column_valued("wanted")
    known: Select[Any] = select(literal_column("1")).where(table_of(Session).c.id == ids)
    return compiled(select(ids).where(~exists(known))).text


def _is_stored(staging: Staging) -> ColumnElement[bool]:
    # Translations need no look: of a transcript that is not stored there are none.
    given = staging.given(_FIRST)
    stored = looked_up(
        staging.target, given, f"{staging.target.name}_stored", session_id="session_id", id="id"
    )
    return exists(select(literal_column("1")).select_from(given.join(stored, true())))


def _inserts() -> Sequence[Insert]:
    sent = TRANSCRIPTS.given(_FIRST)
    return [
        _insert(AUDIO_FILES, AUDIO_FILES.given(_FIRST)),
        _insert(TRANSCRIPTS, sent),
        _insert(TRANSLATIONS, of_new_transcripts(TRANSLATIONS.given(_FIRST), sent)),
    ]


def _insert(staging: Staging, rows: CTE) -> Insert:
    # In the order of the key, as the merge: two writers that lock in one order never deadlock.
    ordered = select(*(rows.c[name] for name in staging.columns)).order_by(rows.c.session_id, rows.c.id)
    return insert(staging.target).from_select(staging.columns, ordered)


def _merge() -> Select[Any]:
    turn = bindparam(TURN, type_=Integer())
    rows = write_segments(
        AUDIO_FILES.given(turn), TRANSCRIPTS.given(turn), TRANSLATIONS.given(turn)
    ).subquery()
    was_there = and_(
        rows.c.kind == constant(AUDIO_FILES.target.name), rows.c.outcome == constant(Outcome.UNCHANGED)
    )
    ids = func.array_agg(rows.c.id).filter(was_there)
    return select(rows.c.kind, rows.c.outcome, func.count(), ids).group_by(rows.c.kind, rows.c.outcome)
