"""Group commit: what arrives meanwhile goes together, and everybody is answered for its own segment."""

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from helpers.stored import Program, objects
from helpers.support import (
    audio,
    counts,
    end_waiting_connections,
    is_on_a_cluster,
    transcript,
    translation,
    until,
)

from livetranslate_store import (
    MissingReferenceError,
    Outcome,
    OutcomeUnknownError,
    SegmentReceipt,
    Store,
    StoreUnavailableError,
)
from livetranslate_store.ids import new_id


def commits(program: Program) -> int:
    """Return how many transactions have written transcripts."""
    row = program.execute("SELECT count(DISTINCT created_at) FROM livetranslate.transcripts").fetchone()
    program.rollback()
    assert row is not None
    return int(row[0])


async def record(store: Store, session_id: UUID, text: str, **fields: Any) -> SegmentReceipt:
    return await store.record_segment(
        session_id, transcript=transcript(text, **fields), translations=[translation(text)]
    )


async def test_segments_that_arrive_together_are_written_together(
    store: Store, session_id: UUID, other_program: Program
) -> None:
    receipts = await asyncio.gather(*(record(store, session_id, f"{n}") for n in range(50)))
    assert {receipt.outcome for receipt in receipts} == {Outcome.INSERTED}
    assert counts(other_program)["translations"] == 50
    assert commits(other_program) <= 4
    # Everybody has the receipt of its own segment.
    stored = {entry.text: entry.transcript_id for entry in await store.timeline(session_id)}
    assert [receipt.transcript_id for receipt in receipts] == [stored[f"{n}"] for n in range(50)]


async def test_a_lone_writer_waits_for_nobody(store: Store, session_id: UUID, other_program: Program) -> None:
    for n in range(5):
        await record(store, session_id, f"{n}")
        assert counts(other_program)["transcripts"] == n + 1


async def test_one_bad_segment_fails_alone_with_its_own_error(
    store: Store, session_id: UUID, other_program: Program
) -> None:
    nobody = new_id()
    results = await asyncio.gather(
        *(record(store, nobody if n % 10 == 3 else session_id, f"{n}") for n in range(40)),
        return_exceptions=True,
    )
    for n, result in enumerate(results):
        if n % 10 == 3:
            assert isinstance(result, MissingReferenceError)
            assert "no session" in str(result)
        else:
            assert isinstance(result, SegmentReceipt)
    assert counts(other_program)["transcripts"] == 36
    gate = store.statistics().gate
    assert (gate.failed, gate.in_flight) == (4, 0)


async def test_revisions_that_arrive_together_keep_their_order(store: Store, session_id: UUID) -> None:
    texts = ["Good", "Good mor", "Good", "Good morning."]
    receipts = await asyncio.gather(
        *(
            store.record_segment(
                session_id,
                transcript=transcript(text, segment_key=f"seg-{key}", is_final=text.endswith(".")),
            )
            for text in texts
            for key in range(10)
        )
    )
    for key in range(10):
        mine = [(receipt.outcome, receipt.revision) for receipt in receipts[key::10]]
        assert mine == [
            (Outcome.INSERTED, 0),
            (Outcome.UPDATED, 1),
            (Outcome.UPDATED, 2),
            (Outcome.UPDATED, 3),
        ]
    assert {entry.text for entry in await store.timeline(session_id)} == {"Good morning."}


async def test_the_same_audio_in_two_segments_is_stored_once(store: Store, session_id: UUID) -> None:
    receipts = await asyncio.gather(
        *(store.record_segment(session_id, transcript=transcript(f"{n}"), audio=audio()) for n in range(6))
    )
    outcomes = sorted(receipt.audio.outcome for receipt in receipts if receipt.audio)
    assert outcomes == [Outcome.INSERTED] + [Outcome.UNCHANGED] * 5
    (audio_file_id,) = {receipt.audio_file_id for receipt in receipts}
    assert audio_file_id is not None
    assert await store.read_audio(session_id, audio_file_id) == b"RIFF"


