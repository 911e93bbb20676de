"""The databases of a run, on one embedded server: filled once, then copied for each measure.

The server fills a database itself, with one INSERT per table. It skips the checks of foreign keys, because
the rows are consistent by construction. It looks up the words of the few texts instead of reading each row
anew, and builds the indexes of words at the end, as pg_restore does.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial

import asyncpg
from sqlalchemy import make_url

from benchmarks import plain_floor
from benchmarks.beside_plain import stored
from benchmarks.corpus import TEXTS, copy_texts
from benchmarks.floor import Connection
from benchmarks.scale import SESSIONS
from benchmarks.workload import LANGUAGES, LIVE, LONG, SECONDS, SPEAKER, SPOKEN
from livetranslate_store.embedded.server import EmbeddedServer
from livetranslate_store.schema.upgrade import upgrade

_SESSIONS = """
    INSERT INTO livetranslate.sessions (id, bot_id, meeting_id)
    SELECT gen_random_uuid(), 'bench', CASE number WHEN 0 THEN $1 ELSE $2 END
    FROM generate_series(0, $3) AS number
"""
_SPEAKERS = "INSERT INTO livetranslate.speakers (session_id, label) SELECT id, $1 FROM livetranslate.sessions"
# The segments to make: their sessions, and their numbers within them.
_TABLES = "CREATE TEMPORARY TABLE plan (session_id uuid, number int)"
_PLAN = """
    WITH live AS (SELECT array_agg(id) AS ids FROM livetranslate.sessions WHERE meeting_id = $2)
    INSERT INTO plan
    SELECT id, number FROM livetranslate.sessions, generate_series(0, $3 - 1) AS number WHERE meeting_id = $1
    UNION ALL
    SELECT ids[1 + number % cardinality(ids)], number / cardinality(ids)
    FROM live, generate_series(0, $4 - 1) AS number
"""
# Each table in the order of its key, so that the index grows at one end.
_AUDIO = """
    INSERT INTO livetranslate.audio_files
        (session_id, id, storage_key, format, size_bytes, sha256, start_time, end_time)
    SELECT session_id, md5(session_id || 'audio' || number)::uuid, session_id || '/' || number, 'wav', 64000,
           encode(sha256((session_id::text || number)::bytea), 'hex'), $1 * number, $1 * (number + 1)
    FROM plan ORDER BY 1, 2
"""
_TRANSCRIPTS = """
    INSERT INTO livetranslate.transcripts
        (session_id, id, text, language, start_time, end_time, speaker_label, confidence, segment_index,
         segment_key, is_final, audio_file_id)
    SELECT session_id, md5(session_id::text || number)::uuid, text, language, $2 * number, $2 * (number + 1),
           $3, 0.9, number, 'stored-' || number, true, md5(session_id || 'audio' || number)::uuid
    FROM plan JOIN texts ON texts.line = plan.number % $4 AND language = $1 ORDER BY 1, 2
"""
#: A translation of each transcript into each of the languages $1, from $2 texts a language.
TRANSLATIONS = """
    INSERT INTO livetranslate.translations
        (session_id, transcript_id, text, source_language, target_language, confidence)
    SELECT session_id, transcripts.id, texts.text,
           transcripts.language, texts.language, 0.8
    FROM livetranslate.transcripts JOIN texts
    ON texts.line = segment_index % $2 AND texts.language = ANY ($1) ORDER BY 1, 2, 5
"""

_WORDS = """
    CREATE UNLOGGED TABLE public.words AS
        SELECT DISTINCT language, text, livetranslate.search_vector(language, text) AS vector FROM texts;
    CREATE UNIQUE INDEX ON public.words (text, language)
"""
_READ_WORDS = "SELECT pg_get_functiondef('livetranslate.search_vector(text, text)'::regprocedure)"
_LOOK_WORDS_UP = """
    CREATE OR REPLACE FUNCTION livetranslate.search_vector(language text, value text) RETURNS tsvector
    LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN
        RETURN (SELECT vector FROM public.words WHERE words.text = $2 AND words.language = $1);
    END $$
"""
_INDEXES_OF_WORDS = """
    SELECT indexname, indexdef FROM pg_indexes
    WHERE schemaname = 'livetranslate' AND indexname LIKE '%\\_search'
