"""When something was last heard in a session, without an index for it, which every write would pay."""

from typing import Any

from sqlalchemy import ColumnElement, FromClause, Select, func, literal_column, select

from livetranslate_store.models import AudioFile
from livetranslate_store.models.base import table_of
from livetranslate_store.reading.columns import TRANSCRIPTS

AUDIO_FILES = table_of(AudioFile)


def heard_at(sessions: FromClause) -> ColumnElement[Any]:
    """Return the last activity of a session that goes on.

    It is when the last segment of the timeline was written, which the index of the timeline finds. A session
    without any segment has at most recordings, which are read through.
    """
    last = (
        select(func.coalesce(TRANSCRIPTS.c.updated_at, TRANSCRIPTS.c.created_at))
        .where(TRANSCRIPTS.c.session_id == sessions.c.id)
        .order_by(*(TRANSCRIPTS.c[name].desc() for name in ("timestamp", "segment_index", "id")))
        .limit(literal_column("1"))
        .correlate(sessions)
        .scalar_subquery()
    )
    recorded = select(func.max(AUDIO_FILES.c.created_at)).where(AUDIO_FILES.c.session_id == sessions.c.id)
    heard = func.coalesce(last, recorded.correlate(sessions).scalar_subquery())
    # GREATEST ignores NULL.
    return func.greatest(sessions.c.started_at, sessions.c.created_at, heard)


def has_recordings(sessions: FromClause) -> ColumnElement[bool]:
    """Return whether a session has recordings."""
    found: Select[Any] = select(literal_column("1")).where(AUDIO_FILES.c.session_id == sessions.c.id)
    return found.correlate(sessions).exists()
