"""A server that accepts and does not answer: every call ends in time, a cancelled one within two seconds."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from time import monotonic
from typing import Any
from uuid import UUID

import pytest
from faults.proxy import Direction, Proxy, Trouble
from helpers.silent_peers import Manner, silent_peer
from helpers.support import audio, transcript, translation

from livetranslate_store import SegmentInput, Store, StoreError
from livetranslate_store.exchange.backup import backup_session
from livetranslate_store.exchange.restore import restore_session
from livetranslate_store.ids import new_id

# A cancelled caller leaves within two seconds; the tests share a machine.
LEAVE_SECONDS = 2.0 + 0.7
LIMIT = 1.0
# For a connection, for the statement with a second for the driver's own limit, and for its rollback.
CALL_SECONDS = 3 * LIMIT + 3.0


class Always(Random):
    """Every chunk meets the trouble."""

    def random(self) -> float:
        return 0.0


@asynccontextmanager
async def stalling(
    database_url: str, audio_folder: Path, **settings: Any
) -> AsyncIterator[tuple[Store, UUID, Proxy]]:
    async with Proxy(database_url, Always()) as proxy:
        given = {"min_connections": 1, "close_timeout": 0.5, "retry_timeout": 0.0, **settings}
        async with Store.open(proxy.url, audio_url=f"file:{audio_folder}", **given) as store:
            async with store.unit_of_work() as uow:
                session_id = (await uow.sessions.create(bot_id="b", meeting_id="m")).id
            await store.record_segment(session_id, transcript=transcript(), audio=audio())
            yield store, session_id, proxy


def stall(proxy: Proxy) -> None:
    proxy.begin(Trouble.STALL, Direction.TO_STORE)


async def record(store: Store, session_id: UUID, proxy: Proxy) -> None:
    stall(proxy)
    await store.record_segment(session_id, transcript=transcript())


async def record_audio(store: Store, session_id: UUID, proxy: Proxy) -> None:
    stall(proxy)
    await store.record_segment(session_id, transcript=transcript(), audio=audio(b"another"))


async def translate(store: Store, session_id: UUID, proxy: Proxy) -> None:
    stall(proxy)
    await store.add_translation(session_id, new_id(), translation())


async def unit(store: Store, session_id: UUID, proxy: Proxy) -> None:
    stall(proxy)
    async with store.unit_of_work() as uow:
        await uow.transcripts.add(session_id, transcript())


async def statement_of_a_unit(store: Store, session_id: UUID, proxy: Proxy) -> None:
    async with store.unit_of_work() as uow:
        await uow.audio_files.add(session_id, audio(b"in a unit"))
        stall(proxy)
        await uow.transcripts.add(session_id, transcript())


async def commit(store: Store, session_id: UUID, proxy: Proxy) -> None:
    async with store.unit_of_work() as uow:
        await uow.transcripts.add(session_id, transcript())
        stall(proxy)


async def read(store: Store, session_id: UUID, proxy: Proxy) -> None:
    async with store.read() as reader:
        await reader.sessions.get(session_id)
        stall(proxy)
        await reader.transcripts.list_for_session(session_id)


async def timeline(store: Store, session_id: UUID, proxy: Proxy) -> None:
    stall(proxy)
    await store.timeline(session_id)


async def imported(store: Store, session_id: UUID, proxy: Proxy) -> None:
    stall(proxy)
    await store.import_segments(
        [SegmentInput(session_id=session_id, transcript=transcript(segment_key="k"), audio=audio(b"i"))]
    )


async def swept(store: Store, _session_id: UUID, proxy: Proxy) -> None:
    stall(proxy)
    await store.sweep_audio()


async def backed_up(store: Store, session_id: UUID, proxy: Proxy) -> None:
    async for _ in backup_session(store, session_id):
        stall(proxy)


async def restored(store: Store, session_id: UUID, proxy: Proxy) -> None:
    lines = [line async for line in backup_session(store, session_id)]

    async def each() -> AsyncIterator[bytes]:
        for line in lines:
            yield line
            stall(proxy)

    await restore_session(store, each())


Call = Callable[[Store, UUID, Proxy], Awaitable[None]]
CALLS: list[Call] = [
    record,
    record_audio,
    translate,
    unit,
    statement_of_a_unit,
    commit,
    read,
    timeline,
    imported,
    swept,
    backed_up,
    restored,
]


@pytest.mark.parametrize("pgbouncer", [False, True])
@pytest.mark.parametrize("call", CALLS)
async def test_a_cancelled_call_leaves_within_two_seconds_and_closing_is_bounded(
    call: Call, pgbouncer: bool, database_url: str, audio_folder: Path
) -> None:
    async with (
        asyncio.timeout(20),
        stalling(database_url, audio_folder, pgbouncer=pgbouncer) as (store, session_id, proxy),
    ):
        task = asyncio.ensure_future(call(store, session_id, proxy))
        await asyncio.sleep(0.3)
        assert not task.done()
        began = monotonic()
        task.cancel()
        await asyncio.wait([task])
        left = monotonic() - began
        assert task.cancelled()
        assert store.statistics().gate.in_flight == 0
        began = monotonic()
    assert left < LEAVE_SECONDS
    # What was cut off after close_timeout, and the goodbye that nobody answers.
    assert monotonic() - began < 6.0


@pytest.mark.parametrize("call", CALLS)
async def test_every_call_ends_in_time_with_a_typed_error(
    call: Call, database_url: str, audio_folder: Path
) -> None:
    limits = {"command_timeout": LIMIT, "connection_timeout": LIMIT}
    async with (
        asyncio.timeout(20),
        stalling(database_url, audio_folder, **limits) as (store, session_id, proxy),
    ):
        began = monotonic()
        with pytest.raises(StoreError):
            await call(store, session_id, proxy)
        assert monotonic() - began < CALL_SECONDS
        health = await store.health(time_limit=0.5)
        assert set(health.problems) >= {"database", "migrations"}
        assert store.statistics().gate.in_flight == 0


@pytest.mark.parametrize("manner", Manner)
@pytest.mark.parametrize("pgbouncer", [False, True])
async def test_opening_ends_in_time_and_can_be_cancelled(manner: Manner, pgbouncer: bool) -> None:
    async with silent_peer(manner) as port:
        url = f"postgresql://u:p@127.0.0.1:{port}/x"

        async def opened(seconds: float) -> None:
            async with Store.open(url, connection_timeout=seconds, pgbouncer=pgbouncer):
                pytest.fail("nothing answers there")

        began = monotonic()
        with pytest.raises(StoreError) as raised:
            await opened(LIMIT)
        # A byte that is no answer to the offer of TLS refuses it, which somebody has to mend.
        assert raised.value.is_transient is (manner is not Manner.DRIPS)
        assert monotonic() - began < LIMIT + 1.0
        task = asyncio.ensure_future(opened(60.0))
        await asyncio.sleep(0.1)
        task.cancel()
        began = monotonic()
        await asyncio.wait([task])
        assert monotonic() - began < LEAVE_SECONDS
