"""Which version wins: the same rules on every way in, alone and under concurrency."""

import asyncio
from collections import Counter
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest
from helpers.support import audio, transcript, translation
from helpers.write_paths import Write, every_way, every_way_of_whole_segments

from livetranslate_store import Outcome, Store, TranscriptInput
from livetranslate_store.database.failures import translate
from livetranslate_store.models import Transcript, Translation


def version(text: str, **fields: Any) -> TranscriptInput:
    return transcript(text, segment_key="seg-1", **fields)


async def stored(store: Store, session_id: UUID) -> Transcript:
    async with store.read() as reader:
        (only,) = await reader.transcripts.list_for_session(session_id)
    return only


@every_way
async def test_a_first_version_is_inserted_and_a_different_one_updates_it(
    store: Store, session_id: UUID, write: Write
) -> None:
    first = await write(store, session_id, version("Good"))
    second = await write(store, session_id, version("Good morning"))
    assert (first.outcome, second.outcome) == (Outcome.INSERTED, Outcome.UPDATED)
    assert first.transcript_id == second.transcript_id
    assert second.revision > first.revision
    assert (await stored(store, session_id)).text == "Good morning"


@every_way
async def test_a_shorter_text_that_comes_later_wins_too(store: Store, session_id: UUID, write: Write) -> None:
    await write(store, session_id, version("Good morning every"))
    await write(store, session_id, version("Good morning"))
    assert (await stored(store, session_id)).text == "Good morning"


@every_way
async def test_the_same_again_changes_nothing(
    store: Store, session_id: UUID, write: Write, other_program: psycopg.Connection[Any]
) -> None:
    everything = version(
        "Good morning",
        start_time=0.25,
        end_time=1.5,
        confidence=0.5,
        speaker_label="SPEAKER_00",
        is_final=True,
        metadata={"nested": {"list": [1, 2.5, None, True, "x"]}},
    )
    first = await write(store, session_id, everything)
    query = "SELECT xmin, ctid, * FROM livetranslate.transcripts WHERE session_id = %s"
    before = other_program.execute(query, [session_id]).fetchall()
    other_program.rollback()
    again = await write(store, session_id, everything)
    assert again.outcome is Outcome.UNCHANGED
    assert again.revision == first.revision
    assert other_program.execute(query, [session_id]).fetchall() == before


@every_way
async def test_a_final_is_never_overwritten_by_an_interim(
    store: Store, session_id: UUID, write: Write
) -> None:
    await write(store, session_id, version("Good morning.", is_final=True))
    late = await write(store, session_id, version("Good mor"))
    numbered = await write(store, session_id, version("Good mor", revision=99))
    assert (late.outcome, numbered.outcome) == (Outcome.STALE, Outcome.STALE)
    assert (await stored(store, session_id)).text == "Good morning."


@every_way
async def test_a_final_replaces_an_interim_whatever_their_numbers(
    store: Store, session_id: UUID, write: Write
) -> None:
    await write(store, session_id, version("Good mor", revision=7))
    final = await write(store, session_id, version("Good morning.", revision=3, is_final=True))
    assert final.outcome is Outcome.UPDATED
    # The count goes on, so that what was made from the interim can tell.
    assert final.revision == 8
    assert (await stored(store, session_id)).is_final


@every_way
async def test_a_corrected_final_replaces_a_final(store: Store, session_id: UUID, write: Write) -> None:
    await write(store, session_id, version("Good mourning.", is_final=True))
    corrected = await write(store, session_id, version("Good morning.", is_final=True))
    assert corrected.outcome is Outcome.UPDATED
    assert (await stored(store, session_id)).text == "Good morning."


@every_way
async def test_among_numbered_revisions_the_highest_wins(
    store: Store, session_id: UUID, write: Write
) -> None:
    outcomes = [
        (await write(store, session_id, version(f"text {number}", revision=number))).outcome
        for number in (3, 1, 7, 7, 2)
    ]
    assert outcomes == [
        Outcome.INSERTED,
        Outcome.STALE,
        Outcome.UPDATED,
        Outcome.UNCHANGED,
        Outcome.STALE,
    ]
    assert (await stored(store, session_id)).revision == 7


@every_way
async def test_a_correction_without_a_number_survives_a_late_numbered_revision(
    store: Store, session_id: UUID, write: Write
) -> None:
    await write(store, session_id, version("Good mourning.", revision=7, is_final=True))
    await write(store, session_id, version("Good morning.", is_final=True))
    late = await write(store, session_id, version("Good mourning.", revision=7, is_final=True))
    assert late.outcome is Outcome.STALE
    assert (await stored(store, session_id)).text == "Good morning."


