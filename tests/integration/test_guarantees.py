"""The five guarantees: one test each, named after the rule, on the real server."""

import asyncio
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from helpers.stored import Program, objects
from helpers.support import audio, counts, transcript, translation, until

from livetranslate_store import PoolTimeoutError, Store, TimelineEntry, WriteRejectedError
from livetranslate_store.ids import new_id


async def test_the_timeline_is_null_safe_and_totally_ordered_whatever_is_in_the_tables(
    store: Store, session_id: UUID, other_program: Program
) -> None:
    # Every combination of known and unknown times, on transcripts and translations, written past the store.
    times = [(None, None), (2.0, None), (None, 2.0), (2.0, 2.0), (1.0, 3.0), (-5.0, 1e12)]
    for start, end in times:
        for _ in range(2):
            row_id = new_id()
            other_program.execute(
                "INSERT INTO livetranslate.transcripts (session_id, id, text, language, start_time, end_time)"
                " VALUES (%s, %s, '', 'x', %s, %s)",
                (session_id, row_id, start, end),
            )
            for number, (own_start, own_end) in enumerate(times):
                other_program.execute(
                    "INSERT INTO livetranslate.translations (session_id, transcript_id, text,"
                    " source_language, target_language, start_time, end_time)"
                    " VALUES (%s, %s, '', 'x', %s, %s, %s)",
                    (session_id, row_id, f"y-{number}", own_start, own_end),
                )
    other_program.commit()

    def place(entry: TimelineEntry) -> tuple[Any, ...]:
        kind = entry.kind == "translation"
        return (entry.timestamp, entry.segment_index, entry.transcript_id, kind, entry.language)

    whole = list(await store.timeline(session_id))
    assert len(whole) == len(times) * 2 * (1 + len(times))
    assert whole == sorted(whole, key=place)
    assert len({place(entry) for entry in whole}) == len(whole)
    assert all(entry.duration >= 0.0 for entry in whole)


async def test_the_segment_cache_is_bounded_and_right_after_every_commit_and_rollback(
    database_url: str,
) -> None:
    async with Store.open(database_url, cache_size=10, min_connections=1) as store:
        async with store.unit_of_work() as uow:
            session = await uow.sessions.create(bot_id="b", meeting_id="m")
        receipts = []
        for number in range(50):
            spoken = transcript(f"{number}", segment_key=f"{number}")
            receipts.append(await store.record_segment(session.id, transcript=spoken))
            assert store.statistics().cache.size <= 10
        assert store.statistics().cache.evictions == 40

        # A rollback publishes nothing: what is cached is what is stored.
        with pytest.raises(ZeroDivisionError):
            async with store.unit_of_work() as uow:
                await uow.transcripts.add(
                    session.id, transcript("in French for a moment", language="fr", segment_key="49")
                )
                raise ZeroDivisionError
        for language in ("en", "de"):
            if language == "de":
                moved = transcript("deutsch", language="de", segment_key="49")
                await store.record_segment(session.id, transcript=moved)
            async with store.unit_of_work() as uow:
                key = receipts[49].transcript_id
                await uow.translations.add(session.id, key, translation(language, "es"))
                stored = await uow.translations.get(session.id, key, "es")
                assert stored.source_language == language
        assert store.statistics().cache.hits == 2
        assert store.cache.drop_session(session.id) == 10


async def test_the_pool_is_bounded_has_time_limits_and_recovers_by_itself(
    database_url: str, other_program: Program
) -> None:
    async with Store.open(
        database_url, min_connections=2, max_connections=2, connection_timeout=1.0
    ) as store:
        async with store.unit_of_work() as uow:
            session = await uow.sessions.create(bot_id="b", meeting_id="m")

        async with store.read() as one, store.read() as two:
            await one.sessions.get(session.id)
            await two.sessions.get(session.id)
            results = await asyncio.gather(
                *(store.timeline(session.id) for _ in range(20)), return_exceptions=True
            )
            assert {type(result) for result in results} == {PoolTimeoutError}
            assert store.statistics().pool.size == 2
            assert store.statistics().pool.utilization == 1.0
        assert store.statistics().pool.waiting == store.statistics().pool.in_use == 0

        other_program.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        other_program.commit()
        for _ in range(5):
            await store.record_segment(session.id, transcript=transcript())
            assert await store.timeline(session.id)
        assert len(await store.timeline(session.id)) == 5


