"""Columns whose usual value is stored as NULL, which takes no room in a row."""

from typing import Any

from sqlalchemy import ColumnElement, Dialect, Text, func, literal_column
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import TypeDecorator, TypeEngine


class _Sparse(TypeDecorator[Any]):
    """A type with a usual value; a model shows that value for NULL."""

    #: The usual value, in Python and in SQL.
    usual: Any
    usual_sql: str

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:  # noqa: ARG002 (the signature is SQLAlchemy's)
        """Return None for the usual value."""
        return stored_value(value, self.usual)

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:  # noqa: ARG002 (the signature is SQLAlchemy's)
        """Return the usual value for NULL."""
        return self.usual if value is None else value


class SparseText(_Sparse):
    """Text that is `usual` in most rows."""

    impl = Text
    cache_ok = True

    def __init__(self, usual: str) -> None:
        super().__init__()
        self.usual = usual
        self.usual_sql = f"'{usual}'"


class SparseObject(_Sparse):
    """A JSON object that is empty in most rows."""

    impl = JSONB
    cache_ok = True
    usual_sql = "'{}'::jsonb"

    def __init__(self) -> None:
        super().__init__(none_as_null=True)

    @property
    def usual(self) -> Any:
        """A new object each time, because its reader may change it."""
        return {}


def stored_value(value: Any, usual: Any) -> Any:
    """Return what a sparse column stores for a value."""
    return None if value == usual else value


def shown(column: ColumnElement[Any]) -> ColumnElement[Any]:
    """Return a column as readers see it: the usual value for NULL."""
    if not isinstance(column.type, _Sparse):
        return column
    value: ColumnElement[Any] = func.coalesce(column, literal_column(column.type.usual_sql))
    return value


def stored(column: ColumnElement[Any], value: ColumnElement[Any]) -> ColumnElement[Any]:
    """Return what the column stores for a value."""
    if not isinstance(column.type, _Sparse):
        return value
    sparse: ColumnElement[Any] = func.nullif(value, literal_column(column.type.usual_sql))
    return sparse


def plain_type(column: ColumnElement[Any]) -> TypeEngine[Any]:
    """Return the type that the server knows."""
    return column.type.impl_instance if isinstance(column.type, _Sparse) else column.type
