"""Translations that arrive after their transcripts: in groups, each by itself, under the same rules."""

import asyncio
from typing import Any

import pytest
from helpers.stored import Program
from helpers.support import counts, transcript, translation

from livetranslate_store import InvalidInputError, MissingReferenceError, Outcome, Store, TranslationReceipt
from livetranslate_store.ids import new_id


async def test_a_late_translation_takes_what_it_lacks_from_the_stored_transcript(
    store: Store, session_id: Any
) -> None:
    segment = await store.record_segment(session_id, transcript=transcript(revision=7, start_time=3.0))
    receipt = await store.add_translation(session_id, segment.transcript_id, translation())
    assert receipt == TranslationReceipt(
        session_id,
        segment.transcript_id,
        "es",
        Outcome.INSERTED,
        transcript_revision=7,
        position=receipt.position,
    )
    spoken, translated = await store.timeline(session_id)
    assert (translated.source_language, translated.timestamp) == ("en", spoken.timestamp)


@pytest.mark.parametrize(
    ("texts", "outcome", "stored"),
    [
        (["Hola.", "Hola."], Outcome.UNCHANGED, "Hola."),
        (["Hola.", "Buenas."], Outcome.UPDATED, "Buenas."),
    ],
)
async def test_a_second_translation_is_judged_by_the_rules(
    store: Store, session_id: Any, texts: list[str], outcome: Outcome, stored: str
) -> None:
    segment = await store.record_segment(session_id, transcript=transcript())
    receipts = [
        await store.add_translation(session_id, segment.transcript_id, translation(text)) for text in texts
    ]
    assert receipts[-1].outcome is outcome
    assert [entry.text for entry in await store.timeline(session_id, languages=["es"])] == [stored]


async def test_one_made_from_an_older_revision_is_stale(store: Store, session_id: Any) -> None:
    segment = await store.record_segment(
        session_id, transcript=transcript(revision=5), translations=[translation("nuevo")]
    )
    older = translation("viejo", transcript_revision=3)
    receipt = await store.add_translation(session_id, segment.transcript_id, older)
    assert (receipt.outcome, receipt.transcript_revision) == (Outcome.STALE, 5)
    assert [entry.text for entry in await store.timeline(session_id, languages=["es"])] == ["nuevo"]


async def test_those_that_arrive_together_are_answered_each_for_itself(
    store: Store, session_id: Any, other_program: Program
) -> None:
    segment = await store.record_segment(
        session_id, transcript=transcript(), translations=[translation("gleich", "de")]
    )
    nobody = new_id()

    async def add(text: str, language: str, transcript_id: Any = segment.transcript_id) -> TranslationReceipt:
        return await store.add_translation(session_id, transcript_id, translation(text, language))

    results = await asyncio.gather(
        add("gleich", "de"),
        add("nuevo", "es"),
        add("nobody's", "fr", nobody),
        add("anders", "de"),
        *(add(f"{number}", f"en-x-n{number}") for number in range(60)),
        return_exceptions=True,
    )
    assert isinstance(results[2], MissingReferenceError)
    assert str(nobody) in str(results[2])
    outcomes = [each.outcome for each in results if isinstance(each, TranslationReceipt)]
    assert outcomes == [Outcome.UNCHANGED, Outcome.INSERTED, Outcome.UPDATED, *[Outcome.INSERTED] * 60]
    assert counts(other_program)["translations"] == 62
    # Together: far fewer transactions than translations.
    row = other_program.execute(
        "SELECT count(DISTINCT created_at) FROM livetranslate.translations"
    ).fetchone()
    assert row is not None
    assert row[0] <= 6


async def test_closing_the_store_writes_what_was_accepted(database_url: str, other_program: Program) -> None:
    async with Store.open(database_url) as store:
        async with store.unit_of_work() as uow:
            session = await uow.sessions.create(bot_id="b", meeting_id="m")
        segment = await store.record_segment(session.id, transcript=transcript())
        late = [
            asyncio.create_task(
                store.add_translation(session.id, segment.transcript_id, translation("x", f"en-x-n{number}"))
            )
            for number in range(40)
        ]
        await asyncio.sleep(0)
    assert {(await each).outcome for each in late} == {Outcome.INSERTED}
    assert counts(other_program)["translations"] == 40


async def test_a_unit_adds_all_translations_of_a_transcript_at_once(store: Store, session_id: Any) -> None:
    async with store.unit_of_work() as uow:
        spoken = await uow.transcripts.add(session_id, transcript(revision=3))
        await uow.translations.add(session_id, spoken.transcript_id, translation("gleich", "de"))
        added = [translation("gleich", "de"), translation("nuevo", "es"), translation("新しい", "ja")]
        receipts = await uow.translations.add_many(session_id, spoken.transcript_id, added)
        assert await uow.translations.add_many(session_id, spoken.transcript_id, []) == []
    assert [(each.target_language, each.outcome) for each in receipts] == [
        ("de", Outcome.UNCHANGED),
        ("es", Outcome.INSERTED),
        ("ja", Outcome.INSERTED),
    ]
    assert {each.transcript_revision for each in receipts} == {3}
    assert len(await store.timeline(session_id)) == 4


async def test_two_translations_into_one_language_at_once_are_refused(store: Store, session_id: Any) -> None:
    segment = await store.record_segment(session_id, transcript=transcript())
    async with store.unit_of_work() as uow:
        with pytest.raises(InvalidInputError, match="one translation for each target_language"):
            await uow.translations.add_many(
                session_id, segment.transcript_id, [translation("a"), translation("b")]
            )
    assert len(await store.timeline(session_id)) == 1
