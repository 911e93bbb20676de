"""Files go into sessions: as originals or as translations, once however often they are imported."""

import json
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest
from helpers.support import transcript

from livetranslate_store import (
    ImportCounts,
    ImportProgress,
    InvalidInputError,
    NotFoundError,
    Refusal,
    Store,
)
from livetranslate_store.exchange import import_file
from livetranslate_store.ids import new_id

ENGLISH = """WEBVTT

00:01.000 --> 00:03.000
<v Ada>Good morning.

00:04.000 --> 00:08.000
<v Bob>We begin with the budget.
"""

# Two cues of a segment's, one that lies in a gap, and one that is wrong.
SPANISH = """1
00:00:00,900 --> 00:00:02,900
Buenos días.

2
00:00:04,000 --> 00:00:06,000
Empezamos

3
00:00:06,000 --> 00:00:08,500
con el presupuesto.

4
00:00:12,000 --> 00:00:1x,000
¿Cuándo?
"""


@pytest.fixture
def english(tmp_path: Path) -> Path:
    return written(tmp_path / "talk.en.vtt", ENGLISH)


@pytest.fixture
def spanish(tmp_path: Path) -> Path:
    return written(tmp_path / "talk.es.srt", SPANISH)


def written(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def everything(program: psycopg.Connection[Any]) -> list[list[Any]]:
    """Return every row with where it lies and who wrote it: any change shows."""
    tables = ("transcripts", "translations", "speakers")
    found = [program.execute(f"SELECT xmin, ctid, * FROM livetranslate.{each}").fetchall() for each in tables]
    program.rollback()
    return found


async def test_a_file_becomes_final_transcripts(store: Store, session_id: UUID, english: Path) -> None:
    heard: list[ImportProgress] = []
    report = await import_file(store, session_id, english, progress=heard.append)
    assert report.transcripts == ImportCounts(inserted=2)
    assert (report.format, report.encoding, report.encoding_is_guessed) == ("webvtt", "utf-8", False)
    assert heard == [ImportProgress(2, 2)]
    ada, bob = await store.timeline(session_id)
    assert (ada.text, ada.speaker_name, ada.start_time, ada.end_time) == ("Good morning.", "Ada", 1.0, 3.0)
    assert (bob.language, bob.source, bob.is_final) == ("en", "talk.en.vtt", True)


async def test_a_file_becomes_translations_of_what_its_cues_overlap(
    store: Store, session_id: UUID, english: Path, spanish: Path
) -> None:
    await import_file(store, session_id, english)
    report = await import_file(store, session_id, spanish, as_translation=True)
    assert report.translations == ImportCounts(inserted=2)
    assert report.transcripts == ImportCounts()
    assert report.refusals == [
        Refusal(
            14, "'00:00:12,000 --> 00:00:1x,000' are not two times such as 00:01:02.500 --> 00:01:04.000."
        )
    ]
    page = await store.timeline(session_id, languages=["es"])
    assert [(entry.text, entry.start_time, entry.end_time, entry.source) for entry in page] == [
        ("Buenos días.", 0.9, 2.9, "talk.es.srt"),
        ("Empezamos\ncon el presupuesto.", 4.0, 8.5, "talk.es.srt"),
    ]
    assert page[1].metadata == {
        "cues": [
            {"start": 4.0, "end": 6.0, "text": "Empezamos"},
            {"start": 6.0, "end": 8.5, "text": "con el presupuesto."},
        ]
    }


async def test_importing_again_changes_nothing(
    store: Store, session_id: UUID, english: Path, spanish: Path, other_program: psycopg.Connection[Any]
) -> None:
    await import_file(store, session_id, english)
    await import_file(store, session_id, spanish, as_translation=True)
    before = everything(other_program)
    assert (await import_file(store, session_id, english)).transcripts == ImportCounts(unchanged=2)
    again = await import_file(store, session_id, spanish, as_translation=True)
    assert again.translations == ImportCounts(unchanged=2)
    assert everything(other_program) == before


async def test_a_corrected_file_updates_what_was_corrected(
    store: Store, session_id: UUID, english: Path, spanish: Path
) -> None:
    await import_file(store, session_id, english)
    await import_file(store, session_id, spanish, as_translation=True)
    inserted = "WEBVTT\n\n00:00.000 --> 00:00.500\nHello?\n"
    written(english, ENGLISH.replace("budget", "schedule").replace("WEBVTT\n", inserted))
    report = await import_file(store, session_id, english)
    assert report.transcripts == ImportCounts(inserted=1, updated=1, unchanged=1)
    told = [
        (entry.text, entry.is_stale) for entry in await store.timeline(session_id, languages=["en", "es"])
    ]
    assert ("We begin with the schedule.", False) in told
    assert ("Buenos días.", False) in told
    assert ("Empezamos\ncon el presupuesto.", True) in told
    assert len(told) == 5


async def test_files_of_the_same_times_do_not_overwrite_each_other(
    store: Store, session_id: UUID, english: Path, tmp_path: Path
) -> None:
    await import_file(store, session_id, english)
    other = written(tmp_path / "interpreter.fr.vtt", ENGLISH.replace("Good morning.", "Bonjour."))
    assert (await import_file(store, session_id, other)).transcripts == ImportCounts(inserted=2)
    texts = [entry.text for entry in await store.timeline(session_id)]
    assert {"Good morning.", "Bonjour."} <= set(texts)


async def test_what_was_said_at_one_time_keeps_its_order(
    store: Store, session_id: UUID, tmp_path: Path
) -> None:
    said = "".join(f"Ada: {number}.\n" for number in range(1, 12))
    for text in (f"00:00:00\n{said}00:05:00\n{said}", f"00:00\n{said}"):
        path = written(tmp_path / f"{len(text)}.txt", text)
        await import_file(store, session_id, path, language="en")
        texts = [entry.text for entry in await store.timeline(session_id) if entry.source == path.name]
        assert texts == [f"{number}." for number in range(1, 12)] * text.count("00:0")


async def test_cues_that_are_alike_are_all_kept(store: Store, session_id: UUID, tmp_path: Path) -> None:
    alike = "00:01.000 --> 00:02.000\nYes.\n\n" * 3
    path = written(tmp_path / "echo.vtt", f"WEBVTT\n\n{alike}x\n{alike}x\n{alike}x/1\n{alike}")
    for counts in (ImportCounts(inserted=12), ImportCounts(unchanged=12)):
        assert (await import_file(store, session_id, path, language="en")).transcripts == counts


async def test_a_translation_without_times_is_refused_cue_by_cue(
    store: Store, session_id: UUID, english: Path, tmp_path: Path
) -> None:
    await import_file(store, session_id, english)
    path = written(tmp_path / "talk.txt", "Ada: Buenos días.\nBob: Empezamos.\n")
    report = await import_file(store, session_id, path, language="es", as_translation=True)
    assert [refusal.line for refusal in report.refusals] == [1, 2]
    assert report.translations == ImportCounts()


async def test_a_translation_needs_something_to_translate(
    store: Store, session_id: UUID, spanish: Path
) -> None:
    async with store.unit_of_work() as uow:
        await uow.transcripts.add(session_id, transcript(segment_key="untimed"))
    with pytest.raises(InvalidInputError, match="no transcript with a time"):
        await import_file(store, session_id, spanish, as_translation=True)


@pytest.mark.parametrize("second", ["zh-Hans", "ZH-HANS", "zh", "chi"])
async def test_a_second_language_is_the_same_in_any_spelling(
    store: Store, session_id: UUID, tmp_path: Path, second: str
) -> None:
    text = "WEBVTT\n\n00:01.000 --> 00:02.000\nHello.\n<lang zh-Hans>\u4f60\u597d\u3002</lang>\n"
    path = written(tmp_path / "talk.en.vtt", text)
    report = await import_file(store, session_id, path, second_language=second)
    assert (report.transcripts.inserted, report.translations.inserted) == (1, 1)


async def test_a_line_break_at_an_end_parts_no_languages(
    store: Store, session_id: UUID, tmp_path: Path
) -> None:
    texts = ["\nHola", "Hello\n", " \nHello\nHola\n", "\u2060"]
    segments = [{"text": text, "language": "en", "start_time": n} for n, text in enumerate(texts)]
    document = json.dumps({"format": "livetranslate-store session", "segments": segments})
    path = written(tmp_path / "talk.en.json", document)
    report = await import_file(store, session_id, path, second_language="es")
    assert not report.refusals
    stored = await store.timeline(session_id)
    assert [(each.text, each.language) for each in stored if each.kind == "transcript"] == [
        ("\nHola", "en"),
        ("Hello\n", "en"),
        ("Hello", "en"),
        ("\u2060", "en"),
    ]
    assert [(each.text, each.language) for each in stored if each.kind == "translation"] == [("Hola", "es")]


async def test_what_cannot_be_imported_is_told(store: Store, session_id: UUID, tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match=r"gone\.vtt cannot be read"):
        await import_file(store, session_id, tmp_path / "gone.vtt")
    with pytest.raises(InvalidInputError, match="cannot be read"):
        await import_file(store, session_id, tmp_path)
    with pytest.raises(InvalidInputError, match=r"talk\.vtt cannot be read: embedded null byte"):
        await import_file(store, session_id, tmp_path / "a\0b" / "talk.vtt")
    with pytest.raises(InvalidInputError, match=r"notes\.txt is in none of the formats"):
        await import_file(store, session_id, written(tmp_path / "notes.txt", "Nothing was said."))
    with pytest.raises(NotFoundError):
        await import_file(store, new_id(), written(tmp_path / "talk.en.vtt", ENGLISH))


async def test_a_transcript_that_moved_on_is_not_taken_back_by_its_translation(
    store: Store, session_id: UUID, english: Path, spanish: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await import_file(store, session_id, english)
    first = (await store.timeline(session_id))[0]
    add_translation = store.add_translation

    async def overtaken(*arguments: Any) -> Any:
        await store.record_segment(
            session_id,
            transcript=transcript("Good evening.", id=first.transcript_id, start_time=1.0, is_final=True),
        )
        return await add_translation(*arguments)

    monkeypatch.setattr(store, "add_translation", overtaken)
    await import_file(store, session_id, spanish, as_translation=True)
    spoken, translated = (await store.timeline(session_id))[:2][::-1]
    assert {spoken.text, translated.text} == {"Good evening.", "Buenos días."}
    assert (spoken if spoken.kind == "translation" else translated).is_stale
