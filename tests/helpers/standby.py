"""A primary and a streaming standby of this test's own, from the wheel's programs, on sockets only."""

import os
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psycopg

from livetranslate_store.embedded.binaries import ServerUser, server_binaries, server_user
from livetranslate_store.embedded.programs import initialize, launch, log_end, stop_program
from livetranslate_store.schema.upgrade import upgrade

READY_SECONDS = 60.0
POLL_SECONDS = 0.02

_SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "wal_level": "replica",
    "max_wal_senders": "5",
    "max_connections": "80",
    "shared_buffers": "32MB",
    # What a standby that was away has missed is still there when it comes back.
    "wal_keep_size": "512MB",
    # A lost primary is noticed, and a new one asked for, without the usual pause.
    "wal_retrieve_retry_interval": "100ms",
}


class Server:
    """A server in a folder of its own, ended by the number of the process that was started.

    Everything here blocks for a bounded time. The thread that starts it must live as long as it does.
    """

    def __init__(self, folder: Path, binaries: Path, user: ServerUser, name: str) -> None:
        self.folder = folder / name
        self.name = name
        self._binaries = binaries
        self._user = user
        self._process: subprocess.Popen[bytes] | None = None
        self.folder.mkdir(mode=0o700)
        if os.geteuid() == 0:
            os.chown(self.folder, *user)

    @property
    def url(self) -> str:
        """The URL of the database on this server."""
        return url_of(self)

    def initialize(self) -> None:
        """Make an empty cluster."""
        initialize(self.folder, self._binaries, self._user, threading.Event(), READY_SECONDS)

    def copy_from(self, other: "Server") -> None:
        """Make a standby of `other`, which runs."""
        source = f"host={other.folder} port=5432 user=postgres application_name={self.name}"
        program = self._launch(
            "pg_basebackup", "-D", self.data, "-d", source, "-R", "-X", "stream", "-c", "fast"
        )
        try:
            program.wait(READY_SECONDS)
        finally:
            stop_program(program)
        assert program.returncode == 0, log_end(self.folder)

    @property
    def data(self) -> Path:
        """The folder of the cluster."""
        return self.folder / "data"

    def start(self) -> None:
        """Start it and wait until it answers."""
        given = [part for name, value in _SETTINGS.items() for part in ("-c", f"{name}={value}")]
        process = self._process = self._launch(
            "postgres", "-D", self.data, "-p", "5432", "-k", self.folder, *given
        )
        self._wait(lambda: process.poll() is not None or self._answers(), "does not answer")
        assert process.poll() is None, log_end(self.folder)

    def stop(self) -> None:
        """Stop it with a fast shutdown."""
        if self._process is not None:
            self._signal(signal.SIGCONT)
            stop_program(self._process)

    def kill(self) -> None:
        """End the server at once, without a goodbye to anybody."""
        assert self._process is not None
        _, *children = self._family()
        self._process.kill()
        self._process.wait(READY_SECONDS)
        # They notice by themselves, and no new server starts on the data before they have.
        self._wait(lambda: not any(Path(f"/proc/{pid}").exists() for pid in children), "has not gone")

    def freeze(self) -> None:
        """Stop every process of the server where it is: connections stay open and nobody answers."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let a frozen server go on."""
        self._signal(signal.SIGCONT)

    def execute(self, statement: str, *arguments: Any) -> list[Any]:
        """Run a statement as the superuser and return its rows."""
        with self.connect() as connection:
            cursor = connection.execute(statement, arguments or None)
            return [] if cursor.description is None else cursor.fetchall()

    def promote(self) -> None:
        """Make the standby a primary and wait until it takes writes."""
        self.execute("SELECT pg_promote(true, 60)")
        self._wait(lambda: self.execute("SELECT pg_is_in_recovery()") == [(False,)], "was not promoted")

    def pause_replay(self) -> None:
        """Let the standby receive and not show what it receives."""
        self.execute("SELECT pg_wal_replay_pause()")
        self._wait(
            lambda: self.execute("SELECT pg_get_wal_replay_pause_state()") == [("paused",)], "does not pause"
        )

    def resume_replay(self) -> None:
        """Let the standby show what it has received."""
        self.execute("SELECT pg_wal_replay_resume()")

    def wait_for(self, primary: "Server") -> None:
        """Wait until the standby shows all that is on the primary now."""
        ((end,),) = primary.execute("SELECT pg_current_wal_flush_lsn()::text")
        self._wait(
            lambda: self.execute("SELECT pg_last_wal_replay_lsn() >= %s::pg_lsn", end) == [(True,)],
            "does not catch up",
        )

    def set(self, name: str, value: str) -> None:
        """Change one setting of the running server."""
        self.execute(f"ALTER SYSTEM SET {name} = '{value}'")
        self.execute("SELECT pg_reload_conf()")

    def connect(self) -> psycopg.Connection[Any]:
        """Return a connection of the superuser."""
        return psycopg.connect(
            host=str(self.folder),
            port=5432,
            user="postgres",
            dbname="postgres",
            autocommit=True,
            connect_timeout=5,
            options="-c statement_timeout=60s",
        )

    def _answers(self) -> bool:
        try:
            self.connect().close()
        except psycopg.OperationalError:
            return False
        return True

    def _wait(self, condition: Any, failure: str) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while not condition():
            assert time.monotonic() < deadline, f"{self.name} {failure}; {log_end(self.folder)}"
            time.sleep(POLL_SECONDS)

    def _launch(self, program: str, *arguments: str | Path) -> "subprocess.Popen[bytes]":
        return launch([self._binaries / program, *arguments], self._user, self.folder)

    def _signal(self, number: signal.Signals) -> None:
        for pid in self._family():
            with suppress(ProcessLookupError):  # a child has ended meanwhile
                os.kill(pid, number)

    def _family(self) -> Sequence[int]:
        """Return the process that was started and its children."""
        if self._process is None or self._process.poll() is not None:
            return []
        pid = self._process.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return [pid, *map(int, children)]


def url_of(*servers: Server) -> str:
    """Return the URL of the database whose primary is one of these servers."""
    hosts, ports = ",".join(str(each.folder) for each in servers), ",".join("5432" for _ in servers)
    return f"postgresql+asyncpg://postgres@/postgres?host={hosts}&port={ports}"


@contextmanager
def primary_and_standby(*, synchronous: bool = False) -> Iterator[tuple[Server, Server]]:
    """Start a primary with the schema up to date, and a standby that streams from it.

    With `synchronous` a commit is answered once the standby has it on its disk. Both end with the block.
    """
    # Sockets allow for some hundred characters of path, which pytest's own folders exceed.
    folder = Path(tempfile.mkdtemp(prefix="livetranslate-pair-"))
    folder.chmod(0o711)
    user = server_user(folder / "data")
    binaries = server_binaries(user)
    primary, standby = (Server(folder, binaries, user, name) for name in ("primary", "standby"))
    try:
        primary.initialize()
        primary.start()
        # It makes an event loop of its own, and there may be one here.
        with ThreadPoolExecutor(1) as thread:
            thread.submit(upgrade, primary.url).result()
        standby.copy_from(primary)
        standby.start()
        if synchronous:
            primary.set("synchronous_standby_names", "standby")
            primary._wait(
                lambda: primary.execute("SELECT sync_state FROM pg_stat_replication") == [("sync",)],
                "does not wait for its standby",
            )
        yield primary, standby
    finally:
        standby.stop()
        primary.stop()
        shutil.rmtree(folder, ignore_errors=True)
