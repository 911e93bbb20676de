"""The unit of work: all of it or none of it, files included, whatever happens to the caller."""

import asyncio
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from helpers.stored import Program, objects
from helpers.support import audio, counts, transcript, translation, until

from livetranslate_store import (
    ConflictError,
    MissingReferenceError,
    Store,
    UnitOfWork,
    UsageError,
)
from livetranslate_store.ids import new_id


async def write_a_segment(uow: UnitOfWork, session_id: UUID) -> UUID:
    """Write one row into every table but sessions."""
    recorded = await uow.audio_files.add(session_id, audio())
    spoken = transcript(audio_file_id=recorded.audio_file_id, speaker_label="SPEAKER_00")
    receipt = await uow.transcripts.add(session_id, spoken)
    await uow.translations.add(session_id, receipt.transcript_id, translation())
    return receipt.transcript_id


ONE_SEGMENT = {"sessions": 1, "audio_files": 1, "transcripts": 1, "translations": 1, "speakers": 1}
NOTHING = {"sessions": 1, "audio_files": 0, "transcripts": 0, "translations": 0, "speakers": 0}


async def test_commits_everything_when_the_block_ends(
    store: Store, session_id: UUID, other_program: Program, audio_folder: Path
) -> None:
    async with store.unit_of_work() as uow:
        await write_a_segment(uow, session_id)
        assert counts(other_program) == NOTHING
    assert counts(other_program) == ONE_SEGMENT
    assert len(objects(audio_folder)) == 1


async def test_rolls_back_everything_on_any_exception_files_included(
    store: Store, session_id: UUID, other_program: Program, audio_folder: Path
) -> None:
    with pytest.raises(ZeroDivisionError):
        async with store.unit_of_work() as uow:
            await write_a_segment(uow, session_id)
            assert len(objects(audio_folder)) == 1
            raise ZeroDivisionError
    assert counts(other_program) == NOTHING
    assert objects(audio_folder) == []


@pytest.mark.parametrize("awaits", range(0, 60, 3))
async def test_cancellation_at_any_await_leaves_all_or_nothing(
    store: Store, session_id: UUID, other_program: Program, audio_folder: Path, awaits: int
) -> None:
    async def work() -> None:
        async with store.unit_of_work() as uow:
            await write_a_segment(uow, session_id)

    task = asyncio.create_task(work())
    for _ in range(awaits):
        await asyncio.sleep(0)
    task.cancel()
    # Where it was done before, the cancellation comes too late, and that is right too.
    (result,) = await asyncio.gather(task, return_exceptions=True)
    assert result is None or isinstance(result, asyncio.CancelledError)

    found = counts(other_program)
    assert found in (NOTHING, ONE_SEGMENT)
    assert len(objects(audio_folder)) == found["audio_files"]
    assert store.statistics().pool.in_use == 0
    assert store.statistics().gate.in_flight == 0


async def test_cancellation_during_the_commit_is_raised_once_the_commit_is_done(
    store: Store, session_id: UUID, other_program: Program
) -> None:
    committing = asyncio.Event()

    async def work() -> None:
        async with store.unit_of_work() as uow:
            receipt = await uow.transcripts.add(session_id, transcript())
            committing.set()
        pytest.fail(f"{receipt} was not interrupted")

    task = asyncio.create_task(work())
    await committing.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert counts(other_program)["transcripts"] == 1
    assert store.statistics().cache.size == 1


async def test_an_error_that_was_caught_inside_the_block_still_prevents_the_commit(
    store: Store, session_id: UUID, other_program: Program
) -> None:
    with pytest.raises(UsageError, match="Nothing was committed"):
        async with store.unit_of_work() as uow:
            await uow.transcripts.add(session_id, transcript())
            with pytest.raises(MissingReferenceError):
                await uow.transcripts.add(new_id(), transcript())
    assert counts(other_program) == NOTHING


async def test_nothing_runs_after_a_failed_statement(store: Store, session_id: UUID) -> None:
    with pytest.raises(UsageError, match="An earlier statement"):
        async with store.unit_of_work() as uow:
            with pytest.raises(MissingReferenceError):
                await uow.transcripts.add(new_id(), transcript())
            await uow.transcripts.add(session_id, transcript())


async def test_a_unit_used_from_two_tasks_says_so(store: Store, session_id: UUID) -> None:
    async with store.unit_of_work() as uow:
        results = await asyncio.gather(
            uow.transcripts.add(session_id, transcript("one")),
            uow.transcripts.add(session_id, transcript("two")),
            return_exceptions=True,
        )
    assert [type(result) for result in results] == [UsageError, UsageError]
    assert "belongs to the task that opened it" in str(results[0])


