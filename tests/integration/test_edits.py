"""A person's edit: above every machine's final, with what it replaced."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from helpers.support import audio, transcript, translation
from helpers.write_paths import Write, every_way_of_whole_segments

from livetranslate_store import (
    ConflictError,
    InvalidInputError,
    NotFoundError,
    Outcome,
    OutcomeUnknownError,
    PoolTimeoutError,
    Store,
    TextHistoryEntry,
    TranscriptInput,
    TranscriptReceipt,
    TranslationReceipt,
)
from livetranslate_store.ids import new_id
from livetranslate_store.writing import segment_writer

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)


def version(text: str, **fields: Any) -> TranscriptInput:
    return transcript(text, segment_key="seg-1", start_time=0.0, end_time=1.0, **fields)


async def edit(
    store: Store, session_id: UUID, transcript_id: UUID, to: str, **more: Any
) -> TranscriptReceipt:
    async with store.unit_of_work() as uow:
        return await uow.transcripts.edit(
            session_id, transcript_id, **({"text": to, "edited_by": "ana"} | more)
        )


async def edit_translation(
    store: Store, session_id: UUID, transcript_id: UUID, to: str, **more: Any
) -> TranslationReceipt:
    async with store.unit_of_work() as uow:
        return await uow.translations.edit(
            session_id, transcript_id, "es", **({"text": to, "edited_by": "ana"} | more)
        )


async def texts(store: Store, session_id: UUID) -> list[str]:
    return [entry.text for entry in await store.timeline(session_id)]


def brief(history: list[TextHistoryEntry]) -> list[tuple[str, str, int, str | None, str | None]]:
    return [(each.status, each.text, each.revision, each.edited_by, each.replaced_by) for each in history]


@every_way_of_whole_segments
async def test_a_final_after_an_edit_is_stale_on_every_way(
    store: Store, session_id: UUID, write: Write
) -> None:
    first = await write(store, session_id, version("good mornin", is_final=True), [translation("hola")])
    edited = await edit(store, session_id, first.transcript_id, "Good morning.")
    assert (edited.outcome, edited.revision) == (Outcome.UPDATED, first.revision + 1)
    again = await write(store, session_id, version("good morning", is_final=True, revision=99))
    assert (again.outcome, again.revision) == (Outcome.STALE, edited.revision)
    assert (await texts(store, session_id))[0] == "Good morning."


@every_way_of_whole_segments
async def test_a_translation_by_a_person_stands_on_every_way(
    store: Store, session_id: UUID, write: Write
) -> None:
    first = await write(store, session_id, version("one", is_final=True), [translation("uno")])
    await edit_translation(store, session_id, first.transcript_id, "¡Uno!")
    again = await write(
        store, session_id, version("one two", is_final=True), [translation("uno dos", transcript_revision=9)]
    )
    assert again.translations[Outcome.STALE] == 1
    assert await texts(store, session_id) == ["one two", "¡Uno!"]


@every_way_of_whole_segments
async def test_an_edit_from_elsewhere_replaces_the_stored_text_once(
    store: Store, session_id: UUID, write: Write
) -> None:
    first = await write(store, session_id, version("one"), [translation("uno")])
    edited = version("One.", is_final=True, edited_by="ana", edited_at=NOON)
    translated = translation("Uno.", edited_by="bo", edited_at=NOON)
    written = [await write(store, session_id, edited, [translated]) for _ in range(2)]
    assert [each.outcome for each in written] == [Outcome.UPDATED, Outcome.UNCHANGED]
    earlier = version("Won.", is_final=True, edited_by="cy", edited_at=NOON - timedelta(seconds=1))
    assert (await write(store, session_id, earlier)).outcome is Outcome.STALE
    history = await store.text_history(session_id, first.transcript_id)
    assert brief([*history]) == [
        ("replaced", "one", 0, None, "ana"),
        ("current", "One.", written[0].revision, "ana", None),
    ]
    history = await store.text_history(session_id, first.transcript_id, language="es")
    assert brief([history[0]]) == [("replaced", "uno", 0, None, "bo")]
    assert history[-1].edited_by == "bo"


async def test_an_edit_is_found_and_its_translations_become_stale_and_missing(
    store: Store, session_id: UUID
) -> None:
    receipt = await store.record_segment(
        session_id, transcript=version("the quick brwn fox"), translations=[translation("el zorro")]
    )
    await edit(store, session_id, receipt.transcript_id, "The quick brown fox.")
    assert [hit.text for hit in await store.search("brown")] == ["The quick brown fox."]
    assert len(await store.search("brwn")) == 0
    spoken, translated = await store.timeline(session_id)
    assert (spoken.is_final, translated.is_stale) == (True, True)
    [missing] = await store.missing_translations(session_id, "es")
    assert missing.transcript_id == receipt.transcript_id


async def test_a_persons_translation_is_current_after_the_edit_and_never_asked_of_a_machine(
    store: Store, session_id: UUID
) -> None:
    receipt = await store.record_segment(
        session_id, transcript=version("one", is_final=True), translations=[translation("uno")]
    )
    await edit(store, session_id, receipt.transcript_id, "One.")
    edited = await edit_translation(store, session_id, receipt.transcript_id, "Uno.")
    assert edited.transcript_revision == 1
    assert not (await store.timeline(session_id))[1].is_stale
    await edit(store, session_id, receipt.transcript_id, "One!")
    assert (await store.timeline(session_id))[1].is_stale
    assert len(await store.missing_translations(session_id, "es")) == 0
    confirmed = await edit_translation(store, session_id, receipt.transcript_id, "Uno.")
    assert (confirmed.outcome, confirmed.transcript_revision) == (Outcome.UPDATED, 2)


async def test_the_same_edit_again_changes_nothing_and_an_earlier_text_is_an_edit_too(
    store: Store, session_id: UUID
) -> None:
    receipt = await store.record_segment(session_id, transcript=version("one", is_final=True))
    key = (session_id, receipt.transcript_id)
    outcomes = [
        (await edit(store, *key, text, edited_by=name)).outcome
        for text, name in (("One.", "ana"), ("One.", "bo"), ("one", "bo"), ("One.", "ana"))
    ]
    assert outcomes == [Outcome.UPDATED, Outcome.UNCHANGED, Outcome.UPDATED, Outcome.UPDATED]
    assert brief([*await store.text_history(*key)]) == [
        ("replaced", "one", 0, None, "ana"),
        ("replaced", "One.", 1, "ana", "bo"),
        ("replaced", "one", 2, "bo", "ana"),
        ("current", "One.", 3, "ana", None),
    ]


async def test_an_edit_of_another_version_than_the_expected_one_is_refused(
    store: Store, session_id: UUID
) -> None:
    receipt = await store.record_segment(
        session_id, transcript=version("one"), translations=[translation("uno")]
    )
    key = (session_id, receipt.transcript_id)
    await store.record_segment(session_id, transcript=version("one two", is_final=True))
    with pytest.raises(ConflictError, match="has revision 1, not 0") as error:
        await edit(store, *key, "One.", expected_revision=0)
    assert not error.value.is_transient
    with pytest.raises(ConflictError, match="another one than the expected"):
        await edit_translation(store, *key, "Uno.", expected_text="dos")
    with pytest.raises(ConflictError, match="made from revision 0, not 1"):
        await edit_translation(store, *key, "Uno.", expected_revision=1)
    assert await texts(store, session_id) == ["one two", "uno"]
    await edit(store, *key, "One two.", expected_revision=1, expected_text="one two")
    await edit_translation(store, *key, "Uno.", expected_text="uno", expected_revision=0)
    assert await texts(store, session_id) == ["One two.", "Uno."]


async def test_an_edit_of_a_missing_text_is_not_found_and_the_unit_goes_on(
    store: Store, session_id: UUID
) -> None:
    receipt = await store.record_segment(session_id, transcript=version("one"))
    async with store.unit_of_work() as uow:
        with pytest.raises(NotFoundError, match="no transcript"):
            await uow.transcripts.edit(session_id, new_id(), text="x", edited_by="ana")
        with pytest.raises(NotFoundError, match="no translation"):
            await uow.translations.edit(session_id, receipt.transcript_id, "es", text="x", edited_by="ana")
        await uow.transcripts.edit(session_id, receipt.transcript_id, text="One.", edited_by="ana")
    with pytest.raises(NotFoundError, match="no translation into es"):
        await store.text_history(session_id, receipt.transcript_id, language="es")
    with pytest.raises(NotFoundError, match="no transcript"):
        await store.text_history(session_id, new_id())


@pytest.mark.parametrize(
    "wrong",
    [
        {"text": 7},
        {"text": "a\0b"},
        {"edited_by": ""},
        {"edited_by": None},
        {"expected_revision": -1},
        {"text": "x" * 2_000_000},
    ],
    ids=["no text", "NUL", "no name", "nobody", "negative revision", "too long"],
)
async def test_a_bad_edit_is_refused_before_anything_is_written(
    store: Store, session_id: UUID, wrong: dict[str, Any]
) -> None:
    receipt = await store.record_segment(
        session_id, transcript=version("one"), translations=[translation("uno")]
    )
    for change in (edit, edit_translation):
        with pytest.raises(InvalidInputError):
            await change(store, session_id, receipt.transcript_id, "One.", **wrong)
    assert await texts(store, session_id) == ["one", "uno"]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"edited_by": "ana", "is_final": True}, "together"),
        ({"edited_at": NOON, "is_final": True}, "together"),
        ({"edited_by": "ana", "edited_at": NOON}, "is_final=True"),
        ({"edited_by": "ana", "edited_at": NOON.replace(tzinfo=None), "is_final": True}, "time zone"),
    ],
)
def test_half_an_edit_is_no_input(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        version("one", **fields)


async def test_history_goes_with_its_text_and_an_edit_with_its_unit(store: Store, session_id: UUID) -> None:
    receipt = await store.record_segment(session_id, transcript=version("one"))
    key = (session_id, receipt.transcript_id)
    async with store.unit_of_work() as uow:
        await uow.transcripts.edit(*key, text="One.", edited_by="ana")
        await uow.rollback()
    assert brief([*await store.text_history(*key)]) == [("current", "one", 0, None, None)]
    await edit(store, *key, "One.")
    async with store.unit_of_work() as uow:
        deleted = await uow.sessions.delete(session_id)
    assert (deleted.transcripts, deleted.text_versions) == (1, 1)


@every_way_of_whole_segments
async def test_a_refused_text_is_kept_once_if_a_setting_asks_for_it(database_url: str, write: Write) -> None:
    async with Store.open(database_url, keep_refused_texts=True) as store:
        async with store.unit_of_work() as uow:
            session = await uow.sessions.create(bot_id="b", meeting_id="m")
        first = await write(store, session.id, version("one"), [translation("uno")])
        await edit(store, session.id, first.transcript_id, "One.")
        await edit_translation(store, session.id, first.transcript_id, "Uno.")
        late = version("one two", is_final=True, revision=5)
        for _ in range(2):
            await write(store, session.id, late, [translation("uno dos", transcript_revision=0)])
        history = await store.text_history(session.id, first.transcript_id)
        assert [each[:4] for each in brief([*history])] == [
            ("replaced", "one", 0, None),
            ("refused", "one two", 5, None),
            ("current", "One.", 1, "ana"),
        ]
        history = await store.text_history(session.id, first.transcript_id, language="es")
        assert [each[:2] for each in brief([*history])] == [
            ("replaced", "uno"),
            ("refused", "uno dos"),
            ("current", "Uno."),
        ]


async def test_audio_that_was_stored_stays_if_the_refused_text_cannot_be_kept(
    database_url: str, audio_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object) -> None:
        raise PoolTimeoutError

    address = f"file:{audio_folder}"
    async with Store.open(database_url, audio_url=address, keep_refused_texts=True) as store:
        async with store.unit_of_work() as uow:
            session = await uow.sessions.create(bot_id="b", meeting_id="m")
        first = await store.record_segment(session.id, transcript=version("one"))
        await edit(store, session.id, first.transcript_id, "One.")
        late = version("one two", is_final=True, revision=5)
        with monkeypatch.context() as broken:
            broken.setattr(segment_writer, "keep_refused", fail)
            with pytest.raises(OutcomeUnknownError):
                await store.record_segment(session.id, transcript=late, audio=audio())
        again = await store.record_segment(session.id, transcript=late, audio=audio())
        assert again.audio is not None
        assert again.audio.outcome is Outcome.UNCHANGED
        assert await store.read_audio(session.id, again.audio.audio_file_id) == b"RIFF"
        statuses = [each.status for each in await store.text_history(session.id, first.transcript_id)]
        assert statuses == ["replaced", "refused", "current"]


async def test_an_edit_may_expect_any_revision_that_a_transcriber_may_give(
    store: Store, session_id: UUID
) -> None:
    moment = 1_780_000_000_000
    receipt = await store.record_segment(session_id, transcript=version("one", revision=moment))
    await edit(store, session_id, receipt.transcript_id, "One.", expected_revision=moment)
    assert await texts(store, session_id) == ["One."]
