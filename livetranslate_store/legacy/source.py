"""The older system's database, read and never written: snapshots, server-side cursors, cells as text."""

from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping
from contextlib import aclosing, asynccontextmanager, contextmanager
from typing import Any, NamedTuple, TypeAlias

import asyncpg

from livetranslate_store.database.address import Address
from livetranslate_store.database.failures import DRIVER_ERRORS, translate
from livetranslate_store.errors import InvalidInputError, StoreUnavailableError
from livetranslate_store.legacy.row import LegacyRow

Driver: TypeAlias = "asyncpg.Connection[asyncpg.Record]"

SCHEMA = "bot_sessions"

#: The tables that are moved, and the column that is the key of each.
KEYS = {
    "sessions": "session_id",
    "audio_files": "file_id",
    "transcripts": "transcript_id",
    "translations": "translation_id",
    "speaker_identities": "identity_id",
}
# A failed installation left databases without it.
_OPTIONAL = {"speaker_identities"}
# A move needs these; any other column that a deployment does not have is read as NULL.
_NEEDED = {
    "sessions": {"session_id"},
    "audio_files": {"file_id", "session_id"},
    "transcripts": {"transcript_id", "session_id", "transcript_text"},
    "translations": {"translation_id", "session_id", "source_transcript_id", "translated_text"},
    "speaker_identities": {"identity_id", "session_id", "speaker_label"},
}

CONNECT_SECONDS = 30.0
DEFAULT_PORT = 5432
# These say which of two rows is newer.
_AGES = ("created_at", "updated_at")

# Rows that one round trip brings.
ROWS_AT_ONCE = 1000
SESSIONS_AT_ONCE = 1000

_COLUMNS = """
    SELECT c.relname, a.attname, quote_ident(a.attname) AS quoted, t.typname
    FROM pg_catalog.pg_attribute a
    JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
    WHERE n.nspname = $1 AND c.relname = ANY($2) AND a.attnum > 0 AND NOT a.attisdropped
      AND t.typname <> 'tsvector'
    ORDER BY c.relname, a.attnum
"""

# Cells come as text, whose form must not depend on the server's configuration. Its limit on idle transactions
# would end a move that waits for the store; the transaction cannot write.
_BEGIN = """
    BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
    SET LOCAL DateStyle = 'ISO, YMD';
    SET LOCAL TimeZone = 'UTC';
    SET LOCAL extra_float_digits = 1;
    SET LOCAL idle_in_transaction_session_timeout = 0;
    SET LOCAL statement_timeout = 0;
"""


class Table(NamedTuple):
    """A table as this deployment has it: its query, its keys, and the types of its columns by name."""

    name: str
    columns: str
    types: Mapping[str, str]


