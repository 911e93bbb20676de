"""Every write of one session is one task of one worker; times are a node's own."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from helpers.routing import Sent, Stored, tasks_of
from sqlalchemy import text

from livetranslate_store import Store, UnitOfWork

Write = Callable[[UnitOfWork, Stored], Awaitable[object]]
LABEL = "SPEAKER_00"
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


async def split_and_merge(uow: UnitOfWork, stored: Stored) -> None:
    await uow.speakers.split(stored.session_id, LABEL, at=10.0, into="SPEAKER_01")
    await uow.speakers.merge(stored.session_id, LABEL, into="SPEAKER_01")


WRITES: dict[str, Write] = {
    "sessions.create": lambda uow, _: uow.sessions.create(bot_id="b", meeting_id="m"),
    "sessions.create, ended": lambda uow, _: uow.sessions.create(
        bot_id="b", meeting_id="m", status="ended", started_at=LONG_AGO
    ),
    "sessions.create, with its end": lambda uow, _: uow.sessions.create(
        bot_id="b", meeting_id="m", status="ended", started_at=LONG_AGO, ended_at=LONG_AGO
    ),
    "sessions.update": lambda uow, s: uow.sessions.update(s.session_id, title="t", metadata={"a": 1}),
    "sessions.update, ended": lambda uow, s: uow.sessions.update(s.session_id, status="ended"),
    "sessions.update, an end": lambda uow, s: uow.sessions.update(
        s.session_id, status="error", ended_at=datetime.now(UTC) + timedelta(hours=1)
    ),
    "sessions.update, reopened": lambda uow, s: uow.sessions.update(s.session_id, status="active"),
    "sessions.end": lambda uow, s: uow.sessions.end(s.session_id),
    "sessions.end, at a moment": lambda uow, s: uow.sessions.end(
        s.session_id, ended_at=datetime.now(UTC) + timedelta(hours=1)
    ),
    "sessions.delete": lambda uow, s: uow.sessions.delete(s.session_id),
    "speakers.rename": lambda uow, s: uow.speakers.rename(s.session_id, LABEL, "Bea"),
    "speakers.rename, a new one": lambda uow, s: uow.speakers.rename(s.session_id, "SPEAKER_09", "Bea"),
    "speakers.split and merge": split_and_merge,
    "speakers.forget": lambda uow, s: uow.speakers.forget(s.session_id, LABEL),
    "transcripts.delete": lambda uow, s: uow.transcripts.delete(s.session_id, s.transcript_id),
}


@pytest.mark.parametrize("name", WRITES)
async def test_a_write_of_one_session_is_one_task(stored: Stored, sent: list[Sent], name: str) -> None:
    async with stored.store.unit_of_work() as uow:
        await WRITES[name](uow, stored)
    assert await tasks_of(stored.store, sent) == [1] * len(sent) != []


async def test_the_moments_of_rows_are_times_of_the_nodes(store: Store) -> None:
    async def now() -> datetime:
        async with store.read() as uow:
            moment = (await uow.session.execute(text("SELECT clock_timestamp()"))).scalar_one()
        assert isinstance(moment, datetime)
        return moment

    moments: list[Any] = [await now()]
    async with store.unit_of_work() as uow:
        session_id = (await uow.sessions.create(bot_id="b", meeting_id="m")).id
        moments.append((await uow.speakers.rename(session_id, LABEL, "Ana")).created_at)
    async with store.unit_of_work() as uow:
        ended = await uow.sessions.end(session_id)
        moments += [ended.ended_at, ended.updated_at]
    async with store.unit_of_work() as uow:
        moments.append((await uow.speakers.rename(session_id, LABEL, "Bea")).updated_at)
    moments.append(await now())
    assert moments == sorted(moments)
