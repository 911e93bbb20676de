"""The pool: bounded, limited in time, and recovering by itself."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from math import inf
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from helpers.stored import Program, connections, end_unnoticed, terminate_all
from helpers.support import audio, sql, transcript, until
from sqlalchemy import make_url, text

from livetranslate_store import (
    Outcome,
    OutcomeUnknownError,
    PoolTimeoutError,
    QueryTimeoutError,
    Store,
    StoreUnavailableError,
)
from livetranslate_store.database import pool_policy
from livetranslate_store.database.engine import Database
from livetranslate_store.database.first_look import FirstLook
from livetranslate_store.database.transaction import Transaction
from livetranslate_store.ids import new_id
from livetranslate_store.settings import StoreSettings
from livetranslate_store.tasks import run_to_end

pytestmark = pytest.mark.slow


@asynccontextmanager
async def opened(url: str, **settings: Any) -> AsyncIterator[Database]:
    database = Database(StoreSettings(database_url=url, **settings))
    await database.open()
    try:
        yield database
    finally:
        await database.close()


async def backend(database: Database) -> int:
    """Return the server process behind the connection that a caller gets."""
    (row,) = await database.fetch(sql("SELECT pg_backend_pid()"))
    return int(row[0])


async def test_the_minimum_is_open_at_the_start(database_url: str, other_program: Program) -> None:
    async with opened(database_url, min_connections=3, max_connections=5) as database:
        assert database.statistics().size == database.statistics().idle == 3
        assert connections(other_program) == 3
    assert database.statistics().size == 0


async def test_the_maximum_is_never_exceeded(
    database_url: str, other_program: Program, audio_folder: Any
) -> None:
    async with Store.open(
        database_url, audio_url=f"file:{audio_folder}", min_connections=0, max_connections=3
    ) as store:
        async with store.unit_of_work() as uow:
            session = await uow.sessions.create(bot_id="b", meeting_id="m")

        async def write() -> None:
            async with store.unit_of_work() as uow:
                await uow.transcripts.add(session.id, transcript())

        seen = 0
        writes = [asyncio.create_task(write()) for _ in range(100)]
        while not all(write.done() for write in writes):
            seen = max(seen, store.statistics().pool.size, store.statistics().pool.in_use)
            assert store.statistics().pool.utilization <= 1.0
            await asyncio.sleep(0)
        await asyncio.gather(*writes)
        assert seen == 3
        assert connections(other_program) == 3
        assert store.statistics().pool.opened == 3


async def test_waiting_for_a_connection_has_a_limit_and_leaves_nothing_behind(database_url: str) -> None:
    limits = {"min_connections": 0, "max_connections": 1, "connection_timeout": 1.0}
    async with opened(database_url, **limits) as database:
        held = await database.lease()
        with pytest.raises(PoolTimeoutError, match=r"All 1 connections stayed in use for 1 s"):
            held = await database.lease()
        held.close()
        assert database.statistics().waiting == database.statistics().in_use == 0
        assert await backend(database)


async def test_a_statement_has_a_limit_that_the_server_enforces(database_url: str) -> None:
    async with opened(database_url, min_connections=1, command_timeout=1.0) as database:
        with pytest.raises(QueryTimeoutError, match="SQLSTATE 57014"):
            await database.fetch(sql("SELECT pg_sleep(30)"))
        assert await backend(database)


async def test_the_driver_ends_a_statement_that_no_server_answers(database_url: str) -> None:
    async with opened(database_url, min_connections=1, max_connections=1, command_timeout=1.0) as database:
        # As if the server hung.
        await database.fetch(sql("SELECT set_config('statement_timeout', '0', false)"))
        before = await backend(database)
        with pytest.raises(QueryTimeoutError, match="did not answer"):
            await database.fetch(sql("SELECT pg_sleep(30)"))
        # The answer may come yet: nobody else gets this connection.
        assert await backend(database) != before


async def test_what_the_server_is_may_be_looked_up_again_on_an_open_connection(database_url: str) -> None:
    async with opened(database_url, min_connections=1) as database:
        known = database.server
        database.server, database._has_looked = FirstLook(nodes=99), False
        await database.look()
        assert database.server == known
        assert database.statistics().opened == 1


async def test_behind_pgbouncer_nothing_is_prepared_under_a_lasting_name(database_url: str) -> None:
    async with opened(database_url, min_connections=1, max_connections=1, pgbouncer=True) as database:
        for _ in range(3):
            transaction = Transaction(database)
            await transaction.execute(text("SELECT 1"))
            await transaction.end(commit=False)
        assert await database.fetch(sql("SELECT name FROM pg_prepared_statements WHERE name <> ''")) == []


async def test_a_connection_is_retired_after_its_queries(database_url: str) -> None:
    limits = {"min_connections": 1, "max_connections": 1, "max_queries": 5}
    async with opened(database_url, **limits) as database:
        backends = [await backend(database) for _ in range(15)]
        assert len(set(backends)) == 3
        assert [backends.count(pid) for pid in dict.fromkeys(backends)] == [5, 5, 5]
        assert database.statistics().recycled == 2
        assert database.statistics().size == 1


async def test_an_idle_connection_is_closed_and_replaced_when_needed(
    database_url: str, other_program: Program
) -> None:
    limits = {"min_connections": 3, "max_inactive_connection_lifetime": 0.1}
    async with opened(database_url, **limits) as database:
        await until(lambda: database.statistics().size == 0)
        assert database.statistics().recycled == 3
        await until(lambda: connections(other_program) == 0)
        assert await backend(database)
        assert database.statistics().size == 1


async def test_a_connection_that_is_being_closed_is_nobodys(
    database_url: str, other_program: Program
) -> None:
    # A write that was not sent would have an unknown outcome.
    async with opened(database_url, min_connections=1, max_connections=1, retry_timeout=0) as database:
        first = await backend(database)
        for let_go in (asyncio.sleep(0), until(lambda: connections(other_program) == 0)):
            for record in database._policy._idle_since:
                database._policy._idle_since[record] = -inf
            database._policy._retire_idle()
            await let_go
            [row] = await database.fetch_once(sql("SELECT pg_backend_pid()"), writes=True)
            assert row[0] != first
            assert database.statistics().size == database.statistics().idle == 1
            # The new one is not closed in the old one's place.
            await asyncio.sleep(0.05)
            assert await backend(database) == row[0]
            first = row[0]


async def test_a_connection_in_use_is_not_retired(database_url: str) -> None:
    limits = {"min_connections": 2, "max_inactive_connection_lifetime": 0.1}
    async with opened(database_url, **limits) as database:
        held = await database.lease()
        await until(lambda: database.statistics().size == 1)
        assert await database.driver_of(held).fetchval("SELECT 1") == 1
        held.close()


async def test_a_connection_that_outlives_the_store_is_closed_on_its_return(
    database_url: str, other_program: Program
) -> None:
    async with opened(database_url, min_connections=3) as database:
        reading = asyncio.create_task(database.fetch(sql("SELECT pg_sleep(0.5)")))
        await until(lambda: database.statistics().in_use == 1)
    await reading
    assert database.statistics().size == 0
    await until(lambda: connections(other_program) == 0)


async def test_dead_connections_are_replaced_without_the_caller_seeing_it(
    database_url: str, other_program: Program
) -> None:
    async with opened(database_url, min_connections=3) as database:
        before = await backend(database)
        terminate_all(other_program)
        drivers = [record.driver_connection for record in database._policy._open]
        await until(lambda: all(driver.is_closed() for driver in drivers if driver is not None))
        assert await backend(database) != before
        # It was seen before it was used: no statement was sent in vain.
        assert database.statistics().recycled == 1


async def test_a_connection_whose_end_has_not_arrived_yet_is_replaced_as_well(
    store: Store, session_id: UUID, other_program: Program
) -> None:
    end_unnoticed(other_program)
    assert len(await store.timeline(session_id)) == 0

    end_unnoticed(other_program)
    async with store.unit_of_work() as uow:
        await uow.transcripts.add(session_id, transcript())

    end_unnoticed(other_program)
    receipt = await store.record_segment(session_id, transcript=transcript(), audio=audio())
    assert receipt.audio_file_id is not None
    assert await store.read_audio(session_id, receipt.audio_file_id) == b"RIFF"
    assert len(await store.timeline(session_id)) == 2


async def test_a_connection_that_was_idle_for_long_is_asked_before_it_is_used(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool_policy, "PING_AFTER_IDLE_SECONDS", 0.0)
    asked = []
    answers = pool_policy._answers

    async def watched(driver: Any) -> bool:
        asked.append(driver)
        return False if len(asked) == 1 else await answers(driver)

    monkeypatch.setattr(pool_policy, "_answers", watched)
    async with opened(database_url, min_connections=1, max_connections=1) as database:
        first = await backend(database)
        assert len(asked) == 1
        assert await backend(database) == first
        assert len(asked) == 2
        assert database.statistics().recycled == 1


async def test_an_opening_that_is_cancelled_leaves_no_connection(
    database_url: str, other_program: Program
) -> None:
    database = Database(StoreSettings(database_url=database_url, min_connections=4))
    opening = asyncio.create_task(database.open())
    while not database.statistics().size:
        await asyncio.sleep(0)
    opening.cancel()
    await asyncio.gather(opening, return_exceptions=True)
    assert database.statistics().in_use == 0
    await database.close()
    await until(lambda: connections(other_program) == 0)


async def test_a_transaction_that_is_cancelled_while_it_begins_is_nobody_elses(database_url: str) -> None:
    async with opened(database_url, min_connections=1, max_connections=1) as database:

        async def begin() -> None:
            transaction = Transaction(database)
            try:
                await transaction.begin()
            finally:
                await run_to_end(transaction.end(commit=False))

        for turns in range(40):
            task = asyncio.create_task(begin())
            for _ in range(turns):
                await asyncio.sleep(0)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            lease = await database.lease()
            driver = database.driver_of(lease)
            await driver.execute("SELECT 1")
            assert not driver.is_in_transaction(), turns
            lease.close()


async def test_a_read_that_is_cancelled_while_it_is_prepared_leaves_no_transaction_open(
    database_url: str,
) -> None:
    async with opened(database_url, min_connections=1, max_connections=1) as database:
        for turns in range(40):
            task = asyncio.create_task(database.fetch(sql(f"SELECT {turns}")))
            for _ in range(turns):
                await asyncio.sleep(0)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            lease = await database.lease()
            # The server refuses this once a transaction has looked at anything.
            await database.driver_of(lease).execute("BEGIN ISOLATION LEVEL REPEATABLE READ; COMMIT")
            lease.close()


async def test_a_connection_that_dies_inside_a_unit_is_a_typed_error_and_the_next_unit_works(
    store: Store, session_id: UUID, other_program: Program
) -> None:
    with pytest.raises(StoreUnavailableError):
        async with store.unit_of_work() as uow:
            await uow.transcripts.add(session_id, transcript())
            terminate_all(other_program)
            await uow.transcripts.add(session_id, transcript())
    assert store.statistics().pool.in_use == store.statistics().gate.in_flight == 0
    async with store.unit_of_work() as uow:
        await uow.transcripts.add(session_id, transcript("only this"))
    assert [entry.text for entry in await store.timeline(session_id)] == ["only this"]


async def test_a_commit_whose_connection_breaks_says_that_the_outcome_is_unknown(
    store: Store, session_id: UUID, other_program: Program
) -> None:
    with pytest.raises(OutcomeUnknownError):
        async with store.unit_of_work() as uow:
            receipt = await uow.transcripts.add(session_id, transcript(segment_key="seg-1"))
            terminate_all(other_program)
    assert store.statistics().cache.size == 0
    # Repeating is safe, and here it shows that nothing had happened.
    again = await store.record_segment(session_id, transcript=transcript(segment_key="seg-1"))
    assert again.transcript_id == receipt.transcript_id
    assert store.statistics().gate.in_flight == store.statistics().pool.in_use == 0


async def test_a_lost_answer_is_not_forgotten_when_there_is_no_connection_to_repeat_the_write(
    store: Store, session_id: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    await store.record_segment(session_id, transcript=transcript(), audio=audio(start_time=7.0))
    fetch, lease = Database.fetch_on, Database.lease
    answers = iter([asyncpg.ConnectionDoesNotExistError("the answer is lost")])
    connections = iter([lease])

    async def answer_lost(self: Database, *arguments: Any) -> Any:
        rows = await fetch(self, *arguments)
        for error in answers:
            raise error
        return rows

    async def none_left(self: Database, **options: Any) -> Any:
        for take in connections:
            return await take(self, **options)
        monkeypatch.undo()
        raise PoolTimeoutError

    monkeypatch.setattr(Database, "fetch_on", answer_lost)
    monkeypatch.setattr(Database, "lease", none_left)
    spoken = transcript(segment_key="seg-1")
    with pytest.raises(OutcomeUnknownError):
        await store.record_segment(session_id, transcript=spoken, audio=audio())
    receipt = await store.record_segment(session_id, transcript=spoken, audio=audio())
    assert receipt.outcome is Outcome.UNCHANGED
    assert receipt.audio_file_id is not None
    assert await store.read_audio(session_id, receipt.audio_file_id) == b"RIFF"


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://app:hunter2@127.0.0.1:1/nowhere",
        "postgresql://app:hunter2@/nowhere?host=/nonexistent/socket/folder",
    ],
)
async def test_a_server_that_is_not_there_is_a_typed_error_without_the_password(url: str) -> None:
    with pytest.raises(StoreUnavailableError) as raised:
        async with opened(url, min_connections=2):
            pytest.fail("there is no such server")
    assert "hunter2" not in f"{raised.value} {raised.value!r} {raised.value.__cause__!r}"


async def test_a_database_that_is_not_there_is_a_typed_error(database_url: str) -> None:
    url = make_url(database_url).set(database="no_such_database").render_as_string(hide_password=False)
    with pytest.raises(StoreUnavailableError, match="does not exist"):
        async with opened(url, min_connections=1):
            pytest.fail("there is no such database")


async def test_a_database_without_the_schema_says_what_to_run(
    database_url: str, other_program: Program
) -> None:
    other_program.execute("DROP SCHEMA livetranslate CASCADE")
    other_program.commit()
    async with Store.open(database_url, min_connections=1) as store:
        with pytest.raises(StoreUnavailableError, match="livetranslate-store upgrade"):
            await store.timeline(new_id())
