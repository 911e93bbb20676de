"""The rows of a write become parameters: one for each value, or one array for each column."""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple, TypeAlias
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    CTE,
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

from livetranslate_store.database.statement import BoundStatement, Statement
from livetranslate_store.models.sparse import plain_type
from livetranslate_store.writing.encoding import COLUMNS, KEYS, Row

RowsByTable: TypeAlias = Mapping[str, Sequence[Row]]

# More translations than this are bound as arrays: each number of them is a statement of its own.
MOST_VALUES = 8


class ArrayBinding(NamedTuple):
    """Any number of rows, bound as one array for each column."""

    tables: frozenset[str]

    def holds(self, table: Table) -> bool:
        """Return whether rows of this table are bound."""
        return table.name in self.tables

    def rows(self, table: Table, columns: Sequence[str]) -> SelectBase:
        """Return the rows of a table as a query for these columns."""
        wanted = [table.c[name] for name in columns]
        arrays = (bindparam(f"{table.name}_{c.name}", type_=ARRAY(_sent_as(c))) for c in wanted)
        rows = (
            func.unnest(*arrays)
            .table_valued(*(column(c.name, _sent_as(c)) for c in wanted), name=f"{table.name}_rows")
            .render_derived()
        )
        return select(*(_received(rows.c[c.name], c) for c in wanted))

    def values(self, rows: RowsByTable) -> dict[str, Any]:
        """Return the arrays by parameter; None for one without a value: `unnest` fills it up with NULL."""
        values: dict[str, Any] = {}
        for table, each in rows.items():
            if each:
                for name, array in zip(_array_names(table), zip(*each, strict=True), strict=True):
                    values[name] = None if _is_empty(array) else array
        return values


class ValueBinding(NamedTuple):
    """A fixed number of rows of each table, bound value by value: for one segment cheaper than arrays."""

    #: Tables with their numbers of rows.
    numbers: tuple[tuple[str, int], ...]

    def holds(self, table: Table) -> bool:
        """Return whether rows of this table are bound."""
        return self._number(table) > 0

    def rows(self, table: Table, columns: Sequence[str]) -> SelectBase:
        """Return the rows of a table as a query for these columns."""
        wanted = [table.c[name] for name in columns]
        each = [
            select(
                *(
                    _received(bindparam(f"{table.name}_{c.name}_{number}", type_=_sent_as(c)), c)
                    for c in wanted
                )
            )
            for number in range(self._number(table))
        ]
        return each[0] if len(each) == 1 else union_all(*each)

    def values(self, rows: RowsByTable) -> dict[str, Any]:
        """Return the values by parameter; the tables come in the order of `numbers`."""
        values = [value for each in rows.values() for row in each for value in row]
        return dict(zip(_value_names(self), values, strict=True))

    def _number(self, table: Table) -> int:
        return dict(self.numbers).get(table.name, 0)


Binding: TypeAlias = ArrayBinding | ValueBinding
#: Returns the statement of a write whose rows are bound in this way.
StatementFactory: TypeAlias = Callable[[Binding], Statement]

ARRAYS = ArrayBinding(frozenset(COLUMNS))


def binding_of(rows: RowsByTable) -> Binding:
    """Return the cheapest binding of these rows."""
    for table, each in rows.items():
        if len(each) > (MOST_VALUES if table == "translations" else 1):
            return ArrayBinding(frozenset(table for table, each in rows.items() if each))
    return ValueBinding(tuple((table, len(each)) for table, each in rows.items()))


def bound(factory: StatementFactory, rows: RowsByTable) -> BoundStatement:
    """Return the write of these rows with its arguments, in the order of the keys.

    Writers that lock rows in this order hardly ever deadlock.
    """
    in_order = {table: _in_order(table, each) for table, each in rows.items()}
    binding = binding_of(in_order)
    return factory(binding).bind(binding.values(in_order))


def array_values(rows: RowsByTable) -> dict[str, Any]:
    """Return the arrays of these rows by parameter, in the order of the keys."""
    return ARRAYS.values({table: _in_order(table, each) for table, each in rows.items()})


def key_values(rows: RowsByTable) -> dict[str, Any]:
    """Return the arrays of the keys alone of these rows, by parameter."""
    return {
        f"{table}_{name}": [row[place] for row in each]
        for table, each in rows.items()
        for place, name in enumerate(KEYS[table])
    }


def value_rows(table: Table, number: int) -> list[dict[str, ColumnElement[Any]]]:
    """Return so many rows of a table, each value bound by a parameter of its own; see `ValueBinding`."""
    columns = [table.c[name] for name in COLUMNS[table.name]]
    return [
        {
            c.name: _received(bindparam(f"{table.name}_{c.name}_{place}", type_=_sent_as(c)), c)
            for c in columns
        }
        for place in range(number)
    ]


def input_rows(binding: Binding, table: Table) -> CTE:
    """Return the rows of a table that a statement is to write, with all columns that a write fills."""
    return binding.rows(table, COLUMNS[table.name]).cte(f"{table.name}_input")


@cache
def _array_names(table: str) -> Sequence[str]:
    return [f"{table}_{name}" for name in COLUMNS[table]]


@cache
def _value_names(binding: ValueBinding) -> Sequence[str]:
    return [
        f"{table}_{name}_{number}"
        for table, rows in binding.numbers
        for number in range(rows)
        for name in COLUMNS[table]
    ]


def _in_order(table: str, rows: Sequence[Row]) -> Sequence[Row]:
    """Return the rows as the server sorts their keys."""
    if len(rows) <= 1:
        return rows
    length = len(KEYS[table])
    return sorted(
        rows, key=lambda row: [each.int if isinstance(each, UUID) else each for each in row[:length]]
    )


def _is_empty(array: Sequence[Any]) -> bool:
    return array.count(None) == len(array)


def _received(value: ColumnElement[Any], c: Column[Any]) -> ColumnElement[Any]:
    return (cast(value, plain_type(c)) if _is_json(c) else value).label(c.name)


def _sent_as(c: Column[Any]) -> TypeEngine[Any]:
    # JSON travels as text and is cast on arrival: the driver encodes arrays of text by itself.
    sent = plain_type(c)
    return Text() if isinstance(sent, JSONB | Text) else sent


def _is_json(c: Column[Any]) -> bool:
    return isinstance(plain_type(c), JSONB)
