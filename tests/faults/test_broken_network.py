"""The network between store and server fails in every way: a typed error or success, within the limits."""

import asyncio
from itertools import product
from time import monotonic
from typing import Any

from faults.conftest import StartRun
from faults.crowd import TROUBLE, Crowd, assert_idle, new_session
from faults.ledger import Ledger
from faults.place import Place
from faults.proxy import Direction, Proxy, Trouble
from faults.table import PROXY
from helpers.support import until

from livetranslate_store import Store

CONNECTIONS = 8
LIMITS: dict[str, Any] = {
    "min_connections": 1,
    "max_connections": CONNECTIONS,
    "connection_timeout": 1.0,
    "command_timeout": 1.0,
    "write_timeout": 5.0,
}
# At the gate, then twice: for a connection, for the answer, and a second for the driver's own limit; what
# a unit of work does then waits for none of it again.
CALL_SECONDS = 20.0
READERS = 5
KINDS = list(product(Trouble, Direction))


async def read(store: Store, ledger: Ledger, stopping: asyncio.Event) -> float:
    """Read until it is enough; return how long the longest call took."""
    longest = 0.0
    while not stopping.is_set():
        began = monotonic()
        try:
            await store.timeline(ledger.session_id, limit=50)
        except TROUBLE:
            await asyncio.sleep(0.02)
        longest = max(longest, monotonic() - began)
    return longest


async def test_a_broken_network_is_a_typed_error_within_the_limits_and_leaks_nothing(
    fault: StartRun, place: Place
) -> None:
    run = fault(PROXY, full=10 * len(KINDS), short=len(KINDS) // 2)
    kinds = (KINDS * run.tries)[: run.tries]
    run.chance.shuffle(kinds)
    async with Proxy(place.url, run.chance) as proxy:
        async with Store.open(proxy.url, audio_url=place.audio_url, **LIMITS) as store:
            ledger = place.ledger(await new_session(store))
            stopping = asyncio.Event()
            readers = [asyncio.create_task(read(store, ledger, stopping)) for _ in range(READERS)]
            async with Crowd(store, ledger, run.chance) as crowd:
                for kind in kinds:
                    proxy.begin(*kind)
                    await asyncio.sleep(run.chance.uniform(0.1, 1.5))
                    proxy.end()
                    run.tried(await crowd.recovery())
                    assert store.statistics().pool.size <= CONNECTIONS
            stopping.set()
            reads = await asyncio.gather(*readers)
            assert max(crowd.longest_call, *reads) < CALL_SECONDS
            await assert_idle(store)
        await until(lambda: place.connections() == 0)
        run.found(place.check(ledger))
