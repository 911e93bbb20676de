"""The store works the same under other event loops and task factories."""

import asyncio
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
import uvloop
from helpers.support import audio, transcript, translation

from livetranslate_store import SegmentInput, Store

Run = Callable[[Coroutine[Any, Any, None]], None]


def plain(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(work)


def on_uvloop(work: Coroutine[Any, Any, None]) -> None:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(work)


def eagerly(work: Coroutine[Any, Any, None]) -> None:
    with asyncio.Runner() as runner:
        runner.get_loop().set_task_factory(asyncio.eager_task_factory)  # type: ignore[attr-defined]  # Python 3.12
        runner.run(work)


EAGER = pytest.mark.skipif(sys.version_info < (3, 12), reason="eager tasks came with Python 3.12")


@pytest.mark.parametrize("run", [plain, on_uvloop, pytest.param(eagerly, marks=EAGER)])
def test_every_kind_of_call_is_answered(run: Run, database_url: str, audio_folder: Path) -> None:
    async def work() -> None:
        async with (
            asyncio.timeout(30),
            Store.open(database_url, audio_url=f"file:{audio_folder}", min_connections=2) as store,
        ):
            await every_kind_of_call(store)

    run(work())


async def every_kind_of_call(store: Store) -> None:
    async with store.unit_of_work() as uow:
        session_id = (await uow.sessions.create(bot_id="b", meeting_id="m")).id
        await uow.audio_files.add(session_id, audio())

    async def bot(number: int) -> None:
        for turn in range(4):
            receipt = await store.record_segment(
                session_id,
                transcript=transcript(f"{number}", segment_key=f"{number} {turn // 2}"),
                audio=audio(f"{number} {turn}".encode()),
            )
            await store.add_translation(session_id, receipt.transcript_id, translation())

    async with asyncio.TaskGroup() as tasks:
        for number in range(20):
            tasks.create_task(bot(number))
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.0), store.unit_of_work() as uow:
            await uow.transcripts.add(session_id, transcript())
    report = await store.import_segments(
        SegmentInput(session_id=session_id, transcript=transcript(segment_key=f"i{n}")) for n in range(10)
    )
    assert report.transcripts.inserted == 10
    assert len(await store.timeline(session_id)) == 20 * 2 * 2 + 10
    assert len([each async for each in store.stream_timeline(session_id)]) == 90
    assert (await store.health()).is_healthy
    now = store.statistics()
    assert now.gate.in_flight == now.pool.in_use == 0
