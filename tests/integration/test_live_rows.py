"""What a live meeting costs the server: interim revisions touch no index, and rows hold what they need."""

import asyncio
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import pytest
from helpers.stored import Program
from helpers.support import explained, sql, transcript, translation

from livetranslate_store import SegmentInput, Store
from livetranslate_store.ids import new_id
from livetranslate_store.writing.binding import bound
from livetranslate_store.writing.segments import checked_segment, segment_rows
from livetranslate_store.writing.statements import merge_segments


def rows(program: Program, query: str) -> list[tuple[Any, ...]]:
    found = program.execute(query).fetchall()
    program.rollback()
    return found


DRAFTS = "SELECT text, draft FROM livetranslate.transcripts ORDER BY segment_key"


async def test_interim_revisions_are_hot_updates(database_url: str) -> None:
    async with Store.open(database_url, min_connections=1, max_connections=1) as store:
        async with store.unit_of_work() as uow:
            session = await uow.sessions.create(bot_id="b", meeting_id="m")
        for number in range(10):
            await store.record_segment(
                session.id,
                transcript=transcript(
                    "word " * (number + 1), segment_key="a", start_time=0.0, end_time=number + 1.0
                ),
            )
        await store._database.fetch(sql("SELECT pg_stat_force_next_flush()"))
        [updates] = await store._database.fetch(
            sql("SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_user_tables WHERE relname = 'transcripts'")
        )
    assert tuple(updates) == (9, 9)


def test_what_a_revision_changes_comes_last_in_a_row(other_program: Program) -> None:
    columns = rows(
        other_program,
        "SELECT attname FROM pg_attribute WHERE attrelid = 'livetranslate.transcripts'::regclass"
        # Without those of edits, which are NULL: they take no bytes.
        " AND attnum > 0 AND attname NOT LIKE 'edited%' ORDER BY attnum DESC LIMIT 7",
    )
    changed = {"confidence", "revision", "end_time", "updated_at", "is_final", "text", "draft"}
    assert {name for (name,) in columns} == changed


async def test_the_usual_values_take_no_room_and_come_back(
    store: Store, session_id: UUID, other_program: Program
) -> None:
    await store.record_segment(session_id, transcript=transcript(), translations=[translation()])
    stored = rows(
        other_program,
        "SELECT t.source, t.metadata, t.updated_at, x.service, x.metadata, x.updated_at"
        " FROM livetranslate.transcripts AS t, livetranslate.translations AS x",
    )
    assert stored == [(None,) * 6]
    spoken, translated = await store.timeline(session_id)
    assert (spoken.source, spoken.metadata) == ("transcriber", {})
    assert (translated.source, translated.metadata) == ("translator", {})
    async with store.read() as reader:
        [row] = await reader.transcripts.list_for_session(session_id)
        [its] = await reader.translations.list_for_session(session_id)
    assert (row.text, row.source, row.metadata_, row.updated_at) == ("Good morning.", "transcriber", {}, None)
    assert (its.service, its.metadata_, its.updated_at) == ("translator", {}, None)


@pytest.mark.parametrize("status", ["ended", "error"])
async def test_the_end_of_a_session_turns_its_drafts_into_texts(
    store: Store, session_id: UUID, other_program: Program, status: str
) -> None:
    await store.record_segment(session_id, transcript=transcript("settled", segment_key="a"))
    await store.record_segment(session_id, transcript=transcript("final", segment_key="b", is_final=True))
    assert rows(other_program, DRAFTS) == [(None, "settled"), ("final", None)]
    assert len(await store.search("settled")) == 1
    async with store.unit_of_work() as uow:
        await uow.sessions.update(session_id, status=status)
    assert rows(other_program, DRAFTS) == [("settled", None), ("final", None)]
    assert len(await store.search("settled")) == 1


async def test_a_revision_after_the_end_is_taken_and_found(
    store: Store, session_id: UUID, other_program: Program
) -> None:
    first = transcript("before", segment_key="a")
    await store.record_segment(session_id, transcript=first)
    async with store.unit_of_work() as uow:
        await uow.sessions.end(session_id)
    assert (await store.record_segment(session_id, transcript=first)).outcome == "unchanged"
    late = await store.record_segment(session_id, transcript=transcript("afterwards", segment_key="a"))
    assert late.outcome == "updated"
    assert rows(other_program, DRAFTS) == [(None, "afterwards")]
    assert len(await store.search("afterwards")) == 1
    assert len(await store.search("before")) == 0


