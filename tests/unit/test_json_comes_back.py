"""Our own JSON export comes back: every segment with its translations, exactly as it was written."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import pytest
from helpers.rows import MEETINGS, SESSION, row
from hypothesis import HealthCheck, given, settings

from livetranslate_store import InvalidInputError
from livetranslate_store.formats import read_transcript
from livetranslate_store.formats.writers.json import JSONWriter
from livetranslate_store.values import ImportedCue, ImportedTranslation, Note, Refusal, TranscriptRow

pytestmark = pytest.mark.slow


def written(rows: Sequence[TranscriptRow], languages: Sequence[str] = ("es",)) -> bytes:
    writer = JSONWriter(SESSION, languages)
    return (writer.begin() + "".join(map(writer.add, rows)) + writer.end()).encode()


def storable(text: str) -> bool:
    return "\0" not in text


@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow])
@given(rows=MEETINGS)
def test_a_session_comes_back_as_it_was_written(rows: list[TranscriptRow]) -> None:
    file = read_transcript(written(rows))
    assert file.format == "livetranslate"
    assert [*file.cues] == [cue(each, line) for line, each in enumerate(rows, start=1) if is_said(each)]
    # A text that shows nothing is no segment of an import.
    refused = [item.line for item in file if isinstance(item, Refusal)]
    assert refused == [line for line, each in enumerate(rows, start=1) if not is_said(each)]


def is_said(each: TranscriptRow) -> bool:
    return bool(each.text.strip()) and storable(each.text)


def cue(each: TranscriptRow, line: int) -> ImportedCue:
    return ImportedCue(
        text=each.text,
        language=each.language,
        line=line,
        start_time=each.start_time,
        end_time=each.end_time,
        speaker_label=each.speaker_label,
        speaker_name=each.speaker_name,
        confidence=each.confidence,
        identifier=str(each.transcript_id),
        is_final=each.is_final,
        translations=[
            ImportedTranslation(
                text=one.text,
                language=one.language,
                confidence=one.confidence,
                **edit(one.edited_by, one.edited_at),
            )
            for one in each.translations
            if one is not None and storable(one.text)
        ],
        **edit(each.edited_by, each.edited_at),
    )


def edit(edited_by: str | None, edited_at: datetime | None) -> dict[str, Any]:
    if edited_by is None or not edited_by.strip() or not storable(edited_by):
        return {}
    return {"edited_by": edited_by, "edited_at": edited_at}


def test_what_is_not_final_comes_back_as_that() -> None:
    [cue] = read_transcript(written([row(is_final=False)])).cues
    assert not cue.is_final


def test_a_translation_that_cannot_be_stored_does_not_cost_the_segment() -> None:
    file = read_transcript(written([row(translations=["a\0b"])]))
    assert [(cue.text, len(cue.translations)) for cue in file.cues] == [("Hello.", 0)]
    reason = "text holds a NUL character, which PostgreSQL cannot store."
    assert [*file.notes] == [Note(1, f"Its translation: {reason} It is left out.")]


def test_a_damaged_export_is_read_as_far_as_it_goes() -> None:
    document = json.loads(written([row("One."), row("Two.", translations=["Dos."])]))
    document["segments"][0] |= {"start_time": "soon", "translations": None, "language": 7}
    document["segments"][1]["translations"] += [None, {"text": "Zwei."}]
    file = read_transcript(json.dumps(document).encode(), language="en")
    assert [(cue.text, cue.start_time, len(cue.translations)) for cue in file.cues] == [
        ("One.", None, 0),
        ("Two.", 0.0, 1),
    ]


@pytest.mark.parametrize("damage", [{"segments": {"text": "hi"}}, {"words": [{"word": "a"}]}, {}])
def test_an_export_without_a_list_of_segments_is_refused(damage: dict[str, Any]) -> None:
    document = {"format": "livetranslate-store session"} | damage
    with pytest.raises(InvalidInputError, match="segments are no list"):
        read_transcript(json.dumps(document).encode(), language="en")


def test_words_beside_no_segments_are_none() -> None:
    document = {"format": "livetranslate-store session", "segments": [], "words": [{"word": "a"}]}
    assert not read_transcript(json.dumps(document).encode(), language="en").cues
