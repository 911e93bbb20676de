"""A store belongs to the loop that opened it: elsewhere every use is a UsageError that harms nothing."""

import asyncio
import os
import threading
import warnings
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

import pytest
from helpers.support import audio, transcript, translation
from helpers.wavs import in_pieces

from livetranslate_store import SegmentInput, Store, UsageError
from livetranslate_store.ids import new_id

T = TypeVar("T")


async def unit(store: Store, _session_id: UUID) -> None:
    async with store.unit_of_work() as uow:
        await uow.sessions.create(bot_id="b", meeting_id="m")


async def reading(store: Store, session_id: UUID) -> None:
    async with store.read() as reader:
        await reader.sessions.get(session_id)


async def stream(store: Store, session_id: UUID) -> None:
    async for _ in store.stream_timeline(session_id):
        pass


async def limit(store: Store, _session_id: UUID) -> None:
    store.gate.limit = 3


CALLS: tuple[Callable[[Store, UUID], Awaitable[Any]], ...] = (
    unit,
    reading,
    stream,
    limit,
    lambda store, _: store.run_in_unit_of_work(lambda uow: uow.sessions.named("x")),
    lambda store, session_id: store.record_segment(session_id, transcript=transcript()),
    lambda store, session_id: store.record_segment(session_id, transcript=transcript(), audio=audio()),
    lambda store, session_id: store.add_translation(session_id, new_id(), translation()),
    lambda store, session_id: store.import_segments(
        [SegmentInput(session_id=session_id, transcript=transcript(segment_key="k"), audio=audio())]
    ),
    lambda store, session_id: store.timeline(session_id),
    lambda store, session_id: store.read_audio(session_id, new_id()),
    lambda store, session_id: store.record_audio(session_id, in_pieces(b"RIFF", 1), format="wav"),
    lambda store, session_id: store.open_audio(session_id, new_id()),
    lambda store, session_id: store.open_session_audio(session_id),
    lambda store, session_id: store.presigned_audio_url(session_id, new_id()),
    lambda store, _: store.search("morning"),
    lambda store, session_id: store.session_statistics(session_id),
    lambda store, _: store.sweep_audio(older_than=timedelta()),
    lambda store, _: store.health(),
)


async def refusals(store: Store, session_id: UUID) -> list[str]:
    """Return the calls that are not refused with a UsageError."""
    wrong = []
    for number, call in enumerate(CALLS):
        try:
            await call(store, session_id)
        except UsageError as error:
            if "event loop that opened it" in str(error):
                continue
            wrong.append(f"{number}: {error}")
        except Exception as error:  # noqa: BLE001 (any other is wrong)
            wrong.append(f"{number}: {error!r}")
        else:
            wrong.append(f"{number}: done")
    return wrong


def in_a_thread(work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run `work` in a loop of another thread while this one stands still."""
    results: list[T] = []
    thread = threading.Thread(target=lambda: results.append(asyncio.run(work())))
    thread.start()
    thread.join(30)
    return results[0]


async def used(store: Store, session_id: UUID) -> None:
    """Use every part that another loop might have touched."""
    for _ in range(2 * store.statistics().pool.size + 2):
        await store.record_segment(session_id, transcript=transcript(), audio=audio(os.urandom(8)))
        await store.timeline(session_id, limit=1)
    await asyncio.gather(*(store.timeline(session_id, limit=1) for _ in range(20)))
    assert (await store.health()).is_healthy
    now = store.statistics()
    assert now.pool.in_use == now.gate.in_flight == now.gate.waiting == 0


async def test_another_thread_is_refused_and_leaves_nothing_in_the_pool(
    store: Store, session_id: UUID
) -> None:
    before = store.statistics()
    assert in_a_thread(lambda: refusals(store, session_id)) == []
    after = store.statistics()
    assert (after.pool, after.gate) == (before.pool, before.gate)
    await used(store, session_id)


async def test_a_forked_process_is_refused_and_its_end_harms_nobody(store: Store, session_id: UUID) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that threads run is the point
        child = os.fork()
    if child == 0:
        wrong = ["it did not run"]
        try:
            loop = asyncio.new_event_loop()
            wrong = loop.run_until_complete(refusals(store, session_id))
        finally:
            os.write(2, "\n".join(wrong).encode())
            os._exit(len(wrong))
    _, status = await asyncio.to_thread(os.waitpid, child, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    await used(store, session_id)


async def test_a_store_is_closed_where_it_was_opened(database_url: str, audio_folder: Path) -> None:
    context: AbstractAsyncContextManager[Store] = Store.open(
        database_url, audio_url=f"file:{audio_folder}", min_connections=1
    )
    store = await context.__aenter__()
    async with store.unit_of_work() as uow:
        session_id = (await uow.sessions.create(bot_id="b", meeting_id="m")).id

    async def close() -> str:
        try:
            await context.__aexit__(None, None, None)
        except UsageError as error:
            return str(error)
        return "closed"

    assert "event loop that opened it" in in_a_thread(close)
    await used(store, session_id)
    await store._drain(5.0)
    await store._database.close()


def test_a_store_that_outlives_its_loop_is_closed_with_it_and_refused_afterwards(
    database_url: str, audio_folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    kept: list[Any] = []

    async def open_and_forget() -> None:
        context = Store.open(database_url, audio_url=f"file:{audio_folder}", min_connections=1)
        kept.extend((context, await context.__aenter__()))

    asyncio.run(open_and_forget())
    store = kept[1]
    assert asyncio.run(refusals(store, new_id())) == []
    assert store.statistics().pool.size == 0
    assert caplog.text == ""
