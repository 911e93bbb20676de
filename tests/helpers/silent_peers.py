"""Servers that accept connections and do not answer: silent, a byte at a time, or with one side closed."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from enum import Enum


class Manner(Enum):
    """How a peer does not answer."""

    SILENT = "says nothing"
    DRIPS = "sends a byte now and then"
    HALF_CLOSED = "closes its side and reads on"


# A test of some seconds sees one byte of a peer that sends one a minute.
DRIP_SECONDS = 0.5


@asynccontextmanager
async def silent_peer(manner: Manner) -> AsyncIterator[int]:
    """Listen on the loopback; yields the port."""
    open_tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        open_tasks.add(task)
        try:
            if manner is Manner.HALF_CLOSED:
                writer.write_eof()
            while manner is Manner.DRIPS:
                await asyncio.sleep(DRIP_SECONDS)
                writer.write(b"H")
                await writer.drain()
            while await reader.read(65_536):
                pass
            await asyncio.Event().wait()
        except (asyncio.CancelledError, ConnectionError):
            pass
        finally:
            open_tasks.discard(task)
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in open_tasks:
            task.cancel()
        await asyncio.sleep(0)
