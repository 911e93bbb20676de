"""Exports of a stored session: every format, one language or two, finals and what is not final yet."""

import json
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import webvtt
from helpers.support import transcript, translation

from livetranslate_store import ImportCounts, InvalidInputError, NotFoundError, Outcome, Store
from livetranslate_store.exchange import EXPORT_FORMATS, export_session, import_file
from livetranslate_store.formats.writers.json import read_document
from livetranslate_store.ids import new_id


async def exported(store: Store, session_id: UUID, **options: Any) -> str:
    return "".join([piece async for piece in export_session(store, session_id, **options)])


@pytest.fixture
async def meeting(store: Store, session_id: UUID) -> UUID:
    """A meeting with a gap, a variant, a late translation with times of its own and an open end."""
    await store.record_segment(
        session_id,
        transcript=transcript("Hello.", start_time=1.0, end_time=2.0, speaker_label="S", speaker_name="Ana",
                              is_final=True),
        translations=[translation("Hola."), translation("Hola, pues.", "es-MX"), translation("やあ", "ja")],
    )  # fmt: skip
    await store.record_segment(
        session_id,
        transcript=transcript("Bye.", start_time=5.0, end_time=6.0),
        translations=[translation("Adiós.", "es-MX", start_time=0.5, end_time=0.7)],
    )
    await store.record_segment(
        session_id,
        transcript=transcript("Guten Tag.", start_time=3.0, end_time=4.0, language="de", is_final=True),
    )
    return session_id


def texts(vtt: str) -> list[str]:
    return [caption.text for caption in webvtt.from_string(vtt).captions]


async def test_the_originals_alone(store: Store, meeting: UUID) -> None:
    assert texts(await exported(store, meeting, format="vtt")) == ["Hello.", "Guten Tag.", "Bye."]


async def test_one_language_leaves_out_what_is_not_translated_and_takes_a_variant_where_there_is_no_other(
    store: Store, meeting: UUID
) -> None:
    found = webvtt.from_string(await exported(store, meeting, format="vtt", languages=["es"])).captions
    assert [(caption.start, caption.text) for caption in found] == [
        ("00:00:01.000", "Hola."),
        ("00:00:05.000", "Adiós."),
    ]


async def test_two_languages_stand_below_each_other(store: Store, meeting: UUID) -> None:
    text = await exported(store, meeting, format="srt", languages=["de", "ja"])
    assert text.replace("\u2060", "") == (
        "1\n00:00:01,000 --> 00:00:02,000\nAna: やあ\n\n2\n00:00:03,000 --> 00:00:04,000\nGuten Tag.\n\n"
    )
    text = await exported(store, meeting, format="vtt", languages=["en", "ja"], readable=True)
    assert "<v Ana><lang en>Hello.</lang>\n<lang ja>やあ</lang>\n" in text


async def test_finals_alone_where_that_is_asked_for(store: Store, meeting: UUID) -> None:
    assert texts(await exported(store, meeting, format="vtt", finals_only=True)) == ["Hello.", "Guten Tag."]
    assert "Bye. (not final)" in await exported(store, meeting, format="text")


async def test_json_holds_the_rows_with_all_languages(store: Store, meeting: UUID) -> None:
    document = read_document(
        (await exported(store, meeting, format="json", languages=["es", "ja", "fr"])).encode()
    )
    assert document.session.id == meeting
    assert [[t and t.text for t in each.translations] for each in document.segments] == [
        ["Hola.", "やあ", None],
        [None, None, None],
        ["Adiós.", None, None],
    ]


async def test_an_empty_session_is_a_file_of_its_format(store: Store, session_id: UUID) -> None:
    found = {each: await exported(store, session_id, format=each) for each in EXPORT_FORMATS}
    assert json.loads(found["json"])["segments"] == []
    assert found["markdown"].startswith("# abc-defg-hij\n")
    assert (found["vtt"], found["srt"], found["text"]) == ("WEBVTT\n", "", "")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"format": "pdf"}, "format must be one of json, markdown, srt, text, vtt"),
        ({"format": "vtt", "languages": ["en", "es", "ja"]}, "2 at most"),
        ({"format": "text", "readable": True}, "readable is for subtitles"),
        ({"format": "text", "languages": ["not a tag!"]}, "languages"),
        ({"format": "text", "languages": "en"}, "sequence"),
    ],
)
def test_a_wrong_request_is_refused_at_once(store: Store, options: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidInputError, match=said):
        export_session(store, new_id(), **options)


async def test_an_unknown_session_is_not_exported(store: Store) -> None:
    with pytest.raises(NotFoundError):
        await exported(store, new_id(), format="text")


