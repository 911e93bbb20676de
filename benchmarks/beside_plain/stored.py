"""Segments that the plain schema has stored, like those that `databases` makes for the store."""

from benchmarks.corpus import TEXTS, copy_texts
from benchmarks.floor import Connection
from benchmarks.scale import SESSIONS
from benchmarks.workload import LANGUAGES, LIVE, LONG, SECONDS, SPEAKER, SPOKEN

_MEETINGS = """
    INSERT INTO meetings (name) SELECT CASE number WHEN 0 THEN $1 ELSE $2 END
    FROM generate_series(0, $3) AS number
"""
_SEGMENTS = """
    WITH live AS (SELECT array_agg(id) AS ids FROM meetings WHERE name = $2), plan AS (
        SELECT id AS meeting_id, number FROM meetings, generate_series(0, $3 - 1) AS number WHERE name = $1
        UNION ALL
        SELECT ids[1 + number % cardinality(ids)], number / cardinality(ids)
        FROM live, generate_series(0, $4 - 1) AS number
    )
    INSERT INTO segments (meeting_id, key, text, language, start_s, end_s, speaker, confidence, is_final)
    SELECT meeting_id, 'stored-' || number, text, language, $5 * number, $5 * (number + 1), $7, 0.9, true
    FROM plan JOIN texts ON texts.line = plan.number % $8 AND language = $6 ORDER BY meeting_id, number
"""
#: A translation of each segment into each of the languages $1, from $2 texts a language.
TRANSLATIONS = """
    INSERT INTO translations (segment_id, language, text, confidence, service)
    SELECT segments.id, texts.language, texts.text, 0.8, 'translator'
    FROM segments JOIN texts
    ON texts.line = split_part(key, '-', 2)::int % $2 AND texts.language = ANY ($1) ORDER BY 1, 2
"""


async def fill(connection: Connection, segments: int) -> None:
    """Make that many segments, a quarter of them in one long meeting."""
    long = segments // 4
    await copy_texts(connection, (SPOKEN, *LANGUAGES))
    await connection.execute(_MEETINGS, LONG, LIVE, SESSIONS)
    await connection.execute(
        _SEGMENTS, *(LONG, LIVE, long, segments - long), *(SECONDS, SPOKEN, SPEAKER, TEXTS)
    )
    await connection.execute(TRANSLATIONS, list(LANGUAGES), TEXTS)
    await connection.execute("VACUUM (ANALYZE)")
