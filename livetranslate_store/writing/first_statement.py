"""The first write of rows: plain INSERTs, without the rules that judge a version against a stored one.

Most of what is written is new, and judging it costs more than writing it. Each statement tells what it has
written; what turns out to be stored goes through `segment_statement.py` next.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any

from sqlalchemy import (
    CTE,
    ColumnElement,
    CompoundSelect,
    FromClause,
    Table,
    literal_column,
    not_,
    or_,
    select,
    true,
    union_all,
)
from sqlalchemy.dialects.postgresql import insert

from livetranslate_store.database.statement import Statement
from livetranslate_store.values import Outcome
from livetranslate_store.writing.binding import Source
from livetranslate_store.writing.encoding import AUDIO_COLUMNS, TRANSCRIPT_COLUMNS, TRANSLATION_COLUMNS
from livetranslate_store.writing.steps import (
    AUDIO_FILES,
    SPEAKERS,
    TRANSCRIPTS,
    TRANSLATIONS,
    given_to,
    of_stored_transcripts,
    write_speakers,
)
from livetranslate_store.writing.upserts import constant, looked_up, position, position_row, results_of


@cache
def first_segment_statement(source: Source) -> Statement:
    """Return the write of segments that are not stored: all of them, or nothing where one of them is.

    Its one row tells whether one is stored, and the position. What another transaction stores meanwhile is a
    DuplicateError. Translations are given with all that they take from their transcripts.
    """
    found = [any_stored(source, TRANSCRIPTS)]
    if source.holds(AUDIO_FILES):
        found.append(any_stored(source, AUDIO_FILES))
    stored = select(or_(*found).label("found")).cte("stored")
    free = not_(select(stored.c.found).scalar_subquery())
    query = select(stored.c.found, position().label("position"))
    if source.holds(AUDIO_FILES):
        query = query.add_cte(_insert(source, AUDIO_FILES, AUDIO_COLUMNS, free))
    if source.holds(SPEAKERS):
        query = query.add_cte(write_speakers(given_to(source, SPEAKERS)))
    query = query.add_cte(_insert(source, TRANSCRIPTS, TRANSCRIPT_COLUMNS, free))
    if source.holds(TRANSLATIONS):
        query = query.add_cte(_insert(source, TRANSLATIONS, TRANSLATION_COLUMNS, free))
    return Statement.compiled("segments.insert", query)


@cache
def first_audio_statement(source: Source) -> Statement:
    """Return the write of audio files that are not stored.

    Like those below it has a row, as `segment_statement.py` describes them, for each that it has written.
    """
    given = source.rows(AUDIO_FILES, AUDIO_COLUMNS).subquery()
    return Statement.compiled("audio_files.insert", _insert_missing(AUDIO_FILES, AUDIO_COLUMNS, given))


@cache
def first_transcript_statement(source: Source) -> Statement:
    """Return the write of transcripts that are not stored, and of their speakers."""
    given = source.rows(TRANSCRIPTS, TRANSCRIPT_COLUMNS).subquery()
    query = _insert_missing(TRANSCRIPTS, TRANSCRIPT_COLUMNS, given, "revision")
    if source.holds(SPEAKERS):
        query = query.add_cte(write_speakers(given_to(source, SPEAKERS)))
    return Statement.compiled("transcripts.insert", query)


@cache
def first_translation_statement(source: Source) -> Statement:
    """Return the write of translations that are not stored, of transcripts that are."""
    given = given_to(source, TRANSLATIONS)
    completed = of_stored_transcripts(given)
    query = _insert_missing(TRANSLATIONS, TRANSLATION_COLUMNS, completed, "transcript_revision")
    return Statement.compiled("translations.insert", query)


def any_stored(source: Source, table: Table) -> ColumnElement[bool]:
    """Return the condition that one of the given rows of a table, known by its key, is stored."""
    keys = source.rows(table, ("session_id", "id")).subquery(f"{table.name}_keys")
    stored = looked_up(table, keys, f"{table.name}_found", session_id="session_id", id="id")
    return select(literal_column("1")).select_from(keys.join(stored, true())).exists()


def _insert(source: Source, table: Table, columns: Sequence[str], condition: ColumnElement[bool]) -> CTE:
    given = source.rows(table, columns).subquery()
    rows = select(*(given.c[name] for name in columns)).where(condition)
    return insert(table).from_select(columns, rows).cte(f"{table.name}_written")


def _insert_missing(
    table: Table, columns: Sequence[str], given: FromClause, revision: str | None = None
) -> CompoundSelect[Any]:
    written = (
        insert(table)
        .from_select(columns, select(*(given.c[name] for name in columns)))
        .on_conflict_do_nothing(index_elements=["session_id", "id"])
        .returning(table.c.session_id, table.c.id, *([] if revision is None else [table.c[revision]]))
        .cte(f"{table.name}_written")
    )
    outcome = constant(Outcome.INSERTED).label("outcome")
    return union_all(results_of(select(written, outcome).subquery(), table.name, revision), position_row())
