"""A good engineer's code by hand, with asyncpg on the store's schema: the floor of every ratio.

The values are ready, the driver keeps its statements prepared, and nothing needless is sent. The code has no
rules of revisions: a segment that is sent twice raises UniqueViolationError.
"""

from collections.abc import Sequence
from itertools import chain
from typing import Any, NamedTuple, TypeAlias

import asyncpg

SCHEMA = "livetranslate"
AUDIO_COLUMNS = (
    *("session_id", "id", "storage_key", "format", "size_bytes", "sha256"),
    *("start_time", "end_time"),
)
TRANSCRIPT_COLUMNS = (
    *("session_id", "id", "text", "language", "start_time", "end_time", "speaker_label", "confidence"),
    *("segment_index", "segment_key", "source", "is_final", "audio_file_id"),
)
TRANSLATION_COLUMNS = (
    *("session_id", "transcript_id", "text", "source_language", "target_language"),
    *("confidence", "service", "transcript_revision"),
)

Row: TypeAlias = Sequence[Any]
Pool: TypeAlias = "asyncpg.Pool[asyncpg.Record]"
Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"


def _insert(table: str, columns: Sequence[str]) -> str:
    values = ", ".join(f"${number}" for number in range(1, len(columns) + 1))
    return f"INSERT INTO {SCHEMA}.{table} ({', '.join(columns)}) VALUES ({values})"


INSERT_AUDIO = _insert("audio_files", AUDIO_COLUMNS)
INSERT_SPEAKER = _insert("speakers", ("session_id", "label")) + " ON CONFLICT DO NOTHING"
INSERT_TRANSCRIPT = _insert("transcripts", TRANSCRIPT_COLUMNS)
INSERT_TRANSLATION = _insert("translations", TRANSLATION_COLUMNS)
# A revision changes these columns.
UPSERT_TRANSCRIPT = f"""{INSERT_TRANSCRIPT}
    ON CONFLICT (session_id, id) DO UPDATE
    SET text = excluded.text, language = excluded.language, end_time = excluded.end_time,
        confidence = excluded.confidence, is_final = excluded.is_final,
        revision = transcripts.revision + 1, updated_at = statement_timestamp()
    WHERE NOT transcripts.is_final OR excluded.is_final
"""
UPSERT_TRANSLATION = f"""{INSERT_TRANSLATION}
    ON CONFLICT (session_id, transcript_id, target_language) DO UPDATE
    SET text = excluded.text, confidence = excluded.confidence,
        transcript_revision = excluded.transcript_revision, updated_at = statement_timestamp()
"""


class FloorSegment(NamedTuple):
    """The rows of one segment, ready to be bound."""

    audio: Row
    speaker: Row
    transcript: Row
    translations: Sequence[Row]


async def open_pool(dsn: str, size: int) -> Pool:
    """Open a pool with all its connections."""
    return await asyncpg.create_pool(dsn, min_size=size, max_size=size, reset=_nothing_to_reset)


async def _nothing_to_reset(_connection: Any) -> None:
    """Spare the pool's round trip after each use: no statement here leaves anything on a connection."""


async def write_segment(pool: Pool, segment: FloorSegment) -> None:
    """Write a segment in one transaction, one statement per table."""
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute(INSERT_AUDIO, *segment.audio)
        await connection.execute(INSERT_SPEAKER, *segment.speaker)
        await connection.execute(INSERT_TRANSCRIPT, *segment.transcript)
        await connection.executemany(INSERT_TRANSLATION, segment.translations)


async def revise_segment(pool: Pool, segment: FloorSegment) -> None:
    """Write the next revision of a stored transcript and of its translations."""
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute(UPSERT_TRANSCRIPT, *segment.transcript)
        await connection.executemany(UPSERT_TRANSLATION, segment.translations)


async def write_translation(pool: Pool, row: Row) -> None:
    """Write one translation; the caller has all its values."""
    async with pool.acquire() as connection:
        await connection.execute(INSERT_TRANSLATION, *row)


async def copy_segments(pool: Pool, segments: Sequence[FloorSegment]) -> None:
    """Copy segments into the three tables in one transaction."""
    tables = (
        ("audio_files", AUDIO_COLUMNS, [each.audio for each in segments]),
        ("transcripts", TRANSCRIPT_COLUMNS, [each.transcript for each in segments]),
        ("translations", TRANSLATION_COLUMNS, chain.from_iterable(each.translations for each in segments)),
    )
    async with pool.acquire() as connection, connection.transaction():
        await connection.executemany(INSERT_SPEAKER, {each.speaker for each in segments})
        for table, columns, records in tables:
            await connection.copy_records_to_table(
                table, schema_name=SCHEMA, columns=columns, records=records
            )
