"""Processor time and network traffic of the processes of one database on this machine, on all its nodes."""

import re
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple, Self

import asyncpg
from sqlalchemy import URL

from benchmarks.contenders import DURABLE

NANOSECONDS = 1e9
# Not the work of vacuum, which comes when it likes.
_PIDS = """
    SELECT pid FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
"""
_SOCKET = re.compile(r"\S+ +\S+ +\S+:(\d+) +\S+:(\d+) .*pid=(\d+),")
_COUNT = re.compile(r"(bytes_sent|bytes_received|data_segs_out|data_segs_in):(\d+)")


class Used(NamedTuple):
    """What calls have used so far: seconds of processors, bytes, and messages."""

    client: float
    entry: float
    shards: float
    client_bytes: float
    shard_bytes: float
    #: Messages from the store to its node, and from that node to the shards': one for each round trip.
    client_messages: float
    shard_messages: float

    def since(self, before: Self, calls: int) -> "Used":
        """Return what one of so many calls has used."""
        return Used(*((now - then) / calls for now, then in zip(self, before, strict=True)))


class _Traffic(NamedTuple):
    sent: int
    received: int
    messages_sent: int
    messages_received: int


class Watch:
    """Looks at the processes of a database on its node, which a store is connected to, and on the workers."""

    def __init__(self, entry: asyncpg.Connection, workers: Sequence[asyncpg.Connection], url: URL) -> None:
        self._entry = entry
        self._workers = workers
        self._port = url.port

    @classmethod
    async def over(cls, url: URL, workers: Sequence[URL]) -> Self:
        """Connect to all nodes."""
        return cls(await _connect(url), [await _connect(each) for each in workers], url)

    async def check_durability(self) -> None:
        """Refuse to measure if a commit would not be on the disk of a node."""
        for node in (self._entry, *self._workers):
            for setting in DURABLE:
                value = await node.fetchval(f"SHOW {setting}")
                if value != "on":
                    raise RuntimeError(f"{setting} is {value!r}, not 'on': commits would not be durable.")

    async def close(self) -> None:
        """Close the connections."""
        for connection in (self._entry, *self._workers):
            await connection.close()

    async def used(self) -> Used:
        """Return what has been used up to now; the client's time is for the caller to add."""
        entry = await _pids(self._entry)
        shards = [pid for worker in self._workers for pid in await _pids(worker)]
        client = self._traffic(entry, with_client=True)
        beyond = self._traffic(entry, with_client=False)
        return Used(
            client=0.0,
            entry=_seconds(entry),
            shards=_seconds(shards),
            client_bytes=client.sent + client.received,
            shard_bytes=beyond.sent + beyond.received,
            client_messages=client.messages_received,
            shard_messages=beyond.messages_sent,
        )

    def _traffic(self, pids: Sequence[int], *, with_client: bool) -> _Traffic:
        """Return the traffic of processes with their clients, or with the servers that they use."""
        found = subprocess.run(
            ["ss", "-tinpHO", "state", "established"],  # noqa: S607 (as the shell finds it)
            check=True, capture_output=True, text=True,
        ).stdout  # fmt: skip
        counts = {"bytes_sent": 0, "bytes_received": 0, "data_segs_out": 0, "data_segs_in": 0}
        for line in found.splitlines():
            socket = _SOCKET.match(line)
            if socket is None or int(socket[3]) not in pids or (int(socket[1]) == self._port) != with_client:
                continue
            for name, count in _COUNT.findall(line):
                counts[name] += int(count)
        return _Traffic(*counts.values())


async def _connect(url: URL) -> asyncpg.Connection:
    dsn = url.set(drivername="postgresql", query={**url.query, "application_name": "watch"})
    return await asyncpg.connect(dsn.render_as_string(hide_password=False))


async def _pids(connection: asyncpg.Connection) -> list[int]:
    return [row["pid"] for row in await connection.fetch(_PIDS)]


def _seconds(pids: Sequence[int]) -> float:
    total = 0
    for pid in pids:
        # One that has just ended was not busy.
        with suppress(FileNotFoundError, ProcessLookupError):
            total += int(Path(f"/proc/{pid}/schedstat").read_text(encoding="ascii").split()[0])
    return total / NANOSECONDS
