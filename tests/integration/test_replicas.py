"""Read replicas: fresh enough or left out, one's own writes always seen, the new primary found."""

import asyncio
import itertools
import logging
import socket
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from helpers.standby import Server, primary_and_standby, url_of
from helpers.support import audio, sql, transcript, translation, until
from sqlalchemy import text

from livetranslate_store import InvalidInputError, OutcomeUnknownError, Store, StoreUnavailableError
from livetranslate_store.ids import new_id
from livetranslate_store.replicas import watch
from livetranslate_store.schema.upgrade import upgrade
from livetranslate_store.values import ReplicaStatistics

pytestmark = pytest.mark.slow


Pair = tuple[Server, Server]
IS_STANDBY = "SELECT pg_is_in_recovery()"


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    """Two servers for those tests that leave them as they were."""
    with primary_and_standby() as servers:
        yield servers


@asynccontextmanager
async def opened(*hosts: Server, replica: Server, **settings: Any) -> AsyncIterator[Store]:
    limits: dict[str, Any] = {"min_connections": 0, "max_connections": 4, "replica_urls": [replica.url]}
    limits["audio_url"] = f"file:{hosts[0].folder}/audio"
    async with Store.open(url_of(*hosts), **limits | settings) as store:
        yield store


async def new_session(store: Store) -> UUID:
    async with store.unit_of_work() as uow:
        return (await uow.sessions.create(bot_id="bot-7", meeting_id="abc-defg-hij")).id


async def texts(store: Store, session_id: UUID, min_position: int | None = None) -> list[str]:
    return [entry.text for entry in await store.timeline(session_id, min_position=min_position)]


async def answered_by_standby(store: Store, session_id: UUID, min_position: int | None = None) -> bool:
    [row] = await store._router.fetch(sql(IS_STANDBY), session_id=session_id, min_position=min_position)
    return bool(row[0])


def state_of(store: Store) -> ReplicaStatistics:
    [replica] = store.statistics().replicas
    return replica


async def shown(store: Store) -> None:
    """Wait until the replica has been seen to show all that the store has written."""
    await until(lambda: store._router.choose(None, None) is not None)


async def test_reads_go_to_a_fresh_replica_and_writes_to_the_primary(pair: Pair) -> None:
    primary, standby = pair
    async with opened(primary, replica=standby) as store:
        session_id = await new_session(store)
        spoken = await store.record_segment(session_id, transcript=transcript(), audio=audio())
        await shown(store)
        before = store.statistics().pool.opened
        assert await answered_by_standby(store, session_id)
        assert await texts(store, session_id) == ["Good morning."]
        assert [entry.text async for entry in store.stream_timeline(session_id)] == ["Good morning."]
        assert spoken.audio_file_id is not None
        assert await store.read_audio(session_id, spoken.audio_file_id) == b"RIFF"
        async with store.read() as reader:
            assert reader._transaction is not None
            assert (await reader._transaction.execute(text(IS_STANDBY))).scalar_one() is True
            assert (await reader.sessions.get(session_id)).bot_id == "bot-7"
        assert state_of(store).reads == 5
        assert state_of(store).failed == 0
        assert store.statistics().pool.opened == before


async def test_a_store_sees_what_it_wrote_although_the_replica_is_paused(pair: Pair) -> None:
    primary, standby = pair
    async with opened(primary, replica=standby) as store:
        old, session_id = await new_session(store), await new_session(store)
        await shown(store)
        standby.pause_replay()
        try:
            spoken = await store.record_segment(session_id, transcript=transcript())
            assert await texts(store, session_id) == ["Good morning."]
            await store.add_translation(session_id, spoken.transcript_id, translation())
            assert await texts(store, session_id) == ["Good morning.", "Buenos días."]
            # Nothing was written into the other: it may be read from the replica.
            assert await answered_by_standby(store, old)
            async with store.read() as reader:
                assert len(await reader.transcripts.list_for_session(session_id)) == 1
            async with store.unit_of_work() as uow:
                await uow.transcripts.add(old, transcript("in a unit"))
            assert await texts(store, old) == ["in a unit"]
        finally:
            standby.resume_replay()
        await shown(store)
        assert await answered_by_standby(store, session_id)
        assert await texts(store, session_id) == ["Good morning.", "Buenos días."]


