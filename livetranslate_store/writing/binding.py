"""Where the rows of a write statement come from: bound value by value, or as one array per column."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple, TypeAlias

from sqlalchemy import (
    ARRAY,
    Column,
    ColumnElement,
    SelectBase,
    Table,
    Text,
    bindparam,
    cast,
    column,
    func,
    select,
    union_all,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import TypeEngine

from livetranslate_store.writing.encoding import COLUMNS, Row

RowsByTable: TypeAlias = Mapping[str, Sequence[Row]]

# More translations than this are bound as arrays: each number of them is a statement of its own.
MOST_VALUES = 8


class Arrays:
    """Any number of rows, bound as one array per column."""

    def holds(self, _table: Table) -> bool:
        """Tell that there can be rows: arrays may be empty."""
        return True

    def rows(self, table: Table, columns: Sequence[str]) -> SelectBase:
        """Return the rows of a table as a query, with these of its columns."""
        wanted = [table.c[name] for name in columns]
        arrays = (bindparam(f"{table.name}_{c.name}", type_=ARRAY(_sent_as(c))) for c in wanted)
        rows = (
            func.unnest(*arrays)
            .table_valued(*(column(c.name, _sent_as(c)) for c in wanted), name=f"{table.name}_rows")
            .render_derived()
        )
        return select(*(_received(rows.c[c.name], c) for c in wanted))

    def values(self, rows: RowsByTable) -> dict[str, Any]:
        """Return one array per column, None for one without a value: `unnest` fills it up with NULL."""
        values: dict[str, Any] = {}
        for table, each in rows.items():
            columns = zip(*each, strict=True) if each else ((),) * len(COLUMNS[table])
            for name, array in zip(_array_names(table), columns, strict=True):
                values[name] = None if _is_empty(array) else array
        return values


class Values(NamedTuple):
    """So many rows of each table, bound value by value: for one segment cheaper than arrays of one."""

    audio_files: int = 0
    speakers: int = 0
    transcripts: int = 0
    translations: int = 0

    def holds(self, table: Table) -> bool:
        """Tell whether there are rows of this table."""
        return self._number(table.name) > 0

    def rows(self, table: Table, columns: Sequence[str]) -> SelectBase:
        """Return the rows of a table as a query, with these of its columns."""
        wanted = [table.c[name] for name in columns]
        each = [
            select(
                *(
                    _received(bindparam(f"{table.name}_{c.name}_{number}", type_=_sent_as(c)), c)
                    for c in wanted
                )
            )
            for number in range(self._number(table.name))
        ]
        return each[0] if len(each) == 1 else union_all(*each)

    def values(self, rows: RowsByTable) -> dict[str, Any]:
        """Return the values of the rows by the names of their parameters."""
        values: dict[str, Any] = {}
        for table, each in rows.items():
            for number, row in enumerate(each):
                values.update(zip(_value_names(table, number), row, strict=True))
        return values

    def _number(self, table: str) -> int:
        number: int = getattr(self, table)
        return number


@cache
def _array_names(table: str) -> Sequence[str]:
    return [f"{table}_{name}" for name in COLUMNS[table]]


@cache
def _value_names(table: str, number: int) -> Sequence[str]:
    return [f"{table}_{name}_{number}" for name in COLUMNS[table]]


#: Where the rows of a statement come from.
Source: TypeAlias = Arrays | Values

ARRAYS = Arrays()


def source_of(rows: RowsByTable) -> Source:
    """Return how these rows are bound best."""
    for table, each in rows.items():
        if len(each) > (MOST_VALUES if table == "translations" else 1):
            return ARRAYS
    return Values(**{table: len(each) for table, each in rows.items()})


def _is_empty(array: Sequence[Any]) -> bool:
    return array.count(None) == len(array)


def _received(value: ColumnElement[Any], c: Column[Any]) -> ColumnElement[Any]:
    return (cast(value, c.type) if _is_json(c) else value).label(c.name)


def _sent_as(c: Column[Any]) -> TypeEngine[Any]:
    # JSON travels as text and is cast where it arrives: the driver encodes arrays of text by itself.
    return Text() if isinstance(c.type, JSONB | Text) else c.type


def _is_json(c: Column[Any]) -> bool:
    return isinstance(c.type, JSONB)
