"""A private PostgreSQL for one folder: started as a child, gone with its owner, shared by processes.

The process that holds the folder's lock owns the server; others use it through the same socket. When the
owner ends or is killed, its server ends too, and the next process starts it again.
"""

import asyncio
import hashlib
import logging
import os
import shutil
import stat
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Self

from sqlalchemy import URL

from livetranslate_store.embedded.probe import answers, create_database
from livetranslate_store.embedded.programs import (
    check_version,
    initialize,
    launch,
    log_end,
    stop_program,
)
from livetranslate_store.errors import StoreUnavailableError
from livetranslate_store.incidents import Incident

# Windows has neither module, and must still be able to import the package.
if sys.platform != "win32":
    import fcntl

    from livetranslate_store.embedded.binaries import (
        ServerUser,
        can_enter,
        server_binaries,
        server_user,
    )

logger = logging.getLogger(__name__)

DATABASE = "livetranslate"
PORT = 5432

# First start included: initdb takes a second or two, recovery after a crash some more.
START_SECONDS = 60.0
# A fast shutdown writes a checkpoint; a server that its owner left behind gets as long.
PREDECESSOR_SECONDS = 20.0
POLL_SECONDS = 0.05

# Between two attempts to start again a server that other processes already rely on.
RETRY_SECONDS = 1.0

_locks: set[int] = set()


def _release_in_child() -> None:
    # A forked child would hold the lock, and so keep others from taking over, after its parent was killed.
    while _locks:
        os.close(_locks.pop())


if sys.platform != "win32":
    os.register_at_fork(after_in_child=_release_in_child)


