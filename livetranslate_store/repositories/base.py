"""What every repository has: the unit's transaction and typed reads of one model."""

from collections.abc import AsyncIterator, Sequence
from typing import Any, Generic, TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, Select, select

from livetranslate_store.database.transaction import Transaction
from livetranslate_store.errors import NotFoundError
from livetranslate_store.models import Base
from livetranslate_store.models.base import table_of

M = TypeVar("M", bound=Base)

# Rows held at once while a session is streamed.
STREAM_PAGE = 1000


class Repository(Generic[M]):
    """Reads one model inside a unit of work; it never commits."""

    model: type[M]

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

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
