"""What the forms of a write need of a connection."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol, TypeVar

from livetranslate_store.database.statement import BoundStatement
from livetranslate_store.writing.encoding import Row

T = TypeVar("T")


class RunningTransaction(Protocol):
    """A transaction that has begun."""

    async def fetch(self, bound: BoundStatement) -> Sequence[Any]:
        """Run a statement and return its rows."""

    async def copy(self, name: str, table: str, columns: Sequence[str], rows: Sequence[Row]) -> None:
        """Copy rows into a table of the store's; `name` is that of the statement in statistics."""


class Connection(Protocol):
    """Where a write runs: in a unit of work, or on its own."""

    @property
    def is_distributed(self) -> bool:
        """Whether the tables are distributed over a cluster."""

    @property
    def keeps_refused_texts(self) -> bool:
        """Whether a machine's text that comes after a person's edit is kept as a version."""

    async def fetch(self, bound: BoundStatement) -> Sequence[Any]:
        """Run a statement, in the unit's transaction or as one of its own."""

    async def transact(self, work: Callable[[RunningTransaction], Awaitable[T]]) -> T:
        """Do `work` in one transaction: the unit's, or one that is rolled back if `work` raises."""

    def note_stored(self) -> None:
        """Note that a part of the write is committed, unless the unit commits it: a later error leaves it."""
