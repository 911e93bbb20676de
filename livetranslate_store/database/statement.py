"""Statements that are built once with SQLAlchemy and kept as text for the driver."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import CompoundSelect, Select
from sqlalchemy.dialects.postgresql import asyncpg


class CompiledStatement(NamedTuple):
    """A statement's text, and the names of its parameters in the order in which they are bound."""

    text: str
    parameters: Sequence[str]


def compiled(query: CompoundSelect[Any] | Select[Any]) -> CompiledStatement:
    """Return the text of `query`, whose values are all bound parameters with a name."""
    compilation = query.compile(dialect=asyncpg.dialect())  # type: ignore[no-untyped-call]  # untyped there
    return CompiledStatement(compilation.string, getattr(compilation, "positiontup", None) or ())
