"""Callers are cancelled at any moment of anything: nothing leaks, and what was acknowledged is there."""

import asyncio
from collections.abc import Awaitable, Callable
from itertools import count
from random import Random
from typing import Any, TypeAlias

from faults.conftest import StartRun
from faults.crowd import assert_idle, in_a_unit, new_session, record
from faults.ledger import Ledger
from faults.place import Place
from faults.plan import late_translation, planned, transcript_id
from faults.table import CANCELLED

from livetranslate_store import Store, StoreError

CONNECTIONS = 6
# Fewer slots than callers, so that some are cancelled while they wait for one.
SLOTS = 12
CALLERS = 25
# How long a call is left alone: in turns of the loop or in seconds, as much as a call takes, or more.
LONGEST_TURNS = 100
LONGEST_SECONDS = 0.08

Call: TypeAlias = Callable[[Store, Ledger, str], Awaitable[None]]


async def alone(store: Store, ledger: Ledger, key: str) -> None:
    await record(store, planned(ledger.session_id, key))
    ledger.acknowledge(key)


async def unit(store: Store, ledger: Ledger, key: str) -> None:
    await in_a_unit(store, planned(ledger.session_id, key))
    ledger.acknowledge(key)


async def with_a_late_translation(store: Store, ledger: Ledger, key: str) -> None:
    await alone(store, ledger, key)
    await store.add_translation(
        ledger.session_id, transcript_id(ledger.session_id, key), late_translation(key)
    )
    ledger.acknowledge(key, late=True)


async def bulk(store: Store, ledger: Ledger, key: str) -> None:
    keys = [f"{key}.{number}" for number in range(3)]
    await store.import_segments([planned(ledger.session_id, each) for each in keys])
    for each in keys:
        ledger.acknowledge(each)


async def page(store: Store, ledger: Ledger, _key: str) -> None:
    await store.timeline(ledger.session_id, limit=20)


async def some_of_a_stream(store: Store, ledger: Ledger, _key: str) -> None:
    seen = 0
    async for _ in store.stream_timeline(ledger.session_id):
        seen += 1
        if seen == 50:
            return


async def snapshot(store: Store, ledger: Ledger, _key: str) -> None:
    async with store.read() as reader:
        await reader.sessions.get(ledger.session_id)
        await reader.speakers.list_for_session(ledger.session_id)


CALLS: tuple[Call, ...] = (
    alone,
    alone,
    alone,
    unit,
    with_a_late_translation,
    bulk,
    page,
    some_of_a_stream,
    snapshot,
)


async def cancel_sometime(task: "asyncio.Task[None]", chance: Random) -> bool:
    """Cancel a task, once or several times, and tell whether it was still running."""
    if chance.random() < 0.5:
        for _ in range(chance.randrange(LONGEST_TURNS)):
            await asyncio.sleep(0)
    else:
        await asyncio.sleep(chance.uniform(0.0, LONGEST_SECONDS))
    running = not task.done()
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        task.cancel()
        await asyncio.sleep(0)
    try:
        await task
    except asyncio.CancelledError:
        assert running
    return running


async def test_cancelled_callers_leave_nothing_behind(fault: StartRun, place: Place) -> None:
    run = fault(CANCELLED, full=9_000, short=500)
    settings: dict[str, Any] = {
        "audio_url": place.audio_url,
        "min_connections": 2,
        "max_connections": CONNECTIONS,
        "max_concurrent_writes": SLOTS,
    }
    async with Store.open(place.url, **settings) as store:
        ledger = place.ledger(await new_session(store))
        number = count()
        while run.row.tries < run.tries:
            calls = [
                asyncio.ensure_future(run.chance.choice(CALLS)(store, ledger, f"c-{next(number)}"))
                for _ in range(CALLERS)
            ]
            for was_running in await asyncio.gather(*(cancel_sometime(each, run.chance) for each in calls)):
                if was_running:
                    run.tried()
            await assert_idle(store)
            assert store.statistics().pool.size <= CONNECTIONS
    run.found(place.check(ledger))
    assert place.orphans() == 0
    assert place.connections() == 0


async def test_a_store_that_is_cancelled_while_it_opens_or_closes_leaves_no_connection(
    fault: StartRun, store: Store, ledger: Ledger, place: Place
) -> None:
    run = fault(CANCELLED, full=1_000, short=30)
    callers: list[asyncio.Task[None]] = []

    async def open_and_close(number: int) -> None:
        async with Store.open(
            place.url, audio_url=place.audio_url, min_connections=2, max_connections=3
        ) as opened:
            # They outlive the block on purpose: closing meets them in the middle of their writes.
            callers.extend(
                asyncio.create_task(alone(opened, ledger, f"close-{number}.{each}")) for each in range(5)
            )
            await asyncio.sleep(run.chance.uniform(0.0, 0.01))

    for number in count():
        callers.clear()
        if await cancel_sometime(asyncio.create_task(open_and_close(number)), run.chance):
            run.tried()
        for end in await asyncio.gather(*callers, return_exceptions=True):
            # The store is closed, and says so to whoever came too late.
            assert end is None or isinstance(end, StoreError), end
        if run.row.tries == run.tries:
            break
    run.found(place.check(ledger))
    assert place.orphans() == 0
    assert place.connections() == store.statistics().pool.size
