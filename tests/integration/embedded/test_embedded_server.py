"""A private server: durable, on a socket only, and started again."""

import os
import signal
from pathlib import Path

import asyncpg
import pytest
from helpers.private_server import (
    connected,
    eventually,
    is_running,
    server_pid,
    serves_again,
)
from helpers.support import transcript

from livetranslate_store import Store
from livetranslate_store.embedded.server import DATABASE, EmbeddedServer

pytestmark = pytest.mark.slow


def test_data_survives_a_restart_and_stopping_leaves_no_process(folder: Path) -> None:
    with EmbeddedServer(folder) as server:
        pid = server_pid(folder)
        with connected(server) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    assert not is_running(pid)
    with EmbeddedServer(folder) as server, connected(server) as connection:
        assert connection.execute("SELECT answer FROM kept").fetchone() == (42,)


def test_a_folder_in_a_settings_file_is_below_the_home_that_it_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/somebody")
    assert EmbeddedServer(Path("~/meetings")).folder == Path("/home/somebody/meetings")


def test_a_temporary_server_leaves_nothing_behind() -> None:
    with EmbeddedServer() as server:
        assert server.folder.is_dir()
    assert not server.folder.exists()
    assert not server.host.exists()


def test_durability_is_on_and_nothing_listens_on_the_network(used_folder: Path) -> None:
    with EmbeddedServer(used_folder) as server, connected(server) as connection:
        for name, value in {"fsync": "on", "synchronous_commit": "on", "listen_addresses": ""}.items():
            assert connection.execute(f"SHOW {name}").fetchone() == (value,)


def test_a_server_that_dies_is_started_again(used_folder: Path) -> None:
    with EmbeddedServer(used_folder) as server:
        pid = server_pid(used_folder)
        os.kill(pid, signal.SIGQUIT)
        eventually(lambda: serves_again(server, pid))


def test_variables_for_other_postgresql_programs_change_nothing(
    used_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {
        "PGHOST": "nowhere.invalid",
        "PGPORT": "1",
        "PGSSLMODE": "require",
        "PGTARGETSESSIONATTRS": "standby",
    }.items():
        monkeypatch.setenv(name, value)
    with EmbeddedServer(used_folder):
        environment = Path(f"/proc/{server_pid(used_folder)}/environ").read_bytes()
    assert not [entry for entry in environment.split(b"\0") if entry.startswith(b"PG")]


def test_it_starts_again_after_it_was_stopped_and_leaves_no_socket_folder(used_folder: Path) -> None:
    server = EmbeddedServer(used_folder)
    for _ in range(2):
        server.start()
        server.start()  # one more does nothing
        connected(server).close()
        server.stop()
        assert not server.host.exists()


async def test_it_starts_inside_a_running_event_loop(used_folder: Path) -> None:
    with EmbeddedServer(used_folder) as server:
        connection = await asyncpg.connect(host=str(server.host), user="postgres", database=DATABASE)
        await connection.close()


def test_the_terminals_interrupt_does_not_reach_the_server(used_folder: Path) -> None:
    with EmbeddedServer(used_folder):
        pid = server_pid(used_folder)
        assert os.getsid(pid) == os.getpgid(pid) == pid


async def test_a_store_on_an_embedded_server_needs_nothing_else(
    folder: Path,
) -> None:
    async with Store.open(f"embedded:{folder}", min_connections=1) as store:
        async with store.unit_of_work() as uow:
            session = await uow.sessions.create(bot_id="b", meeting_id="m", external_id="kept")
        await store.record_segment(session.id, transcript=transcript("still here"))
    async with Store.open(f"embedded:{folder}", min_connections=1) as store:
        assert [entry.text for entry in await store.timeline(session.id)] == ["still here"]
    assert (folder / "audio").is_dir()