async def test_a_cancelled_caller_cancels_nobody_else(
    store: Store, session_id: UUID, other_program: Program
) -> None:
    for turns in range(6):
        before = counts(other_program)["transcripts"]
        tasks = [asyncio.create_task(record(store, session_id, f"{turns} {n}")) for n in range(30)]
        for _ in range(turns):
            await asyncio.sleep(0)
        for task in tasks[::3]:
            task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        kept = [result for result in results if isinstance(result, SegmentReceipt)]
        assert len(kept) >= 20
        # A cancelled one was written or not, and every other one was.
        assert len(kept) <= counts(other_program)["transcripts"] - before <= 30
    assert store.statistics().gate.in_flight == store.statistics().pool.in_use == 0


async def test_closing_the_store_writes_what_it_accepted(database_url: str, other_program: Program) -> None:
    async with Store.open(database_url, min_connections=1) as store:
        async with store.unit_of_work() as uow:
            session = await uow.sessions.create(bot_id="b", meeting_id="m")
        tasks = [asyncio.create_task(record(store, session.id, f"{n}")) for n in range(40)]
        await until(lambda: store.statistics().gate.in_flight == 40)
    await asyncio.gather(*tasks)
    assert counts(other_program)["transcripts"] == 40


async def test_when_the_database_goes_everybody_in_the_group_hears_of_it(
    database_url: str, other_program: Program
) -> None:
    async with Store.open(database_url, min_connections=1, retry_timeout=0) as store:
        async with store.unit_of_work() as uow:
            session = await uow.sessions.create(bot_id="b", meeting_id="m")
        # Nobody can write while this lock is held, so that all of them are under way.
        other_program.execute("LOCK TABLE livetranslate.transcripts IN EXCLUSIVE MODE")
        tasks = [asyncio.create_task(record(store, session.id, f"{n}")) for n in range(10)]

        def all_have_heard() -> bool:
            end_waiting_connections(other_program)
            return all(task.done() for task in tasks)

        await until(all_have_heard, pause=0.05)
        results = await asyncio.gather(*tasks, return_exceptions=True)
        # A cluster's write is a transaction of several statements: before its commit the outcome is known.
        before_commit = {StoreUnavailableError} if is_on_a_cluster(other_program) else set()
        assert {type(result) for result in results} <= {OutcomeUnknownError} | before_commit
        assert len({id(result) for result in results}) == 10
        other_program.rollback()
        assert (await record(store, session.id, "again")).outcome is Outcome.INSERTED
        assert store.statistics().gate.in_flight == store.statistics().pool.in_use == 0


async def test_a_group_whose_connection_broke_goes_again_as_one_and_in_order(
    store: Store, session_id: UUID, other_program: Program
) -> None:
    other_program.execute("LOCK TABLE livetranslate.transcripts IN EXCLUSIVE MODE")
    texts = ["Good", "Good mor", "Good", "Good morning."]
    tasks = [
        asyncio.create_task(
            store.record_segment(session_id, transcript=transcript(text, segment_key=f"seg-{key}"))
        )
        for text in texts
        for key in range(10)
    ]

    def goes_again() -> bool:
        if store.statistics().retries.repeated == 0:
            # The first statement of a transaction, as on a cluster, has another connection to go to.
            end_waiting_connections(other_program)
        return store.statistics().retries.repeated == 1

    await until(goes_again)
    other_program.rollback()
    receipts = await asyncio.gather(*tasks)
    assert [receipt.revision for receipt in receipts] == [n for n in range(4) for _ in range(10)]
    assert {entry.text for entry in await store.timeline(session_id)} == {"Good morning."}
    now = store.statistics()
    assert (now.retries.repeated, now.retries.recovered, now.retries.exhausted) == (1, 1, 0)
    assert now.gate.in_flight == now.pool.in_use == 0


async def test_an_object_stays_where_an_answer_was_lost_and_the_caller_left(
    store: Store, session_id: UUID, other_program: Program, audio_folder: Path
) -> None:
    other_program.execute("LOCK TABLE livetranslate.transcripts IN EXCLUSIVE MODE")
    task = asyncio.create_task(
        store.record_segment(session_id, transcript=transcript(), audio=audio(b"lost"))
    )
    await until(lambda: end_waiting_connections(other_program))
    await until(lambda: store.statistics().retries.repeated == 1)
    task.cancel()
    await asyncio.wait([task])
    # Nobody knows here whether a row refers to it; the sweep does.
    assert [(audio_folder / key).read_bytes() for key in objects(audio_folder)] == [b"lost"]
    other_program.rollback()
    assert (await store.sweep_audio(older_than=timedelta())).orphans_removed == 1
