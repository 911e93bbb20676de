"""Every read of one session is one task of one worker, whatever statements it takes."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, TypeAlias

import pytest
from helpers.routing import Sent, Stored, tasks_of

from livetranslate_store import Transcript
from livetranslate_store.exchange.export import export_session
from livetranslate_store.page.session_page import session_page

Read: TypeAlias = Callable[[Stored], Awaitable[object]]


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


@pytest.mark.parametrize("name", ALL)
async def test_a_read_of_one_session_is_one_task(stored: Stored, sent: list[Sent], name: str) -> None:
    await ALL[name](stored)
    assert await tasks_of(stored.store, sent) == [1] * len(sent) != []
