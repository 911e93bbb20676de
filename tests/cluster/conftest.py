"""Every test in this folder needs a cluster."""

from collections.abc import Sequence
from typing import Any

import asyncpg
import pytest
from helpers.clusters import Cluster
from helpers.routing import FILL, Sent, Stored
from helpers.stored import Program
from sqlalchemy import event

from livetranslate_store import Store
from livetranslate_store.ids import new_id


@pytest.fixture(autouse=True)
def on_a_cluster(cluster: Cluster) -> None:
    """Skip the test on a single server, with a reason that says what is missing."""


@pytest.fixture
async def stored(store: Store, other_program: Program) -> Stored:
    # Whose the storage is, a store asks once.
    await store._storage.claim(store._database.fetch)
    session_id = new_id()
    for table, columns, values in (
        ("sessions", "id, bot_id, meeting_id, target_languages", "%s, 'b', 'm', '{es}'"),
        ("speakers", "session_id, label, name", "%s, 'SPEAKER_00', 'Ana'"),
        (
            "audio_files",
            "session_id, id, storage_key, format, size_bytes, sha256, duration",
            "%s, gen_random_uuid(), 'key', 'wav', 4, repeat('0', 64), 1.0",
        ),
    ):
        other_program.execute(
            f"INSERT INTO livetranslate.{table} ({columns}) VALUES ({values})", [session_id]
        )
    other_program.execute(FILL.replace("%(session)s", f"'{session_id}'"))
    other_program.commit()
    first = await anext(store.stream_timeline(session_id))
    return Stored(store, session_id, first.transcript_id)


@pytest.fixture
def sent(stored: Stored, monkeypatch: pytest.MonkeyPatch) -> list[Sent]:
    """The statements that the store sends from now on, with their arguments."""
    statements: list[Sent] = []
    database = stored.store._database
    fetch = database.statements.fetch

    async def fetch_noted(driver: Any, bound: Any) -> list[asyncpg.Record]:
        statements.append((bound.text, bound.arguments))
        return await fetch(driver, bound)

    def note(_connection: Any, _cursor: Any, text: str, arguments: Sequence[Any], *_: Any) -> None:
        statements.append((text, arguments))

    monkeypatch.setattr(database.statements, "fetch", fetch_noted)
    event.listen(database.engine.sync_engine, "before_cursor_execute", note)
    return statements
