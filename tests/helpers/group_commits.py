"""Group commit with a fake database, a fake write and a clock that the test moves."""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from typing import Any, NamedTuple, cast
from uuid import UUID

from livetranslate_store.database.engine import Database
from livetranslate_store.database.first_look import FirstLook
from livetranslate_store.database.statement import BoundStatement
from livetranslate_store.errors import StoreError
from livetranslate_store.writing.connection import Connection
from livetranslate_store.writing.group_commit import GroupCommit

LIMIT = 25
RETRY_SECONDS = 10.0
STATEMENT = BoundStatement("test", "SELECT 1", [])


class Item(NamedTuple):
    name: str
    key: int
    session_id: UUID = UUID(int=0)

    @property
    def keys(self) -> list[tuple[int, int]]:
        return [(0, self.key)]


class Lease:
    def __init__(self) -> None:
        self.is_open = True

    def close(self) -> None:
        self.is_open = False


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


class Retries:
    """Allows transient failures until the time is up, without pauses."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.endings: list[bool] = []

    async def run(self, attempt: Callable[[], Any], **_: Any) -> Any:
        return await attempt()

    def allows(self, error: StoreError, *, since: float, **_: Any) -> bool:
        return error.is_transient and self._clock() - since < RETRY_SECONDS

    def pause(self, _attempts: int) -> float:
        return 0.0

    def ended(self, *, well: bool) -> None:
        self.endings.append(well)


class FakeShards:
    """Puts a session into the shard of its number."""

    async def of_all(self, session_ids: Collection[UUID], _fetch: Any) -> dict[UUID, int]:
        return {each: each.int for each in session_ids}


class FakeDatabase:
    def __init__(self, clock: Clock) -> None:
        self.is_distributed = False
        self.server = FirstLook()
        self.shards = FakeShards()
        self.retries = Retries(clock)
        self.leases: list[Lease] = []
        #: The errors of the next leases.
        self.refusals: list[StoreError] = []
        #: While it is clear no connection is free.
        self.is_free = asyncio.Event()
        self.is_free.set()
        #: The leases that statements ran on; None for a connection of their own.
        self.ran_on: list[Lease | None] = []

    fetch_for_write = None

    async def lease(self, *, writes: bool) -> Lease:
        assert writes
        await self.is_free.wait()
        if self.refusals:
            raise self.refusals.pop(0)
        self.leases.append(Lease())
        return self.leases[-1]

    async def fetch_once(self, bound: BoundStatement, *, writes: bool, lease: Lease | None) -> list[Any]:
        assert bound is STATEMENT
        assert writes
        self.ran_on.append(lease)
        if lease is not None:
            lease.close()
        return []


class FakeWrite:
    """Records its groups; each ends when the test lets it, with receipts or with a planned error."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        #: How long each group takes by the clock.
        self.seconds = 0.0
        self.groups: list[list[str]] = []
        #: The answers to the next groups: an error for all, or one for an item.
        self.errors: list[BaseException | None] = []
        self.refused: dict[str, StoreError] = {}
        self.given_up: list[tuple[str, bool]] = []
        #: Whether a part of each group is committed before its error.
        self.stores_a_part = False
        self.goes_on = asyncio.Event()
        self.goes_on.set()

    async def __call__(self, items: Sequence[Item], connection: Connection) -> list[str | StoreError]:
        self.groups.append([each.name for each in items])
        error = self.errors.pop(0) if self.errors else None
        await self.goes_on.wait()
        await connection.fetch(STATEMENT)
        self._clock.now += self.seconds
        if self.stores_a_part:
            connection.note_stored()
        if error is not None:
            raise error
        return [self.refused.get(each.name, f"receipt of {each.name}") for each in items]

    def give_up(self, item: Item, /, *, may_be_stored: bool) -> None:
        self.given_up.append((item.name, may_be_stored))


LIMIT = 25


class Bench:
    """Group commit with its fakes."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.database = FakeDatabase(self.clock)
        self.write = FakeWrite(self.clock)
        self.groups: GroupCommit[Item, str] = GroupCommit(
            cast("Database", self.database),
            self.write,
            self.write.give_up,
            limit=lambda: LIMIT,
            clock=self.clock,
        )

    def start(self, name: str, key: int | None = None, *, shard: int = 0) -> "asyncio.Task[str]":
        """Start the write of an item; without a key no other item has its key."""
        item = Item(name, id(name) if key is None else key, UUID(int=shard))
        return asyncio.create_task(self.groups.write(item))

    @property
    def retries(self) -> Retries:
        return self.database.retries


async def settle() -> None:
    """Give every task time to run until it waits."""
    for _ in range(30):
        await asyncio.sleep(0)


async def results(tasks: Sequence["asyncio.Task[str]"]) -> list[Any]:
    return await asyncio.gather(*tasks, return_exceptions=True)


@asynccontextmanager
async def opened_bench() -> AsyncIterator[Bench]:
    """Make the bench; at the end no connection is kept, however the test ended."""
    bench = Bench()
    yield bench
    await settle()
    assert not [lease for lease in bench.database.leases if lease.is_open]
