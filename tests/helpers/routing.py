"""To which shards the statements of a store go: what it sends, and how the coordinator runs that."""

import re
from collections.abc import Sequence
from typing import Any, NamedTuple, TypeAlias
from uuid import UUID

from livetranslate_store import Store

FILL = """
    WITH spoken AS (
        INSERT INTO livetranslate.transcripts
            (session_id, id, text, language, start_time, end_time, speaker_label, is_final)
        SELECT %(session)s, gen_random_uuid(), 'all of it ' || n, 'en', n, n + 1, 'SPEAKER_00', true
        FROM generate_series(1, 40) AS n RETURNING session_id, id
    )
    INSERT INTO livetranslate.translations (session_id, transcript_id, text, source_language, target_language)
    SELECT session_id, id, 'todo', 'en', 'es' FROM spoken
"""


class Stored(NamedTuple):
    """A session with 40 segments, and the first of them."""

    store: Store
    session_id: UUID
    transcript_id: UUID


#: A statement and its arguments.
Sent: TypeAlias = tuple[str, Sequence[Any]]


async def tasks_of(store: Store, statements: Sequence[Sent]) -> list[int]:
    """Return the number of tasks into which the coordinator divides each of the statements."""
    lease = await store._database.lease()
    try:
        driver = store._database.driver_of(lease)
        plans = [await driver.fetch(f"EXPLAIN {text}", *arguments) for text, arguments in statements]
    finally:
        lease.close()
    # A statement of several steps has a count for each.
    counts = (re.findall(r"Task Count: (\d+)", "\n".join(row[0] for row in rows)) for rows in plans)
    return [sum(map(int, each)) for each in counts]
