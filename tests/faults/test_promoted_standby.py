"""The primary is killed under load and its standby promoted: nothing is lost, and everybody goes on."""

import asyncio
from pathlib import Path
from random import Random
from time import monotonic
from typing import Any, Self
from uuid import UUID

from faults.conftest import StartRun
from faults.crowd import PAUSE_SECONDS, RECOVERY_SECONDS, TROUBLE, Crowd, assert_idle, new_session
from faults.ledger import Ledger
from faults.table import STANDBY
from helpers.background import Background
from helpers.standby import primary_and_standby, url_of
from helpers.support import until

from livetranslate_store import Store

READERS = 5
LIMITS: dict[str, Any] = {"connection_timeout": 5.0, "command_timeout": 5.0, "write_timeout": 10.0}
# A write waits at the gate, then is repeated for fifteen seconds, the last time within the limits.
CALL_SECONDS = 35.0


class Readers(Background):
    """Readers that ask for the last page they saw, again and again; each must see no less than before."""

    def __init__(self, store: Store, session_id: UUID) -> None:
        super().__init__()
        self._store = store
        self._session_id = session_id
        self.pages = 0
        #: When the last answer came, by the process's clock.
        self.answered_at = 0.0

    async def __aenter__(self) -> Self:
        self._tasks = [asyncio.create_task(self._read()) for _ in range(READERS)]
        return self

    async def _read(self) -> None:
        seen = 0
        while not self._stopping:
            try:
                page = await self._store.timeline(self._session_id, kinds=["transcript"])
            except TROUBLE:
                await asyncio.sleep(PAUSE_SECONDS)
                continue
            assert len(page) >= seen, "what this store wrote was seen before, and is not any more"
            seen = len(page)
            self.pages += 1
            self.answered_at = monotonic()
            await asyncio.sleep(PAUSE_SECONDS)


async def test_a_promoted_standby_has_all_that_was_acknowledged_and_reads_and_writes_go_on(
    fault: StartRun, tmp_path: Path, audio_folder: Path
) -> None:
    run = fault(STANDBY, full=10, short=1)
    for number in range(run.tries):
        ledger_file = tmp_path / f"{number}.ledger"
        chance = Random(run.chance.random())
        with primary_and_standby(synchronous=True) as (primary, standby):
            # Each pair is another database: its audio has a folder of its own.
            recordings = audio_folder / str(number)
            hosts: dict[str, Any] = {"replica_urls": [standby.url], "audio_url": f"file:{recordings}"}
            async with Store.open(url_of(primary, standby), **hosts, **LIMITS) as store:
                session_id = await new_session(store)
                ledger = Ledger(ledger_file, session_id)
                async with Crowd(store, ledger, chance) as crowd, Readers(store, session_id) as readers:
                    await asyncio.sleep(chance.uniform(0.3, 1.0))
                    assert readers.pages > 0
                    # Servers end and start beside the loop, which goes on: so do they who wait for them.
                    await asyncio.to_thread(primary.kill)
                    await asyncio.sleep(chance.uniform(0.0, 1.0))
                    await asyncio.to_thread(standby.promote)
                    promoted = monotonic()
                    recovery = await crowd.recovery()
                    await until(lambda: readers.answered_at > promoted, seconds=RECOVERY_SECONDS)  # noqa: B023 (called at once)
                    run.tried(max(recovery, readers.answered_at - promoted))
                    await asyncio.sleep(0.2)
                assert crowd.longest_call < CALL_SECONDS
                await assert_idle(store)
                assert store.statistics().replicas[0].state == "promoted"
            with standby.connect() as program:
                run.found(ledger.check(program, recordings))
