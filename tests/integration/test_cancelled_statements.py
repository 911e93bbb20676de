"""A statement that is cancelled inside a unit of work, caught or not: one typed error, no dead connection."""

import asyncio
from collections.abc import Awaitable, Callable
from uuid import UUID

import pytest
from helpers.support import audio, sql, transcript, translation
from sqlalchemy import text

from livetranslate_store import Store, UnitOfWork, UsageError

Step = Callable[[UnitOfWork, UUID], Awaitable[object]]
SLEEP = "SELECT pg_sleep(5)"


async def by_the_driver(uow: UnitOfWork, _: UUID) -> None:
    await uow._transaction.fetch(sql(SLEEP))


async def by_the_session(uow: UnitOfWork, _: UUID) -> None:
    await uow.session.execute(text(SLEEP))


async def by_a_stream(uow: UnitOfWork, _: UUID) -> None:
    async for _row in await uow.session.stream(text("SELECT pg_sleep(1) FROM generate_series(1, 5)")):
        pass


async def add(uow: UnitOfWork, session_id: UUID) -> None:
    receipt = await uow.transcripts.add(session_id, transcript())
    await uow.translations.add(session_id, receipt.transcript_id, translation())


async def add_audio(uow: UnitOfWork, session_id: UUID) -> None:
    await uow.audio_files.add(session_id, audio())


async def get(uow: UnitOfWork, session_id: UUID) -> None:
    await uow.sessions.get(session_id)


async def nothing(_uow: UnitOfWork, _: UUID) -> None:
    pass


@pytest.mark.parametrize("is_first", [True, False])
@pytest.mark.parametrize("slow", [by_the_driver, by_the_session, by_a_stream])
@pytest.mark.parametrize("after", [add, get, nothing])
async def test_a_time_limit_that_the_caller_catches_is_one_usage_error(
    store: Store, session_id: UUID, slow: Step, after: Step, is_first: bool
) -> None:
    with pytest.raises(UsageError, match="was cancelled") as raised:
        async with store.unit_of_work() as uow:
            if not is_first:
                await add(uow, session_id)
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.05):
                    await slow(uow, session_id)
            await after(uow, session_id)
    assert not raised.value.is_transient
    assert store.statistics().pool.in_use == store.statistics().gate.in_flight == 0
    assert len(await store.timeline(session_id)) == 0


@pytest.mark.parametrize("step", [add, get, add_audio])
@pytest.mark.parametrize("is_first", [True, False])
async def test_cancelled_at_any_await_the_unit_goes_on_whole_or_says_that_it_cannot(
    store: Store, session_id: UUID, step: Step, is_first: bool
) -> None:
    """Each turn of the loop is a place where a caller may be cancelled."""
    for turns in range(25):
        before = len(await store.timeline(session_id))
        expected = before
        try:
            async with store.unit_of_work() as uow:
                if not is_first:
                    await add(uow, session_id)
                if await cancelled_after(turns, step(uow, session_id)):
                    await add(uow, session_id)
                    expected += 2
                elif step is add:
                    expected += 2
                if not is_first:
                    expected += 2
        except UsageError as error:
            assert "was cancelled" in str(error)  # noqa: PT017 (the other outcome is right too)
            expected = before
        assert len(await store.timeline(session_id)) in (expected, expected + 2), turns
        now = store.statistics()
        assert now.pool.in_use == now.gate.in_flight == 0


async def cancelled_after(turns: int, work: Awaitable[object]) -> bool:
    """Await `work` in this task; return whether it was cancelled after that many turns of the loop."""
    task = asyncio.current_task()
    assert task is not None

    async def cancel() -> None:
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()

    canceller = asyncio.create_task(cancel())
    try:
        await work
    except asyncio.CancelledError:
        task.uncancel()
        return True
    finally:
        canceller.cancel()
    return False
