"""What several tests need: short ways to say what is written, and to wait for what must come."""

import asyncio
from collections.abc import Callable
from typing import Any, LiteralString

import psycopg

from livetranslate_store import AudioInput, TranscriptInput, TranslationInput
from livetranslate_store.database.statement import BoundStatement, Statement

#: What a meeting writes.
WRITTEN = ("sessions", "audio_files", "transcripts", "translations", "speakers")
TABLES = (*WRITTEN, "text_versions")


def transcript(text: str = "Good morning.", **fields: Any) -> TranscriptInput:
    """Return a transcript in English; without a key it is a new segment."""
    return TranscriptInput(**{"text": text, "language": "en"} | fields)


def translation(text: str = "Buenos días.", target_language: str = "es", **fields: Any) -> TranslationInput:
    """Return a translation into Spanish."""
    return TranslationInput(text=text, target_language=target_language, **fields)


def audio(data: bytes = b"RIFF", **fields: Any) -> AudioInput:
    """Return a chunk of audio."""
    return AudioInput(**{"data": data, "format": "wav"} | fields)


def sql(text: str) -> BoundStatement:
    """Return a statement without parameters."""
    return Statement("test", text).bind()


def explained(bound: BoundStatement) -> BoundStatement:
    """Return the statement that runs another one and returns its plan."""
    return bound._replace(text=f"EXPLAIN ANALYZE {bound.text}")


def counts(connection: psycopg.Connection[Any]) -> dict[str, int]:
    """Return how many rows each table that a meeting writes holds, as another program sees it."""
    found = {}
    for table in WRITTEN:
        row = connection.execute(f"SELECT count(*) FROM livetranslate.{table}").fetchone()
        assert row is not None
        found[table] = row[0]
    connection.rollback()
    return found


async def until(condition: Callable[[], bool], *, seconds: float = 30.0, pause: float = 0.005) -> None:
    """Wait for what must come; fail when it does not."""
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(pause)


def _another(program: psycopg.Connection[Any]) -> psycopg.Connection[Any]:
    info = program.info
    return psycopg.connect(
        host=info.host,
        port=info.port,
        user=info.user,
        password=info.password or None,
        dbname=info.dbname,
        autocommit=True,
    )


# The waiting statements, by whom PostgreSQL or Citus can end; on a cluster a statement waits on a worker.
_WAITING = "SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
_WAITING_ON_ANY_NODE = _WAITING.replace("pid", "global_pid").replace("pg_stat", "citus_stat")
_BLOCKED_BY = "SELECT pid FROM pg_stat_activity WHERE %s = ANY (pg_blocking_pids(pid))"
_BLOCKED_ON_ANY_NODE_BY = "SELECT waiting_gpid FROM citus_lock_waits WHERE blocking_gpid = %s"


def waiting_for_a_lock(program: psycopg.Connection[Any]) -> bool:
    """Return whether a statement in the database of `program` waits for a lock."""
    with _another(program) as watcher:
        return watcher.execute(_waiting(watcher)).fetchone() is not None


def end_waiting_connections(program: psycopg.Connection[Any]) -> bool:
    """End the connections in the database of `program` that wait for a lock; return whether any did."""
    with _another(program) as killer:
        waiting = killer.execute(_waiting(killer)).fetchall()
        for (pid,) in waiting:
            # Citus has an overload for what it calls a global process.
            kind = "bigint" if is_on_a_cluster(killer) else "int"
            killer.execute(f"SELECT pg_terminate_backend(%s::{kind})", [pid])
        return bool(waiting)


async def until_blocked(program: psycopg.Connection[Any]) -> None:
    """Wait until a transaction waits for the end of the one that `program` is in."""
    with _another(program) as watcher:
        if is_on_a_cluster(watcher):
            [blocking] = program.execute("SELECT citus_backend_gpid()").fetchone() or (None,)
            query = _BLOCKED_ON_ANY_NODE_BY
        else:
            blocking, query = program.info.backend_pid, _BLOCKED_BY
        await until(lambda: watcher.execute(query, [blocking]).fetchone() is not None)


def _waiting(watcher: psycopg.Connection[Any]) -> LiteralString:
    return _WAITING_ON_ANY_NODE if is_on_a_cluster(watcher) else _WAITING


def is_on_a_cluster(program: psycopg.Connection[Any]) -> bool:
    """Return whether the tables of the database of `program` are distributed."""
    return program.execute("SELECT to_regclass('citus_tables') IS NOT NULL").fetchone() == (True,)


def take_away(program: psycopg.Connection[Any]) -> Callable[[], None]:
    """Take a test's own database away from everybody; what is returned gives it back."""
    name, address = program.info.dbname, program.info.dsn
    password = program.info.password or None
    program.close()

    def elsewhere(*statements: str) -> None:
        with psycopg.connect(address, dbname="postgres", password=password, autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement)

    elsewhere(
        f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false',
        f"SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = '{name}'",
        f'ALTER DATABASE "{name}" RENAME TO "{name}_gone"',
    )
    return lambda: elsewhere(
        f'ALTER DATABASE "{name}_gone" RENAME TO "{name}"', f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true'
    )
