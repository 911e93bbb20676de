"""Processes share one private server, which ends with its owner."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from helpers.private_server import (
    CHILD,
    IMPORT_PATH,
    connected,
    eventually,
    is_running,
    programs_of,
    server_pid,
    serves_again,
)

from livetranslate_store.embedded.server import EmbeddedServer

pytestmark = pytest.mark.slow

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