class LegacySource:
    """A connection to the older system's database, and the columns of its tables."""

    def __init__(self, driver: Driver, tables: Mapping[str, Table]) -> None:
        self._driver = driver
        self._tables = tables

    @property
    def missing(self) -> list[str]:
        """The tables that this deployment does not have."""
        return [table for table in KEYS if table not in self._tables]

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[None]:
        """Read one moment's state inside this block; after an error in it the connection is closed."""
        with translated():
            await self._driver.execute(_BEGIN)
        yield
        with translated():
            await self._driver.execute("ROLLBACK")

    async def count_sessions(self) -> int:
        """Return how many sessions there are."""
        async with self.snapshot():
            [row] = await self._fetch(f"SELECT count(*) FROM {SCHEMA}.sessions")
        return int(row[0])

    async def session_keys(self) -> AsyncIterator[str]:
        """Yield the ids of all sessions in order; no transaction stays open meanwhile."""
        query = (
            f"SELECT session_id::text FROM {SCHEMA}.sessions"
            ' WHERE $1::text IS NULL OR session_id::text COLLATE "C" > $1'
            ' ORDER BY session_id::text COLLATE "C" LIMIT $2'
        )
        after: str | None = None
        while True:
            async with self.snapshot():
                page = await self._fetch(query, after, SESSIONS_AT_ONCE)
            for row in page:
                yield row[0]
            if len(page) < SESSIONS_AT_ONCE:
                return
            after = page[-1][0]

    async def rows(self, table: str, session: str, *, by: str = "") -> AsyncGenerator[LegacyRow, None]:
        """Yield a session's rows of a table, a thousand in a round trip.

        Their order is that of the column `by`, in which the newest come first; without it that of the key.
        """
        found = self._tables.get(table)
        if found is None:
            return
        key, types = KEYS[table], found.types
        newest = [f"t.{column} DESC NULLS LAST" for column in _AGES if by and column in types]
        order = [f't.{by or key}::text COLLATE "C"', *newest, f't.{key}::text COLLATE "C" DESC']
        query = (
            f"SELECT {found.columns} FROM {SCHEMA}.{table} t WHERE t.session_id = $1::text"
            f" ORDER BY {', '.join(order)}"
        )
        with translated():
            async for row in self._driver.cursor(query, session, prefetch=ROWS_AT_ONCE):
                yield LegacyRow(table, row[key], dict(row), types)

    async def session(self, session: str) -> LegacyRow | None:
        """Return a session's own row, None if it was deleted."""
        async with aclosing(self.rows("sessions", session)) as rows:
            return await anext(rows, None)

    async def count(self, table: str, session: str) -> int:
        """Return how many rows of a session the table holds."""
        query = f"SELECT count(*) FROM {SCHEMA}.{table} WHERE session_id = $1::text"
        [row] = await self._fetch(query, session)
        return int(row[0])

    async def fingerprint(self, session: str) -> str:
        """Return a text that changes with any row of a session."""
        parts: list[str] = []
        for table in self._tables:
            [row] = await self._fetch(
                "SELECT count(*)::text, COALESCE(sum(hashtextextended(t::text, 0)::numeric), 0)::text"
                f" FROM {SCHEMA}.{table} t WHERE session_id = $1::text",
                session,
            )
            parts += row
        return ":".join(parts)

    async def said_names(self, session: str) -> list[tuple[str | None, str]]:
        """Return the labels with the names that the transcripts give them, the most frequent first."""
        if not {"speaker_id", "speaker_name"} <= self._tables["transcripts"].types.keys():
            return []
        rows = await self._fetch(
            f"SELECT speaker_id::text, speaker_name::text FROM {SCHEMA}.transcripts"
            " WHERE session_id = $1::text AND speaker_name IS NOT NULL GROUP BY 1, 2"
            ' ORDER BY count(*) DESC, speaker_name::text COLLATE "C"',
            session,
        )
        return [(row[0], row[1]) for row in rows]

    async def strays(self, table: str) -> AsyncIterator[str]:
        """Yield the keys of rows that belong to no session."""
        if table not in self._tables:
            return
        query = (
            f"SELECT {KEYS[table]}::text FROM {SCHEMA}.{table} t WHERE NOT EXISTS"
            f" (SELECT FROM {SCHEMA}.sessions s WHERE s.session_id::text = t.session_id::text)"
        )
        with translated():
            async for row in self._driver.cursor(query, prefetch=ROWS_AT_ONCE):
                yield row[0]

    async def _fetch(self, query: str, *arguments: object) -> list[asyncpg.Record]:
        with translated():
            return await self._driver.fetch(query, *arguments)


@asynccontextmanager
async def open_source(url: str) -> AsyncIterator[LegacySource]:
    """Connect to the older system's database for the length of a block.

    Raises InvalidInputError for a wrong URL or a missing schema, StoreUnavailableError if the server cannot
    be reached.
    """
    arguments = _arguments(url)
    try:
        with translated():
            driver: Driver = await asyncpg.connect(**arguments, timeout=CONNECT_SECONDS)
    except StoreUnavailableError as error:
        if isinstance(error.__cause__, ValueError):  # what the driver makes of parameters
            raise InvalidInputError(f"The older database's URL cannot be used: {error.__cause__}.") from None
        raise
    try:
        yield LegacySource(driver, await _tables(driver))
    except BaseException:
        driver.terminate()
        raise
    await driver.close()


@contextmanager
def translated() -> Iterator[None]:
    """Turn the driver's errors into the store's, which name the older database."""
    try:
        yield
    except DRIVER_ERRORS as error:
        failure = translate(error)
        raise StoreUnavailableError(f"The older database: {failure}") from failure.__cause__


async def _tables(driver: Driver) -> dict[str, Table]:
    with translated():
        found = await driver.fetch(_COLUMNS, SCHEMA, [*KEYS])
    by_table: dict[str, list[asyncpg.Record]] = {}
    for row in found:
        by_table.setdefault(row["relname"], []).append(row)
    tables = {}
    for name in KEYS:
        if name not in by_table and name in _OPTIONAL:
            continue
        columns = by_table.get(name, [])
        types = {row["attname"]: row["typname"] for row in columns}
        if lacking := _NEEDED[name] - types.keys():
            raise InvalidInputError(
                f"This is not a database of the older system: {SCHEMA}.{name} does not have"
                f" {', '.join(sorted(lacking))}."
            )
        cells = ", ".join(f"{row['quoted']}::text AS {row['quoted']}" for row in columns)
        tables[name] = Table(name, cells, types)
    return tables


def _arguments(url: str) -> dict[str, Any]:
    address = Address.of(url, "The older database's URL")
    arguments = address.arguments()
    if address.hosts:
        arguments["port"] = [each.port or DEFAULT_PORT for each in address.hosts]
    if address.options is not None:
        arguments["server_settings"] = {"options": address.options}
    return arguments if address.tls_mode is None else arguments | {"ssl": address.tls_mode}
