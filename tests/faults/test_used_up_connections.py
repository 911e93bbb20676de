"""Connections are used up, at the server or in the pool: callers wait, then hear a typed error."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from pathlib import Path
from time import monotonic
from typing import Any

import psycopg
from faults.conftest import StartRun
from faults.crowd import PAUSE_SECONDS, TROUBLE, assert_idle, in_a_unit, new_session, record
from faults.ledger import Ledger
from faults.place import Place
from faults.plan import planned
from faults.servers import Server, server_in
from faults.table import EXHAUSTED

from livetranslate_store import Store, StoreUnavailableError

CALLERS = 500
CONNECTIONS = 20
SERVER_CONNECTIONS = 30
LIMITS: dict[str, Any] = {
    "min_connections": 0,
    "max_connections": CONNECTIONS,
    "connection_timeout": 2.0,
    "command_timeout": 5.0,
    "write_timeout": 3.0,
}
# What all limits allow a call together; 500 callers on two cores are slow by themselves.
CALL_SECONDS = 30.0


class Callers:
    """Five hundred callers at once, each with one call; counts what became of them."""

    def __init__(self, store: Store, ledger: Ledger, name: str) -> None:
        self._store = store
        self._ledger = ledger
        self._name = name
        self.outcomes: Counter[str] = Counter()

    async def run(self, work: Callable[[int, str], Awaitable[bool]]) -> None:
        """Let all of them call; `work` tells whether what it did was a write."""

        longest = 0.0

        async def call(number: int) -> None:
            nonlocal longest
            key = f"{self._name}-{number}"
            began = monotonic()
            try:
                if await work(number, key):
                    self._ledger.acknowledge(key)
                self.outcomes["done"] += 1
            except TROUBLE as error:
                self.outcomes[type(error).__name__] += 1
            longest = max(longest, monotonic() - began)

        await asyncio.gather(*(call(number) for number in range(CALLERS)))
        assert self.outcomes.total() == CALLERS
        assert longest < CALL_SECONDS
        await assert_idle(self._store)

    async def mixed(self, number: int, key: str) -> bool:
        """Write a segment, write it in a unit, or read."""
        if number % 3 == 2:
            await self._store.timeline(self._ledger.session_id, limit=20)
            return False
        segment = planned(self._ledger.session_id, key)
        await (record if number % 3 else in_a_unit)(self._store, segment)
        return True

    async def nested(self, _number: int, key: str) -> bool:
        """Hold a connection in a unit of work, and want a second one for a read beside it."""
        async with self._store.unit_of_work() as uow:
            await uow.transcripts.add(
                self._ledger.session_id, planned(self._ledger.session_id, key).transcript
            )
            await self._store.timeline(self._ledger.session_id, limit=1)
            # Nothing of this is kept: a transcript without the rest would be a partial segment.
            raise StoreUnavailableError


async def highest_number_of_connections(place: Place, done: asyncio.Event) -> int:
    highest = 0
    while not done.is_set():
        highest = max(highest, place.connections())
        await asyncio.sleep(0.02)
    return highest


async def test_a_crowd_on_a_small_pool_waits_or_hears_a_typed_error(fault: StartRun, place: Place) -> None:
    run = fault(EXHAUSTED, full=10, short=1)
    done = asyncio.Event()
    async with Store.open(place.url, audio_url=place.audio_url, **LIMITS) as store:
        ledger = place.ledger(await new_session(store))
        watching = asyncio.create_task(highest_number_of_connections(place, done))
        for number in range(run.tries):
            callers = Callers(store, ledger, f"mixed-{number}")
            await callers.run(callers.mixed)
            assert callers.outcomes["done"] > CONNECTIONS, callers.outcomes
            run.tried()
        # Units that hold a connection and want another one must not wait for each other for ever.
        callers = Callers(store, ledger, "nested")
        await callers.run(callers.nested)
        assert callers.outcomes["done"] == 0
        assert callers.outcomes["PoolTimeoutError"] > 0
        done.set()
        assert 1 < await watching <= CONNECTIONS
        assert store.statistics().pool.size <= CONNECTIONS
    run.found(place.check(ledger))


async def test_a_server_without_a_free_connection_is_a_typed_error_until_there_is_one(
    fault: StartRun, server_folder: Path, audio_folder: Path, tmp_path: Path
) -> None:
    run = fault(EXHAUSTED, full=10, short=1)
    async with server_in(server_folder, max_connections=SERVER_CONNECTIONS) as server:
        with server.connect() as program:
            place = Place(server.url, program, audio_folder, tmp_path)
            async with Store.open(place.url, audio_url=place.audio_url, **LIMITS) as store:
                ledger = place.ledger(await new_session(store))
            for number in range(run.tries):
                run.tried(await refused_and_back(server, place, ledger, number))
            run.found(place.check(ledger))


async def refused_and_back(server: Server, place: Place, ledger: Ledger, number: int) -> float:
    """Let everybody call while there is no connection; return how long it takes once there are some."""
    with ExitStack() as others:
        take_every_connection(server, others)
        async with Store.open(place.url, audio_url=place.audio_url, **LIMITS) as store:
            callers = Callers(store, ledger, f"refused-{number}")
            await callers.run(callers.mixed)
            assert callers.outcomes["done"] == 0
            others.close()
            began = monotonic()
            await until_recorded(store, ledger, f"back-{number}")
            return monotonic() - began


def take_every_connection(server: Server, others: ExitStack) -> None:
    while True:
        try:
            others.enter_context(server.connect())
        except psycopg.OperationalError:
            return


async def until_recorded(store: Store, ledger: Ledger, key: str) -> None:
    while True:
        try:
            await record(store, planned(ledger.session_id, key))
        except TROUBLE:
            await asyncio.sleep(PAUSE_SECONDS)
        else:
            ledger.acknowledge(key)
            return
