"""Bulk import: whatever arrives, it ends as the same segments recorded one by one."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from helpers.stored import Program
from helpers.support import audio, transcript, translation
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from livetranslate_store import (
    SegmentInput,
    Store,
    StoreError,
)
from livetranslate_store.ids import new_id
from livetranslate_store.writing.bulk import batch as bulk_batch

pytestmark = pytest.mark.slow


ALIKE = [
    """
    SELECT segment_key, text, is_final, revision, speaker_label, audio_file_id IS NULL
    FROM livetranslate.transcripts WHERE session_id = %s ORDER BY segment_key
    """,
    """
    SELECT t.segment_key, x.text, x.target_language, x.transcript_revision, x.source_language
    FROM livetranslate.translations x JOIN livetranslate.transcripts t
    ON t.session_id = x.session_id AND t.id = x.transcript_id
    WHERE x.session_id = %s ORDER BY 1, 3
    """,
    """
    SELECT label, name, identification_method FROM livetranslate.speakers WHERE session_id = %s ORDER BY label
    """,
    "SELECT sha256 FROM livetranslate.audio_files WHERE session_id = %s ORDER BY sha256",
]


def content(program: Program, session_id: UUID) -> list[Any]:
    """Return what a session holds, without what differs between two that were written alike."""
    found = [program.execute(query, (session_id,)).fetchall() for query in ALIKE]
    program.rollback()
    return found


arrivals = st.lists(
    st.fixed_dictionaries(
        {
            "key": st.sampled_from("abc"),
            "text": st.sampled_from(["Good", "Good mor", "Good morning."]),
            "is_final": st.booleans(),
            "revision": st.one_of(st.none(), st.integers(1, 4)),
            "speaker_name": st.sampled_from([None, "Ada", "Bob"]),
            "audio": st.sampled_from([None, b"1", b"2"]),
            "translated": st.sampled_from([None, "Buenos", "Buenos días."]),
            "made_from": st.sampled_from([None, 0, 2]),
            "is_bad": st.sampled_from([False] * 9 + [True]),
        }
    ),
    min_size=1,
    max_size=10,
)


def as_inputs(session_id: UUID, arrived: Sequence[dict[str, Any]]) -> list[SegmentInput]:
    return [
        SegmentInput(
            session_id=session_id,
            transcript=transcript(
                each["text"],
                segment_key=each["key"],
                is_final=each["is_final"],
                revision=each["revision"],
                speaker_label="SPEAKER_00",
                speaker_name=each["speaker_name"],
                audio_file_id=new_id() if each["is_bad"] else None,
            ),
            translations=[translation(each["translated"], transcript_revision=each["made_from"])]
            if each["translated"]
            else [],
            audio=audio(each["audio"]) if each["audio"] and not each["is_bad"] else None,
        )
        for each in arrived
    ]


async def record_each(store: Store, source: Sequence[SegmentInput]) -> tuple[list[int], int]:
    """Record segments one after the other; return how often each outcome came, and how many were refused."""
    outcomes = {"inserted": 0, "updated": 0, "unchanged": 0, "stale": 0}
    refused = 0
    for each in source:
        try:
            receipt = await store.record_segment(
                each.session_id, transcript=each.transcript, translations=each.translations, audio=each.audio
            )
        except StoreError:
            refused += 1
        else:
            outcomes[receipt.outcome] += 1
    return list(outcomes.values()), refused


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.tuples(arrivals, arrivals), st.integers(1, 12))
def test_an_import_ends_as_the_same_segments_recorded_one_by_one(
    database_url: str,
    audio_folder: Path,
    other_program: Program,
    both: tuple[list[dict[str, Any]], list[dict[str, Any]]],
    size: int,
) -> None:
    stored, arrived = both

    async def example() -> None:
        async with Store.open(
            database_url, audio_url=f"file:{audio_folder}", min_connections=1, max_connections=2
        ) as store:
            async with store.unit_of_work() as uow:
                one = (await uow.sessions.create(bot_id="b", meeting_id="m")).id
                other = (await uow.sessions.create(bot_id="b", meeting_id="m")).id
            # What is there already was recorded one by one on both sides.
            await record_each(store, as_inputs(one, stored))
            await record_each(store, as_inputs(other, stored))
            outcomes, refused = await record_each(store, as_inputs(one, arrived))
            report = await store.import_segments(as_inputs(other, arrived))
            assert content(other_program, other) == content(other_program, one)
            assert report.refused == refused
            told = report.transcripts
            assert outcomes == [told.inserted, told.updated, told.unchanged, told.stale]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bulk_batch, "BATCH_SEGMENTS", size)
        asyncio.run(example())
