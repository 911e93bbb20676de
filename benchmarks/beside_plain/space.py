"""Bytes of a segment's life: its log, its disk, the disk that autovacuum leaves behind, and HOT updates."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import NamedTuple, TypeAlias

import asyncpg

from benchmarks.beside_plain.lives import PARTS, Life, Side, interims, ours, plain, whole
from benchmarks.databases import Databases
from benchmarks.floor import Connection
from benchmarks.report.results import Figure

Opener: TypeAlias = Callable[[Databases, str, int], AbstractAsyncContextManager[Side]]

_LOG = "SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn"
# Both schemas have a table of translations. Everything else counts with the transcripts: the other tables are
# almost empty here.
_DISK = """
    SELECT CASE c.relname WHEN 'translations' THEN 'translations' ELSE 'transcripts' END,
        sum(pg_table_size(c.oid))::bigint, sum(pg_indexes_size(c.oid))::bigint
    FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE c.relkind = 'r' AND n.nspname = ANY ('{livetranslate,public}') GROUP BY 1
"""
#: The parts of the disk: of rows, and of their indexes.
DISK_PARTS = {
    "transcripts": "transcripts",
    "transcripts_indexes": "indexes of transcripts",
    "translations": "translations",
    "translations_indexes": "indexes of translations",
}
_BACKENDS = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
SECONDS_TO_END = 30.0
_UPDATES = """
    SELECT n_tup_hot_upd::float / n_tup_upd FROM pg_stat_user_tables
    WHERE relname IN ('transcripts', 'segments')
"""


class _Contender(NamedTuple):
    """An empty database that is still to be made, and how a side opens it."""

    database: AbstractAsyncContextManager[str]
    opened: Opener


class _Bytes(NamedTuple):
    """Bytes of one life, by part."""

    log: Mapping[str, float]
    disk: Mapping[str, float]


async def space(databases: Databases, bots: int, rounds: int, many_rounds: int) -> dict[str, Figure]:
    """Measure both sides one after the other; in each round every bot writes one life.

    Only the bytes left behind by autovacuum need many rounds. It looks every second, because the rounds press
    a day of writes into a minute.
    """
    exact: list[_Bytes] = []
    hot: list[float] = []
    left: list[float] = []
    for contender in (_store, _plain_layer):
        async with databases.setting("full_page_writes", "off"), databases.setting("autovacuum", "off"):
            exact.append(await _exact(databases, contender(databases), bots, rounds))
            hot.append(await _hot(databases, contender(databases), bots, rounds))
        async with databases.setting("autovacuum_naptime", "1"):
            left.append(await _left_behind(databases, contender(databases), bots, many_rounds))
    return {
        "life_wal": Figure(*(sum(each.log.values()) for each in exact)),
        **{f"wal_{part}": Figure(*(each.log[part] for each in exact)) for part in PARTS},
        "life_disk": Figure(*(sum(each.disk.values()) for each in exact)),
        **{f"disk_{part}": Figure(*(each.disk[part] for each in exact)) for part in DISK_PARTS},
        "life_bloat": Figure(*left),
        "interims_hot": Figure(*hot),
    }


def _store(databases: Databases) -> _Contender:
    return _Contender(databases.empty(), ours)


def _plain_layer(databases: Databases) -> _Contender:
    return _Contender(databases.copy_plain(0), plain)


async def _exact(databases: Databases, contender: _Contender, bots: int, rounds: int) -> _Bytes:
    log = dict.fromkeys(PARTS, 0.0)
    async with contender.database as name, _watching(databases, name) as watch:
        async with contender.opened(databases, name, bots) as side:
            empty = await _disk(watch)
            for life in range(rounds):
                for part, write in PARTS.items():
                    before = await watch.fetchval(_LOG)
                    await asyncio.gather(*(write(side, Life(bot, life)) for bot in range(bots)))
                    log[part] += float(await watch.fetchval(_LOG) - before)
        await watch.execute("VACUUM FULL")
        disk = await _disk(watch)
    lives = bots * rounds
    return _Bytes(
        {part: written / lives for part, written in log.items()},
        {part: (size - empty[part]) / lives for part, size in disk.items()},
    )


async def _disk(watch: Connection) -> dict[str, int]:
    """Return the bytes of the tables and of their indexes."""
    sizes: dict[str, int] = {}
    for table, rows, indexes in await watch.fetch(_DISK):
        sizes |= {table: rows, f"{table}_indexes": indexes}
    return sizes


async def _hot(databases: Databases, contender: _Contender, bots: int, rounds: int) -> float:
    """Return the share of interim revisions, the first aside, that are HOT updates."""
    async with contender.database as name, _watching(databases, name) as watch:
        async with contender.opened(databases, name, bots) as side:
            for life in range(rounds):
                await asyncio.gather(*(interims(side, Life(bot, life)) for bot in range(bots)))
        # A backend reports its counts when it ends, at the latest.
        async with asyncio.timeout(SECONDS_TO_END):
            while await watch.fetchval(_BACKENDS) > 1:  # noqa: ASYNC110 (the server can only be asked)
                await asyncio.sleep(0.05)
        return float(await watch.fetchval(_UPDATES))


async def _left_behind(databases: Databases, contender: _Contender, bots: int, rounds: int) -> float:
    """Return the disk over its size after VACUUM FULL."""
    async with contender.database as name, _watching(databases, name) as watch:
        async with contender.opened(databases, name, bots) as side:
            await asyncio.gather(*(_lives(side, bot, rounds) for bot in range(bots)))
        size = sum((await _disk(watch)).values())
        await watch.execute("VACUUM FULL")
        return size / sum((await _disk(watch)).values())


async def _lives(side: Side, bot: int, rounds: int) -> None:
    for life in range(rounds):
        await whole(side, Life(bot, life))


@asynccontextmanager
async def _watching(databases: Databases, name: str) -> AsyncIterator[Connection]:
    connection = await asyncpg.connect(databases.dsn(name))
    try:
        yield connection
    finally:
        await connection.close()
