"""Group commit: writes that arrive while others are under way wait together and go in one statement.

A lone write never waits for others, and no caller is answered before the commit of its own write.

A group that fails for a transient reason returns to the front of the queue, so that a later revision never
overtakes an earlier one that is retried. A caller that is cancelled there leaves at once. While the database
is unreachable, one connection is asked for on behalf of all waiting writes. On a cluster a group holds writes
of one shard; if it fails, its writes pause in the queue, and those of other shards go on.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterator, Sequence
from contextvars import copy_context
from copy import copy
from functools import partial
from itertools import chain
from time import monotonic
from typing import Any, Generic, Protocol, TypeAlias, TypeVar
from uuid import UUID

from sqlalchemy.pool import PoolProxiedConnection

from livetranslate_store.database.engine import Database
from livetranslate_store.database.statement import BoundStatement
from livetranslate_store.database.transaction import Transaction
from livetranslate_store.errors import (
    OutcomeUnknownError,
    PoolTimeoutError,
    QueryTimeoutError,
    StoreError,
    StoreUnavailableError,
    UsageError,
)
from livetranslate_store.tasks import LEAVE_SECONDS, run_to_end
from livetranslate_store.writing.connection import Connection, RunningTransaction
from livetranslate_store.writing.encoding import WriteKey

# Of each node: one group is written while the next is gathered and sent. More would only make each smaller.
GROUPS_UNDER_WAY = 2
# Larger groups hold up all their writes without saving much more.
LARGEST_GROUP = 100

# Groups whose connections were broken fail within this time.
CLOSE_SECONDS = 2.0

_CLOSED = "The store closed before this was written."

# A row that another program has locked holds up one write. If two run into the time limit alone, the others
# would too.
MOST_TIMEOUTS = 2

# These errors apply to the whole group: retrying each write alone would not help.
_FOR_ALL = (OutcomeUnknownError, PoolTimeoutError, StoreUnavailableError)


def group_limit(writes_at_once: int) -> int:
    """Return the size of a group if so many writes may run: one group is written while the next arrives."""
    return min(-(-writes_at_once // GROUPS_UNDER_WAY), LARGEST_GROUP)


class Item(Protocol):
    """Something to write in a group."""

    @property
    def session_id(self) -> UUID:
        """The session that it belongs to."""

    @property
    def keys(self) -> Collection[WriteKey]:
        """The keys that one statement can write only once."""


ItemT = TypeVar("ItemT", bound=Item)
ItemT_contra = TypeVar("ItemT_contra", bound=Item, contravariant=True)
Receipt = TypeVar("Receipt")
T = TypeVar("T")

#: Writes items, each all or nothing. An error that concerns one item alone is returned in its place; an error
#: that is raised means that nothing was written, unless it is an OutcomeUnknownError, or the connection was
#: told that a part is stored.
WriteGroup: TypeAlias = Callable[[Sequence[ItemT], Connection], Awaitable[Sequence[Receipt | StoreError]]]


class GiveUp(Protocol[ItemT_contra]):
    """Cleans up after an item that was not written."""

    def __call__(self, item: ItemT_contra, /, *, may_be_stored: bool) -> None:
        """Begin to clean up; the item may be stored if an answer was lost."""


def nothing_to_clean_up(_item: Any, /, *, may_be_stored: bool) -> None:
    """Do nothing: the item leaves nothing behind."""


class _QueuedWrite(Generic[ItemT, Receipt]):
    """An item in the queue, the answer to its caller, and the attempts so far."""

    __slots__ = (
        "answer",
        "attempts",
        "context",
        "group",
        "item",
        "keys",
        "may_be_stored",
        "not_before",
        "shard",
        "since",
    )

    def __init__(self, item: ItemT, answer: "asyncio.Future[Receipt]") -> None:
        self.item = item
        #: The shard of its session; None on a single server, and until it was asked for.
        self.shard: int | None = None
        self.keys = item.keys
        self.answer = answer
        #: The caller's context: the spans of a group belong to the trace of its first write.
        self.context = copy_context()
        #: The group that it is under way with.
        self.group: asyncio.Task[None] | None = None
        #: The number of attempts, the time of the first, and whether an answer was lost.
        self.attempts = 0
        self.since: float | None = None
        self.may_be_stored = False
        #: When it may be tried again, on a cluster: the writes of other nodes go on meanwhile.
        self.not_before = 0.0


class _Connection:
    """Runs a group, each statement or transaction by itself: the first on the lease, later ones on others."""

    __slots__ = ("_database", "_lease", "has_stored", "was_used")

    def __init__(self, database: Database, lease: PoolProxiedConnection | None) -> None:
        self._database = database
        self._lease = lease
        #: Whether a statement may have reached the server, and whether a part of the group is committed.
        self.was_used = False
        self.has_stored = False

    @property
    def is_distributed(self) -> bool:
        return self._database.is_distributed

    @property
    def keeps_refused_texts(self) -> bool:
        return self._database.keeps_refused_texts

    async def fetch(self, bound: BoundStatement) -> Sequence[Any]:
        return await self._database.fetch_once(bound, writes=True, lease=self._take_lease())

    async def transact(self, work: Callable[[RunningTransaction], Awaitable[T]]) -> T:
        transaction = Transaction(self._database, lease=self._take_lease())
        try:
            result = await work(transaction)
        except BaseException:
            await run_to_end(transaction.end(commit=False))
            raise
        await run_to_end(transaction.end(commit=True), hurry=transaction.hurry)
        return result

    def note_stored(self) -> None:
        self.has_stored = True

    def _take_lease(self) -> PoolProxiedConnection | None:
        lease, self._lease = self._lease, None
        self.was_used = True
        return lease

    def close(self) -> None:
        """Give the lease back, if no statement did."""
        if self._lease is not None:
            self._lease.close()


class GroupCommit(Generic[ItemT, Receipt]):
    """Writes items in groups as large as the load makes them, up to the current `limit`."""

    def __init__(
        self,
        database: Database,
        write_group: WriteGroup[ItemT, Receipt],
        give_up: GiveUp[ItemT] = nothing_to_clean_up,
        *,
        limit: Callable[[], int],
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._database = database
        self._limit = limit
        self._retries = database.retries
        self._write_group = write_group
        self._clean_up = give_up
        self._clock = clock
        # In the order of their arrival.
        self._queue: dict[_QueuedWrite[ItemT, Receipt], None] = {}
        self._busy: set[WriteKey] = set()
        self._groups: set[asyncio.Task[None]] = set()
        # The group that waits for its connection, which later writes may join.
        self._connecting: asyncio.Task[None] | None = None
        # The end of the first pause, if all waiting writes pause.
        self._wake_up: asyncio.TimerHandle | None = None

    async def write(self, item: ItemT) -> Receipt:
        """Write an item and return its receipt; raises the error that it would raise alone.

        A cancelled write is withdrawn while it waits; once it is under way, its outcome is awaited for a
        moment, and its group goes on without it.
        """
        write: _QueuedWrite[ItemT, Receipt] = _QueuedWrite(item, asyncio.get_running_loop().create_future())
        self._queue[write] = None
        try:
            # The group takes its writes in the loop's next turn: all that arrive in this turn go together.
            self._start_group()
        except BaseException:
            del self._queue[write]
            raise
        try:
            return await write.answer
        except asyncio.CancelledError:
            if write.group is not None:
                await run_to_end(_ended(write.group))
            elif write in self._queue:
                del self._queue[write]
                self._clean_up(item, may_be_stored=write.may_be_stored)
            raise

    async def close(self) -> None:
        """Give up the waiting writes; the connections in use were broken before."""
        if self._connecting is not None:
            self._connecting.cancel()
        if self._wake_up is not None:
            self._wake_up.cancel()
        while self._queue or self._groups:
            left, self._queue = self._queue, {}
            for write in left:
                self._give_up(write, StoreUnavailableError(_CLOSED))
            if self._groups:
                # A hanging group asks for another connection, or for the removal of an object.
                _, hanging = await asyncio.wait(self._groups, timeout=CLOSE_SECONDS)
                for group in hanging:
                    group.cancel()

    def _start_group(self) -> None:
        """Start a group, unless enough are under way, or no write can go."""
        most = GROUPS_UNDER_WAY * max(1, self._database.server.nodes)
        if self._connecting is not None or len(self._groups) >= most:
            return
        first = next(self._able(), None)
        if first is None:
            self._start_later()
            return
        # Not by the loop's task factory: an eager task would run before it is known here.
        task = asyncio.Task(self._run_group(), loop=asyncio.get_running_loop(), context=first.context)
        self._connecting = task
        self._groups.add(task)
        task.add_done_callback(self._group_done)

    def _able(self) -> Iterator[_QueuedWrite[ItemT, Receipt]]:
        """Yield the writes that may go now, in order, each key once.

        A second revision waits until the first is stored, and holds back the third.
        """
        seen, now = set(self._busy), self._clock()
        for write in self._queue:
            if write.not_before <= now and seen.isdisjoint(write.keys):
                yield write
            seen.update(write.keys)

    def _start_later(self) -> None:
        """Start a group when the first pause of a waiting write is over."""
        now = self._clock()
        pauses = [each.not_before for each in self._queue if each.not_before > now]
        if self._wake_up is not None:
            self._wake_up.cancel()
        if pauses:
            self._wake_up = asyncio.get_running_loop().call_later(min(pauses) - now, self._start_group)

    def _group_done(self, task: "asyncio.Task[None]") -> None:
        self._groups.discard(task)
        self._start_group()

    async def _run_group(self) -> None:
        # The connection first: until there is one, other writes may join, and cancelled ones leave.
        try:
            if self._database.is_distributed:
                await self._find_shards()
            lease = await self._connect()
        except Exception as error:  # noqa: BLE001 (a bug too: its callers hear of it, and do not wait for ever)
            # All waiting writes have waited for this connection. Their keys may be those of running ones.
            waiting, self._queue = self._queue, {}
            for write in waiting:
                self._give_up(write, _store_error(error))
            return
        finally:
            self._connecting = None
        try:
            group = self._take(self._next_group())
            self._start_group()
        except BaseException:
            lease.close()
            raise
        if not group:
            lease.close()
            return
        try:
            await self._answer(group, lease)
        finally:
            self._requeue(group)

    async def _find_shards(self) -> None:
        """Ask for the shards of the waiting writes; those that come meanwhile go with a later group."""
        asked = [each for each in self._queue if each.shard is None]
        session_ids = {each.item.session_id for each in asked}
        shards = await self._database.shards.of_all(session_ids, self._database.fetch_for_write)
        for each in asked:
            each.shard = shards[each.item.session_id]

    async def _connect(self) -> PoolProxiedConnection:
        """Take a connection, after a pause if the writes in front have failed before."""
        lease = partial(self._database.lease, writes=True)
        front = next(iter(self._queue), None)
        if front is None or front.since is None or self._database.is_distributed:
            return await self._retries.run(lease)
        await asyncio.sleep(self._retries.pause(front.attempts))
        return await self._retries.run(lease, since=front.since)

    def _next_group(self) -> list[_QueuedWrite[ItemT, Receipt]]:
        """Return the writes that can go together, in order, all of them in one shard."""
        group: list[_QueuedWrite[ItemT, Receipt]] = []
        limit = self._limit()
        for write in self._able():
            if self._goes_with(write, group):
                group.append(write)
                if len(group) == limit:
                    break
        return group

    def _goes_with(
        self, write: _QueuedWrite[ItemT, Receipt], group: Sequence[_QueuedWrite[ItemT, Receipt]]
    ) -> bool:
        if not self._database.is_distributed:
            return True
        return write.shard is not None and (not group or write.shard == group[0].shard)

    def _take(self, group: list[_QueuedWrite[ItemT, Receipt]]) -> list[_QueuedWrite[ItemT, Receipt]]:
        """Take the writes out of the queue for the running group."""
        task, now = asyncio.current_task(), self._clock()
        for write in group:
            del self._queue[write]
            write.group = task
            write.attempts += 1
            if write.since is None:
                write.since = now
            self._busy.update(write.keys)
        return group

    def _requeue(self, group: Sequence[_QueuedWrite[ItemT, Receipt]]) -> None:
        """Free the keys, and put the writes without an answer in front."""
        # Once, when all of them are done: a key that is freed twice is freed for another write's revision.
        again = []
        for write in group:
            self._busy.difference_update(write.keys)
            if not write.answer.done():
                write.group = None
                again.append(write)
        if again:
            self._queue = dict.fromkeys(chain(again, self._queue))

    async def _answer(
        self, group: Sequence[_QueuedWrite[ItemT, Receipt]], lease: PoolProxiedConnection
    ) -> None:
        """Write the group and answer its callers."""
        try:
            await self._write(group, lease)
        except Exception as error:  # noqa: BLE001 (a bug: its callers hear of it, and do not wait for ever)
            for write in group:
                if not write.answer.done():
                    write.answer.set_exception(_store_error(error))
        except asyncio.CancelledError:
            for write in group:
                write.may_be_stored = True
            raise

    async def _write(
        self, group: Sequence[_QueuedWrite[ItemT, Receipt]], lease: PoolProxiedConnection | None
    ) -> StoreError | None:
        """Write the group and answer its callers; return the error if it has one."""
        connection = _Connection(self._database, lease)
        try:
            receipts = await self._write_group([write.item for write in group], connection)
        except Exception as error:  # noqa: BLE001 (one caller's value may raise anything)
            failure = _store_error(error)
            may_be_stored = connection.has_stored or (connection.was_used and failure is not error)
            if len(group) == 1 or isinstance(failure, _FOR_ALL):
                self._fail(group, failure, may_be_stored=may_be_stored)
            else:
                await self._write_one_by_one(group, failure, may_be_stored=may_be_stored)
            return failure
        finally:
            connection.close()
        for write, receipt in zip(group, receipts, strict=True):
            if isinstance(receipt, StoreError):
                self._give_up(write, receipt)
            elif not write.answer.done():
                write.answer.set_result(receipt)
        if group[0].attempts > 1:
            self._retries.ended(well=True)
        return None

    async def _write_one_by_one(
        self, group: Sequence[_QueuedWrite[ItemT, Receipt]], failure: StoreError, *, may_be_stored: bool
    ) -> None:
        """Find the bad write of a failed group: alone it gets its own error, and the others are stored."""
        timeouts = 0
        for write in group:
            # Nobody waits for a write whose caller has left.
            if write.answer.done() or timeouts == MOST_TIMEOUTS:
                self._fail([write], failure, may_be_stored=may_be_stored)
                continue
            error = await self._write([write], None)
            if isinstance(error, QueryTimeoutError):
                timeouts += 1
                failure = error

    def _fail(
        self, group: Sequence[_QueuedWrite[ItemT, Receipt]], error: StoreError, *, may_be_stored: bool
    ) -> None:
        """Give up the writes of a group that may not be retried, and let the others of a cluster pause."""
        given_up, again = False, []
        for write in group:
            assert write.since is not None  # noqa: S101 (it was taken)
            if may_be_stored or isinstance(error, OutcomeUnknownError):
                write.may_be_stored = True
            if write.answer.done() or not self._retries.allows(
                error, attempts=write.attempts, since=write.since
            ):
                given_up |= write.attempts > 1
                self._give_up(write, error)
            else:
                again.append(write)
        if again and self._database.is_distributed:
            # One pause for all: they go again as one.
            not_before = self._clock() + self._retries.pause(again[0].attempts)
            for write in again:
                write.not_before = not_before
        if given_up:
            self._retries.ended(well=False)

    def _give_up(self, write: _QueuedWrite[ItemT, Receipt], error: StoreError) -> None:
        self._clean_up(write.item, may_be_stored=write.may_be_stored)
        if write.answer.done():
            return
        if isinstance(error, UsageError):
            # The store closed under a write that it had accepted: the caller did nothing wrong.
            error = StoreUnavailableError(_CLOSED)
        if write.may_be_stored and not isinstance(error, OutcomeUnknownError):
            own: StoreError = OutcomeUnknownError()
            own.__cause__ = error
        else:
            # An error of its own for each caller: a traceback grows where it is raised.
            own = copy(error)
            own.__cause__ = error.__cause__
        write.answer.set_exception(own)


def _store_error(error: Exception) -> StoreError:
    """Return the error as the store's; one that nobody foresaw becomes its cause."""
    if isinstance(error, StoreError):
        return error
    failure = StoreError(f"The write failed with an unexpected {type(error).__name__}.")
    failure.__cause__ = error
    return failure


async def _ended(group: "asyncio.Task[None]") -> None:
    await asyncio.wait([group], timeout=LEAVE_SECONDS)
