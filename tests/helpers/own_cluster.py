"""A Citus cluster of this run's own, whose nodes may be killed, from the PostgreSQL of this machine."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from time import monotonic, sleep

import psycopg
import pytest
from helpers.clusters import Address

from livetranslate_store.embedded.binaries import ServerUser, server_user
from livetranslate_store.embedded.programs import launch, log_end, stop_program

READY_SECONDS = 60.0
POLL_SECONDS = 0.02

_SETTINGS = {
    "shared_preload_libraries": "citus",
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "150",
    "max_worker_processes": "24",
    "max_prepared_transactions": "200",
    "shared_buffers": "32MB",
    # Shards move by logical replication.
    "wal_level": "logical",
    "citus.node_conninfo": "sslmode=disable",
    "citus.enable_statistics_collection": "off",
    "citus.max_adaptive_executor_pool_size": "1",
    # What a lost node left behind is resolved within seconds, not within a minute.
    "citus.recover_2pc_interval": "1s",
}


class Node:
    """A server in a folder of its own, ended by the number of the process that was started."""

    def __init__(self, folder: Path, programs: Path, user: ServerUser) -> None:
        self._folder = folder
        self._programs = programs
        self._user = user
        self._process: subprocess.Popen[bytes] | None = None
        self.address = Address("127.0.0.1", _free_port(), "postgres", None)

    def start(self) -> None:
        """Start it and wait until it answers; the calling thread must live as long as the server."""
        self.launch()
        self.wait()

    def launch(self) -> None:
        """Start it; the calling thread must live as long as the server."""
        settings = [part for name, value in _SETTINGS.items() for part in ("-c", f"{name}={value}")]
        place: list[str | Path] = ["-D", self._folder / "data", "-p", str(self.address.port)]
        self._process = launch([self._programs / "postgres", *place, *settings], self._user, self._folder)

    def wait(self) -> None:
        """Wait until it answers."""
        assert self._process is not None
        deadline = monotonic() + READY_SECONDS
        while not self._answers():
            assert self._process.poll() is None, log_end(self._folder)
            assert monotonic() < deadline, log_end(self._folder)
            sleep(POLL_SECONDS)

    def start_again(self) -> None:
        """Start it if it does not run."""
        if self._process is None or self._process.poll() is not None:
            self.start()

    def stop(self) -> None:
        """Stop it with a fast shutdown."""
        if self._process is not None:
            stop_program(self._process)

    def kill(self) -> None:
        """Kill its first process, and wait until its children have noticed."""
        assert self._process is not None
        children = self._children()
        self._process.send_signal(signal.SIGKILL)
        self._process.wait(READY_SECONDS)
        deadline = monotonic() + READY_SECONDS
        while any(Path(f"/proc/{pid}").exists() for pid in children):
            assert monotonic() < deadline, log_end(self._folder)
            sleep(POLL_SECONDS)

    def _answers(self) -> bool:
        with suppress(psycopg.OperationalError):
            self.address.connect("postgres").close()
            return True
        return False

    def _children(self) -> Sequence[str]:
        assert self._process is not None
        pid = self._process.pid
        return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()


@contextmanager
def own_cluster() -> Iterator[list[Node]]:
    """Run a coordinator and its workers, in this order, whose database `postgres` knows the nodes.

    The test is skipped if this machine has no PostgreSQL with Citus.
    """
    programs = _programs()
    folder = Path(tempfile.mkdtemp(prefix="livetranslate-cluster-"))
    folder.chmod(0o711)
    user = server_user(folder / "data")
    try:
        _make_data(folder, programs, user)
        nodes = [_node(folder, name, programs, user) for name in ("coordinator", "worker1", "worker2")]
        with ExitStack() as stack:
            for node in nodes:
                stack.callback(node.stop)
                node.start()
            _add_nodes(nodes)
            yield nodes
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _programs() -> Path:
    config = shutil.which("pg_config")
    if config is None:
        pytest.skip("pg_config is missing: this test starts nodes of its own")
    asked = [config, "--bindir", "--pkglibdir"]
    programs, libraries = map(
        Path, subprocess.run(asked, check=True, capture_output=True, text=True).stdout.split()
    )
    if not (libraries / "citus.so").is_file():
        pytest.skip(f"citus.so is missing in {libraries}: this test starts nodes of its own")
    return programs


def _make_data(folder: Path, programs: Path, user: ServerUser) -> None:
    """Make the data of one node, which the others are copies of."""
    made = folder / "made"
    _own(made, user)
    options = ["--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"]
    program = launch([programs / "initdb", "-D", made / "data", *options], user, made, initializes=True)
    try:
        program.wait(READY_SECONDS)
    finally:
        stop_program(program)
    assert program.returncode == 0, log_end(made)


def _node(folder: Path, name: str, programs: Path, user: ServerUser) -> Node:
    _own(folder / name, user)
    shutil.copytree(folder / "made" / "data", folder / name / "data")
    if os.geteuid() == 0:
        for each in [folder / name / "data", *(folder / name / "data").rglob("*")]:
            os.chown(each, *user)
    return Node(folder / name, programs, user)


def _own(folder: Path, user: ServerUser) -> None:
    folder.mkdir(mode=0o700)
    if os.geteuid() == 0:
        os.chown(folder, *user)


def _add_nodes(nodes: Sequence[Node]) -> None:
    for node in nodes:
        with node.address.connect("postgres") as connection:
            connection.execute("CREATE EXTENSION citus")
    coordinator, *workers = (node.address for node in nodes)
    with coordinator.connect("postgres") as connection:
        connection.execute("SELECT citus_set_coordinator_host(%s, %s)", coordinator[:2])
        for worker in workers:
            connection.execute("SELECT citus_add_node(%s, %s)", worker[:2])


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
