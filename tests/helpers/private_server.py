"""A private server as a test watches it, and programs that use one."""

import os
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import asyncpg
import psycopg

import livetranslate_store
from livetranslate_store.embedded.server import DATABASE, EmbeddedServer

CHECKOUT = Path(livetranslate_store.__file__).resolve().parent.parent


# For other interpreters than the one of this environment, too.
IMPORT_PATH = f"{CHECKOUT}:{Path(asyncpg.__file__).parent.parent}"


CHILD = """
import sys
from pathlib import Path
from livetranslate_store.embedded.server import EmbeddedServer
with EmbeddedServer(Path(sys.argv[1])):
    print("ready", flush=True)
    sys.stdin.read()
"""


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


def programs_of(folder: Path) -> list[int]:
    """Return the processes that have the folder in their command line."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if b"initdb" in (words := (process / "cmdline").read_bytes()) and os.fsencode(folder) in words:
                found.append(int(process.name))
    return found
