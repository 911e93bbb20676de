"""The rows that a move from the older system leaves in a store."""

from helpers.stored import Program
from helpers.support import TABLES

from livetranslate_store import Store
from livetranslate_store.ids import session_id_for, transcript_id_for
from livetranslate_store.models import Session, Transcript

SESSION = session_id_for("session_1")


def rows(program: Program, *, without: tuple[str, ...] = ()) -> dict[str, list[str]]:
    """Return all rows of all tables here as text, in the order of their keys."""
    found = {}
    for table in TABLES:
        statement = f"SELECT (to_jsonb(t) - %s::text[])::text FROM livetranslate.{table} t ORDER BY 1"
        found[table] = [row[0] for row in program.execute(statement.encode(), [list(without)])]
    program.rollback()
    return found


async def session_of(store: Store) -> Session:
    async with store.read() as reader:
        return await reader.sessions.get(SESSION)


async def transcript_of(store: Store, key: str, source: str = "whisper_service") -> Transcript:
    async with store.read() as reader:
        return await reader.transcripts.get(SESSION, transcript_id_for(SESSION, source, key))
