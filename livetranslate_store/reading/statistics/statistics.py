"""A meeting in figures: the database counts them in one statement."""

from functools import lru_cache
from importlib.resources import files
from uuid import UUID

import msgspec

from livetranslate_store.checks import checked_uuid
from livetranslate_store.database.statement import Statement
from livetranslate_store.errors import NotFoundError
from livetranslate_store.reading.paging import Fetch
from livetranslate_store.reading.statistics.word_counting import counting_patterns
from livetranslate_store.tracing import Tracing
from livetranslate_store.values import SessionStatistics

# A week. Times far apart, such as an epoch among seconds, must not fill the memory.
MAX_MINUTES = 7 * 24 * 60


async def read_session_statistics(fetch: Fetch, session_id: UUID, tracing: Tracing) -> SessionStatistics:
    """Return the figures of a session; raises NotFoundError."""
    checked_uuid(session_id, "session_id")
    with tracing.span("session_statistics", session_id=session_id):
        values = {"session_id": session_id, "max_minutes": MAX_MINUTES, **counting_patterns()._asdict()}
        rows = await fetch(_statement().bind(values))
    if not rows:
        raise NotFoundError(f"Session {session_id} does not exist.")
    return msgspec.json.decode(rows[0][0], type=SessionStatistics)


@lru_cache(maxsize=1)
def _statement() -> Statement:
    text = files(__package__).joinpath("statistics.sql").read_text(encoding="utf-8")
    return Statement("session_statistics", text, ("session_id", "words", "no_characters", "max_minutes"))
