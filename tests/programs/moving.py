"""Meetings from an application's own tables into the store: authors, edits and tags come along."""

from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any
from uuid import UUID

import psycopg
from psycopg.rows import dict_row

from livetranslate_store import (
    ImportProgress,
    ImportReport,
    InvalidInputError,
    Refusal,
    SegmentInput,
    SessionInput,
    Store,
    TranscriptInput,
    TranslationInput,
)

MEETINGS = "SELECT * FROM old.meetings ORDER BY id"
# The text of the machine first, then the edits of people, each as a version of the line.
LINES = """
SELECT lines.*, versions.*, translations.*
FROM old.lines
CROSS JOIN LATERAL (
    SELECT lines.machine_text AS text, NULL AS author, NULL::timestamptz AS written_at
    UNION ALL
    SELECT edits.text, edits.author, edits.written_at FROM old.edits WHERE edits.line_id = lines.id
) AS versions
CROSS JOIN LATERAL (
    SELECT coalesce(jsonb_object_agg(language, text), '{}') AS translations
    FROM old.translations WHERE translations.line_id = lines.id
) AS translations
ORDER BY lines.id, versions.written_at NULLS FIRST
"""
NUMBER = "SELECT (SELECT count(*) FROM old.lines) + (SELECT count(*) FROM old.edits)"


async def move(store: Store, source: str, progress: Callable[[ImportProgress], None]) -> ImportReport:
    """Copy every meeting; run it again at any time."""
    async with await psycopg.AsyncConnection.connect(source, row_factory=dict_row) as connection:
        meetings = await (await connection.execute(MEETINGS)).fetchall()
        async with store.unit_of_work() as uow:
            receipts = await uow.sessions.create_many([session_of(each) for each in meetings])
        sessions = {meeting["id"]: receipt.id for meeting, receipt in zip(meetings, receipts, strict=True)}
        [total] = (await (await connection.execute(NUMBER)).fetchall())[0].values()
        return await store.import_segments(segments(connection, sessions), total=total, progress=progress)


def session_of(row: Mapping[str, Any]) -> SessionInput:
    """Return a meeting that is over."""
    return SessionInput(
        bot_id="own-tables",
        meeting_id=row["room"],
        external_id=f"meeting-{row['id']}",
        title=row["title"],
        status="ended",
        started_at=row["began"],
        ended_at=row["ended"],
        metadata={"tags": row["tags"]},
    )


async def segments(
    connection: psycopg.AsyncConnection[dict[str, Any]], sessions: Mapping[int, UUID]
) -> AsyncIterator[SegmentInput | Refusal]:
    """Yield each version of each line; one that cannot be stored is refused with its id and the reason."""
    async with connection.cursor(name="lines") as cursor:
        await cursor.execute(LINES)
        async for row in cursor:
            try:
                yield segment_of(row, sessions)
            except InvalidInputError as error:
                yield Refusal(row["id"], str(error))


def segment_of(row: Mapping[str, Any], sessions: Mapping[int, UUID]) -> SegmentInput:
    """Return a version of a line, with the translations of the machine."""
    return SegmentInput(
        session_id=sessions[row["meeting_id"]],
        line=row["id"],
        transcript=TranscriptInput(
            segment_key=f"line-{row['id']}",
            text=row["text"],
            language=row["language"],
            start_time=row["second"],
            speaker_label=row["speaker"],
            is_final=True,
            edited_by=row["author"],
            edited_at=row["written_at"],
        ),
        translations=[
            TranslationInput(text=text, target_language=language, transcript_revision=0)
            for language, text in row["translations"].items()
        ],
    )
