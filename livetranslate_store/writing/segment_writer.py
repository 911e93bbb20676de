"""Group commit: while writes are on their way, those that arrive wait together and go as one statement.

A lone writer never waits for company, and nobody is answered before the commit of its own segment.
"""

import asyncio
from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from livetranslate_store.audio.storage import AudioStorage
from livetranslate_store.database.engine import Database
from livetranslate_store.errors import (
    ConflictError,
    OutcomeUnknownError,
    PoolTimeoutError,
    StoreError,
    StoreUnavailableError,
)
from livetranslate_store.segment_cache import SegmentCache
from livetranslate_store.tasks import run_to_end
from livetranslate_store.values import (
    AudioInput,
    Outcome,
    SegmentReceipt,
    TranscriptInput,
    TranslationInput,
)
from livetranslate_store.writing.results import WriteResults
from livetranslate_store.writing.segment import (
    Segment,
    arguments_of,
    lookup_of,
    make_segment,
    receipt_of,
)
from livetranslate_store.writing.segment_statement import ATTEMPTS, segment_statement

# One group is written while the next is gathered and sent; more of them would only make each smaller.
GROUPS_UNDER_WAY = 2
# Half of the writes that the gate lets through by default, so that one half is written while the other
# arrives; larger groups hold up everybody in them without saving much more.
GROUP_LIMIT = 25

# What these say holds for every segment of the group: writing them one by one would only take longer.
_FOR_ALL = (OutcomeUnknownError, PoolTimeoutError, StoreUnavailableError)


class _Passenger(NamedTuple):
    """A segment that waits to be written, and the answer that its caller waits for."""

    segment: Segment
    answer: asyncio.Future[SegmentReceipt]


class SegmentWriter:
    """Writes segments, each all or nothing, in groups as large as the load makes them."""

    def __init__(self, database: Database, storage: AudioStorage, cache: SegmentCache) -> None:
        self._database = database
        self._storage = storage
        self._cache = cache
        self._waiting: dict[int, _Passenger] = {}
        self._arrived = 0
        self._busy: set[tuple[UUID, UUID]] = set()
        self._groups: set[asyncio.Task[None]] = set()
        self._departing = False
        self._boarding = False

    async def write(
        self,
        session_id: UUID,
        transcript: TranscriptInput,
        translations: Sequence[TranslationInput],
        audio: AudioInput | None,
    ) -> SegmentReceipt:
        """Write a segment that was checked, and return what became of it.

        A cancellation takes it back while it waits; once it is on its way, its outcome is awaited first.
        """
        staged = None if audio is None else await self._storage.stage(session_id, audio)
        segment = make_segment(session_id, transcript, translations, staged)
        if staged is not None:
            try:
                await self._storage.put(staged)
            except BaseException:
                await run_to_end(self._discard_object(segment))
                raise
        return await self._answer(segment)

    async def close(self) -> None:
        """Write what was accepted."""
        while self._waiting or self._groups:
            self._depart()
            await asyncio.wait(self._groups)

    async def _answer(self, segment: Segment) -> SegmentReceipt:
        loop = asyncio.get_running_loop()
        passenger = _Passenger(segment, loop.create_future())
        number = self._arrived = self._arrived + 1
        self._waiting[number] = passenger
        if not self._departing:
            # Whoever arrives in the same turn of the loop goes along, and nobody waits any longer.
            self._departing = True
            loop.call_soon(self._depart)
        try:
            return await asyncio.shield(passenger.answer)
        except asyncio.CancelledError:
            if self._waiting.pop(number, None) is not None:
                await run_to_end(self._discard_object(segment))
            else:
                await run_to_end(_settled(passenger.answer))
            raise

    def _depart(self) -> None:
        """Send a group off, unless there are enough of them, or nobody can go."""
        self._departing = False
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
        return any(self._busy.isdisjoint(each.segment.keys) for each in self._waiting.values())

    async def _send_group(self) -> None:
        # The connection first: until there is one, others may join, and those who are cancelled leave.
        try:
            connection = await self._database.connect(one_statement=True)
        except StoreError as error:
            waiting = [self._waiting.pop(number) for number in list(self._waiting)]
            for passenger in waiting:
                await self._fail(passenger, error)
            return
        finally:
            self._boarding = False
        group = self._next_group()
        self._depart()
        if group:
            await self._write_group(group, connection)
        else:
            await connection.close()

    def _next_group(self) -> list[_Passenger]:
        """Take those who can go together, in order: each segment, and each chunk of audio, once.

        A second revision waits until the first is stored, and holds back the third.
        """
        taken: list[_Passenger] = []
        seen = set(self._busy)
        for number, passenger in list(self._waiting.items()):
            keys = passenger.segment.keys
            if seen.isdisjoint(keys):
                taken.append(passenger)
                del self._waiting[number]
                self._busy.update(keys)
                if len(taken) == GROUP_LIMIT:
                    break
            seen.update(keys)
        return taken

    async def _write_group(self, group: Sequence[_Passenger], connection: AsyncConnection) -> None:
        try:
            await self._write(group, connection)
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
        finally:
            for passenger in group:
                self._busy.difference_update(passenger.segment.keys)

    async def _write_one_by_one(self, group: Sequence[_Passenger]) -> None:
        """Find the bad one: alone it gets its own error, and the others are stored."""
        for passenger in group:
            try:
                connection = await self._database.connect(one_statement=True)
            except StoreError as error:
                await self._fail(passenger, error)
            else:
                await self._write_group([passenger], connection)

    async def _write(self, group: Sequence[_Passenger], connection: AsyncConnection) -> None:
        results = await self._execute([passenger.segment for passenger in group], connection)
        for segment, answer in group:
            receipt = receipt_of(segment, results)
            lookup = lookup_of(segment, receipt)
            if lookup is not None:
                self._cache.publish([lookup])
            if receipt.audio is not None and receipt.audio.outcome is Outcome.UNCHANGED:
                await self._discard_object(segment)
            answer.set_result(receipt)

    async def _execute(self, segments: Sequence[Segment], connection: AsyncConnection) -> WriteResults:
        text, arguments = segment_statement().text, arguments_of(segments)
        attempts = ATTEMPTS
        while True:
            attempts -= 1
            try:
                return WriteResults(await self._database.fetch_on(connection, text, arguments, writes=True))
            except ConflictError:
                # The server has undone it all; what it met then is stored now.
                if not attempts:
                    raise
            connection = await self._database.connect(one_statement=True)

    async def _fail(self, passenger: _Passenger, error: StoreError) -> None:
        segment, answer = passenger
        if isinstance(error, OutcomeUnknownError):
            # A row may refer to the object; if none does, the sweep finds it.
            self._cache.drop((segment.session_id, segment.transcript_id))
        else:
            await self._discard_object(segment)
        # An error of its own for each caller: a traceback grows where it is raised.
        own = type(error)(*error.args)
        own.__cause__ = error.__cause__
        answer.set_exception(own)

    async def _discard_object(self, segment: Segment) -> None:
        if segment.audio is not None:
            await self._storage.discard(segment.audio.storage_key)


async def _settled(answer: "asyncio.Future[SegmentReceipt]") -> None:
    await asyncio.wait([answer])
    answer.exception()  # it is told to nobody: the caller has gone
