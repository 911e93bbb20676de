"""A lost race: another transaction stores a row between a merge's look at it and its write.

Another connection writes a higher revision and holds the row. Our merge has judged the stored version by then
and waits for the row; after the commit it finds a version that refuses its own.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import pytest
from helpers.stored import Program
from helpers.support import counts, transcript, translation, until, until_blocked
from helpers.write_paths import Write, alone, every_way, in_a_unit
from psycopg.pq import TransactionStatus

from livetranslate_store import ConflictError, Outcome, Store
from livetranslate_store.database.statement import BoundStatement, Statement
from livetranslate_store.writing import chained, protocol, stepwise
from livetranslate_store.writing.binding import RowsByTable, StatementFactory, bound
from livetranslate_store.writing.statements import TRANSLATION_WRITE
from livetranslate_store.writing.step_statements import revise_late_translations

_NEWER = {
    "transcripts": "UPDATE livetranslate.transcripts SET draft = 'Theirs.', revision = 9"
    " WHERE segment_index = 7",
    "translations": "UPDATE livetranslate.translations SET text = 'Suyo.', transcript_revision = 9",
}


def spoken(text: str, revision: int) -> Any:
    return transcript(text, segment_key="seg-1", segment_index=7, revision=revision)


async def blocked(program: Program, table: str, write: Awaitable[Any]) -> "asyncio.Task[Any]":
    """Start the write while `program` holds the rows of `table` in a newer version, which it then commits."""
    program.execute(_NEWER[table])
    task = asyncio.ensure_future(write)
    await until_blocked(program)
    program.commit()
    return task


@every_way
async def test_a_revision_that_loses_its_race_is_judged_again(
    store: Store, session_id: UUID, other_program: Program, write: Write
) -> None:
    await write(store, session_id, spoken("First.", 1))
    task = await blocked(other_program, "transcripts", write(store, session_id, spoken("Ours.", 5)))
    written = await task
    assert (written.outcome, written.revision) == (Outcome.STALE, 9)
    assert store.statistics().retries.repeated == 0
    [entry] = [each for each in await store.timeline(session_id) if each.segment_index == 7]
    assert (entry.text, entry.revision) == ("Theirs.", 9)


@every_way
async def test_translations_of_a_lost_race_are_judged_by_the_version_that_won(
    store: Store, session_id: UUID, other_program: Program, write: Write
) -> None:
    await write(store, session_id, spoken("First.", 1))
    ours = write(store, session_id, spoken("Ours.", 5), [translation("Nuestro.")])
    task = await blocked(other_program, "transcripts", ours)
    await task
    # In a unit it is a write of its own, for the version that is stored by then.
    [entry] = await store.timeline(session_id, kinds=["translation"], languages=["es"])
    assert entry.text == "Nuestro."
    assert (entry.revision, entry.is_stale) in [(5, True), (9, False)]


async def late(store: Store, session_id: UUID, transcript_id: UUID, text: str) -> Any:
    return await store.add_translation(session_id, transcript_id, translation(text, transcript_revision=5))


async def late_in_a_unit(store: Store, session_id: UUID, transcript_id: UUID, text: str) -> Any:
    async with store.unit_of_work() as uow:
        return await uow.translations.add(session_id, transcript_id, translation(text, transcript_revision=5))


@pytest.mark.parametrize("add", [late, late_in_a_unit])
async def test_a_late_translation_that_loses_its_race_is_judged_again(
    store: Store,
    session_id: UUID,
    other_program: Program,
    monkeypatch: pytest.MonkeyPatch,
    add: Callable[..., Awaitable[Any]],
) -> None:
    receipt = await store.record_segment(
        session_id, transcript=spoken("First.", 1), translations=[translation("Primero.")]
    )
    # Its insert would wait for the row too, and would not be a race: they come in between.
    merges = iter([TRANSLATION_WRITE.merge])

    def overtaken(form: StatementFactory, rows: RowsByTable) -> BoundStatement:
        if form is TRANSLATION_WRITE.merge and next(merges, None) is not None:
            other_program.execute(_NEWER["translations"])
        return bound(form, rows)

    def overtaken_revision() -> Statement:
        if next(merges, None) is not None:
            other_program.execute(_NEWER["translations"])
        return revise_late_translations()

    monkeypatch.setattr(chained, "bound", overtaken)
    monkeypatch.setattr(stepwise, "revise_late_translations", overtaken_revision)
    task = asyncio.ensure_future(add(store, session_id, receipt.transcript_id, "Nuestro."))
    await until(lambda: other_program.info.transaction_status is TransactionStatus.INTRANS)
    await until_blocked(other_program)
    other_program.commit()
    assert ((await task).outcome, (await task).transcript_revision) == (Outcome.STALE, 9)
    [entry] = await store.timeline(session_id, kinds=["translation"])
    assert entry.text == "Suyo."


@pytest.mark.parametrize("write", [alone, in_a_unit])
async def test_a_race_that_is_lost_every_time_is_a_conflict_and_nothing_is_written(
    store: Store,
    session_id: UUID,
    other_program: Program,
    monkeypatch: pytest.MonkeyPatch,
    write: Write,
) -> None:
    await write(store, session_id, spoken("First.", 1))
    monkeypatch.setattr(protocol, "ATTEMPTS", 1)
    monkeypatch.setattr(store._database.retries, "_timeout", 0)
    before = counts(other_program)
    task = await blocked(
        other_program, "transcripts", write(store, session_id, spoken("Ours.", 5), [translation("Nuestro.")])
    )
    with pytest.raises(ConflictError):
        await task
    after = counts(other_program)
    assert after["translations"] == before["translations"]
    assert store.statistics().gate.in_flight == store.statistics().pool.in_use == 0
