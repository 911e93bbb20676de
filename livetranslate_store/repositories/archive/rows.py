"""The statements of a backup and a restore: whole rows as JSON text, in and out of any table of a session.

The server writes and reads the JSON itself, so that every value comes back unchanged, to the last digit.
Generated columns are left out: the server computes them again.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any, TypeAlias
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    JSON,
    ColumnElement,
    Select,
    Table,
    TableValuedAlias,
    Text,
    Uuid,
    and_,
    any_,
    bindparam,
    case,
    cast,
    column,
    func,
    literal_column,
    null,
    select,
    tuple_,
)
from sqlalchemy.dialects.postgresql import insert

from livetranslate_store.database.statement import Statement
from livetranslate_store.models import AudioFile, Session, Speaker, TextVersion, Transcript, Translation
from livetranslate_store.models.base import table_of
from livetranslate_store.models.sparse import shown, stored
from livetranslate_store.models.transcript import spoken_text

#: The key of a row within its table and session: an id, a speaker's label, or a transcript and a language.
ArchiveKey: TypeAlias = Sequence[UUID | str]

#: The tables of a session in the order of their references.
ARCHIVED: dict[str, Table] = {
    model.__tablename__: table_of(model)
    for model in (Session, Speaker, AudioFile, Transcript, Translation, TextVersion)
}

# The server's name for the number of a row that a function returns.
_PLACE = "ordinality"

# Each server has its own objects.
_NOT_COMPARED = frozenset({"storage_key"})
# An archive has one text, whether it is a draft or not.
_LEFT_OUT = frozenset({"draft"})


def columns_of(table: Table) -> list[str]:
    """Return the columns of an archived row."""
    return [each.name for each in table.columns if each.computed is None and each.name not in _LEFT_OUT]


def rows_after(table: Table, session_id: UUID, after: ArchiveKey | None, limit: int) -> Select[Any]:
    """Return the read of a session's rows in the order of their key: JSON text, and the key's columns."""
    key = [table.c[name] for name in _own_key(table)]
    values = (_shown(table, name).label(name) for name in columns_of(table))
    whole = select(*values).where(_of_session(table, session_id))
    if after is not None:
        whole = whole.where(tuple_(*key) > tuple_(*after))
    row = whole.order_by(*key).limit(limit).subquery("row")
    own = [row.c[each.name] for each in key]
    return select(cast(func.row_to_json(row.table_valued()), Text), *own).order_by(*own)


@cache
def insert_missing(table_name: str) -> Statement:
    """Return the write of `rows`, a JSON array, that returns how many of them were missing.

    Transcripts lose the audio files of the array `left_out`.
    """
    table = ARCHIVED[table_name]
    given = _given(table)
    values = [_value(table, given, name) for name in columns_of(table)]
    written = (
        insert(table)
        .from_select(columns_of(table), select(*values).select_from(given))
        .on_conflict_do_nothing()
        .returning(literal_column("1"))
        .cte("written")
    )
    return Statement.compiled(f"restore.{table_name}", select(func.count()).select_from(written))


@cache
def first_different(table_name: str) -> Statement:
    """Return the read of the place, from 1, of the first of `rows` that is stored differently, if any."""
    table = ARCHIVED[table_name]
    given = _given(table)
    compared = [name for name in columns_of(table) if name not in _NOT_COMPARED]
    same_key = and_(*(table.c[each.name] == given.c[each.name] for each in table.primary_key))
    here = tuple_(*(_shown(table, name) for name in compared))
    differs = here.is_distinct_from(tuple_(*(_given_value(given, name) for name in compared)))
    place = func.min(given.c[_PLACE])
    query = select(place).select_from(given.join(table, same_key)).where(differs)
    return Statement.compiled(f"restore.{table_name}.compare", query)


def _given(table: Table) -> TableValuedAlias:
    rows = cast(bindparam("rows", type_=Text()), JSON())
    names = [column(each.name, each.type) for each in table.columns]
    # The table's own type names the columns, those that are generated too.
    empty: ColumnElement[Any] = literal_column(f"NULL::{table.schema}.{table.name}")
    return func.json_populate_recordset(empty, rows).table_valued(
        *names, name="given", with_ordinality=_PLACE
    )


def _shown(table: Table, name: str) -> ColumnElement[Any]:
    """Return a value as an archive has it, however the server stores it."""
    if name == "updated_at":
        return func.coalesce(table.c[name], table.c.created_at)
    if name == "text" and "draft" in table.c:
        return spoken_text(table.c)
    return shown(table.c[name])


def _value(table: Table, given: TableValuedAlias, name: str) -> ColumnElement[Any]:
    """Return a given value as the server stores it."""
    if name == "updated_at":
        return func.nullif(given.c[name], given.c.created_at)
    return stored(table.c[name], _given_value(given, name))


def _given_value(given: TableValuedAlias, name: str) -> ColumnElement[Any]:
    if name != "audio_file_id":
        return given.c[name]
    left_out = bindparam("left_out", type_=ARRAY(Uuid()))
    return case((given.c[name] == any_(left_out), null()), else_=given.c[name])


def _own_key(table: Table) -> list[str]:
    """Return the columns that tell the rows of one session apart."""
    return [each.name for each in table.primary_key if each.name != "session_id"]


def _of_session(table: Table, session_id: UUID) -> ColumnElement[bool]:
    own: ColumnElement[UUID] = table.c["session_id"] if "session_id" in table.c else table.c["id"]
    return own == session_id
