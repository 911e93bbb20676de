"""Bulk import: a bad segment is refused alone, with its line and the reason."""

from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from helpers.imports import bare, many, segment
from helpers.stored import Program, objects
from helpers.support import counts, transcript, translation

from livetranslate_store import (
    ImportCounts,
    ImportProgress,
    Refusal,
    SegmentInput,
    Store,
    UsageError,
)
from livetranslate_store.database.transaction import Transaction
from livetranslate_store.ids import new_id


async def test_one_bad_segment_is_refused_alone_with_its_line(
    store: Store, session_id: UUID, other_program: Program, audio_folder: Path
) -> None:
    other_program.execute(
        "ALTER TABLE livetranslate.transcripts ADD CONSTRAINT polite"
        " CHECK (coalesce(text, draft) <> 'Forbidden')"
    )
    other_program.commit()
    source = many(session_id, 100)
    source[13] = segment(new_id(), "nobody")
    source[14] = segment(session_id, "rude", "Forbidden", line=4711)
    source[50] = bare(session_id, "no audio", audio_file_id=new_id())
    source[51] = segment(session_id, "twice", translations=[translation(), translation("Buenas.")])
    source[52] = SegmentInput(session_id=session_id, transcript=transcript("without a name"))
    report = await store.import_segments(source)
    assert report.refused == 5
    assert [refusal.line for refusal in report.refusals] == [14, 51, 52, 53, 4711]
    reasons = [
        "no audio file",
        "one translation for each",
        "without id or segment_key",
        "polite",
    ]
    assert "no session" in report.refusals[0].reason
    for refusal, part in zip(report.refusals[1:], reasons, strict=True):
        assert part in refusal.reason
    assert report.transcripts == ImportCounts(inserted=95)
    assert counts(other_program)["translations"] == 95
    assert len(objects(audio_folder)) == 95
    assert store.statistics().gate.in_flight == store.statistics().pool.in_use == 0


async def test_a_bad_one_does_not_spoil_the_revisions_around_it(store: Store, session_id: UUID) -> None:
    source = [
        bare(session_id, "a", "Good"),
        bare(session_id, "a", "Goods", audio_file_id=new_id()),
        bare(session_id, "a", "Good morning"),
    ]
    report = await store.import_segments(source)
    assert (report.refused, report.transcripts) == (1, ImportCounts(inserted=1, updated=1))
    (entry,) = await store.timeline(session_id)
    assert (entry.text, entry.revision) == ("Good morning", 1)


async def test_a_session_that_is_not_there_costs_no_search_for_each_of_its_segments(
    store: Store, session_id: UUID, transactions: list[Transaction]
) -> None:
    nobody = new_id()
    source = [bare(nobody if n % 2 else session_id, f"seg-{n}") for n in range(200)]
    transactions.clear()
    report = await store.import_segments(source)
    assert (report.refused, report.transcripts.inserted, len(transactions)) == (100, 100, 2)


async def test_what_a_parser_refused_is_in_the_report(store: Store, session_id: UUID) -> None:
    source: list[SegmentInput | Refusal] = [
        bare(session_id, "a"),
        Refusal(7, "This is no JSON."),
        bare(session_id, "b"),
    ]
    seen: list[ImportProgress] = []
    report = await store.import_segments(source, progress=seen.append)
    assert (report.refused, list(report.refusals)) == (1, [Refusal(7, "This is no JSON.")])
    assert report.transcripts.inserted == 2
    assert seen == [ImportProgress(3, 3)]


@pytest.mark.usefixtures("small_batches")
async def test_only_the_first_thousand_refusals_are_listed(store: Store) -> None:
    report = await store.import_segments(Refusal(n, "no") for n in range(1, 1206))
    assert (report.refused, len(report.refusals), report.refusals[-1].line) == (1205, 1000, 1000)


async def test_something_else_than_a_segment_is_a_mistake_of_the_program(store: Store) -> None:
    source: Any = ["text"]
    with pytest.raises(UsageError, match="not str"):
        await store.import_segments(source)
