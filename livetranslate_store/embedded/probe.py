"""Asking the private server whether it answers, and making its database."""

from pathlib import Path

import asyncpg
from asyncpg.connect_utils import SessionAttribute

# It is a socket of this machine: an answer that takes this long is none.
CONNECT_SECONDS = 5.0
# CREATE DATABASE copies a few megabytes and writes a checkpoint.
COMMAND_SECONDS = 30.0

_NO_ANSWER = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError)


async def answers(host: Path, port: int, database: str) -> bool:
    """Tell whether the server at this socket accepts connections to `database`."""
    try:
        connection = await _connect(host, port, database)
        await connection.close()
    except _NO_ANSWER:
        return False
    return True


async def create_database(host: Path, port: int, database: str) -> bool:
    """Create the database if it does not exist; return whether the server answered."""
    try:
        connection = await _connect(host, port, "postgres")
        try:
            known = await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", database)
            if known is None:
                await connection.execute(f'CREATE DATABASE "{database}"')
        finally:
            await connection.close()
    except _NO_ANSWER:
        return False
    return True


async def _connect(host: Path, port: int, database: str) -> "asyncpg.Connection[asyncpg.Record]":
    # Everything that asyncpg would otherwise take from PG* variables and from files in the home folder.
    return await asyncpg.connect(
        host=str(host),
        port=port,
        user="postgres",
        password="",
        database=database,
        ssl=False,
        target_session_attrs=SessionAttribute.any,
        timeout=CONNECT_SECONDS,
        command_timeout=COMMAND_SECONDS,
    )
