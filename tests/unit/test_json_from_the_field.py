"""JSON as people bring it: each kind gives its right value."""

from pathlib import Path
from typing import Any, TypeAlias

import pytest

from livetranslate_store import Note, Word
from livetranslate_store.formats import read_transcript
from livetranslate_store.values import ImportedCue, TranscriptFile

Told: TypeAlias = tuple[str | None, float | None, float | None, str, str]


def read(folder: Path, name: str, language: str | None = None) -> TranscriptFile:
    return read_transcript((folder / name).read_bytes(), name=name, language=language)


def told(cue: ImportedCue) -> Told:
    return cue.speaker_name or cue.speaker_label, cue.start_time, cue.end_time, cue.language, cue.text


@pytest.mark.parametrize(
    ("name", "format_", "right"),
    [
        (
            "gladia_transcription.en.json",
            "gladia",
            [
                ("SPEAKER_00", 61.5, 63.0, "en", "Shall we begin?"),
                ("SPEAKER_01", 64.0, 65.0, "es", "S\u00ed."),
            ],
        ),
        (
            "attendee.en.json",
            "attendee",
            [
                ("Ana Lima", 0.0, 1.5, "en", "Shall we begin?"),
                ("Bo Chen", 1.7, 2.6, "en", "Please do."),
            ],
        ),
        (
            "vexa.json",
            "vexa",
            [
                ("Ana Lima", 0.5, 2.0, "en", "Shall we begin?"),
                ("Bo Chen", 2.2, 4.0, "es", "S\u00ed, por favor."),
            ],
        ),
        (
            "deepgram_multi.json",
            "deepgram",
            [
                (None, 0.1, 1.0, "en", "Shall we begin?"),
                (None, 1.5, 2.2, "es", "Claro que s\u00ed."),
            ],
        ),
        ("fireflies_edited.en.json", "fireflies", [("Ana Lima", 0.5, 2.0, "en", "Shall we begin, Bo?")]),
        ("openai_verbose.json", "whisper", [(None, 0.0, 2.0, "en", "Shall we begin?")]),
        ("whispercpp.json", "whisper.cpp", [(None, 0.0, 2.0, "en", "Shall we begin?")]),
        ("elevenlabs.json", "elevenlabs", [("speaker_0", 0.1, 0.5, "en", "Shall we begin?")]),
        ("recall.json", "recall", [("Ana Lima", 0.5, 2.0, "en", "Shall we begin?")]),
    ],
)
def test_a_file_that_names_its_languages_is_read(
    field_folder: Path, name: str, format_: str, right: list[Told]
) -> None:
    file = read(field_folder, name)
    assert file.format == format_
    assert not file.refusals
    assert [told(cue) for cue in file.cues] == right


@pytest.mark.parametrize(
    ("name", "right"),
    [
        ("aws.json", [(None, 0.1, 0.3, "fr", "Shall we begin?")]),
        ("azure.json", [("SPEAKER_01", 0.5, 2.0, "fr", "Shall we begin?")]),
        (
            "hf_chunks.json",
            [(None, 0.0, 2.0, "fr", "Shall we begin?"), (None, 2.0, None, "fr", "Please do.")],
        ),
        ("revai.json", [("SPEAKER_00", 0.1, 0.3, "fr", "Shall")]),
    ],
)
def test_a_file_that_names_no_language_is_in_the_one_that_is_given(
    field_folder: Path, name: str, right: list[Told]
) -> None:
    assert [told(cue) for cue in read(field_folder, name, "fr").cues] == right


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("gladia_transcription.en.json", [("Shall", 61.5, 61.8)]),
        ("openai_verbose.json", [("Shall", 0.0, 0.3), ("we", 0.3, 0.5), ("begin", 0.5, 2.0)]),
        ("elevenlabs.json", [("Shall", 0.1, 0.3), ("we", 0.31, 0.5)]),
        ("aws.json", [("Shall", 0.1, 0.3)]),
        ("revai.json", [("Shall", 0.1, 0.3)]),
    ],
)
def test_words_have_their_times(field_folder: Path, name: str, words: list[Any]) -> None:
    [first, *_] = read(field_folder, name, "en").cues
    assert [(word.text, word.start_time, word.end_time) for word in first.words or ()] == words


def test_a_confidence_is_the_one_of_the_source(field_folder: Path) -> None:
    [aws] = read(field_folder, "aws.json", "en").cues
    assert aws.words == [Word(text="Shall", start_time=0.1, end_time=0.3, confidence=0.99)]
    [azure] = read(field_folder, "azure.json", "en").cues
    assert azure.confidence == 0.9


def test_an_end_before_its_start_costs_the_end_alone(field_folder: Path) -> None:
    file = read(field_folder, "whisper_backwards.json")
    assert [told(cue) for cue in file.cues] == [
        (None, 5.0, None, "en", "Kept words"),
        (None, 6.0, 6.0, "en", "Zero length"),
    ]
    assert [*file.notes] == [Note(1, "It ends at 4.98 s, before it starts at 5 s; the end is left out.")]