"""


class Databases:
    """The databases of an embedded server."""

    def __init__(self, server: EmbeddedServer) -> None:
        self._server = server
        self._url = make_url(server.url)
        upgrade(server.url)

    @property
    def audio_url(self) -> str:
        """The folder for audio that a store must name, although no measure keeps any."""
        return f"file:{self._server.folder / 'audio'}"

    def url(self, name: str) -> str:
        """Return the URL of a database for the store."""
        return self._url.set(database=name).render_as_string()

    def dsn(self, name: str) -> str:
        """Return the URL of a database for the driver."""
        return f"postgresql://postgres@/{name}?host={self._server.host}&port={self._server.port}"

    async def make(self, name: str, fill: Callable[[Connection], Awaitable[None]]) -> None:
        """Make a database with the schema and fill it."""
        await self._administer(f"CREATE DATABASE {name} TEMPLATE {self._url.database}")
        connection = await asyncpg.connect(self.dsn(name))
        try:
            await fill(connection)
        finally:
            await connection.close()

    async def fill(self, segments: int) -> None:
        """Make a database with that many segments, a quarter of them in one long meeting."""
        await self.make(_filled(segments), partial(_fill, segments=segments))

    async def fill_plain(self, segments: int) -> None:
        """Make a plain database with that many segments, a quarter of them in one long meeting.

        Without segments it has no meetings either.
        """
        name = _filled_plain(segments)
        await self._administer(f"CREATE DATABASE {name}")
        connection = await asyncpg.connect(self.dsn(name))
        try:
            await connection.execute(plain_floor.SCHEMA)
            if segments:
                await stored.fill(connection, segments)
        finally:
            await connection.close()

    def copy(self, segments: int) -> AbstractAsyncContextManager[str]:
        """Copy the database that was filled with so many segments."""
        return self._copy(_filled(segments))

    def empty(self) -> AbstractAsyncContextManager[str]:
        """Make a database with the store's schema and no rows."""
        return self._copy(str(self._url.database))

    def copy_plain(self, segments: int) -> AbstractAsyncContextManager[str]:
        """Copy the plain database that was filled with so many segments."""
        return self._copy(_filled_plain(segments))

    @asynccontextmanager
    async def setting(self, name: str, value: str) -> AsyncIterator[None]:
        """Change a setting of the whole server for a while."""
        await self._administer(f"ALTER SYSTEM SET {name} = {value}")
        await self._administer("SELECT pg_reload_conf()")
        try:
            yield
        finally:
            await self._administer(f"ALTER SYSTEM RESET {name}")
            await self._administer("SELECT pg_reload_conf()")

    @asynccontextmanager
    async def _copy(self, template: str) -> AsyncIterator[str]:
        name = f"copy_of_{template}"
        await self._administer(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")
        # Otherwise earlier writes would reach the disk in the middle of the next measure.
        await self._administer("CHECKPOINT")
        try:
            yield name
        finally:
            await self._administer(f"DROP DATABASE {name} WITH (FORCE)")

    async def version(self) -> str:
        """Return the server's version."""
        return str(await self._administer("SHOW server_version"))

    async def _administer(self, statement: str) -> object:
        connection = await asyncpg.connect(self.dsn("postgres"))
        try:
            return await connection.fetchval(statement)
        finally:
            await connection.close()


def _filled(segments: int) -> str:
    return f"stored_{segments}"


def _filled_plain(segments: int) -> str:
    return f"plain_{segments}"


async def _fill(connection: Connection, segments: int) -> None:
    long = segments // 4
    await connection.execute("SET session_replication_role = replica")
    await connection.execute("SET work_mem = '256MB'")
    await connection.execute(_SESSIONS, LONG, LIVE, SESSIONS)
    await connection.execute(_SPEAKERS, SPEAKER)
    await connection.execute(_TABLES)
    await connection.execute(_PLAN, LONG, LIVE, long, segments - long)
    await copy_texts(connection, (SPOKEN, *LANGUAGES))
    await connection.execute("ANALYZE plan, texts")
    await connection.execute(_AUDIO, SECONDS)
    async with words_looked_up(connection):
        await connection.execute(_TRANSCRIPTS, SPOKEN, SECONDS, SPEAKER, TEXTS)
        await connection.execute(TRANSLATIONS, list(LANGUAGES), TEXTS)
    # So that the planner knows the tables, and no first reader has to mark rows as visible.
    await connection.execute("VACUUM (ANALYZE)")


@asynccontextmanager
async def words_looked_up(connection: Connection) -> AsyncIterator[None]:
    """Look the words of texts up for the length of a block, and build the indexes of words at its end."""
    await connection.execute(_WORDS)
    function = await connection.fetchval(_READ_WORDS)
    indexes = await connection.fetch(_INDEXES_OF_WORDS)
    for name, _ in indexes:
        await connection.execute(f"DROP INDEX livetranslate.{name}")
    await connection.execute(_LOOK_WORDS_UP)
    yield
    await connection.execute(function)
    await connection.execute("DROP TABLE public.words")
    await connection.execute("SET maintenance_work_mem = '1GB'")
    for _, definition in indexes:
        await connection.execute(definition)
