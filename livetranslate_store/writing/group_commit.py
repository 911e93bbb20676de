"""Group commit: while writes are on their way, those that arrive wait together and go as one statement.

A lone writer never waits for company, and nobody is answered before the commit of its own write.

A group that fails for a reason that passes goes back to the front of those who wait, so that a later revision
never overtakes an earlier one that is repeated; whoever is cancelled there leaves at once. While the database
is away one connection is asked for, on behalf of all of them.
"""

import asyncio
from collections.abc import Collection, Sequence
from copy import copy
from itertools import chain
from time import monotonic
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
from livetranslate_store.writing.encoding import Key

# One group is written while the next is gathered and sent; more of them would only make each smaller.
GROUPS_UNDER_WAY = 2
# Half of the writes that the gate lets through by default, so that one half is written while the other
# arrives; larger groups hold up everybody in them without saving much more.
GROUP_LIMIT = 25

# Groups whose connections were broken fail within this time.
CLOSE_SECONDS = 2.0

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

        What fails for one alone stands in its place; an error that is raised means that nothing was written,
        unless it is an OutcomeUnknownError.
        """

    async def give_up(self, item: Item_contra, *, may_be_stored: bool) -> None:
        """Clean up after an item that was not written, or may have been where an answer was lost."""


class _Passenger(Generic[Item, Receipt]):
    """An item that waits to be written, the answer that its caller waits for, and what was tried with it."""

    __slots__ = ("answer", "attempts", "group", "item", "keys", "may_be_stored", "since")

    def __init__(self, item: Item, keys: Collection[Key], answer: "asyncio.Future[Receipt]") -> None:
        self.item = item
        self.keys = keys
        self.answer = answer
        #: The group that it is on its way with.
        self.group: asyncio.Task[None] | None = None
        #: How often it went, since when, and whether an answer was lost.
        self.attempts = 0
        self.since: float | None = None
        self.may_be_stored = False


class GroupCommit(Generic[Item, Receipt]):
    """Brings items to the database in groups as large as the load makes them."""

    def __init__(self, database: Database, work: GroupWrite[Item, Receipt]) -> None:
        self._database = database
        self._retries = database.retries
        self._work = work
        # In the order of their arrival.
        self._waiting: dict[_Passenger[Item, Receipt], None] = {}
        self._busy: set[Key] = set()
        self._groups: set[asyncio.Task[None]] = set()
        # The group that waits for its connection, which others may join.
        self._boarding: asyncio.Task[None] | None = None

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
                await run_to_end(self._work.give_up(item, may_be_stored=passenger.may_be_stored))
            raise

    async def close(self) -> None:
        """Give up what was not written in time; connections in use are broken before."""
        if self._boarding is not None:
            self._boarding.cancel()
        while self._waiting or self._groups:
            left, self._waiting = self._waiting, {}
            for passenger in left:
                await self._give_up(
                    passenger, StoreUnavailableError("The store closed before this was written.")
                )
            if self._groups:
                # One that hangs asks for another connection, or for an object to be removed.
                _, hanging = await asyncio.wait(self._groups, timeout=CLOSE_SECONDS)
                for group in hanging:
                    group.cancel()

    def _depart(self) -> None:
        """Send a group off, unless there are enough of them, or nobody can go."""
        if self._boarding is not None or len(self._groups) == GROUPS_UNDER_WAY or not self._somebody_can_go():
            return
        self._boarding = task = asyncio.get_running_loop().create_task(self._send_group())
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
            lease = await self._connect()
        except StoreError as error:
            # Whoever waits has waited for this one.
            group = list(self._waiting)
            self._board(group)
            for passenger in group:
                await self._give_up(passenger, error)
            self._leave(group)
            return
        finally:
            self._boarding = None
        group = self._next_group()
        self._depart()
        if not group:
            lease.close()
            return
        try:
            await self._write_group(group, lease)
        finally:
            self._leave(group)

    async def _connect(self) -> PoolProxiedConnection:
        """Take a connection, after a pause where those in front have failed before."""
        front = next(iter(self._waiting), None)
        if front is None or front.since is None:
            return await self._retries.run(self._lease)
        await asyncio.sleep(self._retries.pause(front.attempts))
        return await self._retries.run(self._lease, since=front.since)

    async def _lease(self) -> PoolProxiedConnection:
        return await self._database.lease(writes=True)

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
        task, now = asyncio.current_task(), monotonic()
        for passenger in group:
            del self._waiting[passenger]
            passenger.group = task
            passenger.attempts += 1
            if passenger.since is None:
                passenger.since = now
            self._busy.update(passenger.keys)

    def _leave(self, group: Sequence[_Passenger[Item, Receipt]]) -> None:
        # Once, when all of them are done: a key that is freed twice is freed for somebody else's revision.
        again = []
        for passenger in group:
            self._busy.difference_update(passenger.keys)
            if not passenger.answer.done():
                passenger.group = None
                again.append(passenger)
        if again:
            self._waiting = dict.fromkeys(chain(again, self._waiting))

    async def _write_group(
        self, group: Sequence[_Passenger[Item, Receipt]], lease: PoolProxiedConnection
    ) -> None:
        try:
            await self._write(group, lease)
        except Exception as error:  # noqa: BLE001 (a bug: it is told, so that nobody waits for ever)
            for passenger in group:
                if not passenger.answer.done():
                    passenger.answer.set_exception(error)
        except asyncio.CancelledError:
            for passenger in group:
                passenger.may_be_stored = True
            raise

    async def _write(self, group: Sequence[_Passenger[Item, Receipt]], lease: PoolProxiedConnection) -> None:
        try:
            receipts = await self._work.write_group([passenger.item for passenger in group], lease)
        except StoreError as error:
            if len(group) == 1 or isinstance(error, _FOR_ALL):
                await self._fail(group, error)
            else:
                await self._write_one_by_one(group)
            return
        for passenger, receipt in zip(group, receipts, strict=True):
            if isinstance(receipt, StoreError):
                await self._give_up(passenger, receipt)
            elif not passenger.answer.done():
                passenger.answer.set_result(receipt)
        if group[0].attempts > 1:
            self._retries.ended(well=True)

    async def _write_one_by_one(self, group: Sequence[_Passenger[Item, Receipt]]) -> None:
        """Find the bad one: alone it gets its own error, and the others are stored."""
        for passenger in group:
            try:
                lease = await self._lease()
            except StoreError as error:
                await self._fail([passenger], error)
            else:
                await self._write([passenger], lease)

    async def _fail(self, group: Sequence[_Passenger[Item, Receipt]], error: StoreError) -> None:
        """Give up those of a group that are not to go once more."""
        given_up = False
        for passenger in group:
            assert passenger.since is not None  # noqa: S101 (it has boarded)
            if isinstance(error, OutcomeUnknownError):
                passenger.may_be_stored = True
            if passenger.answer.done() or not self._retries.allows(
                error, attempts=passenger.attempts, since=passenger.since
            ):
                given_up |= passenger.attempts > 1
                await self._give_up(passenger, error)
        if given_up:
            self._retries.ended(well=False)

    async def _give_up(self, passenger: _Passenger[Item, Receipt], error: StoreError) -> None:
        await self._work.give_up(passenger.item, may_be_stored=passenger.may_be_stored)
        if passenger.answer.done():
            return
        if passenger.may_be_stored and not isinstance(error, OutcomeUnknownError):
            own: StoreError = OutcomeUnknownError()
            own.__cause__ = error
        else:
            # An error of its own for each caller: a traceback grows where it is raised.
            own = copy(error)
            own.__cause__ = error.__cause__
        passenger.answer.set_exception(own)


async def _ended(group: "asyncio.Task[None]") -> None:
    await asyncio.wait([group])
