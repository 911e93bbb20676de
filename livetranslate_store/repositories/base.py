"""What every repository has: the unit's transaction and typed reads of one model."""

from collections.abc import AsyncIterator, Sequence
from typing import Any, Generic, TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, Select, select

from livetranslate_store.database.transaction import Transaction
from livetranslate_store.errors import ConflictError, NotFoundError
from livetranslate_store.models import Base
from livetranslate_store.models.base import table_of
from livetranslate_store.writing.binding import RowsByTable
from livetranslate_store.writing.outcomes import WriteResults
from livetranslate_store.writing.segment_statement import ATTEMPTS
from livetranslate_store.writing.statement import StatementFactory, bound_write

M = TypeVar("M", bound=Base)

# Rows held at once while a session is streamed.
STREAM_PAGE = 1000


class Repository(Generic[M]):
    """Reads one model inside a unit of work; it never commits."""

    model: type[M]

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def _write(self, factory: StatementFactory, rows: RowsByTable) -> WriteResults:
        """Run a write, and run it again where a concurrent transaction came in between."""
        bound = bound_write(factory, rows)
        for _ in range(ATTEMPTS):
            results = WriteResults(await self._transaction.fetch(bound))
            if not results.overtaken:
                return results
        raise ConflictError

    async def _write_first(
        self, first: StatementFactory, factory: StatementFactory, rows: RowsByTable
    ) -> WriteResults:
        """Insert one row that is likely to be new; if it is not, `factory` judges it by the rules."""
        return await self._write(first, rows) or await self._write(factory, rows)

    async def _one(self, *conditions: ColumnElement[bool], what: str) -> M:
        result = await self._transaction.execute(self._select(*conditions))
        row: M | None = result.scalar_one_or_none()
        if row is None:
            raise NotFoundError(f"There is no {what}.")
        return row

    async def _list(
        self, *conditions: ColumnElement[bool], order: Sequence[Any], limit: int | None = None
    ) -> list[M]:
        statement = self._select(*conditions).order_by(*order).limit(limit)
        return list((await self._transaction.execute(statement)).scalars())

    async def _stream(self, session_id: UUID) -> AsyncIterator[M]:
        """Yield a session's rows in the order of their ids: the primary key is walked, page after page."""
        columns = table_of(self.model).c
        after = UUID(int=0)  # which no row has
        while True:
            page = await self._list(
                columns.session_id == session_id,
                columns.id > after,
                order=(columns.session_id, columns.id),
                limit=STREAM_PAGE,
            )
            for row in page:
                yield row
            if len(page) < STREAM_PAGE:
                return
            after = page[-1].id  # type: ignore[attr-defined]  # the models whose rows are streamed have one

    def _select(self, *conditions: ColumnElement[bool]) -> Select[Any]:
        return select(self.model).where(*conditions)