async def test_a_read_of_another_store_sees_the_write_whose_position_it_demands(pair: Pair) -> None:
    primary, standby = pair
    async with opened(primary, replica=standby) as writer, opened(primary, replica=standby) as reader:
        session_id = await new_session(writer)
        await shown(writer)
        standby.pause_replay()
        try:
            recorded = await writer.record_segment(session_id, transcript=transcript("recorded"))
            async with writer.unit_of_work() as uow:
                added = await uow.transcripts.add(session_id, transcript("added"))
            late = await writer.add_translation(session_id, recorded.transcript_id, translation("late"))
            # It was promised no more than what the replica has.
            assert await texts(reader, session_id) == []
            for receipt in (recorded, added, late):
                found = await texts(reader, session_id, min_position=receipt.position)
                assert sorted(found) == ["added", "late", "recorded"]
            streamed = reader.stream_timeline(session_id, min_position=late.position)
            assert len([entry async for entry in streamed]) == 3
            assert len(await reader.search("recorded")) == 0
            assert len(await reader.search("recorded", min_position=recorded.position)) == 1
            async with reader.read(min_position=added.position) as unit:
                assert len(await unit.transcripts.list_for_session(session_id)) == 2
        finally:
            standby.resume_replay()
        await until(lambda: reader._router.choose(session_id, late.position) is not None)
        assert await answered_by_standby(reader, session_id, late.position)
        assert len(await texts(reader, session_id, min_position=late.position)) == 3


async def test_the_receipt_of_a_write_that_changed_nothing_has_a_position_as_well(pair: Pair) -> None:
    primary, standby = pair
    async with opened(primary, replica=standby) as store:
        session_id = await new_session(store)
        spoken = transcript(segment_key="seg-1")
        first = await store.record_segment(session_id, transcript=spoken)
        again = await store.record_segment(session_id, transcript=spoken)
        assert again.position > first.position > 0
        await until(lambda: store._router.choose(session_id, again.position) is not None)


async def test_a_replica_that_lags_is_left_out_and_comes_back(pair: Pair) -> None:
    primary, standby = pair
    async with (
        opened(primary, replica=standby) as writer,
        opened(primary, replica=standby, max_replica_lag=1.0) as reader,
    ):
        session_id = await new_session(writer)
        standby.wait_for(primary)
        assert await answered_by_standby(reader, session_id)
        standby.pause_replay()
        try:
            await writer.record_segment(session_id, transcript=transcript())
            await until(lambda: state_of(reader).state == "lagging")
            assert not await answered_by_standby(reader, session_id)
            assert await texts(reader, session_id) == ["Good morning."]
            lag = state_of(reader).lag
            assert lag is not None
            assert lag > 1.0
        finally:
            standby.resume_replay()
        await until(lambda: state_of(reader).state == "fresh")
        assert await answered_by_standby(reader, session_id)
        assert state_of(reader).times_left_out == 1


async def test_a_replica_does_not_age_while_nobody_writes(pair: Pair) -> None:
    primary, standby = pair
    # Longer than a busy machine takes to look at it again, and shorter than what follows.
    async with opened(primary, replica=standby, max_replica_lag=3.0) as store:
        await shown(store)
        for _ in range(50):
            await asyncio.sleep(0.1)
            assert state_of(store).state == "fresh"
            assert await answered_by_standby(store, new_id())


