"""A crowd of writers that write planned segments in every way there is, until they are told to stop."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from itertools import count
from random import Random
from time import monotonic
from typing import Self
from uuid import UUID

from faults.ledger import Ledger
from faults.plan import late_translation, planned, transcript_id
from helpers.background import Background
from helpers.support import until
from msgspec.structs import replace

from livetranslate_store import (
    ConflictError,
    OutcomeUnknownError,
    PoolTimeoutError,
    QueryTimeoutError,
    SegmentInput,
    Store,
    StoreUnavailableError,
    WriteRejectedError,
)

WRITERS = 20
#: What may come of the faults; every other error is a defect, and ends the test.
TROUBLE = (
    ConflictError,
    OutcomeUnknownError,
    PoolTimeoutError,
    QueryTimeoutError,
    StoreUnavailableError,
    WriteRejectedError,
)
# Writers are patient: they repeat at once, but do not spin.
PAUSE_SECONDS = 0.02
# A store that never comes back must end the test.
PATIENCE_SECONDS = 60.0
IDLE_SECONDS = 10.0
#: From the moment at which the database or storage is there again.
RECOVERY_SECONDS = 5.0


async def new_session(store: Store) -> UUID:
    """Return a session to write into."""
    async with store.unit_of_work() as uow:
        return (await uow.sessions.create(bot_id="bot-7", meeting_id="abc-defg-hij")).id


async def record(store: Store, segment: SegmentInput) -> None:
    """Write a segment by itself."""
    await store.record_segment(
        segment.session_id,
        transcript=segment.transcript,
        translations=segment.translations,
        audio=segment.audio,
    )


async def in_a_unit(store: Store, segment: SegmentInput) -> None:
    """Write a segment through the repositories."""
    spoken = segment.transcript
    async with store.unit_of_work() as uow:
        if segment.audio is not None:
            audio = await uow.audio_files.add(segment.session_id, segment.audio)
            spoken = replace(spoken, audio_file_id=audio.audio_file_id)
        receipt = await uow.transcripts.add(segment.session_id, spoken)
        await uow.translations.add_many(segment.session_id, receipt.transcript_id, segment.translations)


class Crowd(Background):
    """Writers on one store; leaving the block waits for the calls that are under way."""

    def __init__(self, store: Store, ledger: Ledger, chance: Random, *, writers: int = WRITERS) -> None:
        super().__init__()
        self._store = store
        self._ledger = ledger
        self._writers = {f"w{number}": Random(chance.random()) for number in range(writers)}
        self._answer = asyncio.Event()
        #: Acknowledged calls.
        self.acknowledged = 0
        #: How often each typed error came.
        self.errors: Counter[str] = Counter()
        #: The longest that any call took, whatever came of it.
        self.longest_call = 0.0

    async def __aenter__(self) -> Self:
        for name, chance in self._writers.items():
            self._tasks.append(asyncio.create_task(self._write(name, chance)))
        return self

    async def recovery(self) -> float:
        """Return how many seconds pass until the store acknowledges a write."""
        began = monotonic()
        answer = self._answer = asyncio.Event()
        while not answer.is_set():
            self.raise_defect()
            assert monotonic() - began < PATIENCE_SECONDS, f"nothing is written any more: {self.errors}"
            await asyncio.sleep(0.001)
        return monotonic() - began

    def raise_defect(self) -> None:
        """Raise the error that ended a writer, if there is one."""
        for task in self._tasks:
            if task.done():
                task.result()

    async def _write(self, name: str, chance: Random) -> None:
        steps = (self._one(record), self._one(in_a_unit), self._some, self._one_and_its_late_translation)
        for number in count():
            if self._stopping:
                return
            [step] = chance.choices(steps, weights=(5, 3, 1, 3))
            await step(f"{name}-{number}")

    def _one(
        self, write: Callable[[Store, SegmentInput], Awaitable[None]]
    ) -> Callable[[str], Awaitable[bool]]:
        async def step(key: str) -> bool:
            segment = planned(self._ledger.session_id, key)
            return await self._until_acknowledged(lambda: write(self._store, segment), key)

        return step

    async def _some(self, key: str) -> None:
        keys = [f"{key}.{number}" for number in range(3)]

        async def bring_in() -> None:
            report = await self._store.import_segments(
                [planned(self._ledger.session_id, each) for each in keys]
            )
            assert report.refused == 0, report.refusals

        await self._until_acknowledged(bring_in, *keys)

    async def _one_and_its_late_translation(self, key: str) -> None:
        session_id = self._ledger.session_id
        if not await self._one(record)(key):
            return

        async def add() -> None:
            await self._store.add_translation(
                session_id, transcript_id(session_id, key), late_translation(key)
            )

        await self._until_acknowledged(add, key, late=True)

    async def _until_acknowledged(
        self, call: Callable[[], Awaitable[None]], *keys: str, late: bool = False
    ) -> bool:
        """Repeat a call until the store says yes, and note that; False where the crowd stops before."""
        while True:
            began = monotonic()
            try:
                await call()
            except TROUBLE as error:
                self.errors[type(error).__name__] += 1
            else:
                for key in keys:
                    self._ledger.acknowledge(key, late=late)
                self.acknowledged += 1
                self._answer.set()
                return True
            finally:
                self.longest_call = max(self.longest_call, monotonic() - began)
            if self._stopping:
                return False
            await asyncio.sleep(PAUSE_SECONDS)


async def assert_idle(store: Store) -> None:
    """Fail where a slot of the gate is still taken, or a connection stays so, or is waited for."""
    statistics = store.statistics()
    assert statistics.gate.in_flight == statistics.gate.waiting == 0, statistics

    def is_idle() -> bool:
        pool = store.statistics().pool
        return pool.in_use == pool.waiting == 0

    # Who takes a connection for a group does not know yet that everybody has left it.
    await until(is_idle, seconds=IDLE_SECONDS)
