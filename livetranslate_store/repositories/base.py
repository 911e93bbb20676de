"""What all repositories share: reads of one model inside a unit of work."""

from collections.abc import AsyncIterator, Sequence
from typing import Any, Generic, TypeVar

from sqlalchemy import ColumnElement, Select, func, select

from livetranslate_store.database.transaction import Transaction
from livetranslate_store.errors import NotFoundError
from livetranslate_store.models import Base

M = TypeVar("M", bound=Base)
T = TypeVar("T")

# Rows in memory at a time while a statement is streamed.
STREAM_PAGE = 1000


class Repository(Generic[M]):
    """Reads one model inside a unit of work; it never commits."""

    model: type[M]

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    def statement(self) -> Select[tuple[M]]:
        """Return the select of all rows; narrow and order it for `get_many`, `count` and `stream`."""
        return select(self.model)

    async def get_many(self, statement: Select[tuple[M]]) -> list[M]:
        """Return the rows of a statement, in its order."""
        return list((await self._transaction.execute(statement)).scalars())

    async def count(self, statement: Select[tuple[M]]) -> int:
        """Return the number of rows of a statement."""
        counted = select(func.count()).select_from(statement.subquery())
        number: int = (await self._transaction.execute(counted)).scalar_one()
        return number

    async def stream(self, statement: Select[tuple[M]]) -> AsyncIterator[M]:
        """Yield the rows of a statement in its order, in bounded memory."""
        rows = await self._transaction.stream(statement.execution_options(yield_per=STREAM_PAGE))
        try:
            async for row in rows:
                yield row
        finally:
            await rows.close()

    async def _one(self, *conditions: ColumnElement[bool], what: str) -> M:
        return existing(await self.get_many(self.statement().where(*conditions)), what)

    async def _list(self, *conditions: ColumnElement[bool], order: Sequence[Any]) -> list[M]:
        return await self.get_many(self.statement().where(*conditions).order_by(*order))


def existing(found: Sequence[T], what: str) -> T:
    """Return the row that was found; raises NotFoundError if there is none."""
    if not found:
        raise NotFoundError(f"There is no {what}.")
    return found[0]
