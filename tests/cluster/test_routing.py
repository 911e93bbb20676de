"""Every read of one session is one task of one worker, whatever statements it takes."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any, NamedTuple, TypeAlias
from uuid import UUID

import asyncpg
import pytest
from helpers.stored import Program
from sqlalchemy import event

from livetranslate_store import Store, Transcript
from livetranslate_store.exchange.export import export_session
from livetranslate_store.ids import new_id
from livetranslate_store.page.session_page import session_page

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
Read: TypeAlias = Callable[[Stored], Awaitable[object]]


@pytest.fixture
async def stored(store: Store, other_program: Program) -> Stored:
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


async def all_of(items: AsyncIterator[Any]) -> list[Any]:
    return [item async for item in items]


async def second_page(stored: Stored) -> object:
    page = await stored.store.timeline(stored.session_id, limit=10)
    return await stored.store.timeline(stored.session_id, limit=10, cursor=page.next_cursor)


async def second_page_of_view(stored: Stored) -> object:
    page = await stored.store.transcript_view(stored.session_id, ["es", "ja"], limit=10)
    return await stored.store.transcript_view(
        stored.session_id, ["es", "ja"], limit=10, cursor=page.next_cursor
    )


FILTERS: dict[str, Any] = {
    "start": 3.0,
    "end": 9.0,
    "untimed": False,
    "speakers": ["Ana"],
    "finals_only": True,
}

READS: dict[str, Read] = {
    "timeline": lambda s: s.store.timeline(s.session_id),
    "timeline, filtered": lambda s: s.store.timeline(s.session_id, languages=["es"], **FILTERS),
    "timeline, a page": second_page,
    "timeline, a filtered page": lambda s: s.store.timeline(
        s.session_id, limit=2, languages=["es"], kinds=["translation"], **FILTERS
    ),
    "stream_timeline": lambda s: all_of(s.store.stream_timeline(s.session_id)),
    "transcript_view": lambda s: s.store.transcript_view(s.session_id, ["es", "ja"], **FILTERS),
    "transcript_view, a page": second_page_of_view,
    "stream_transcript_view": lambda s: all_of(s.store.stream_transcript_view(s.session_id, [])),
    "missing_translations": lambda s: s.store.missing_translations(s.session_id, "es"),
    "missing_translations, a page": lambda s: s.store.missing_translations(s.session_id, "ja", limit=5),
    "session_statistics": lambda s: s.store.session_statistics(s.session_id),
    "session_page": lambda s: session_page(s.store, s.session_id),
    "export": lambda s: all_of(export_session(s.store, s.session_id, format="json", languages=["es"])),
}

IN_A_UNIT: dict[str, Callable[[Any, Stored], Awaitable[object]]] = {
    "sessions.get": lambda uow, s: uow.sessions.get(s.session_id),
    "transcripts.get": lambda uow, s: uow.transcripts.get(s.session_id, s.transcript_id),
    "transcripts.list_for_session": lambda uow, s: uow.transcripts.list_for_session(s.session_id),
    "transcripts.stream_for_session": lambda uow, s: all_of(uow.transcripts.stream_for_session(s.session_id)),
    "translations.get": lambda uow, s: uow.translations.get(s.session_id, s.transcript_id, "es"),
    "translations.list_for_transcript": lambda uow, s: uow.translations.list_for_transcript(
        s.session_id, s.transcript_id
    ),
    "translations.list_for_session": lambda uow, s: uow.translations.list_for_session(
        s.session_id, target_languages=["es"]
    ),
    "translations.stream_for_session": lambda uow, s: all_of(
        uow.translations.stream_for_session(s.session_id)
    ),
    "speakers.get": lambda uow, s: uow.speakers.get(s.session_id, "SPEAKER_00"),
    "speakers.list_for_session": lambda uow, s: uow.speakers.list_for_session(s.session_id),
    "transcripts.count": lambda uow, s: uow.transcripts.count(
        uow.transcripts.statement().where(Transcript.session_id == s.session_id)
    ),
    "archive.rows": lambda uow, s: all_of(uow.archive.rows("transcripts", s.session_id)),
    "archive.rows of the session": lambda uow, s: all_of(uow.archive.rows("sessions", s.session_id)),
    "audio_files.list_for_session": lambda uow, s: uow.audio_files.list_for_session(s.session_id),
}


def in_a_unit(read: Callable[[Any, Stored], Awaitable[object]]) -> Read:
    async def run(stored: Stored) -> object:
        async with stored.store.read() as uow:
            return await read(uow, stored)

    return run


ALL = READS | {name: in_a_unit(read) for name, read in IN_A_UNIT.items()}


async def plans_of(store: Store, statements: Sequence[Sent]) -> list[str]:
    """Return how the coordinator runs the statements."""
    lease = await store._database.lease()
    try:
        driver = store._database.driver_of(lease)
        plans = [await driver.fetch(f"EXPLAIN {text}", *arguments) for text, arguments in statements]
    finally:
        lease.close()
    return ["\n".join(row[0] for row in rows) for rows in plans]


@pytest.mark.parametrize("name", ALL)
async def test_a_read_of_one_session_is_one_task(stored: Stored, sent: list[Sent], name: str) -> None:
    await ALL[name](stored)
    assert sent
    for plan in await plans_of(stored.store, sent):
        assert re.findall(r"Task Count: (\d+)", plan) == ["1"], plan
