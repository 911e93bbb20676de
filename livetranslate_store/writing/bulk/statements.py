"""The statements of a bulk import.

New rows are copied straight into their tables. Rows that may be stored already are copied into staging tables
and merged from there, as whole segments are merged, with tables in place of parameters.
"""

from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

from sqlalchemy import (
    ARRAY,
    CTE,
    ColumnElement,
    Integer,
    Table,
    TableClause,
    Uuid,
    and_,
    any_,
    bindparam,
    column,
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
from livetranslate_store.writing.binding import ARRAYS, input_rows
from livetranslate_store.writing.encoding import AUDIO_COLUMNS, KEYS, TRANSCRIPT_COLUMNS, TRANSLATION_COLUMNS
from livetranslate_store.writing.outcomes import constant
from livetranslate_store.writing.statements import any_stored, merged_segments
from livetranslate_store.writing.upserts import SPEAKERS, count_of, upsert_speakers

#: The first column of every staged row: a repeated key is judged by the result of the wave before.
WAVE = "wave"


class Staging(NamedTuple):
    """A temporary table for rows, each with its wave, on their way into `target`."""

    target: Table
    source: TableClause
    columns: Sequence[str]

    def input_rows(self, wave: ColumnElement[int]) -> CTE:
        """Return the rows of one wave, in the order of their keys."""
        rows = select(*(self.source.c[name] for name in self.columns)).where(self.source.c[WAVE] == wave)
        return rows.order_by(*(self.source.c[name] for name in KEYS[self.target.name])).cte(
            f"{self.target.name}_input"
        )

    def creation(self) -> str:
        """Return the statement that creates the table, for one transaction."""
        shape = select(literal_column("0").label(WAVE), *(self.target.c[name] for name in self.columns))
        rows = Statement.compiled("import.stage", shape).text
        return f"CREATE TEMPORARY TABLE {self.source.name} ON COMMIT DROP AS {rows} WITH NO DATA"


def _staging(model: type[Base], columns: Sequence[str]) -> Staging:
    target = table_of(model)
    staged = (column(name, target.c[name].type) for name in columns)
    return Staging(target, table(f"staged_{target.name}", column(WAVE, Integer()), *staged), columns)


STAGED_AUDIO_FILES = _staging(AudioFile, AUDIO_COLUMNS)
STAGED_TRANSCRIPTS = _staging(Transcript, TRANSCRIPT_COLUMNS)
STAGED_TRANSLATIONS = _staging(Translation, TRANSLATION_COLUMNS)


@cache
def is_stored_statement() -> Statement:
    """Return the read of `is_stored`: whether any of these audio files or transcripts is.

    Its parameters are arrays, named by table and column of the key. Translations need no look: a transcript
    that is not stored has none.
    """
    stored = (any_stored(ARRAYS, each.target) for each in (STAGED_TRANSCRIPTS, STAGED_AUDIO_FILES))
    return Statement.compiled("import.look_up", select(or_(*stored).label("is_stored")))


@cache
def speakers_statement() -> Statement:
    """Return the write of speakers: missing ones, and names for the nameless."""
    written = upsert_speakers(input_rows(ARRAYS, SPEAKERS))
    return Statement.compiled("import.speakers", select(count_of(written)))


@cache
def staging_statements() -> str:
    """Return the script that creates the staging tables."""
    creations = [each.creation() for each in (STAGED_AUDIO_FILES, STAGED_TRANSCRIPTS, STAGED_TRANSLATIONS)]
    # The planner knows nothing of tables that were filled a moment ago. A nested loop over two of them, cheap
    # if they are small, takes minutes. Lookups by key have no other way, and stay.
    return ";".join(["SET LOCAL enable_nestloop = off", *creations])


@cache
def merge_statement() -> Statement:
    """Return the merge of one `wave` under the rules of revisions.

    Its rows are a table, an outcome and its number of rows. For audio files that were stored already and for
    updated transcripts three arrays follow: session_id, id and revision.
    """
    wave = bindparam(WAVE, type_=Integer())
    stagings = (STAGED_AUDIO_FILES, STAGED_TRANSCRIPTS, STAGED_TRANSLATIONS)
    rows = union_all(*merged_segments(*(each.input_rows(wave) for each in stagings))).subquery()
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
def known_sessions() -> Statement:
    """Return the read of those of the `ids` that a session has."""
    session_id = table_of(Session).c.id
    wanted = bindparam("ids", type_=ARRAY(Uuid()))
    return Statement.compiled("import.known_sessions", select(session_id).where(session_id == any_(wanted)))