class EmbeddedServer:
    """A private PostgreSQL in `folder`; without one, in a temporary folder that is removed at the end.

    The server listens on a socket only, for this user only. Data is as durable as anywhere else.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._temporary = folder is None
        #: The folder of the data, the log, and the files that the application keeps beside them.
        self.folder = (
            Path(tempfile.mkdtemp(prefix="livetranslate-"))
            if folder is None
            # No shell has read the `~` of a settings file.
            else folder.expanduser().absolute()
        )
        self.port = PORT
        self._process = os.getpid()
        self._stopping = threading.Event()
        self._settled = threading.Event()
        self._failure: Exception | None = None
        self._supervisor: threading.Thread | None = None
        self._trouble = Incident(logger, "embedded_unavailable", "the embedded PostgreSQL does not run")

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def host(self) -> Path:
        """The folder of the server's socket, the same for every process that uses `folder`."""
        # Sockets allow for some hundred characters of path, which a folder of the user's may exceed.
        digest = hashlib.sha256(os.fsencode(self.folder.resolve())).hexdigest()[:16]
        # With the user in its name: a folder that another user left for this path is not in the way.
        uid = server_user(self.folder / "data").uid
        return Path(tempfile.gettempdir()) / f"livetranslate-{uid}-{digest}"

    @property
    def url(self) -> str:
        """The URL of the database, for SQLAlchemy."""
        query = {"host": str(self.host), "port": str(PORT)}
        return URL.create("postgresql+asyncpg", "postgres", database=DATABASE, query=query).render_as_string()

    def start(self) -> None:
        """Start the server, or use the one that another process runs on this folder.

        Raises StoreUnavailableError, which says what to do, if none can be started.
        """
        if sys.platform == "win32":
            raise StoreUnavailableError("The embedded PostgreSQL needs Linux or macOS.")
        if self._supervisor is not None:
            return
        self._stopping.clear()
        self._settled.clear()
        self._failure = None
        # The server's death signal depends on the thread that made it: this one lives as long as the server.
        self._supervisor = threading.Thread(target=self._supervise, name="embedded-postgres", daemon=True)
        self._supervisor.start()
        try:
            self._wait_until_ready()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop the server if this process owns it, and remove a temporary folder."""
        if os.getpid() != self._process:
            return  # a forked child leaves its parent's server alone
        self._stopping.set()
        if self._supervisor is not None:
            self._supervisor.join()
            self._supervisor = None
        if self._temporary:
            shutil.rmtree(self.folder, ignore_errors=True)

    def _wait_until_ready(self) -> None:
        if not self._settled.wait(START_SECONDS):
            raise StoreUnavailableError(
                f"The embedded PostgreSQL was not ready within {START_SECONDS:g} s; {log_end(self.folder)}"
            )
        if self._failure is not None:
            raise self._failure

    def _supervise(self) -> None:
        try:
            self._own_when_free()
        except StoreUnavailableError as error:
            self._failure = error
        except Exception as error:
            self._failure = StoreUnavailableError(f"The embedded PostgreSQL cannot be started: {error}.")
            self._failure.__cause__ = error
            if self._settled.is_set():
                logger.exception(
                    "the embedded PostgreSQL is no longer supervised",
                    extra={"event": "embedded_abandoned"},
                )
        finally:
            self._settled.set()

    def _own_when_free(self) -> None:
        user = server_user(self.folder / "data")
        binaries = server_binaries(user)
        lock = self._make_folders(user)
        _locks.add(lock)
        owner = False
        try:
            while not self._stopping.is_set():
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    if not self._settled.is_set() and asyncio.run(answers(self.host, PORT, DATABASE)):
                        self._settled.set()
                    self._stopping.wait(POLL_SECONDS)
                    continue
                owner = True
                self._run_or_retry(binaries, user)
        finally:
            if owner:
                with suppress(OSError):  # not empty after a crash; the next owner clears that
                    self.host.rmdir()
            _locks.discard(lock)
            os.close(lock)

    def _run_or_retry(self, binaries: Path, user: "ServerUser") -> None:
        try:
            self._run(binaries, user)
        except (StoreUnavailableError, OSError) as error:
            if not self._settled.is_set():
                raise
            self._trouble.met(error)
            self._stopping.wait(RETRY_SECONDS)

    def _make_folders(self, user: "ServerUser") -> int:
        """Make what the server needs beside its data; return the open file of the lock."""
        try:
            # 0711: the server's user passes through to its data, and sees nothing else.
            self.folder.mkdir(mode=0o711, parents=True, exist_ok=True)
            if self._temporary:
                self.folder.chmod(0o711)
            lock = os.open(self.folder / "owner.lock", os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise StoreUnavailableError(
                f"The folder {self.folder} cannot be used for an embedded PostgreSQL: {error.strerror}. "
                "Choose one that you may write to."
            ) from error
        try:
            self._check_access(user)
            self._make_socket_folder(user)
        except BaseException:
            os.close(lock)
            raise
        return lock

    def _check_access(self, user: "ServerUser") -> None:
        if os.geteuid() != 0:
            return  # this user runs the server itself: the system checks the access
        if not can_enter(self.folder, user):
            raise StoreUnavailableError(
                "PostgreSQL does not run as root, and the user that takes root's place cannot enter "
                f"{self.folder}: choose a folder that others may pass into, or run as a user."
            )
        if not can_enter(self.host.parent, user):
            raise StoreUnavailableError(
                "PostgreSQL does not run as root, and the user that takes root's place cannot enter the "
                f"temporary folder {self.host.parent}: set TMPDIR to one that others may pass into."
            )

    def _make_socket_folder(self, user: "ServerUser") -> None:
        with suppress(FileExistsError):  # not a folder: it is refused below
            self.host.mkdir(mode=0o700, exist_ok=True)
        # Everybody may write to the folder above: another user may have made this one first.
        found = self.host.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid not in (user.uid, os.geteuid()):
            raise StoreUnavailableError(f"The socket folder {self.host} belongs to another user: remove it.")
        self.host.chmod(0o700)
        if os.geteuid() == 0:
            os.chown(self.host, user.uid, user.gid)

    def _run(self, binaries: Path, user: "ServerUser") -> None:
        """Run the server until it is to stop, or ends by itself."""
        data = self.folder / "data"
        self._wait_for_predecessor(data)
        if not data.is_dir():
            initialize(self.folder, binaries, user, self._stopping, START_SECONDS)
        if self._stopping.is_set():
            return
        check_version(binaries, data)
        # The previous owner has removed it.
        self._make_socket_folder(user)
        command: list[str | Path] = [binaries / "postgres", "-D", data, "-p", str(PORT), "-k", self.host]
        command += ["-c", "listen_addresses=", "-c", "unix_socket_permissions=0700"]
        server = launch(command, user, self.folder)
        try:
            self._watch(server)
        finally:
            stop_program(server)

    def _watch(self, server: "subprocess.Popen[bytes]") -> None:
        deadline = time.monotonic() + START_SECONDS
        while not self._stopping.is_set():
            if server.poll() is not None:
                raise StoreUnavailableError(f"The embedded PostgreSQL did not start; {log_end(self.folder)}")
            if asyncio.run(create_database(self.host, PORT, DATABASE)):
                self._settled.set()
                self._trouble.over()
                break
            if time.monotonic() > deadline:
                raise StoreUnavailableError(
                    f"The embedded PostgreSQL does not answer; {log_end(self.folder)}"
                )
            self._stopping.wait(POLL_SECONDS)
        while not self._stopping.is_set() and server.poll() is None:
            self._stopping.wait(POLL_SECONDS)

    def _wait_for_predecessor(self, data: Path) -> None:
        """Wait until the server of a killed owner is gone; a signal has stopped it."""
        deadline = time.monotonic() + PREDECESSOR_SECONDS
        while time.monotonic() < deadline and not self._stopping.is_set():
            try:
                pid = int((data / "postmaster.pid").read_text().split("\n", 1)[0])
                os.kill(pid, 0)
            except (FileNotFoundError, ValueError, ProcessLookupError):
                return
            except PermissionError:
                return  # another user's process has that number now
            self._stopping.wait(POLL_SECONDS)
