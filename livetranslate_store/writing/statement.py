"""The type of the functions that make write statements."""

from collections.abc import Callable
from typing import TypeAlias

from livetranslate_store.database.statement import BoundStatement, Statement
from livetranslate_store.writing.binding import RowsByTable, Source, source_of

#: Returns the statement of a write for rows that are bound in this way.
StatementFactory: TypeAlias = Callable[[Source], Statement]


def bound_write(factory: StatementFactory, rows: RowsByTable) -> BoundStatement:
    """Return the write of these rows, bound in the cheapest way."""
    source = source_of(rows)
    return factory(source).bind(source.values(rows))
