"""What a good engineer writes by hand with asyncpg on the same schema: the floor of every ratio.

Prepared statements are cached by the driver, values are at hand, and a conflict is an error.
"""

from collections.abc import Sequence
from typing import Any

import asyncpg

AUDIO = """
    INSERT INTO livetranslate.audio_files
        (session_id, id, storage_key, format, size_bytes, sha256, duration, sample_rate, channels,
         start_time, end_time)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
"""
SPEAKER = """
    INSERT INTO livetranslate.speakers (session_id, label, name) VALUES ($1, $2, $3)
    ON CONFLICT DO NOTHING
"""
TRANSCRIPT = """
    INSERT INTO livetranslate.transcripts
        (session_id, id, text, language, start_time, end_time, speaker_label, confidence, segment_index,
         segment_key, source, is_final, audio_file_id)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
"""
TRANSLATION = """
    INSERT INTO livetranslate.translations
        (session_id, id, transcript_id, text, source_language, target_language, confidence, service,
         transcript_revision)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
"""

Row = Sequence[Any]


class FloorSegment:
    """The rows of one segment, ready to be bound."""

    __slots__ = ("audio", "speaker", "transcript", "translations")

    def __init__(self, audio: Row, speaker: Row, transcript: Row, translations: Sequence[Row]) -> None:
        self.audio = audio
        self.speaker = speaker
        self.transcript = transcript
        self.translations = translations


async def connect_pool(dsn: str, size: int) -> "asyncpg.Pool[asyncpg.Record]":
    """Return a pool of connections that are all open."""
    return await asyncpg.create_pool(dsn, min_size=size, max_size=size)


async def write_segment(pool: "asyncpg.Pool[asyncpg.Record]", segment: FloorSegment) -> None:
    """Write a segment in one transaction, one statement per table."""
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute(AUDIO, *segment.audio)
        await connection.execute(SPEAKER, *segment.speaker)
        await connection.execute(TRANSCRIPT, *segment.transcript)
        await connection.executemany(TRANSLATION, segment.translations)


async def write_translation(pool: "asyncpg.Pool[asyncpg.Record]", row: Row) -> None:
    """Write one translation, all of whose values are at hand."""
    async with pool.acquire() as connection:
        await connection.execute(TRANSLATION, *row)
