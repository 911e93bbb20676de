"""Closing: newcomers are refused, what is under way ends or is cut off in time, and nobody waits for ever."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from time import monotonic
from typing import Any
from uuid import UUID

import pytest
from helpers.stored import Program, objects
from helpers.support import audio, counts, sql, transcript, translation, until

from livetranslate_store import (
    OutcomeUnknownError,
    SegmentInput,
    SegmentReceipt,
    Store,
    StoreError,
    StoreUnavailableError,
    UsageError,
)
from livetranslate_store.ids import new_id
from livetranslate_store.replicas.router import ReadRouter


class Opened:
    """A store that is closed while others use it."""

    def __init__(self, url: str, audio_folder: Path) -> None:
        self._url = url
        self._audio_url = f"file:{audio_folder}"
        self._stack = AsyncExitStack()
        self.store: Store
        self.session_id: UUID

    async def open(self, **settings: Any) -> None:
        given = {"audio_url": self._audio_url, "min_connections": 1, "max_connections": 4, **settings}
        self.store = await self._stack.enter_async_context(Store.open(self._url, **given))
        async with self.store.unit_of_work() as uow:
            self.session_id = (await uow.sessions.create(bot_id="b", meeting_id="m")).id

    def record(self, text: str) -> "asyncio.Task[SegmentReceipt]":
        return asyncio.create_task(
            self.store.record_segment(
                self.session_id, transcript=transcript(text), audio=audio(text.encode())
            )
        )

    async def close(self) -> None:
        await self._stack.aclose()


@pytest.fixture
async def opened(database_url: str, audio_folder: Path) -> AsyncIterator[Opened]:
    opened = Opened(database_url, audio_folder)
    yield opened
    await opened.close()


def lock(program: Program) -> None:
    """Keep everybody from writing transcripts, until the program rolls back."""
    program.execute("LOCK TABLE livetranslate.transcripts IN EXCLUSIVE MODE")


async def test_closing_finishes_what_is_under_way_and_what_waits_at_the_gate(
    opened: Opened, other_program: Program
) -> None:
    await opened.open(max_concurrent_writes=5)
    lock(other_program)
    tasks = [opened.record(f"{n}") for n in range(20)]
    await until(lambda: opened.store.statistics().gate.waiting == 15)
    reading = asyncio.create_task(opened.store._database.fetch(sql("SELECT pg_sleep(0.5)")))
    await until(lambda: opened.store.statistics().pool.in_use >= 2)
    closing = asyncio.create_task(opened.close())
    await asyncio.sleep(0)
    assert not closing.done()
    other_program.rollback()
    await closing
    assert all(task.done() for task in [*tasks, reading])
    await asyncio.gather(*tasks, reading)
    assert counts(other_program)["transcripts"] == 20


async def test_newcomers_are_refused_at_once(opened: Opened, other_program: Program) -> None:
    await opened.open()
    store, session_id = opened.store, opened.session_id
    lock(other_program)
    writing = opened.record("before")
    await until(lambda: store.statistics().pool.in_use == 1)
    imported = SegmentInput(session_id=session_id, transcript=transcript(segment_key="k"))
    closing = asyncio.create_task(opened.close())

    async def unit() -> None:
        async with store.unit_of_work():
            pytest.fail("it was let in")

    async def read() -> None:
        async with store.read() as reader:
            await reader.sessions.get(session_id)

    for what in ("closing", "closed"):
        await until(lambda: store.gate._refusal is not None)
        began = monotonic()
        for call in (
            store.record_segment(session_id, transcript=transcript()),
            store.add_translation(session_id, new_id(), translation()),
            store.import_segments([imported]),
            store.timeline(session_id),
            unit(),
            read(),
        ):
            with pytest.raises(UsageError, match=f"The store is {what}"):
                await call
        assert monotonic() - began < 1
        other_program.rollback()
        await closing
    assert (await writing).outcome == "inserted"


async def test_what_does_not_end_in_time_is_cut_off_and_everybody_gets_an_answer(
    opened: Opened, other_program: Program, audio_folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    await opened.open(max_concurrent_writes=40, close_timeout=0.5)
    store = opened.store
    # Otherwise a write that still asks whose the storage is would wait for a connection, not at the gate.
    await store._storage.claim(store._database.fetch_for_write)
    entered, go_on = asyncio.Event(), asyncio.Event()

    async def unit() -> None:
        async with store.unit_of_work() as uow:
            await uow.sessions.get(opened.session_id)
            entered.set()
            await go_on.wait()

    # Before the writes, which take all other connections.
    units = asyncio.create_task(unit())
    await until(entered.is_set)
    reading = asyncio.create_task(store._database.fetch(sql("SELECT pg_sleep(60)")))
    await until(lambda: store.statistics().pool.in_use == 2)
    lock(other_program)
    tasks = [opened.record(f"{n}") for n in range(60)]
    await until(lambda: store.statistics().gate.waiting == 21)
    store.gate.limit = 61
    await until(lambda: store.statistics().gate.in_flight == 61 and store.statistics().pool.in_use == 4)
    began = monotonic()
    with caplog.at_level(logging.WARNING, "livetranslate_store.store"):
        await opened.close()
    assert monotonic() - began < 10
    assert "61 writes running, 0 waiting and 4 connections in use" in caplog.text
    async with asyncio.timeout(5):
        results = await asyncio.gather(*tasks, reading, return_exceptions=True)
    # Those on their way may have been stored, those that waited were not. On a cluster all were before their
    # commits, and so were not.
    lost = {StoreUnavailableError} if store._database.is_distributed else {OutcomeUnknownError}
    assert {type(result) for result in results[:-1]} == {StoreUnavailableError} | lost
    assert isinstance(results[-1], StoreError)
    go_on.set()
    with pytest.raises(StoreUnavailableError, match="lost before its commit"):
        await units
    other_program.rollback()
    unknown = sum(isinstance(result, OutcomeUnknownError) for result in results)
    assert len(objects(audio_folder)) == unknown
    assert store.statistics().gate.in_flight == store.statistics().pool.in_use == 0


async def test_those_at_the_gate_are_rejected_when_the_time_is_up(
    opened: Opened, other_program: Program
) -> None:
    await opened.open(max_concurrent_writes=1, close_timeout=0.2)
    lock(other_program)
    tasks = [opened.record(f"{n}") for n in range(3)]
    await until(lambda: opened.store.statistics().gate.waiting == 2)
    await opened.close()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    # Whose audio is stored first has the slot.
    kinds = sorted(type(result).__name__ for result in results)
    first = "StoreUnavailableError" if opened.store._database.is_distributed else "OutcomeUnknownError"
    assert kinds == [first, "WriteRejectedError", "WriteRejectedError"]


async def test_nobody_is_waited_for_in_vain(opened: Opened) -> None:
    await opened.open()
    await asyncio.gather(*(opened.record(f"{n}") for n in range(10)))
    began = monotonic()
    await opened.close()
    assert monotonic() - began < 5


async def test_a_second_cancellation_leaves_nothing_open(
    opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    await opened.open(min_connections=2)
    closing, go_on = asyncio.Event(), asyncio.Event()
    close = ReadRouter.close

    async def slowly(router: ReadRouter) -> None:
        closing.set()
        await go_on.wait()
        await close(router)

    monkeypatch.setattr(ReadRouter, "close", slowly)
    task = asyncio.create_task(opened.close())
    await closing.wait()
    task.cancel()
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert opened.store.statistics().pool.size == 0