@every_way
async def test_a_revision_without_audio_keeps_the_audio_of_the_one_before(
    store: Store, session_id: UUID, write: Write
) -> None:
    await write(store, session_id, version("Good"), recorded=audio())
    first = await stored(store, session_id)
    assert first.audio_file_id is not None
    await write(store, session_id, version("Good morning."))
    assert (await stored(store, session_id)).audio_file_id == first.audio_file_id


@every_way
async def test_the_same_source_and_key_in_another_session_is_another_segment(
    store: Store, write: Write
) -> None:
    async with store.unit_of_work() as uow:
        ids = [(await uow.sessions.create(bot_id="b", meeting_id=name)).id for name in ("one", "two")]
    written = [await write(store, each, version("text")) for each in ids]
    written.append(await write(store, ids[0], version("text", source="another")))
    assert len({each.transcript_id for each in written}) == 3
    assert {each.outcome for each in written} == {Outcome.INSERTED}


async def test_without_a_key_every_write_is_a_new_segment(store: Store, session_id: UUID) -> None:
    for _ in range(2):
        receipt = await store.record_segment(session_id, transcript=transcript("Right."))
        assert receipt.outcome is Outcome.INSERTED
    assert len(await store.timeline(session_id)) == 2


@every_way
async def test_a_translation_goes_stale_when_its_transcript_moves_on(
    store: Store, session_id: UUID, write: Write
) -> None:
    await write(store, session_id, version("Good"), [translation("Bien")])
    assert [entry.is_stale for entry in await store.timeline(session_id)] == [False, False]
    await write(store, session_id, version("Good morning"))
    assert [entry.is_stale for entry in await store.timeline(session_id)] == [False, True]
    await write(store, session_id, version("Good morning"), [translation("Buenos días")])
    assert [entry.is_stale for entry in await store.timeline(session_id)] == [False, False]


async def only_translation(store: Store, session_id: UUID) -> Translation:
    async with store.read() as reader:
        (only,) = await reader.translations.list_for_session(session_id)
    return only


@every_way_of_whole_segments
@pytest.mark.parametrize("newest_first", [False, True])
async def test_translations_of_numbered_revisions_end_the_same_in_any_order(
    store: Store, session_id: UUID, newest_first: bool, write: Write
) -> None:
    writes = [
        (version("Good", revision=1), [translation("Bien"), translation("よい", "ja")]),
        (version("Good morning.", revision=2, is_final=True), [translation("Buenos días.")]),
    ]
    for spoken, translated in reversed(writes) if newest_first else writes:
        await write(store, session_id, spoken, translated)
    entries = [(e.language, e.text, e.revision, e.is_stale) for e in await store.timeline(session_id)]
    assert entries == [
        ("en", "Good morning.", 2, False),
        ("es", "Buenos días.", 2, False),
        ("ja", "よい", 1, True),
    ]


@every_way_of_whole_segments
async def test_the_translations_of_a_refused_interim_without_a_number_are_refused_with_it(
    store: Store, session_id: UUID, write: Write
) -> None:
    await write(store, session_id, version("Good morning.", is_final=True))
    late = await write(store, session_id, version("Good"), [translation("Bien")])
    assert late.translations == {Outcome.STALE: 1}
    assert len(await store.timeline(session_id)) == 1


@every_way
async def test_a_translation_of_an_older_revision_never_replaces_a_newer_one(
    store: Store, session_id: UUID, write: Write
) -> None:
    spoken = version("Good morning.", revision=5, is_final=True)
    await write(store, session_id, spoken, [translation("new")])
    late = await write(store, session_id, spoken, [translation("old", transcript_revision=4)])
    assert (late.outcome, late.translations) == (Outcome.UNCHANGED, {Outcome.STALE: 1})
    kept = await only_translation(store, session_id)
    assert (kept.text, kept.transcript_revision) == ("new", 5)


@every_way
@pytest.mark.parametrize(("text", "outcome"), [("Bien", Outcome.UNCHANGED), ("Buenos días", Outcome.UPDATED)])
async def test_a_translation_that_comes_again_is_judged_by_its_content(
    store: Store, session_id: UUID, write: Write, text: str, outcome: Outcome
) -> None:
    await write(store, session_id, version("Good"), [translation("Bien")])
    again = await write(store, session_id, version("Good"), [translation(text), translation("良い", "ja")])
    assert again.translations == Counter([outcome, Outcome.INSERTED])
    texts = {entry.language: entry.text for entry in await store.timeline(session_id)}
    assert texts == {"en": "Good", "es": text, "ja": "良い"}


@every_way
async def test_the_first_name_of_a_speaker_stays(store: Store, session_id: UUID, write: Write) -> None:
    for number, name in enumerate((None, "Ada", "Grace")):
        spoken = transcript("x", segment_key=f"{number}", speaker_label="SPEAKER_00", speaker_name=name)
        await write(store, session_id, spoken)
    assert {entry.speaker_name for entry in await store.timeline(session_id)} == {"Ada"}