async def test_json_comes_back_into_another_session(store: Store, meeting: UUID, tmp_path: Path) -> None:
    languages = ["es-MX", "es", "ja"]
    exported_once = await exported(store, meeting, format="json", languages=languages)
    path = tmp_path / "meeting.json"
    path.write_text(exported_once, encoding="utf-8")
    async with store.unit_of_work() as uow:
        other = await uow.sessions.create(bot_id="import", meeting_id="abc-defg-hij")
    report = await import_file(store, other.id, path)
    assert (report.format, report.refused, report.noted) == ("livetranslate", 0, 0)
    again = await exported(store, other.id, format="json", languages=languages)
    assert held(again) == held(exported_once)
    assert (await import_file(store, other.id, path)).transcripts == ImportCounts(unchanged=3)


async def test_a_persons_edits_are_marked_and_come_back_above_every_machine(
    store: Store, meeting: UUID, tmp_path: Path
) -> None:
    [entry, *_] = await store.timeline(meeting, kinds=["transcript"], finals_only=True)
    async with store.unit_of_work() as uow:
        await uow.transcripts.edit(meeting, entry.transcript_id, text="Hello!", edited_by="Ana")
        await uow.translations.edit(meeting, entry.transcript_id, "es", text="¡Hola!", edited_by="Bo")
    shown = await exported(store, meeting, format="text", languages=["en", "es"])
    assert "Ana: Hello! (edited by Ana)\n    ¡Hola! (edited by Bo)\n" in shown
    assert "edited" not in await exported(store, meeting, format="srt", languages=["en", "es"])
    path = tmp_path / "meeting.json"
    path.write_text(await exported(store, meeting, format="json", languages=["es"]), encoding="utf-8")
    async with store.unit_of_work() as uow:
        other = await uow.sessions.create(bot_id="import", meeting_id="abc-defg-hij")
    report = await import_file(store, other.id, path)
    assert (report.refused, report.noted) == (0, 0)
    [first, *_] = await store.transcript_view(other.id, ["es"], include=["edits"])
    [before, *_] = await store.transcript_view(meeting, ["es"], include=["edits"])
    assert (first.text, first.edited_by, first.edited_at) == ("Hello!", "Ana", before.edited_at)
    [spanish], [spanish_before] = first.translations, before.translations
    assert spanish is not None
    assert spanish_before is not None
    assert (spanish.text, spanish.edited_by, spanish.edited_at) == ("¡Hola!", "Bo", spanish_before.edited_at)
    machine = await store.add_translation(other.id, first.transcript_id, translation("Hola otra vez."))
    assert machine.outcome is Outcome.STALE
    assert (await import_file(store, other.id, path)).transcripts == ImportCounts(unchanged=3)


@pytest.mark.parametrize(
    "edit",
    [
        {"edited_by": "Ana"},
        {"edited_by": "Ana", "edited_at": "soon"},
        {"edited_by": 7, "edited_at": "2026-01-02T03:04:05Z"},
        {"edited_by": "Ana", "edited_at": "2026-01-02T03:04:05"},
        {"edited_by": "Ana", "edited_at": "2026-01-02T03:04:05Z", "is_final": False},
    ],
)
async def test_an_edit_that_cannot_be_right_is_left_out_and_noted(
    store: Store, meeting: UUID, tmp_path: Path, edit: dict[str, Any]
) -> None:
    document = json.loads(await exported(store, meeting, format="json"))
    document["segments"] = [document["segments"][0] | edit]
    path = tmp_path / "meeting.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    async with store.unit_of_work() as uow:
        other = await uow.sessions.create(bot_id="import", meeting_id="abc-defg-hij")
    report = await import_file(store, other.id, path)
    assert (report.transcripts.inserted, report.noted) == (1, 1)
    assert "it is left out" in report.notes[0].text
    [entry] = await store.timeline(other.id, include=["edits"])
    assert (entry.text, entry.edited_by) == ("Hello.", None)


async def test_an_edited_file_stays_a_persons_as_a_translation(
    store: Store, meeting: UUID, tmp_path: Path
) -> None:
    document = json.loads(await exported(store, meeting, format="json"))
    for segment in document["segments"]:
        segment.update(language="fr", is_final=True, edited_by="Zoé", edited_at="2026-01-02T03:04:05Z")
    path = tmp_path / "meeting.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    report = await import_file(store, meeting, path, as_translation=True)
    assert report.translations.inserted == 3
    entries = await store.timeline(meeting, languages=["fr"], include=["edits"])
    assert {entry.edited_by for entry in entries} == {"Zoé"}


def held(document: str) -> list[Any]:
    """Return the segments without ids, sources, revisions and services, which an import does not take."""
    return [
        {
            name: value
            for name, value in segment.items()
            if name not in {"transcript_id", "source", "revision", "translations", "segment_index"}
        }
        | {"translations": [each and (each["text"], each["language"]) for each in segment["translations"]]}
        for segment in json.loads(document)["segments"]
    ]
