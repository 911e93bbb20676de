"""Processes of this suite's own, which end with it."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import livetranslate_store

_TESTS = Path(__file__).resolve().parents[1]
_IMPORT_PATH = os.pathsep.join([str(_TESTS), str(Path(livetranslate_store.__file__).resolve().parents[1])])


class Program:
    """A module of this suite as a process: it says when it is ready, and runs until its input ends."""

    def __init__(self, module: str, *arguments: object) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", f"faults.{module}", *map(str, arguments)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": _IMPORT_PATH},
        )

    def begin(self) -> None:
        """Wait until it is ready, and let it begin."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "ready\n"
        self._process.stdin.write("begin\n")
        self._process.stdin.flush()

    def wait(self, seconds: float) -> None:
        """Wait until it has ended by itself; fails where it ends with an error."""
        assert self._process.wait(seconds) == 0

    def kill(self) -> None:
        """End it at once, whatever it is doing; it must not have ended before."""
        assert self._process.poll() is None, "it ended by itself"
        self._process.kill()
        self._process.wait()

    def close(self) -> None:
        """End it if it still runs, and close its pipes."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()


@contextmanager
def running(module: str, *arguments: object) -> Iterator[Program]:
    """Start a program for the length of a block."""
    program = Program(module, *arguments)
    try:
        yield program
    finally:
        program.close()