async def test_a_unit_that_has_ended_says_so(store: Store, session_id: UUID) -> None:
    async with store.unit_of_work() as uow:
        pass
    with pytest.raises(UsageError, match="has ended"):
        await uow.sessions.get(session_id)


async def test_a_store_that_is_closed_says_so(database_url: str) -> None:
    async with Store.open(database_url, min_connections=1) as store, store.unit_of_work() as uow:
        session = await uow.sessions.create(bot_id="b", meeting_id="m")
    with pytest.raises(UsageError, match="store is closed"):
        await store.record_segment(session.id, transcript=transcript())
    with pytest.raises(UsageError, match="store is closed"):
        await store.timeline(session.id)


async def test_reading_cannot_write(store: Store, session_id: UUID, other_program: Program) -> None:
    async with store.read() as reader:
        with pytest.raises(UsageError, match=r"store\.read\(\) cannot write"):
            await reader.transcripts.add(session_id, transcript())
        with pytest.raises(UsageError, match=r"store\.read\(\) cannot write"):
            await reader.sessions.end(session_id)
        with pytest.raises(UsageError, match=r"store\.read\(\) cannot write"):
            await reader.audio_files.add(session_id, audio())
        with pytest.raises(UsageError, match=r"store\.read\(\) cannot write"):
            await reader.speakers.rename(session_id, "SPEAKER_00", "Ada")
        with pytest.raises(UsageError, match=r"store\.read\(\) cannot write"):
            await reader.sessions.delete(session_id)
    assert counts(other_program) == NOTHING


async def test_reading_sees_one_moment(store: Store, session_id: UUID) -> None:
    async with store.read() as reader:
        assert await reader.transcripts.list_for_session(session_id) == []
        await store.record_segment(session_id, transcript=transcript())
        assert await reader.transcripts.list_for_session(session_id) == []
    async with store.read() as reader:
        assert len(await reader.transcripts.list_for_session(session_id)) == 1


async def test_reads_never_wait_at_the_gate(store: Store, session_id: UUID) -> None:
    store.gate.limit = 1
    async with store.unit_of_work(), asyncio.timeout(5), store.read() as reader:
        await reader.sessions.get(session_id)
        assert len(await store.timeline(session_id)) == 0


async def test_a_unit_holds_a_slot_of_the_gate_from_beginning_to_end(store: Store, session_id: UUID) -> None:
    store.gate.limit = 1
    order = []

    async def write(name: str) -> None:
        async with store.unit_of_work() as uow:
            order.append(f"{name} begins")
            await uow.transcripts.add(session_id, transcript(name))
            order.append(f"{name} ends")

    await asyncio.gather(*(write(name) for name in "abc"))
    assert order == [f"{name} {what}" for name in "abc" for what in ("begins", "ends")]
    assert store.statistics().gate.completed == 4  # the fixture's session is the fourth


async def test_what_a_unit_wrote_reaches_the_cache_after_its_commit_only(
    store: Store, session_id: UUID
) -> None:
    async with store.unit_of_work() as uow:
        receipt = await uow.transcripts.add(session_id, transcript())
        # The unit itself knows it at once.
        await uow.translations.add(session_id, receipt.transcript_id, translation())
        assert store.statistics().cache.size == 0
    assert store.statistics().cache.size == 1

    with pytest.raises(ZeroDivisionError):
        async with store.unit_of_work() as uow:
            await uow.transcripts.add(session_id, transcript("another"))
            raise ZeroDivisionError
    assert store.statistics().cache.size == 1


async def test_a_late_translation_of_a_transcript_that_is_not_there_leaves_the_unit_usable(
    store: Store, session_id: UUID, other_program: Program
) -> None:
    async with store.unit_of_work() as uow:
        with pytest.raises(MissingReferenceError, match="write the transcript first"):
            await uow.translations.add(session_id, new_id(), translation())
        await uow.transcripts.add(session_id, transcript())
    assert counts(other_program)["transcripts"] == 1


async def test_a_transcript_deleted_by_another_program_is_missed_in_spite_of_the_cache(
    store: Store, session_id: UUID, other_program: Program
) -> None:
    receipt = await store.record_segment(session_id, transcript=transcript())
    other_program.execute("DELETE FROM livetranslate.transcripts")
    other_program.commit()
    for _ in range(2):
        async with store.unit_of_work() as uow:
            with pytest.raises(MissingReferenceError, match="write the transcript first"):
                await uow.translations.add(session_id, receipt.transcript_id, translation())


