"""New segments that are written together are copied; stored ones are merged, without a collision."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from uuid import UUID

import pytest
from helpers.support import audio, transcript, translation
from sqlalchemy import Table

from livetranslate_store import Outcome, SegmentReceipt, Store
from livetranslate_store.audio.storage import StagedAudio
from livetranslate_store.writing import stepwise
from livetranslate_store.writing.binding import RowsByTable
from livetranslate_store.writing.connection import RunningTransaction


async def write(store: Store, session_id: UUID, keys: Sequence[str]) -> list[SegmentReceipt]:
    return await asyncio.gather(
        *(
            store.record_segment(
                session_id,
                transcript=transcript(f"Text {key}.", segment_key=key, speaker_label="SPEAKER_00"),
                translations=[translation(f"Texto {key}.")],
                audio=audio(key.encode()),
            )
            for key in keys
        )
    )


def calls(store: Store) -> dict[str, int]:
    return {name: each.calls for name, each in store.statistics().statements.items()}


@pytest.fixture(autouse=True)
def arrive_together(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """The store's three writes go on at once when all of their objects are stored."""
    put, all_stored = store._storage.put, asyncio.Barrier(3)

    async def put_and_wait(staged: StagedAudio) -> None:
        await put(staged)
        await all_stored.wait()

    monkeypatch.setattr(store._storage, "put", put_and_wait)


@pytest.fixture
async def another(database_url: str, audio_folder: Path) -> AsyncIterator[Store]:
    async with Store.open(database_url, audio_url=f"file:{audio_folder}", min_connections=1) as store:
        yield store


async def test_new_segments_are_copied(store: Store, session_id: UUID) -> None:
    receipts = await write(store, session_id, "abc")
    assert [(each.outcome, each.revision) for each in receipts] == [(Outcome.INSERTED, 0)] * 3
    assert {each.transcript.position for each in receipts} == {receipts[0].transcript.position}
    made = calls(store)
    steps = ("segments.look", "audio_files.copy", "transcripts.copy", "translations.copy")
    assert {name: made[name] for name in steps} == dict.fromkeys(steps, 1)
    entries = await store.timeline(session_id, min_position=receipts[0].transcript.position)
    assert sorted(each.text for each in entries) == [
        *(f"Text {x}." for x in "abc"),
        *(f"Texto {x}." for x in "abc"),
    ]


async def test_a_group_with_a_stored_segment_is_merged_without_a_collision(
    store: Store, another: Store, session_id: UUID
) -> None:
    await write(another, session_id, "b")
    receipts = await write(store, session_id, "abc")
    assert [each.outcome for each in receipts] == [Outcome.INSERTED, Outcome.UNCHANGED, Outcome.INSERTED]
    assert "transcripts.copy" not in calls(store)
    assert {each.failures for each in store.statistics().statements.values()} == {0}


async def test_a_group_that_another_store_overtakes_is_merged(
    store: Store, another: Store, session_id: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = stepwise._copy

    async def overtaken(table: Table, rows: RowsByTable, transaction: RunningTransaction) -> None:
        # Between the look and the first copy.
        monkeypatch.setattr(stepwise, "_copy", copy)
        await write(another, session_id, "b")
        await copy(table, rows, transaction)

    monkeypatch.setattr(stepwise, "_copy", overtaken)
    receipts = await write(store, session_id, "abc")
    assert [each.outcome for each in receipts] == [Outcome.INSERTED, Outcome.UNCHANGED, Outcome.INSERTED]
    entries = await store.timeline(session_id, kinds=["transcript"])
    assert sorted(each.text for each in entries) == [f"Text {key}." for key in "abc"]