async def test_a_segment_is_saved_whole_or_not_at_all_files_included(
    store: Store, session_id: UUID, other_program: Program, audio_folder: Path
) -> None:
    nothing = counts(other_program)
    # The last row of the last part is the one that fails: a name that another program forbids.
    other_program.execute(
        "ALTER TABLE livetranslate.translations ADD CONSTRAINT no_klingon CHECK (target_language <> 'tlh')"
    )
    other_program.commit()
    segment: dict[str, Any] = {
        "transcript": transcript(speaker_label="SPEAKER_00"),
        "translations": [translation(target_language=tag) for tag in ("es", "ja", "tlh")],
        "audio": audio(),
    }
    with pytest.raises(ValueError, match="no_klingon"):
        await store.record_segment(session_id, **segment)
    with pytest.raises(ValueError, match="no_klingon"):
        async with store.unit_of_work() as uow:
            recorded = await uow.audio_files.add(session_id, segment["audio"])
            spoken = transcript(audio_file_id=recorded.audio_file_id, speaker_label="SPEAKER_00")
            receipt = await uow.transcripts.add(session_id, spoken)
            for each in segment["translations"]:
                await uow.translations.add(session_id, receipt.transcript_id, each)
    assert counts(other_program) == nothing
    assert objects(audio_folder) == []

    segment["translations"].pop()
    await store.record_segment(session_id, **segment)
    assert counts(other_program) == nothing | {
        "audio_files": 1,
        "transcripts": 1,
        "translations": 2,
        "speakers": 1,
    }
    assert len(objects(audio_folder)) == 1


async def test_the_write_gate_holds_back_a_hundred_bots_and_counts_them(
    database_url: str, other_program: Program
) -> None:
    limits: dict[str, Any] = {"max_concurrent_writes": 4, "write_timeout": 20.0}
    async with Store.open(database_url, max_connections=5, **limits) as store:
        async with store.unit_of_work() as uow:
            session = await uow.sessions.create(bot_id="b", meeting_id="m")

        highest, go_on = 0, asyncio.Event()

        async def bot(number: int) -> None:
            nonlocal highest
            async with store.unit_of_work() as uow:
                highest = max(highest, store.statistics().gate.in_flight)
                await go_on.wait()
                await uow.transcripts.add(
                    session.id, transcript(segment_key=f"{number}", segment_index=number)
                )

        bots = [asyncio.create_task(bot(number)) for number in range(100)]
        await until(lambda: store.statistics().gate.waiting == 96)
        for cancelled in bots[50:60]:
            cancelled.cancel()
        # Readers are not held back by a hundred writers.
        await store.timeline(session.id)
        go_on.set()
        await asyncio.gather(*bots, return_exceptions=True)

        gate = store.statistics().gate
        assert highest == 4
        assert (gate.completed, gate.failed, gate.rejected) == (91, 0, 0)
        assert (gate.in_flight, gate.waiting) == (0, 0)
        assert gate.seconds_waited > 0.0
        written = [*range(50), *range(60, 100)]
        assert sorted(segment_indexes(other_program)) == written


async def test_writes_pass_the_gate_first_come_first_served(
    database_url: str, other_program: Program
) -> None:
    async with Store.open(database_url, max_concurrent_writes=1, write_timeout=20.0) as store:
        async with store.unit_of_work() as uow:
            session = await uow.sessions.create(bot_id="b", meeting_id="m")

        async def bot(number: int) -> None:
            async with store.unit_of_work() as uow:
                await uow.transcripts.add(session.id, transcript(segment_index=number))

        await asyncio.gather(*map(bot, range(30)))
        # One at a time, so that the order in the table is the order in which they were let in.
        assert segment_indexes(other_program) == list(range(30))


def segment_indexes(other_program: Program) -> list[int]:
    """Return the segment indexes in the order in which they were written."""
    rows = other_program.execute(
        "SELECT segment_index FROM livetranslate.transcripts ORDER BY created_at, segment_index"
    )
    return [row[0] for row in rows]


async def test_a_write_that_waits_too_long_is_rejected_and_counted(database_url: str) -> None:
    limits: dict[str, Any] = {"max_concurrent_writes": 1, "write_timeout": 0.05}
    async with Store.open(database_url, min_connections=1, **limits) as store:
        async with store.unit_of_work() as uow:
            session = await uow.sessions.create(bot_id="b", meeting_id="m")
            with pytest.raises(WriteRejectedError):
                await store.record_segment(session.id, transcript=transcript())
        assert store.statistics().gate.rejected == 1
        assert store.statistics().gate.rejection_rate == 0.5
