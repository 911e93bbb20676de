"""What tests of one subject share."""

from typing import Any
from uuid import UUID

import pytest

from livetranslate_store import (
    Store,
)
from livetranslate_store.database.transaction import Transaction
from livetranslate_store.writing.bulk import batch as bulk_batch


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(bulk_batch, "BATCH_SEGMENTS", 10)
    return 10


@pytest.fixture
def transactions(monkeypatch: pytest.MonkeyPatch) -> list[Transaction]:
    """The transactions that wrote something, in order."""
    begun: list[Transaction] = []
    write_with = Transaction.write_with

    async def seen(self: Transaction, work: Any) -> Any:
        begun.append(self)
        return await write_with(self, work)

    monkeypatch.setattr(Transaction, "write_with", seen)
    return begun


@pytest.fixture
async def other_session(store: Store) -> UUID:
    async with store.unit_of_work() as uow:
        return (await uow.sessions.create(bot_id="bot-8", meeting_id="other")).id