async def test_a_late_translation_takes_language_and_revision_from_its_transcript(
    store: Store, session_id: UUID
) -> None:
    spoken = TranscriptInput(text="Guten Morgen", language="DE", revision=3)
    receipt = await store.record_segment(session_id, transcript=spoken)
    async with store.unit_of_work() as uow:
        await uow.translations.add(session_id, receipt.transcript_id, translation())
    late = await only_translation(store, session_id)
    assert (late.source_language, late.transcript_revision) == ("de", 3)


async def test_a_transcripts_translations_are_listed_by_language(store: Store, session_id: UUID) -> None:
    translated = [translation(tag, tag) for tag in ("ja", "ar", "es")]
    receipt = await store.record_segment(session_id, transcript=version("Good"), translations=translated)
    await store.record_segment(session_id, transcript=transcript(), translations=[translation("other")])
    async with store.read() as reader:
        rows = await reader.translations.list_for_transcript(session_id, receipt.transcript_id)
    assert [row.target_language for row in rows] == ["ar", "es", "ja"]


async def test_a_late_translation_is_of_the_revision_that_another_program_stored(
    store: Store, session_id: UUID, other_program: psycopg.Connection[Any]
) -> None:
    receipt = await store.record_segment(session_id, transcript=version("Good"))
    other_program.execute("UPDATE livetranslate.transcripts SET draft = 'Good morning', revision = 12")
    other_program.commit()
    async with store.unit_of_work() as uow:
        late = await uow.translations.add(session_id, receipt.transcript_id, translation())
    assert late.transcript_revision == 12


async def test_a_late_interim_never_beats_a_final_under_concurrency(store: Store, session_id: UUID) -> None:
    for segment in range(20):
        key = f"seg-{segment}"
        versions = [transcript(f"interim {n}", segment_key=key) for n in range(7)]
        versions.insert(segment % 8, transcript("final", segment_key=key, is_final=True))
        receipts = await asyncio.gather(
            *(store.record_segment(session_id, transcript=each) for each in versions)
        )
        outcomes = [receipt.outcome for receipt in receipts]
        assert outcomes.count(Outcome.INSERTED) == 1
    texts = [(entry.text, entry.is_final) for entry in await store.timeline(session_id)]
    assert texts == [("final", True)] * 20


async def test_of_many_identical_writes_at_once_exactly_one_inserts(store: Store, session_id: UUID) -> None:
    for segment in range(20):
        same = transcript("Right.", segment_key=f"seg-{segment}", is_final=True)
        receipts = await asyncio.gather(
            *(
                store.record_segment(session_id, transcript=same, translations=[translation("Ya.")])
                for _ in range(8)
            )
        )
        outcomes = sorted(receipt.outcome for receipt in receipts)
        assert outcomes == [Outcome.INSERTED] + [Outcome.UNCHANGED] * 7
        translated = sorted(receipt.translations[0].outcome for receipt in receipts)
        assert translated == [Outcome.INSERTED] + [Outcome.UNCHANGED] * 7


async def test_a_receipt_tells_the_revision_that_each_translation_was_made_from(
    store: Store, session_id: UUID
) -> None:
    translated = [translation("alt", transcript_revision=2), translation("新しい", "ja")]
    receipt = await store.record_segment(
        session_id, transcript=version("Good", revision=5), translations=translated
    )
    told = {each.target_language: each.transcript_revision for each in receipt.translations}
    stored_ones = {e.language: e.revision for e in await store.timeline(session_id, kinds=["translation"])}
    assert told == stored_ones == {"es": 2, "ja": 5}


async def test_a_stored_segment_that_the_store_has_forgotten_is_found_and_not_collided_with(
    database_url: str, session_id: UUID, store: Store, audio_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    failures: list[Exception] = []

    def remembering(error: Exception, **named: Any) -> Exception:
        failures.append(error)
        return translate(error, **named)

    await store.record_segment(session_id, transcript=version("Good"), audio=audio())
    monkeypatch.setattr("livetranslate_store.database.failures.translate", remembering)
    async with Store.open(database_url, audio_url=f"file:{audio_folder}", min_connections=1) as another:
        by_key = await another.record_segment(session_id, transcript=version("Good morning"))
        by_audio = await another.record_segment(session_id, transcript=transcript("x"), audio=audio())
    assert (by_key.outcome, by_audio.outcome) == (Outcome.UPDATED, Outcome.INSERTED)
    assert by_audio.audio is not None
    assert by_audio.audio.outcome is Outcome.UNCHANGED
    # A collision would be undone and written again, and stand in the server's log as an error each time.
    assert failures == []
