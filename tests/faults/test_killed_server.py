"""PostgreSQL is killed under load and started again: nothing acknowledged is lost, and nobody hangs."""

import asyncio
from pathlib import Path
from typing import Any

from faults.conftest import StartRun
from faults.crowd import Crowd, assert_idle, new_session
from faults.ledger import Ledger
from faults.servers import server_in
from faults.table import SERVER_KILLED

from livetranslate_store import Store

LIMITS: dict[str, Any] = {"connection_timeout": 5.0, "command_timeout": 5.0, "write_timeout": 10.0}
# A write waits at the gate, then for a connection, then for its answer; on a connection that breaks, twice.
CALL_SECONDS = 35.0


async def test_a_killed_server_loses_nothing_and_the_store_writes_again_by_itself(
    fault: StartRun, server_folder: Path, tmp_path: Path, audio_folder: Path
) -> None:
    run = fault(SERVER_KILLED, full=20, short=2)
    async with server_in(server_folder, shared_buffers="32MB") as server:
        async with Store.open(server.url, audio_url=f"file:{audio_folder}", **LIMITS) as store:
            session_id = await new_session(store)
            ledger = Ledger(tmp_path / "ledger", session_id)
            async with Crowd(store, ledger, run.chance) as crowd:
                for _ in range(run.tries):
                    await asyncio.sleep(run.chance.uniform(0.1, 1.0))
                    server.kill()
                    await asyncio.sleep(run.chance.uniform(0.0, 1.0))
                    await server.start()
                    run.tried(await crowd.recovery())
            assert crowd.longest_call < CALL_SECONDS
            await assert_idle(store)
        with server.connect() as program:
            run.found(ledger.check(program, audio_folder))
