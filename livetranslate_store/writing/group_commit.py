"""Group commit: while writes are on their way, those that arrive wait together and go as one statement.

A lone writer never waits for company, and nobody is answered before the commit of its own write.
"""

import asyncio
from collections.abc import Collection, Sequence
from typing import Generic, Protocol, TypeVar

from sqlalchemy.pool import PoolProxiedConnection

from livetranslate_store.database.engine import Database
from livetranslate_store.errors import (
    OutcomeUnknownError,
    PoolTimeoutError,
    StoreError,
    StoreUnavailableError,
)
from livetranslate_store.tasks import run_to_end
from livetranslate_store.writing.rows import Key

# One group is written while the next is gathered and sent; more of them would only make each smaller.
GROUPS_UNDER_WAY = 2
# Half of the writes that the gate lets through by default, so that one half is written while the other
# arrives; larger groups hold up everybody in them without saving much more.
GROUP_LIMIT = 25

# What these say holds for every write of the group: doing them one by one would only take longer.
_FOR_ALL = (OutcomeUnknownError, PoolTimeoutError, StoreUnavailableError)

Item = TypeVar("Item")
Receipt = TypeVar("Receipt")
Item_contra = TypeVar("Item_contra", contravariant=True)
Receipt_co = TypeVar("Receipt_co", covariant=True)


class GroupWrite(Protocol[Item_contra, Receipt_co]):
    """What is written in groups, and how."""

    def keys(self, item: Item_contra) -> Collection[Key]:
        """Return the keys that one statement can write once."""

    async def write_group(
        self, items: Sequence[Item_contra], lease: PoolProxiedConnection
    ) -> Sequence[Receipt_co | StoreError]:
        """Write the items, each all or nothing, and give the lease back.

        What fails for one alone stands in its place; an error that is raised means that nothing was written.
        """

    async def give_up(self, item: Item_contra, error: StoreError | None) -> None:
        """Clean up after an item that was not written; `error` is None where its caller took it back."""


class _Passenger(Generic[Item, Receipt]):
    """An item that waits to be written, the answer that its caller waits for, and the group it went with."""

    __slots__ = ("answer", "group", "item", "keys")

    def __init__(self, item: Item, keys: Collection[Key], answer: "asyncio.Future[Receipt]") -> None:
        self.item = item
        self.keys = keys
        self.answer = answer
        self.group: asyncio.Task[None] | None = None


class GroupCommit(Generic[Item, Receipt]):
    """Brings items to the database in groups as large as the load makes them."""

    def __init__(self, database: Database, work: GroupWrite[Item, Receipt]) -> None:
        self._database = database
        self._work = work
        # In the order of their arrival.
        self._waiting: dict[_Passenger[Item, Receipt], None] = {}
        self._busy: set[Key] = set()
        self._groups: set[asyncio.Task[None]] = set()
        self._boarding = False

    async def write(self, item: Item) -> Receipt:
        """Write an item and return its receipt; raises the error that it would have had by itself.

        A cancellation takes it back while it waits; once it is on its way, its outcome is awaited first.
        """
        passenger: _Passenger[Item, Receipt] = _Passenger(
            item, self._work.keys(item), asyncio.get_running_loop().create_future()
        )
        self._waiting[passenger] = None
        # The group boards in the loop's next turn: whoever arrives in this one goes along.
        self._depart()
        try:
            return await passenger.answer
        except asyncio.CancelledError:
            if passenger.group is not None:
                await run_to_end(_ended(passenger.group))
            elif passenger in self._waiting:
                del self._waiting[passenger]
                await run_to_end(self._work.give_up(item, None))
            raise

    async def close(self) -> None:
        """Write what was accepted."""
        while self._waiting or self._groups:
            self._depart()
            await asyncio.wait(self._groups)

    def _depart(self) -> None:
        """Send a group off, unless there are enough of them, or nobody can go."""
        if self._boarding or len(self._groups) == GROUPS_UNDER_WAY or not self._somebody_can_go():
            return
        self._boarding = True
        task = asyncio.get_running_loop().create_task(self._send_group())
        self._groups.add(task)
        task.add_done_callback(self._arrive)

    def _arrive(self, task: "asyncio.Task[None]") -> None:
        self._groups.discard(task)
        self._depart()

    def _somebody_can_go(self) -> bool:
        return any(self._busy.isdisjoint(each.keys) for each in self._waiting)

    async def _send_group(self) -> None:
        # The connection first: until there is one, others may join, and those who are cancelled leave.
        try:
            lease = await self._database.lease()
        except StoreError as error:
            group = list(self._waiting)
            self._board(group)
            for passenger in group:
                await self._fail(passenger, error)
            self._leave(group)
            return
        finally:
            self._boarding = False
        group = self._next_group()
        self._depart()
        if not group:
            lease.close()
            return
        try:
            await self._write_group(group, lease)
        finally:
            self._leave(group)

    def _next_group(self) -> list[_Passenger[Item, Receipt]]:
        """Take those who can go together, in order: each key once.

        A second revision waits until the first is stored, and holds back the third.
        """
        taken: list[_Passenger[Item, Receipt]] = []
        seen = set(self._busy)
        for passenger in self._waiting:
            if seen.isdisjoint(passenger.keys):
                taken.append(passenger)
                if len(taken) == GROUP_LIMIT:
                    break
            seen.update(passenger.keys)
        self._board(taken)
        return taken

    def _board(self, group: Sequence[_Passenger[Item, Receipt]]) -> None:
        for passenger in group:
            del self._waiting[passenger]
            passenger.group = asyncio.current_task()
            self._busy.update(passenger.keys)

    def _leave(self, group: Sequence[_Passenger[Item, Receipt]]) -> None:
        # Once, when all of them are done: a key that is freed twice is freed for somebody else's revision.
        for passenger in group:
            self._busy.difference_update(passenger.keys)

    async def _write_group(
        self, group: Sequence[_Passenger[Item, Receipt]], lease: PoolProxiedConnection
    ) -> None:
        try:
            receipts = await self._work.write_group([passenger.item for passenger in group], lease)
            for passenger, receipt in zip(group, receipts, strict=True):
                if isinstance(receipt, StoreError):
                    await self._fail(passenger, receipt)
                elif not passenger.answer.done():
                    passenger.answer.set_result(receipt)
        except StoreError as error:
            if len(group) == 1 or isinstance(error, _FOR_ALL):
                for passenger in group:
                    await self._fail(passenger, error)
            else:
                await self._write_one_by_one(group)
        except Exception as error:  # noqa: BLE001 (a bug: it is told, so that nobody waits for ever)
            for passenger in group:
                if not passenger.answer.done():
                    passenger.answer.set_exception(error)

    async def _write_one_by_one(self, group: Sequence[_Passenger[Item, Receipt]]) -> None:
        """Find the bad one: alone it gets its own error, and the others are stored."""
        for passenger in group:
            try:
                lease = await self._database.lease()
            except StoreError as error:
                await self._fail(passenger, error)
            else:
                await self._write_group([passenger], lease)

    async def _fail(self, passenger: _Passenger[Item, Receipt], error: StoreError) -> None:
        await self._work.give_up(passenger.item, error)
        if not passenger.answer.done():
            # An error of its own for each caller: a traceback grows where it is raised.
            own = type(error)(*error.args)
            own.__cause__ = error.__cause__
            passenger.answer.set_exception(own)


async def _ended(group: "asyncio.Task[None]") -> None:
    await asyncio.wait([group])
