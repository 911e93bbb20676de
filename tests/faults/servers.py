"""A PostgreSQL that a test owns, to kill it, to fill it up and to start it again; nobody else does."""

import asyncio
import os
import subprocess
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from time import monotonic
from typing import Any

import psycopg
from sqlalchemy import URL

from livetranslate_store.embedded.binaries import server_binaries, server_user
from livetranslate_store.embedded.probe import answers, create_database
from livetranslate_store.embedded.programs import initialize, launch, log_end, stop_program
from livetranslate_store.embedded.server import DATABASE, PORT
from livetranslate_store.schema.upgrade import upgrade

START_SECONDS = 60.0
POLL_SECONDS = 0.01


class Server:
    """A server in `folder`, which must have a short path; listens on a socket only."""

    def __init__(self, folder: Path, **parameters: object) -> None:
        self.folder = folder
        self._parameters = parameters
        self._user = server_user(folder / "data")
        self._binaries = server_binaries(self._user)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The URL of the database for the store."""
        query = {"host": str(self.folder / "socket"), "port": str(PORT)}
        return URL.create("postgresql+asyncpg", "postgres", database=DATABASE, query=query).render_as_string()

    def connect(self) -> psycopg.Connection[Any]:
        """Return a connection for another program."""
        return psycopg.connect(
            host=str(self.folder / "socket"), port=PORT, user="postgres", dbname=DATABASE, autocommit=True
        )

    async def create(self) -> None:
        """Make the data, start the server, and bring the schema up to date."""
        initialize(self.folder, self._binaries, self._user, threading.Event(), START_SECONDS)
        socket = self.folder / "socket"
        socket.mkdir(mode=0o700)
        os.chown(socket, self._user.uid, self._user.gid)
        await self.start(database="postgres")
        await create_database(socket, PORT, DATABASE)
        await asyncio.to_thread(upgrade, self.url)

    async def start(self, *, database: str = DATABASE) -> None:
        """Start the server and wait until it answers; must be called from the main thread.

        What a killed one leaves behind, children with its shared memory first of all, ends by itself in a
        moment; until then the new one refuses to start, and is started again, as a service manager does.
        """
        deadline = monotonic() + START_SECONDS
        while monotonic() < deadline:
            if not self.is_running():
                self._process = self._launch()
            if await answers(self.folder / "socket", PORT, database):
                return
            await asyncio.sleep(POLL_SECONDS)
        raise AssertionError(f"the server does not start; {log_end(self.folder)}")

    def is_running(self) -> bool:
        """Tell whether the server's first process is there."""
        return self._process is not None and self._process.poll() is None

    def kill(self) -> None:
        """Kill the server's first process, as the plug or the system's memory keeper does."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def stop(self) -> None:
        """Stop the server."""
        if self._process is not None:
            stop_program(self._process)

    def _launch(self) -> "subprocess.Popen[bytes]":
        command: list[str | Path] = [self._binaries / "postgres", "-D", self.folder / "data"]
        command += ["-k", self.folder / "socket", "-p", str(PORT), "-c", "listen_addresses="]
        for name, value in self._parameters.items():
            command += ["-c", f"{name}={value}"]
        return launch(command, self._user, self.folder)


@asynccontextmanager
async def server_in(folder: Path, **parameters: object) -> AsyncIterator[Server]:
    """Run a server of one's own for the length of a block."""
    server = Server(folder, **parameters)
    try:
        await server.create()
        yield server
    finally:
        server.stop()
