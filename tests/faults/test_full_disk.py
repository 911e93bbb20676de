"""Disks are full or read-only: typed errors, nothing partial, and writes again once there is room."""

import asyncio
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
from faults.conftest import StartRun
from faults.crowd import Crowd, new_session
from faults.file_systems import MEGABYTE, filled, read_only, small_file_system
from faults.ledger import Ledger
from faults.place import Place
from faults.servers import server_in
from faults.table import DISK
from helpers.support import until

from livetranslate_store import Store

WRITERS = 5
# Short: the disks are small, and what is written between two faults stays.
CALM_SECONDS = 0.1
SETTINGS: dict[str, Any] = {"min_connections": 1, "max_connections": 8}


async def met_by(crowd: Crowd, trouble: AbstractContextManager[None]) -> None:
    """Let the crowd meet trouble, until each of them may have."""
    await asyncio.sleep(CALM_SECONDS)
    enough = crowd.errors.total() + WRITERS
    with trouble:
        await until(lambda: crowd.errors.total() >= enough)


@pytest.mark.parametrize("kind", ["full", "read-only"])
async def test_audio_storage_that_takes_nothing_is_a_typed_error_and_nothing_partial(
    fault: StartRun, place: Place, kind: str
) -> None:
    run = fault(DISK, full=10, short=1)
    place.audio_folder.mkdir()
    with small_file_system(place.audio_folder, 128):
        async with Store.open(place.url, audio_url=place.audio_url, **SETTINGS) as store:
            ledger = place.ledger(await new_session(store))
            async with Crowd(store, ledger, run.chance, writers=WRITERS) as crowd:
                for _ in range(run.tries):
                    full = filled(place.audio_folder, leaving=run.chance.randrange(MEGABYTE))
                    await met_by(crowd, full if kind == "full" else read_only(place.audio_folder))
                    run.tried(await crowd.recovery())
            assert set(crowd.errors) == {"StoreUnavailableError"}
        run.found(place.check(ledger))
        # Nobody was killed: what failed has cleaned up after itself.
        assert place.orphans() == 0


async def test_a_full_disk_under_the_server_loses_nothing_and_the_store_writes_once_there_is_room(
    fault: StartRun, server_folder: Path, tmp_path: Path, audio_folder: Path
) -> None:
    run = fault(DISK, full=10, short=1)
    parameters = {"shared_buffers": "8MB", "max_wal_size": "48MB", "min_wal_size": "32MB"}
    with small_file_system(server_folder, 384):
        async with server_in(server_folder, **parameters) as server:
            async with Store.open(server.url, audio_url=f"file:{audio_folder}", **SETTINGS) as store:
                ledger = Ledger(tmp_path / "ledger", await new_session(store))
                async with Crowd(store, ledger, run.chance, writers=WRITERS) as crowd:
                    for _ in range(run.tries):
                        await met_by(crowd, filled(server_folder, leaving=run.chance.randrange(MEGABYTE)))
                        # Without room for its log the server gives up, and somebody starts it again.
                        await server.start()
                        run.tried(await crowd.recovery())
            with server.connect() as program:
                run.found(ledger.check(program, audio_folder))