async def test_an_import_into_a_session_that_is_over_leaves_no_draft(
    store: Store, session_id: UUID, other_program: Program
) -> None:
    segments = [SegmentInput(session_id=session_id, transcript=transcript("said", segment_key="a"))]
    await store.import_segments(segments)
    assert rows(other_program, DRAFTS) == [(None, "said")]
    async with store.unit_of_work() as uow:
        await uow.sessions.end(session_id)
    await store.import_segments(
        [SegmentInput(session_id=session_id, transcript=transcript("said later", segment_key="b"))]
    )
    assert rows(other_program, DRAFTS) == [("said", None), ("said later", None)]


async def test_a_revision_of_a_known_segment_is_one_statement(store: Store, session_id: UUID) -> None:
    await record(store, session_id, ["a"])
    assert await statements(store, record(store, session_id, ["a"])) == {"segments.revise": 1}


async def test_a_revision_that_brings_or_names_a_speaker_is_merged_once(
    store: Store, session_id: UUID
) -> None:
    async def revise(text: str, **speaker: str) -> dict[str, int]:
        spoken = transcript(text, segment_key="a", **speaker)
        return await statements(store, store.record_segment(session_id, transcript=spoken))

    both = {"segments.revise": 1, "segments.merge": 1}
    await revise("one")
    assert await revise("two", speaker_label="S") == both
    assert await revise("three", speaker_label="S") == {"segments.revise": 1}
    assert await revise("four", speaker_label="S", speaker_name="Ada") == both
    assert await revise("five", speaker_label="S", speaker_name="Grace") == {"segments.revise": 1}
    (entry,) = await store.timeline(session_id)
    assert (entry.text, entry.revision, entry.speaker_name) == ("five", 4, "Ada")


async def test_a_group_of_new_and_known_segments_is_one_statement(store: Store, session_id: UUID) -> None:
    await record(store, session_id, ["a", "b"])
    counted = await statements(store, record(store, session_id, ["a", "b", "c", "d"]))
    assert counted == {"segments.merge": 1}
    spoken = await store.timeline(session_id)
    assert sorted(each.revision for each in spoken) == [0, 0, 1, 1]


async def test_translations_of_one_transcript_that_arrive_together_share_a_statement(
    store: Store, session_id: UUID
) -> None:
    segment = await store.record_segment(session_id, transcript=transcript())
    late = [
        store.add_translation(session_id, segment.transcript_id, translation("x", language))
        for language in ("es", "ja", "de")
    ]
    assert await statements(store, asyncio.gather(*late)) == {"translations.insert": 1}


async def test_a_merge_looks_rows_up_by_their_key_although_the_plan_was_made_for_an_empty_table(
    store: Store, session_id: UUID, other_program: Program
) -> None:
    other_program.execute("ALTER TABLE livetranslate.transcripts SET (autovacuum_enabled = false)")
    other_program.commit()
    segments = [
        checked_segment(session_id, transcript("x", segment_key=f"{number}"), [], None)
        for number in range(25)
    ]
    merge = bound(merge_segments, segment_rows(segments, [], are_new=False))
    plan = "\n".join(row[0] for row in await store._database.fetch(explained(merge)))
    assert "Seq Scan on transcripts" not in plan, plan
    # It would find the session, and then read more and more of it.
    assert "using ix_transcripts_timeline" not in plan, plan


async def record(store: Store, session_id: UUID, keys: Sequence[str]) -> None:
    """Record a new version of each segment, all at once."""
    await asyncio.gather(
        *(
            store.record_segment(session_id, transcript=transcript(f"{new_id()}", segment_key=key))
            for key in keys
        )
    )


async def statements(store: Store, work: Any) -> dict[str, int]:
    """Return how many statements of each name the work ran."""
    before = {name: each.calls for name, each in store.statistics().statements.items()}
    await work
    after = {name: each.calls for name, each in store.statistics().statements.items()}
    return {name: after[name] - before.get(name, 0) for name in after if after[name] != before.get(name)}
