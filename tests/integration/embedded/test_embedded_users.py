"""The private server runs for any user, and says which folder is in the way."""

import os
import pwd
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import pytest
from helpers.private_server import (
    IMPORT_PATH,
    connected,
    server_pid,
)

from livetranslate_store import StoreUnavailableError
from livetranslate_store.embedded.server import EmbeddedServer

pytestmark = pytest.mark.slow

SUPPLEMENTARY_GROUP = 54321


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