async def test_a_read_that_recovery_cancels_goes_to_the_primary(pair: Pair) -> None:
    primary, standby = pair
    primary.execute("CREATE TABLE prey AS SELECT generate_series(1, 1000) AS id")
    standby.set("max_standby_streaming_delay", "0")
    try:
        standby.wait_for(primary)
        async with opened(primary, replica=standby) as store:
            slow = "SELECT pg_is_in_recovery() FROM prey, pg_sleep(2) LIMIT 1"
            reading = asyncio.create_task(
                store._router.fetch(sql(slow), session_id=new_id(), min_position=None)
            )
            await until(lambda: state_of(store).pool.in_use == 1)
            await asyncio.sleep(0.2)
            primary.execute("DELETE FROM prey WHERE id < 900")
            primary.execute("VACUUM prey")
            [row] = await reading
            assert row[0] is False
            assert (state_of(store).reads, state_of(store).failed) == (0, 1)
            # It is not to blame.
            assert await answered_by_standby(store, new_id())
    finally:
        standby.set("max_standby_streaming_delay", "30s")
        primary.execute("DROP TABLE prey")


async def test_a_dead_replica_is_left_out_and_comes_back(caplog: pytest.LogCaptureFixture) -> None:
    def logged() -> list[str]:
        return [each.__dict__["event"] for each in caplog.records if hasattr(each, "replica")]

    caplog.set_level(logging.INFO)
    with primary_and_standby() as (primary, standby):
        async with opened(primary, replica=standby) as store:
            session_id = await new_session(store)
            await shown(store)
            assert await answered_by_standby(store, session_id)
            assert logged() == []
            standby.kill()
            for _ in range(20):
                assert not await answered_by_standby(store, session_id)
            await until(lambda: state_of(store).state == "unreachable")
            async with store.read() as reader:
                assert (await reader.sessions.get(session_id)).bot_id == "bot-7"
            standby.start()
            await until(lambda: state_of(store).state == "fresh")
            assert await answered_by_standby(store, session_id)
            assert state_of(store).times_left_out == 1
            assert logged() == ["replica_left_out_began", "replica_left_out_over"]
        # A store opens without its replica.
        standby.kill()
        async with opened(primary, replica=standby) as store:
            assert state_of(store).state == "unreachable"
            assert await texts(store, session_id) == []


