"""Processor time: of one translation row in the server, and of bots in real time on both ends."""

import asyncio
import os
import random
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import asyncpg

from benchmarks.beside_plain.lives import REVISIONS, WRITES, Life, Side, ours, plain, translations
from benchmarks.corpus import TEXTS, copy_texts
from benchmarks.databases import TRANSLATIONS, Databases
from benchmarks.report.results import Figure
from benchmarks.workload import SECONDS

ANOTHER_LANGUAGE = "fr"
# Rows in a GIN index wait in a list until somebody merges them: that belongs to their price.
_MERGE = """
    SELECT gin_clean_pending_list(i.indexrelid) FROM pg_index AS i
    JOIN pg_class AS c ON c.oid = i.indexrelid JOIN pg_am AS a ON a.oid = c.relam
    WHERE i.indrelid = 'livetranslate.translations'::regclass AND a.amname = 'gin'
"""
_PLAIN_INDEX = """
    DROP INDEX livetranslate.ix_translations_search;
    CREATE INDEX ON livetranslate.translations USING gin (to_tsvector('french', text))
"""
_TICKS = os.sysconf("SC_CLK_TCK")
# Fields of /proc/PID/stat after the name in parentheses: the parent, then the times of the process and of the
# children that it has waited for.
_PARENT, _OWN, _CHILDREN = 1, slice(11, 13), slice(13, 15)


async def translation_row(databases: Databases, segments: int) -> Figure:
    """Measure the backend's processor time for one more translation of every stored segment, per row.

    The floor writes the same rows into the same table, under an index over `to_tsvector` with the language's
    own configuration.
    """
    figures = []
    async with databases.setting("autovacuum", "off"):
        for preparation in ((), (_PLAIN_INDEX,)):
            async with databases.copy(segments) as name:
                figures.append(await _row(databases.dsn(name), *preparation))
    return Figure(*figures)


async def _row(dsn: str, *preparation: str) -> float:
    connection = await asyncpg.connect(dsn)
    try:
        for statement in preparation:
            await connection.execute(statement)
        await copy_texts(connection, [ANOTHER_LANGUAGE])
        await connection.execute("ANALYZE texts")
        backend = connection.get_server_pid()
        before = _seconds(backend, _OWN)
        status = await connection.execute(TRANSLATIONS, [ANOTHER_LANGUAGE], TEXTS)
        await connection.fetch(_MERGE)
        return (_seconds(backend, _OWN) - before) / int(status.rpartition(" ")[2])
    finally:
        await connection.close()


async def bots_at_the_pace_of_speech(databases: Databases, bots: int, seconds: float) -> dict[str, Figure]:
    """Measure the processor time of both ends, for each write and as the bots that one core serves."""
    async with databases.empty() as name, ours(databases, name, bots) as store:
        mine = await _used(store, databases, bots, seconds)
    async with databases.copy_plain(0) as name, plain(databases, name, bots) as pool:
        theirs = await _used(pool, databases, bots, seconds)
    return {
        "bots_per_core": Figure(mine.bots_per_core, theirs.bots_per_core),
        "client_cpu": Figure(mine.client, theirs.client),
        "server_cpu": Figure(mine.server, theirs.server),
    }


class _Used(NamedTuple):
    bots_per_core: float
    #: Seconds of a write.
    client: float
    server: float


async def _used(side: Side, databases: Databases, bots: int, seconds: float) -> _Used:
    server = await server_of(databases)
    chance = random.Random(1)  # noqa: S311 (no secret)
    # The first lives make connections prepare their statements.
    await asyncio.gather(*(_speak(side, bot, range(1), 0.0) for bot in range(bots)))
    lives = range(1, 1 + max(1, int(seconds / SECONDS)))
    before = time.process_time(), server_seconds(server)
    await asyncio.gather(*(_speak(side, bot, lives, chance.uniform(0.0, SECONDS)) for bot in range(bots)))
    client, on_server = time.process_time() - before[0], server_seconds(server) - before[1]
    writes = bots * len(lives) * WRITES
    return _Used(bots * len(lives) * SECONDS / (client + on_server), client / writes, on_server / writes)


async def _speak(side: Side, bot: int, lives: range, delay: float) -> None:
    """Write these lives one after the other at the pace of speech."""
    loop = asyncio.get_running_loop()
    due = loop.time() + delay
    for number in lives:
        life = Life(bot, number)
        for revision in range(REVISIONS):
            due += SECONDS / REVISIONS
            await asyncio.sleep(due - loop.time())
            await side.revise(life, revision)
        await translations(side, life)


async def server_of(databases: Databases) -> int:
    """Return the number of the server's first process."""
    connection = await asyncpg.connect(databases.dsn("postgres"))
    try:
        return int(_fields(connection.get_server_pid())[_PARENT])
    finally:
        await connection.close()


def server_seconds(server: int) -> float:
    """Return the processor time of a server: of its processes now, and of those that have ended."""
    ended = _seconds(server, _CHILDREN)
    return ended + _seconds(server, _OWN) + sum(_seconds(pid, _OWN) for pid in _children(server))


def _children(parent: int) -> Iterator[int]:
    for folder in Path("/proc").iterdir():
        # Another process may end meanwhile.
        with suppress(FileNotFoundError, ProcessLookupError):
            if folder.name.isdecimal() and int(_fields(int(folder.name))[_PARENT]) == parent:
                yield int(folder.name)


def _seconds(pid: int, times: slice) -> float:
    return sum(map(int, _fields(pid)[times])) / _TICKS


def _fields(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
