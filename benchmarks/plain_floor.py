"""A good engineer's own layer: asyncpg on a plain schema, as one writes both in a day.

Keys are bigints, a revision is an upsert, and GIN indexes over `to_tsvector` find words. Statements stay
prepared, no round trip is wasted, and one transaction covers the rows that belong together. The layer knows
neither revisions that arrive late nor stale translations, and stems no words.
"""

from collections.abc import Sequence
from typing import NamedTuple

from benchmarks.floor import Pool

SCHEMA = """
    CREATE TABLE meetings (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        name text NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now()
    );
    CREATE TABLE recordings (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        meeting_id bigint NOT NULL REFERENCES meetings ON DELETE CASCADE,
        path text NOT NULL,
        format text NOT NULL,
        size_bytes bigint NOT NULL,
        sha256 text NOT NULL,
        start_s double precision,
        end_s double precision,
        created_at timestamptz NOT NULL DEFAULT now()
    );
    CREATE INDEX ON recordings (meeting_id, start_s);
    CREATE TABLE segments (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        meeting_id bigint NOT NULL REFERENCES meetings ON DELETE CASCADE,
        key text NOT NULL,
        text text NOT NULL,
        language text NOT NULL,
        start_s double precision,
        end_s double precision,
        speaker text,
        confidence double precision,
        is_final boolean NOT NULL DEFAULT false,
        revision integer NOT NULL DEFAULT 0,
        recording_id bigint REFERENCES recordings,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now(),
        UNIQUE (meeting_id, key)
    );
    CREATE INDEX ON segments (meeting_id, start_s);
    CREATE INDEX ON segments USING gin (to_tsvector('simple', text));
    CREATE TABLE translations (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        segment_id bigint NOT NULL REFERENCES segments ON DELETE CASCADE,
        language text NOT NULL,
        text text NOT NULL,
        confidence double precision,
        service text,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now(),
        UNIQUE (segment_id, language)
    );
    CREATE INDEX ON translations USING gin (to_tsvector('simple', text))
"""
_RECORD = """
    INSERT INTO recordings (meeting_id, path, format, size_bytes, sha256, start_s, end_s)
    VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING id
"""
_REVISE = """
    INSERT INTO segments
        (meeting_id, key, text, language, start_s, end_s, speaker, confidence, is_final, recording_id)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
    ON CONFLICT (meeting_id, key) DO UPDATE
    SET text = excluded.text, end_s = excluded.end_s, confidence = excluded.confidence,
        is_final = excluded.is_final, revision = segments.revision + 1, updated_at = now(),
        recording_id = coalesce(excluded.recording_id, segments.recording_id)
    WHERE NOT segments.is_final OR excluded.is_final
    RETURNING id
"""
_TRANSLATE = """
    INSERT INTO translations (segment_id, language, text, confidence, service)
    VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (segment_id, language) DO UPDATE
    SET text = excluded.text, confidence = excluded.confidence, service = excluded.service, updated_at = now()
"""
# As many columns as an entry of the timeline has, so that the driver has as much to decode.
TIMELINE = """
    SELECT 'transcript' AS kind, s.id AS segment_id, s.start_s AS place,
           s.end_s - s.start_s AS duration, s.start_s, s.end_s, s.text, s.language,
           s.language AS source_language, s.speaker, s.key, s.confidence, s.meeting_id,
           'transcriber' AS source, s.revision, s.is_final, s.created_at, s.updated_at
    FROM segments AS s WHERE s.meeting_id = $1
    UNION ALL
    SELECT 'translation', s.id, s.start_s,
           s.end_s - s.start_s, s.start_s, s.end_s, t.text, t.language,
           s.language, s.speaker, s.key, t.confidence, s.meeting_id,
           t.service, s.revision, s.is_final, t.created_at, t.updated_at
    FROM segments AS s JOIN translations AS t ON t.segment_id = s.id WHERE s.meeting_id = $1
    ORDER BY place, segment_id, kind, language
"""


class Recording(NamedTuple):
    """The columns of a recording after its meeting."""

    path: str
    format: str
    size_bytes: int
    sha256: str
    start_s: float
    end_s: float


class Revision(NamedTuple):
    """One revision of a segment."""

    meeting_id: int
    key: str
    text: str
    language: str
    start_s: float
    end_s: float
    speaker: str
    confidence: float
    is_final: bool


class Translated(NamedTuple):
    """The columns of a translation after its segment."""

    language: str
    text: str
    confidence: float
    service: str


async def revise(pool: Pool, revision: Revision) -> int:
    """Write one revision, in a transaction of its own; return the segment's id."""
    segment_id: int = await pool.fetchval(_REVISE, *revision, None)
    return segment_id


async def translate(pool: Pool, segment_id: int, translation: Translated) -> None:
    """Write one translation, in a transaction of its own."""
    await pool.execute(_TRANSLATE, segment_id, *translation)


async def write_segment(
    pool: Pool, recording: Recording, final: Revision, translations: Sequence[Translated]
) -> None:
    """Write a recording, its segment and the translations in one transaction, one statement per table."""
    async with pool.acquire() as connection, connection.transaction():
        recording_id = await connection.fetchval(_RECORD, final.meeting_id, *recording)
        segment_id = await connection.fetchval(_REVISE, *final, recording_id)
        await connection.executemany(_TRANSLATE, [(segment_id, *each) for each in translations])
