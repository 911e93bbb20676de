"""Files of the kinds that people bring give their right values; the folder of files may be missing."""

from pathlib import Path

import pytest

from livetranslate_store.exchange.bilingual import paired
from livetranslate_store.formats import read_transcript
from livetranslate_store.values import ImportedCue

FOLDER = Path(__file__).resolve().parents[3] / "shared" / "field"
pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason=f"no files of the field in {FOLDER}")

Value = tuple[str | None, float | None, float | None, str]


def cues(name: str, language: str | None = None) -> list[ImportedCue]:
    file = read_transcript((FOLDER / name).read_bytes(), name=name, language=language)
    assert not file.refusals
    return [*file.cues]


def values(name: str, language: str | None = None) -> list[Value]:
    return [(cue.speaker_label, cue.start_time, cue.end_time, cue.text) for cue in cues(name, language)]


GREEK = ["Alpha", "Beta", "Gamma", "Delta"]


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("srt_fullwidth.en.srt", 3),
        ("srt_index_decimal.en.srt", 3),
        ("srt_spaced_arrow.en.srt", 4),
        ("srt_double_cr.en.srt", 3),
    ],
)
def test_a_damaged_head_is_a_head(name: str, number: int) -> None:
    expected = [(None, float(at), at + 1.0, GREEK[at - 1]) for at in range(1, number + 1)]
    assert values(name) == expected


def test_spaced_times_without_blank_lines_are_heads() -> None:
    assert values("srt_spaced_missing_newlines.en.srt") == [
        (None, 12.083, 15.726, "Alpha"),
        (None, 15.75, 28.892, "Beta"),
        (None, 28.916, 33.726, "Gamma\nmore"),
    ]


def test_text_behind_the_times_is_text() -> None:
    assert values("srt_text_on_time_line.en.srt") == [
        (None, 1.0, 2.0, "Alpha"),
        (None, 2.0, 3.0, "Beta\nand more"),
    ]


def test_characters_and_breaks_may_be_spelled_out() -> None:
    assert [cue.text for cue in cues("srt_entities.en.srt")] == [
        "Salt & pepper and <oil>",
        "Top\nnext\nthird fourth",
    ]


def test_the_segments_of_a_stream_are_one_file() -> None:
    assert values("hls_concat.en.vtt") == [(None, 1.0, 3.0, "First part"), (None, 3.0, 5.0, "Second part")]


def test_captions_that_roll_up_in_subrip_are_read_once() -> None:
    assert values("ytdlp_converted.en.srt") == [
        (None, 0.16, 2.389, "so today we"),
        (None, 2.399, 4.5, "look at boats"),
        (None, 4.51, 6.9, "and their sails"),
    ]


def test_highlighted_words_are_the_words_of_one_cue() -> None:
    [cue] = cues("whisper_highlight.en.vtt")
    assert (cue.start_time, cue.end_time, cue.text) == (0.0, 1.0, "Boats are slow.")
    assert [(word.text, word.start_time, word.end_time) for word in cue.words or ()] == [
        ("Boats", 0.0, 0.3),
        ("are", 0.3, 0.5),
        ("slow.", 0.5, 1.0),
    ]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (
            "zoom_cloud.vtt",
            [
                ("Ana Lima", 5.79, 7.5, "Can you hear me?"),
                ("Bo Chen", 7.6, 9.0, "Yes, I can."),
                (None, 9.1, 10.0, "And the slides too."),
            ],
        ),
        (
            "whisperx_diarized.en.vtt",
            [("SPEAKER_00", 0.5, 2.0, "Shall we start?"), ("SPEAKER_01", 2.2, 3.0, "We shall.")],
        ),
        ("webex.vtt", [("Ana Lima", 1.0, 3.0, "Shall we begin?"), ("Bo Chen", 3.2, 5.0, "Please do.")]),
        (
            "meet_doc_guest.en.txt",
            [
                ("Ana Lima", 0.0, None, "Shall we begin?"),
                ("Bo Chen (Guest)", 0.0, None, "Please do."),
                ("+1 *** *** **42", 0.0, None, "I am on the phone."),
                ("2nd Floor Room", 0.0, None, "We hear you."),
                ("Ana Lima", 0.0, None, "Good."),
            ],
        ),
        (
            "dialogue_colon_in_text.en.txt",
            [
                ("Ana Lima", 5.0, None, "Three things to decide.\nBudget: ten thousand.\nDeadline: Friday."),
                ("Bo Chen", 20.0, None, "Agreed."),
            ],
        ),
        (
            "meet_doc_md.en.md",
            [
                ("Ana Lima", 0.0, None, "Shall we begin?"),
                ("Bo Chen", 0.0, None, "Please do."),
                ("Ana Lima", 300.0, None, "Next."),
            ],
        ),
        (
            "otter.en.txt",
            [
                ("Ana Lima", 5.0, None, "Shall we begin? One point: the budget."),
                ("Bo Chen", 12.0, None, "Please do. It is late."),
            ],
        ),
        ("teams_transcript.en.docx", [("Ana Lima", 5.0, None, "Shall we begin?")]),
        ("talk.en.ass", [("Ana", 1.0, 3.0, "Shall we\nbegin?"), ("Bo", 3.2, 5.0, "Please do.")]),
        (
            "meet_chat.en.sbv",
            [
                ("Ana Lima", 10.0, 13.0, "Good morning"),
                ("Bo Chen", 14.5, 17.0, "Morning! Slides are up"),
                ("Ana Lima", 20.0, 23.0, "Thanks"),
            ],
        ),
        ("talk.en.ttml", [(None, 1.0, 3.0, "Shall we begin?")]),
    ],
)
def test_the_file_says_who_spoke(name: str, expected: list[Value]) -> None:
    assert values(name, "en") == expected


def test_a_cue_has_the_language_that_it_names() -> None:
    assert [(cue.language, cue.text) for cue in cues("lang_span.vtt")] == [
        ("en", "Hello"),
        ("es", "Hola"),
        ("es", "Sola en castellano"),
    ]


def test_a_kind_of_subtitles_behind_a_language_is_none() -> None:
    assert [(cue.language, cue.text) for cue in cues("hearing.en.hi.srt")] == [
        ("en", "[door opens] Good morning")
    ]


@pytest.mark.parametrize(
    ("name", "texts"),
    [
        ("iso2022.ja.srt", ["おはようございます、会議を始めます", "予算と日程について話しましょう"]),
        ("latin1_mixed.fr.srt", ["Déjà là, où ça ?", "L’été à Noël"]),  # noqa: RUF001 (as Windows writes it)
        (
            "iso8859_2.pl.srt",
            [
                "Dzień dobry, zaczynamy spotkanie o budżecie",
                "Czy są jakieś pytania? Proszę śmiało zgłaszać się",
                "Dziękuję wszystkim, źle nie było",
            ],
        ),
    ],
)
def test_letters_are_those_that_were_written(name: str, texts: list[str]) -> None:
    assert [cue.text for cue in cues(name)] == texts


def test_a_bilingual_cue_is_an_original_and_its_translation() -> None:
    name = "bilingual_export.en.srt"
    [cue] = paired(read_transcript((FOLDER / name).read_bytes(), name=name), "fr").cues
    assert (cue.text, cue.language) == ("Hello", "en")
    assert [(each.text, each.language) for each in cue.translations] == [("Bonjour", "fr")]
