"""Versions of texts: those that a person's edit replaces, and if a setting asks, those that it refuses.

A replaced version is kept in the transaction of the edit, a refused one right after the write. A version is
kept once, however often the write is repeated.
"""

from collections.abc import Awaitable, Callable, Sequence
from functools import cache, reduce
from operator import add
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    FromClause,
    Select,
    Table,
    Text,
    Uuid,
    and_,
    any_,
    bindparam,
    cast,
    func,
    literal_column,
    select,
)
from sqlalchemy.dialects.postgresql import insert

from livetranslate_store.database.statement import BoundStatement, Run, Statement
from livetranslate_store.models import TextVersion
from livetranslate_store.models.base import table_of
from livetranslate_store.models.text_version import SPOKEN
from livetranslate_store.models.transcript import spoken_text
from livetranslate_store.writing.binding import ARRAYS, RowsByTable, array_values
from livetranslate_store.writing.connection import Connection, RunningTransaction
from livetranslate_store.writing.encoding import COLUMNS, KEYS, Row
from livetranslate_store.writing.outcomes import REVISION_COLUMNS, constant
from livetranslate_store.writing.revision_rules import Columns, is_edit, is_later_edit
from livetranslate_store.writing.upserts import TRANSCRIPTS, TRANSLATIONS

T = TypeVar("T")

TEXT_VERSIONS = table_of(TextVersion)

_TABLES = {table.name: table for table in (TRANSCRIPTS, TRANSLATIONS)}
_EDITED_BY = {name: COLUMNS[name].index("edited_by") for name in _TABLES}
# No text holds it: two versions have the same id only if all of their parts are equal.
_SEPARATOR = literal_column("chr(31)", Text())


async def keeping_replaced(
    rows: RowsByTable, connection: Connection, write: Callable[[Connection], Awaitable[T]]
) -> T:
    """Write rows with `write`; what the edits among them replace is kept in the same transaction."""
    edits = _only(rows, edits=True)
    if not edits:
        return await write(connection)

    async def keep_and_write(transaction: RunningTransaction) -> T:
        await keep_replaced(edits, transaction.fetch)
        return await write(_InTransaction(connection, transaction))

    return await connection.transact(keep_and_write)


async def keep_replaced(rows: RowsByTable, run: Run) -> None:
    """Lock the stored texts of the edits among these rows, and keep those that will be replaced."""
    for table, edits in _only(rows, edits=True).items():
        values = array_values({table: edits})
        await run(_lock(table).bind(values))
        await run(_keep_replaced(table).bind(values))


async def keep_refused(rows: RowsByTable, run: Run) -> None:
    """Keep the texts of machines among these rows whose stored text is a person's."""
    for table, texts in _only(rows, edits=False).items():
        await run(_keep_refused(table).bind(array_values({table: texts})))


class _InTransaction(NamedTuple):
    """The connection of a write, in a transaction that has begun on it."""

    connection: Connection
    transaction: RunningTransaction

    @property
    def is_distributed(self) -> bool:
        return self.connection.is_distributed

    @property
    def keeps_refused_texts(self) -> bool:
        return self.connection.keeps_refused_texts

    async def fetch(self, bound: BoundStatement) -> Sequence[Any]:
        return await self.transaction.fetch(bound)

    async def transact(self, work: Callable[[RunningTransaction], Awaitable[T]]) -> T:
        return await work(self.transaction)

    def note_stored(self) -> None:
        """Do nothing: the transaction goes on."""


def _only(rows: RowsByTable, *, edits: bool) -> dict[str, Sequence[Row]]:
    """Return the texts among the rows that are edits, or those that are not."""
    chosen = {
        table: [row for row in rows.get(table, ()) if (row[place] is not None) is edits]
        for table, place in _EDITED_BY.items()
    }
    return {table: each for table, each in chosen.items() if each}


class _Pair(NamedTuple):
    """The stored row of a text, and the new one of the same key."""

    stored: Table
    new: FromClause

    @property
    def key(self) -> Sequence[str]:
        """The columns of the key."""
        return KEYS[self.stored.name]

    def select(self, *columns: ColumnElement[Any]) -> Select[Any]:
        """Return the select of all pairs. The sessions are a condition, so that a cluster finds the shard."""
        session_ids = bindparam(f"{self.stored.name}_session_id", type_=ARRAY(Uuid()))
        same_key = (self.stored.c[name] == self.new.c[name] for name in self.key)
        pairs = self.stored.join(self.new, and_(*same_key))
        return select(*columns).select_from(pairs).where(self.stored.c.session_id == any_(session_ids))

    @property
    def differs(self) -> ColumnElement[bool]:
        """Whether the texts differ."""
        return _text(self.stored.c).is_distinct_from(_text(self.new.c))


def _pair(table_name: str) -> _Pair:
    table = _TABLES[table_name]
    new = ARRAYS.rows(table, COLUMNS[table_name]).subquery("new")
    return _Pair(table, new)


@cache
def _lock(table_name: str) -> Statement:
    pair = _pair(table_name)
    query = pair.select(literal_column("1")).with_for_update(of=pair.stored)
    return Statement.compiled(f"{table_name}.lock", query)


@cache
def _keep_replaced(table_name: str) -> Statement:
    pair = _pair(table_name)
    values = _version(pair, pair.stored.c, replaced_by=pair.new.c.edited_by)
    replaced = pair.select(*values).where(is_edit(pair.new.c))
    return _kept(
        f"{table_name}.keep_replaced",
        replaced.where(is_later_edit(pair.stored.c, pair.new.c, pair.differs)),
    )


@cache
def _keep_refused(table_name: str) -> Statement:
    pair = _pair(table_name)
    values = _version(pair, pair.new.c, replaced_by=literal_column("NULL::text"))
    refused = pair.select(*values).where(is_edit(pair.stored.c), pair.differs)
    return _kept(f"{table_name}.keep_refused", refused)


def _kept(name: str, versions: Select[Any]) -> Statement:
    rows = insert(TEXT_VERSIONS).from_select(_COLUMNS, versions)
    once = rows.on_conflict_do_nothing(index_elements=KEYS[TEXT_VERSIONS.name])
    return Statement.compiled(name, once.returning(TEXT_VERSIONS.c.id))


_COLUMNS = (
    *("session_id", "transcript_id", "target_language", "id", "text", "revision"),
    *("edited_by", "edited_at", "replaced_by", "metadata"),
)


def _version(pair: _Pair, kept: Columns, *, replaced_by: ColumnElement[Any]) -> list[ColumnElement[Any]]:
    """Return the values of `_COLUMNS` for the version `kept` of a pair."""
    stored = pair.stored.c
    session_id, transcript_id, *language = [stored[name] for name in pair.key]
    number = REVISION_COLUMNS[pair.stored.name]
    assert number is not None  # noqa: S101 (every text has a revision)
    # A new translation may come without the number of its transcript's revision.
    revision = func.coalesce(kept[number], stored[number])
    moment = cast(func.extract("epoch", kept.edited_at), Text)
    parts = (cast(revision, Text), kept.edited_by, moment, _text(kept))
    identity = reduce(add, (func.coalesce(part, constant("")) + _SEPARATOR for part in parts))
    return [
        session_id,
        transcript_id,
        language[0] if language else constant(SPOKEN),
        cast(func.md5(identity), Uuid),
        _text(kept),
        revision,
        kept.edited_by,
        kept.edited_at,
        replaced_by,
        func.coalesce(kept.metadata, literal_column("'{}'::jsonb")),
    ]


def _text(version: Columns) -> ColumnElement[str]:
    return spoken_text(version) if "draft" in version else version["text"]
