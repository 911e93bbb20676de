"""The text of a write and what is bound to it: built once from the models, kept for good."""

from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from typing import Any, TypeAlias

from sqlalchemy import CompoundSelect, Select

from livetranslate_store.database.statement import compiled
from livetranslate_store.writing.binding import Source
from livetranslate_store.writing.encoding import Row


class WriteStatement:
    """A write whose rows come from `source`, table by table."""

    def __init__(self, query: CompoundSelect[Any] | Select[Any], source: Source, *tables: str) -> None:
        self.text, parameters = compiled(query)
        self._source = source
        self._tables = tables
        names = [name for table in tables for name in source.names(table)]
        self._in_order = itemgetter(*(names.index(name) for name in parameters))

    def arguments(self, rows: Mapping[str, Sequence[Row]]) -> tuple[Any, ...]:
        """Return what to bind: `rows` by table, each in the order of its columns in `rows.py`."""
        bound: list[Any] = []
        for table in self._tables:
            bound += self._source.bound(table, rows.get(table, ()))
        in_order: tuple[Any, ...] = self._in_order(bound)
        return in_order


#: A write, to be had for any source of rows.
StatementKind: TypeAlias = Callable[[Source], WriteStatement]