async def test_whoever_reads_on_a_replica_that_falls_silent_is_answered_by_the_primary(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(watch, "WATCH_SECONDS", 0.5)
    with primary_and_standby() as (primary, standby):
        async with opened(primary, replica=standby) as store:
            session_id = await new_session(store)
            await shown(store)
            slow = "SELECT pg_sleep(0.2)"
            warm = [
                store._router.fetch(sql(slow), session_id=session_id, min_position=None) for _ in range(2)
            ]
            await asyncio.gather(*warm)
            assert state_of(store).pool.idle == 2
            standby.freeze()
            began = time.monotonic()
            # Some wait for an answer, some for a new connection, some for a free one.
            reads = [store.timeline(session_id) for _ in range(8)]
            assert [len(page) for page in await asyncio.gather(*reads)] == [0] * 8
            assert time.monotonic() - began < 8.0
            assert state_of(store).pool.in_use == 0
            standby.thaw()
            await until(lambda: state_of(store).state == "fresh")
            assert await answered_by_standby(store, session_id)


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
async def test_of_several_hosts_the_primary_is_found(pair: Pair, order: tuple[int, int]) -> None:
    first, second = (pair[each] for each in order)
    await asyncio.to_thread(upgrade, url_of(first, second))
    async with Store.open(url_of(first, second), min_connections=2) as store:
        session_id = await new_session(store)
        await store.record_segment(session_id, transcript=transcript())
        assert await texts(store, session_id) == ["Good morning."]
        assert store.statistics().replicas == ()


async def test_a_host_that_is_silent_does_not_hide_the_primary_and_is_not_asked_again(pair: Pair) -> None:
    primary, _ = pair
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as silent:
        silent.bind(f"{folder}/.s.PGSQL.5432")
        silent.listen()
        url = f"postgresql://postgres@/postgres?host={folder},{primary.folder}&port=5432,5432"
        limits: dict[str, Any] = {"connection_timeout": 4.0, "max_queries": 1}
        async with Store.open(url, min_connections=1, max_connections=1, **limits) as store:
            began = time.monotonic()
            for _ in range(5):
                assert len(await store.timeline(new_id())) == 0
            assert store.statistics().pool.opened >= 5
            assert time.monotonic() - began < 2.0


async def test_hosts_that_are_all_standbys_are_a_typed_error(pair: Pair) -> None:
    _, standby = pair
    with pytest.raises(StoreUnavailableError, match="none of the hosts that answer is the primary"):
        async with Store.open(url_of(standby, standby)):
            pytest.fail("nothing could be written there")


async def test_a_connection_that_turns_out_to_be_read_only_is_replaced(pair: Pair) -> None:
    primary, _ = pair
    async with Store.open(primary.url, min_connections=1, max_connections=1) as store:
        session_id = await new_session(store)
        for write in (store.record_segment(session_id, transcript=transcript()), new_session(store)):
            await store._database.fetch(sql("SET default_transaction_read_only = on"))
            opened_before = store.statistics().pool.opened
            await write
            assert store.statistics().pool.opened == opened_before + 1


async def test_after_a_promotion_writes_and_reads_go_on_and_nothing_acknowledged_is_lost(
    tmp_path: Path,
) -> None:
    with primary_and_standby(synchronous=True) as (primary, standby):
        limits = {
            "connection_timeout": 5.0,
            "command_timeout": 5.0,
            "audio_url": f"file:{tmp_path}",
        }
        async with (
            opened(primary, standby, replica=standby, **limits) as writer,
            opened(primary, standby, replica=standby, **limits) as reader,
        ):
            old, session_id = await new_session(writer), await new_session(writer)
            await writer.record_segment(old, transcript=transcript("before"))
            standby.wait_for(primary)
            await shown(reader)
            acknowledged: list[str] = []
            promoted = asyncio.Event()
            after = 0

            async def write(number: int) -> None:
                nonlocal after
                for turn in itertools.count():
                    key = f"{number}-{turn}"
                    spoken = transcript(key, segment_key=key)
                    known = promoted.is_set()
                    with suppress(StoreUnavailableError, OutcomeUnknownError):
                        await writer.record_segment(session_id, transcript=spoken)
                        acknowledged.append(key)
                        after += known
                    if after >= 50:
                        return
                    await asyncio.sleep(0.01)

            async def read() -> int:
                for turn in itertools.count():
                    assert await texts(reader, old) == ["before"]
                    if after >= 50:
                        return turn
                    await asyncio.sleep(0.01)
                raise AssertionError

            async with asyncio.timeout(60), asyncio.TaskGroup() as group:
                readers = [group.create_task(read()) for _ in range(3)]
                for number in range(5):
                    group.create_task(write(number))
                await until(lambda: len(acknowledged) >= 50)
                await asyncio.to_thread(primary.kill)
                await asyncio.sleep(0.5)
                await asyncio.to_thread(standby.promote)
                promoted.set()
            stored = await texts(writer, session_id)
            assert len(set(stored)) == len(stored)
            assert set(acknowledged) <= set(stored)
            assert all(task.result() > 0 for task in readers)
            # Its own address is no replica's any more; as the primary it is read from.
            await until(lambda: state_of(reader).state == "promoted")
            assert await texts(reader, session_id) == stored


async def test_a_replica_without_a_usable_address_is_named_without_its_secret(database_url: str) -> None:
    with pytest.raises(InvalidInputError, match=r"replica_urls is of 'mysql'") as raised:
        async with Store.open(database_url, replica_urls=["mysql://app:hunter2@db/x"]):
            pytest.fail("there is no such replica")
    assert "hunter2" not in str(raised.value)


async def test_the_statistics_show_no_secret(database_url: str) -> None:
    url = "postgresql://app:hunter2@127.0.0.1:1/nowhere"
    async with Store.open(database_url, replica_urls=[url], min_connections=1) as store:
        assert (state_of(store).name, state_of(store).state) == ("127.0.0.1:1", "unreachable")
        assert "hunter2" not in repr(store.statistics())
