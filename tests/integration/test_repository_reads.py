"""Lists of repositories take the filters of the timeline, and keep the same rows."""

from typing import Any
from uuid import UUID

import pytest
from helpers.support import transcript, translation

from livetranslate_store import (
    InvalidInputError,
    NotFoundError,
    Outcome,
    Store,
    Transcript,
    TranscriptInput,
    TranslationInput,
)

SPOKEN: list[tuple[TranscriptInput, list[TranslationInput]]] = [
    (
        transcript(
            "One.", start_time=0.0, end_time=2.0, speaker_label="A", speaker_name="Ana", is_final=True
        ),
        [translation("Uno."), translation("一。", "ja", start_time=7.0, end_time=8.0)],
    ),
    (transcript("Two.", start_time=3.0, end_time=4.0, speaker_label="B"), [translation("Dos.")]),
    (
        transcript("Three.", start_time=6.0, end_time=9.0, speaker_label="B", is_final=True),
        [translation("Tres."), translation("三。", "ja", end_time=1.0)],
    ),
    (transcript("Never."), [translation("Nunca."), translation("いつも。", "ja", start_time=3.5)]),
]


@pytest.fixture
async def meeting(store: Store, session_id: UUID) -> UUID:
    async with store.unit_of_work() as uow:
        other = await uow.sessions.create(bot_id="other", meeting_id="other")
    for session in (session_id, other.id):
        for spoken, translations in SPOKEN:
            await store.record_segment(session, transcript=spoken, translations=translations)
    return session_id


@pytest.mark.parametrize(
    "filters",
    [
        {},
        {"start": 2.0},
        {"end": 3.0},
        {"start": 1.0, "end": 7.5},
        {"start": 3.0, "end": 4.0, "untimed": False},
        {"untimed": False},
        {"speakers": ["Ana"]},
        {"speakers": ["B", "Ana"], "start": 3.0},
        {"speakers": []},
        {"finals_only": True},
        {"finals_only": True, "speakers": ["B"], "end": 7.0},
    ],
)
async def test_a_list_keeps_what_the_timeline_keeps(
    store: Store, meeting: UUID, filters: dict[str, Any]
) -> None:
    async with store.read() as reader:
        spoken = await reader.transcripts.list_for_session(meeting, **filters)
        translated = await reader.translations.list_for_session(meeting, **filters)
        spanish = await reader.translations.list_for_session(meeting, target_languages=["es"], **filters)
    entries = await store.timeline(meeting, **filters)
    assert [each.id for each in spoken] == [
        each.transcript_id for each in entries if each.kind == "transcript"
    ]
    expected = [(each.transcript_id, each.language) for each in entries if each.kind == "translation"]
    found = [(each.transcript_id, each.target_language) for each in translated]
    assert found == sorted(expected)
    assert [(each.transcript_id, "es") for each in spanish] == [each for each in found if each[1] == "es"]


async def test_a_wrong_filter_says_what_would_be_right(store: Store, meeting: UUID) -> None:
    async with store.read() as reader:
        for rows in (reader.transcripts, reader.translations):
            with pytest.raises(InvalidInputError, match="not after its start"):
                await rows.list_for_session(meeting, start=2.0, end=1.0)
            with pytest.raises(TypeError, match="Unknown filter kinds"):
                await rows.list_for_session(meeting, kinds=["transcript"])  # type: ignore[call-arg]


async def test_a_tenants_list_takes_filters_too(store: Store, meeting: UUID) -> None:
    async with store.for_tenant("acme").read() as reader:
        assert await reader.transcripts.list_for_session(meeting, speakers=["Ana"]) == []
        assert await reader.translations.list_for_session(meeting, speakers=["Ana"]) == []


async def test_rows_by_their_ids_are_a_statement_of_the_repository(store: Store, meeting: UUID) -> None:
    first, _, third, _ = [
        each.transcript_id for each in await store.timeline(meeting, kinds=["transcript"], order="newest")
    ]
    async with store.read() as reader:
        rows = reader.transcripts
        asked = rows.statement().where(Transcript.session_id == meeting, Transcript.id.in_([third, first]))
        found = await rows.get_many(asked.order_by(Transcript.timestamp))
        assert [each.id for each in found] == [third, first]
        assert await rows.count(asked) == 2


async def test_a_deleted_translation_takes_its_versions_with_it_and_no_others(
    store: Store, meeting: UUID
) -> None:
    [entry] = await store.timeline(meeting, kinds=["transcript"], speakers=["Ana"])
    transcript_id = entry.transcript_id
    async with store.unit_of_work() as uow:
        for language in ("es", "ja"):
            await uow.translations.edit(meeting, transcript_id, language, text="edited", edited_by="ana")
        await uow.translations.delete(meeting, transcript_id, "ES")
        with pytest.raises(NotFoundError, match=r"no translation of transcript .* into es"):
            await uow.translations.delete(meeting, transcript_id, "es")
        assert (await uow.translations.get(meeting, transcript_id, "ja")).text == "edited"
    assert len(await store.text_history(meeting, transcript_id, language="ja")) == 2
    with pytest.raises(NotFoundError):
        await store.text_history(meeting, transcript_id, language="es")
    # A machine may translate it again, and what a person had said is gone.
    receipt = await store.add_translation(meeting, transcript_id, translation("Uno otra vez."))
    assert receipt.outcome is Outcome.INSERTED
    [only] = await store.text_history(meeting, transcript_id, language="es")
    assert (only.text, only.edited_by) == ("Uno otra vez.", None)
