"""Processes that end with the suite: each forked from one that has imported everything, in a moment."""

import asyncio
import multiprocessing
import signal
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import Any, TypeAlias

#: Gets the connection to its parent first, then the arguments.
Main: TypeAlias = Callable[..., Coroutine[Any, Any, None]]

_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(["livetranslate_store"])


class Program:
    """A coroutine function as a process: it says when it is ready, and waits until it is told to begin."""

    def __init__(self, main: Main, *arguments: object) -> None:
        self._connection, its_connection = _context.Pipe()
        self._process = _context.Process(target=_run, args=(main, its_connection, *arguments), daemon=True)
        self._process.start()
        its_connection.close()

    def begin(self) -> None:
        """Wait until it is ready, and let it begin."""
        self._connection.recv()
        self._connection.send("begin")

    def wait(self, seconds: float) -> None:
        """Wait until it has ended by itself; fails where it ends with an error."""
        self._process.join(seconds)
        assert self._process.exitcode == 0

    def kill(self) -> None:
        """End it at once, whatever it is doing; it must not have ended before."""
        self._process.kill()
        self._process.join()
        assert self._process.exitcode == -signal.SIGKILL, "it ended by itself"

    def close(self) -> None:
        """End it if it still runs, and forget it."""
        self._process.kill()
        self._process.join()
        self._process.close()
        self._connection.close()


@contextmanager
def running(main: Main, *arguments: object) -> Iterator[Program]:
    """Start a program for the length of a block."""
    program = Program(main, *arguments)
    try:
        yield program
    finally:
        program.close()


async def ready(parent: Connection) -> None:
    """Say so, and wait for the word to begin."""
    parent.send("ready")
    await asyncio.to_thread(parent.recv)


async def until_end(parent: Connection) -> None:
    """Wait until the parent has gone."""
    await asyncio.to_thread(parent.poll, None)


def _run(main: Main, parent: Connection, *arguments: object) -> None:
    asyncio.run(main(parent, *arguments))