async def test_units_that_hold_every_connection_never_wait_for_one_that_has_none(
    database_url: str,
) -> None:
    async with Store.open(database_url, min_connections=1, max_connections=2, connection_timeout=60) as store:
        async with store.unit_of_work() as uow:
            session = await uow.sessions.create(bot_id="b", meeting_id="m")
        shared = await store.record_segment(session.id, transcript=transcript())
        store.cache.drop((session.id, shared.transcript_id))
        go_on = asyncio.Event()

        async def translate(language: str, *, holding: bool) -> None:
            async with store.unit_of_work() as uow:
                if holding:
                    await uow.transcripts.add(session.id, transcript())
                    await go_on.wait()
                late = translation(target_language=language)
                await uow.translations.add(session.id, shared.transcript_id, late)

        async with asyncio.timeout(30), asyncio.TaskGroup() as tasks:
            for language in ("es", "ja"):
                tasks.create_task(translate(language, holding=True))
            await until(lambda: store.statistics().pool.in_use == 2)
            # This one wants to read the transcript, and has to wait for a connection.
            tasks.create_task(translate("ar", holding=False))
            await until(lambda: store.statistics().pool.waiting == 1)
            go_on.set()
        assert len(await store.timeline(session.id, kinds=["translation"])) == 3


async def test_a_deleted_transcript_is_not_revived_by_the_cache(store: Store, session_id: UUID) -> None:
    receipt = await store.record_segment(session_id, transcript=transcript(), translations=[translation()])
    async with store.unit_of_work() as uow:
        await uow.transcripts.delete(session_id, receipt.transcript_id)
        with pytest.raises(MissingReferenceError):
            await uow.translations.add(session_id, receipt.transcript_id, translation())
    assert store.statistics().cache.size == 0
    assert len(await store.timeline(session_id)) == 0


async def test_a_cancelled_waiter_for_a_connection_gives_its_slot_back(
    store: Store, session_id: UUID
) -> None:
    async with asyncio.TaskGroup() as tasks:
        release = asyncio.Event()

        async def hold() -> None:
            async with store.read() as reader:
                await reader.sessions.get(session_id)
                await release.wait()

        for _ in range(8):
            tasks.create_task(hold())
        await until(lambda: store.statistics().pool.in_use == 8)
        waiting = asyncio.create_task(store.record_segment(session_id, transcript=transcript()))
        await until(lambda: store.statistics().pool.waiting == 1)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            async with asyncio.timeout(20):
                await waiting
        assert store.statistics().gate.in_flight == 0
        release.set()
    assert store.statistics().gate.in_flight == 0
    # The group that waited for a connection gives it back as soon as it gets it.
    await until(lambda: store.statistics().pool.in_use == 0)
    assert store.statistics().pool.waiting == 0


def end_connections(program: Program) -> None:
    program.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    program.rollback()


@pytest.mark.parametrize("when", ["within", "at the commit"])
async def test_a_function_is_run_again_in_another_unit_when_its_connection_breaks(
    store: Store, session_id: UUID, other_program: Program, audio_folder: Path, when: str
) -> None:
    units: list[UnitOfWork] = []
    before = store.statistics().gate.completed

    async def function(uow: UnitOfWork) -> str:
        units.append(uow)
        recorded = await uow.audio_files.add(session_id, audio())
        spoken = transcript(segment_key="seg-1", audio_file_id=recorded.audio_file_id)
        await uow.transcripts.add(session_id, spoken)
        if len(units) == 1:
            end_connections(other_program)
        if when == "within":
            await uow.transcripts.list_for_session(session_id)
        return "done"

    assert await store.run_in_unit_of_work(function) == "done"
    assert len(set(units)) == 2
    assert counts(other_program) == NOTHING | {"audio_files": 1, "transcripts": 1}
    # What was surely undone took its object along; the other is left to the sweep: a row might have had it.
    lost = 0 if when == "within" else 1
    assert len(objects(audio_folder)) == 1 + lost
    assert (await store.sweep_audio(older_than=timedelta())).orphans_removed == lost
    now = store.statistics()
    assert (now.gate.completed, now.gate.failed) == (before + 1, 0)
    assert (now.retries.repeated, now.retries.recovered) == (1, 1)


async def test_a_function_is_run_again_after_a_conflict_and_never_after_an_error_of_its_own(
    store: Store, session_id: UUID, other_program: Program
) -> None:
    calls = 0

    async def conflicts(uow: UnitOfWork) -> int:
        nonlocal calls
        calls += 1
        await uow.transcripts.add(session_id, transcript())
        if calls < 3:
            raise ConflictError
        return calls

    assert await store.run_in_unit_of_work(conflicts) == 3
    assert counts(other_program)["transcripts"] == 1

    async def fails(uow: UnitOfWork) -> None:
        nonlocal calls
        calls += 1
        await uow.transcripts.add(new_id(), transcript())

    with pytest.raises(MissingReferenceError):
        await store.run_in_unit_of_work(fails)
    assert calls == 4
    assert store.statistics().gate.in_flight == store.statistics().pool.in_use == 0
