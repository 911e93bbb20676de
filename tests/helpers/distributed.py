"""A database with rows, to be distributed over a cluster, and what can be seen of it."""

from typing import Any

import psycopg
from conftest import url_of
from helpers.support import TABLES

SESSIONS = 40

# Every table, with rows of many sessions.
ROWS = f"""
    INSERT INTO livetranslate.sessions (id, bot_id, meeting_id)
    SELECT md5(n::text)::uuid, 'b', 'm' FROM generate_series(1, {SESSIONS}) AS n;
    INSERT INTO livetranslate.audio_files (session_id, id, storage_key, format, size_bytes, sha256)
    SELECT id, id, 'key', 'wav', 1, repeat('a', 64) FROM livetranslate.sessions;
    INSERT INTO livetranslate.speakers (session_id, label)
    SELECT id, 'SPEAKER_00' FROM livetranslate.sessions;
    INSERT INTO livetranslate.transcripts (session_id, id, text, language, audio_file_id, is_final)
    SELECT id, md5(id::text || n)::uuid, 'said ' || n, 'en', id, true
    FROM livetranslate.sessions, generate_series(1, 3) AS n;
    INSERT INTO livetranslate.translations (session_id, transcript_id, text, source_language, target_language)
    SELECT session_id, id, 'dicho', 'en', 'es' FROM livetranslate.transcripts;
    INSERT INTO livetranslate.text_versions (session_id, transcript_id, target_language, id, text, revision)
    SELECT session_id, id, '', id, 'side', 0 FROM livetranslate.transcripts WHERE text = 'said 1'
"""


def url_for(program: psycopg.Connection[Any], user: str | None = None) -> str:
    """Return the URL of a connection's database."""
    info = program.info
    return url_of(user or info.user, info.password or None, info.host, info.port, info.dbname)


def fill(program: psycopg.Connection[Any]) -> None:
    """Write rows into every table."""
    program.execute(ROWS.encode())
    program.commit()


def work_in_parallel(program: psycopg.Connection[Any]) -> None:
    """Let later connections work on many shards at once, as a cluster does by default."""
    program.execute(
        f"ALTER DATABASE {program.info.dbname} SET citus.max_adaptive_executor_pool_size = 16".encode()
    )
    program.commit()


def all_rows(program: psycopg.Connection[Any]) -> dict[str, list[str]]:
    """Return every row of every table as text."""
    found = {}
    for table in TABLES:
        query = f"SELECT to_jsonb(t)::text FROM livetranslate.{table} AS t"
        found[table] = sorted(row[0] for row in program.execute(query.encode()).fetchall())
    program.rollback()
    return found


def distributed(program: psycopg.Connection[Any]) -> list[str]:
    """Return the names of the distributed tables."""
    query = "SELECT logicalrelid::text FROM pg_dist_partition WHERE partmethod = 'h' ORDER BY 1"
    found = [row[0] for row in program.execute(query).fetchall()]
    program.rollback()
    return found


def on_workers(program: psycopg.Connection[Any], query: str) -> list[str]:
    """Run a query on every worker, and return the results."""
    found = program.execute("SELECT success, result FROM run_command_on_workers(%s)", [query]).fetchall()
    program.commit()
    assert all(success for success, _ in found), found
    return [result for _, result in found]


# A text in each way that the functions of the search know, and the letters of a spelling.
_WORDS = """
    SELECT md5(string_agg(livetranslate.search_vector(language, text)::text
        || livetranslate.search_letters(text) || livetranslate.search_similarity('welcom', text), '|'))
    FROM (VALUES ('en', 'Two welcome meetings.'), ('ja', '予算の件'), ('es', '¿Un café?'), ('ru', 'Ёлка'))
        AS t (language, text)
"""


def nodes_agree_on_words(program: psycopg.Connection[Any]) -> bool:
    """Return whether all nodes find the same words in texts; fails if a function is missing on one."""
    here = program.execute(_WORDS).fetchall()[0][0]
    return set(on_workers(program, _WORDS)) == {here}
