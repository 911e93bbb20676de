"""Small file systems that can be filled up and made read-only."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from time import monotonic

import pytest

MEGABYTE = 1024 * 1024


@contextmanager
def small_file_system(folder: Path, megabytes: int) -> Iterator[None]:
    """Mount a file system of that size at `folder`; skips where mounting is not allowed."""
    options = f"size={megabytes}m,mode=0711"
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "livetranslate-fault", folder],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        pytest.skip(f"a full disk needs a file system of its own: {done.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", folder], check=True)


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """Let nobody write to the file system at `folder` for the length of a block."""
    # Busy while somebody has a file open for writing: between two of them it succeeds.
    deadline = monotonic() + 10.0
    while subprocess.run(["mount", "-o", "remount,ro", folder], check=False).returncode:
        assert monotonic() < deadline, "the file system stays busy"
    try:
        yield
    finally:
        subprocess.run(["mount", "-o", "remount,rw", folder], check=True)


@contextmanager
def filled(folder: Path, *, leaving: int) -> Iterator[None]:
    """Take the room of the file system at `folder`, but for some bytes, for the length of a block."""
    filler = folder / "filler"
    with filler.open("wb") as file:
        while (room := _room(folder) - leaving) > 0:
            # Somebody else may have taken some of it since.
            with suppress(OSError):
                os.posix_fallocate(file.fileno(), 0, room)
                break
    try:
        yield
    finally:
        filler.unlink()


def _room(folder: Path) -> int:
    free = os.statvfs(folder)
    return free.f_bavail * free.f_bsize
