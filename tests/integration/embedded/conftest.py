"""Folders for private servers, and other processes that use them."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from helpers.private_server import (
    CHILD,
    IMPORT_PATH,
)

from livetranslate_store.embedded.server import EmbeddedServer


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
