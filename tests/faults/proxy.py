"""A proxy between store and server, on which whatever may happen to a network happens on demand."""

import asyncio
import socket
import struct
from enum import Enum
from random import Random
from types import TracebackType
from typing import Self

from sqlalchemy import make_url

from livetranslate_store.embedded.server import PORT

CHUNK_BYTES = 65_536


class Trouble(Enum):
    """What happens to connections."""

    RESET = "reset"
    STALL = "stall"
    DELAY = "delay"
    CUT = "cut in the middle of a message"
    HALF_CLOSE = "half-close"


class Direction(Enum):
    """Whose bytes it happens to."""

    TO_SERVER = "to the server"
    TO_STORE = "to the store"


class _BrokenError(Exception):
    """This connection has met its trouble."""


class Proxy:
    """Listens on the loopback and passes on to the server of a URL; each connection has its own luck."""

    def __init__(self, url: str, chance: Random) -> None:
        self._upstream = make_url(url)
        self._chance = chance
        self._trouble: tuple[Trouble, Direction] | None = None
        self._calm = asyncio.Event()
        self._calm.set()
        self._connections: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        for connection in self._connections:
            connection.cancel()
        await asyncio.gather(*self._connections)

    @property
    def url(self) -> str:
        """The URL by which the store reaches the server through the proxy."""
        assert self._server is not None
        port: int = self._server.sockets[0].getsockname()[1]
        url = self._upstream.set(host="127.0.0.1", port=port, query={})
        return url.render_as_string(hide_password=False)

    def begin(self, trouble: Trouble, direction: Direction) -> None:
        """Let it happen to half of the chunks from now on, on connections that are open and new ones."""
        self._calm.clear()
        self._trouble = trouble, direction

    def end(self) -> None:
        """Let everything pass; what stalled goes on."""
        self._trouble = None
        self._calm.set()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        task.add_done_callback(self._connections.discard)
        query = self._upstream.query
        writers = [writer]
        try:
            if self._upstream.host is None:
                path = f"{query['host']}/.s.PGSQL.{query.get('port', PORT)}"
                upstream_reader, upstream_writer = await asyncio.open_unix_connection(path)
            else:
                upstream_reader, upstream_writer = await asyncio.open_connection(
                    self._upstream.host, self._upstream.port or PORT
                )
            writers.append(upstream_writer)
            async with asyncio.TaskGroup() as group:
                group.create_task(self._pass_on(Direction.TO_SERVER, reader, upstream_writer))
                group.create_task(self._pass_on(Direction.TO_STORE, upstream_reader, writer))
        except* (_BrokenError, OSError):
            pass
        except* asyncio.CancelledError:
            pass
        finally:
            for each in writers:
                each.close()

    async def _pass_on(
        self, direction: Direction, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        while chunk := await reader.read(CHUNK_BYTES):
            if self._trouble is not None and self._trouble[1] is direction and self._chance.random() < 0.5:
                await self._make_trouble(self._trouble[0], chunk, writer)
            else:
                writer.write(chunk)
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()

    async def _make_trouble(self, trouble: Trouble, chunk: bytes, writer: asyncio.StreamWriter) -> None:
        if trouble is Trouble.RESET:
            _reset_on_close(writer)
            raise _BrokenError
        if trouble is Trouble.CUT:
            writer.write(chunk[: self._chance.randrange(len(chunk))])
            await writer.drain()
            raise _BrokenError
        if trouble is Trouble.HALF_CLOSE:
            # This side says that it is done, and the other still listens.
            writer.write_eof()
            await self._calm.wait()
            raise _BrokenError
        if trouble is Trouble.STALL:
            await self._calm.wait()
        else:
            await asyncio.sleep(self._chance.uniform(0.01, 0.2))
        writer.write(chunk)


def _reset_on_close(writer: asyncio.StreamWriter) -> None:
    connection = writer.get_extra_info("socket")
    if connection.family != socket.AF_UNIX:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
