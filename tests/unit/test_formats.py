"""What other programs write is read in each of their forms; what is wrong is told with its line."""

import json
from typing import Any

import pytest
from helpers.transcript_samples import (
    MEET_DOCUMENT,
    SRT,
    WEBVTT,
)

from livetranslate_store import InvalidInputError, Refusal, Word
from livetranslate_store.formats import FORMATS, read_transcript
from livetranslate_store.values import ImportedCue


def read(content: str | dict[str, Any] | list[Any], **options: Any) -> list[ImportedCue | Refusal]:
    text = content if isinstance(content, str) else json.dumps(content)
    return list(read_transcript(text.encode(), **{"language": "en"} | options))


def cues(content: str | dict[str, Any] | list[Any], **options: Any) -> list[ImportedCue]:
    found = read(content, **options)
    assert [item for item in found if isinstance(item, Refusal)] == []
    return [item for item in found if isinstance(item, ImportedCue)]


def test_webvtt_is_read_with_voices_identifiers_and_karaoke() -> None:
    ada, bob, second, karaoke = cues(WEBVTT, language=None)
    assert (ada.text, ada.speaker_label, ada.identifier) == (
        "Good morning, & welcome.",
        "Ada Lovelace",
        "intro",
    )
    assert (ada.start_time, ada.end_time, ada.line) == (1.0, 3.5, 16)
    assert (bob.text, bob.speaker_name, bob.start_time) == ("Hello!", "Bob", 1.0)
    assert (second.text, second.start_time, second.speaker_label) == ("Second line\nof two", 3604.0, None)
    assert karaoke.text == "Now word by word"
    assert karaoke.words == [
        Word(text="Now", start_time=70.0, end_time=70.5),
        Word(text="word", start_time=70.5, end_time=71.0),
        Word(text="by word", start_time=71.0, end_time=72.0),
    ]
    assert {each.language for each in (ada, bob, second, karaoke)} == {"nl"}


def test_webvtt_text_below_a_blank_line_belongs_to_the_cue_that_has_none() -> None:
    found = read("WEBVTT\n\n00:01.000 --> 00:02.000\n\nHeard\n\nLost\n\nid\n00:03.000 --> 00:04.000\nSeen")
    assert found[1] == Refusal(7, "'Lost' stands outside of any cue.")
    assert [item.text for item in found if isinstance(item, ImportedCue)] == ["Heard", "Seen"]


def test_captions_that_roll_up_are_read_once() -> None:
    rolling = """WEBVTT

00:00.000 --> 00:02.000 align:start
\x20
well<00:00.500><c> then</c><00:01.000><c> we</c>

00:02.000 --> 00:02.010
well then we
\x20

00:02.010 --> 00:04.000
well then we
go<00:03.000><c> on</c>

00:04.000 --> 00:04.010
go on
\x20

00:04.010 --> 00:06.000
go on
go<00:05.000><c> on</c>
"""
    assert [(cue.text, cue.start_time) for cue in cues(rolling)] == [
        ("well then we", 0.0),
        ("go on", 2.01),
        ("go on", 4.01),
    ]
    broken = rolling.replace("--> 00:04.010", "--> 00:0x.010")
    assert [item.line for item in read(broken) if isinstance(item, Refusal)] == [15]
    # Without words that are timed, somebody only repeats what was said.
    said = "WEBVTT\n\n" + "00:00.000 --> 00:02.000\nYes.\n\n" * 3
    assert [cue.text for cue in cues(said)] == ["Yes."] * 3


def test_srt_is_read_without_its_markup_and_nothing_else_is_taken_away() -> None:
    assert [(cue.text, cue.start_time) for cue in cues(SRT)] == [
        ("Are we ready?", 1.0),
        ("I <3 this -> and\n2 > 1", 3.0),
        ("before a gap\nafter a gap", 5.0),
        ("42", 7.0),
    ]


def test_a_google_meet_document_is_read_between_its_head_and_its_end() -> None:
    assert [(cue.speaker_name, cue.text, cue.start_time) for cue in cues(MEET_DOCUMENT)] == [
        ("Ada Lovelace", "Good morning.\nAnd welcome.", 0.0),
        ("Bob", "Time is 10:30 now.", 0.0),
        ("Ada Lovelace", "Next: the budget.", 300.0),
    ]


@pytest.mark.parametrize(
    "line", ["[00:01:05] Ada: Good.", "1:05 - Ada: Good.", "Ada (01:05): Good.", "Ada [00:01:05]: Good."]
)
def test_dialogue_may_have_a_time_in_each_line(line: str) -> None:
    [cue] = cues(line)
    assert (cue.speaker_label, cue.text, cue.start_time) == ("Ada", "Good.", 65.0)


def test_dialogue_without_times_is_read_in_its_order() -> None:
    assert [(cue.text, cue.start_time) for cue in cues("Ada: Good.\n\n\uff22ob\uff1a Fine.")] == [
        ("Good.", None),
        ("Fine.", None),
    ]


@pytest.mark.parametrize(
    ("text", "refusal"),
    [
        ("00:01.000 --> 00:02.000\n<i></i>", Refusal(3, "There is no text.")),
        (
            "00:0x.000 --> 00:02.000\nEarly",
            Refusal(3, "'00:0x.000 --> 00:02.000' are not two times such as 00:01:02.500 --> 00:01:04.000."),
        ),
        ("Lost and found", Refusal(3, "'Lost and found' stands outside of any cue.")),
        (
            "00:01.000 --> 00:02.000\na\0b",
            Refusal(3, "text holds a NUL character, which PostgreSQL cannot store."),
        ),
    ],
)
def test_what_cannot_be_read_is_told_with_its_line_and_the_rest_goes_in(text: str, refusal: Refusal) -> None:
    good = "00:05.000 --> 00:06.000\nGood"
    found = read(f"WEBVTT\n\n{text}\n\n{good}")
    assert found[0] == refusal
    assert [item.text for item in found if isinstance(item, ImportedCue)] == ["Good"]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize(
    ("encoding", "told"),
    [("utf-8", "utf-8"), ("utf-8-sig", "utf-8"), ("utf-16", "utf-16-le"), ("utf-16-be", "utf-16-be")],
)
def test_encodings_and_line_ends_make_no_difference(end: str, encoding: str, told: str) -> None:
    text = SRT.replace("ready", "pr\u00eats")
    file = read_transcript(text.replace("\n", end).encode(encoding), language="fr")
    assert file.cues == read_transcript(text.encode(), language="fr").cues
    assert file.encoding == told
    assert file.encoding_is_guessed == (encoding == "utf-16-be")


@pytest.mark.parametrize(
    ("spoken", "language", "encoding"),
    [
        ("Où êtes-vous allé hier soir, après la réunion à Genève ?", "fr", "cp1252"),
        ("Zażółć gęślą jaźń, mówię o budżecie i spotkaniach.", "pl", "cp1250"),
        ("こんにちは、皆さん。会議を始めます。", "ja", "cp932"),
    ],
)
def test_a_guess_takes_what_is_usual_for_the_language(spoken: str, language: str, encoding: str) -> None:
    text = f"1\n00:00:01,000 --> 00:00:02,000\n{spoken}\n\n" * 5
    file = read_transcript(text.encode(encoding), name=f"talk.{language}.srt")
    assert (file.encoding, file.cues[0].text) == (encoding, spoken)


def test_a_legacy_encoding_is_guessed_and_told() -> None:
    # Russian: its letters look like Latin ones here and there.
    spoken = "Добрый день, коллеги. Сегодня мы говорим о бюджете и о сроках."  # noqa: RUF001
    text = "\n".join(f"{n}\n00:00:{n:02},000 --> 00:00:{n:02},900\n{spoken}\n" for n in range(1, 30))
    file = read_transcript(text.encode("cp1251"), language="ru")
    assert file.encoding_is_guessed
    assert {cue.text for cue in file.cues} == {spoken}


def test_a_broken_byte_in_utf_8_refuses_its_cue_alone() -> None:
    broken = SRT.encode().replace(b"before", b"b\xffore").replace(b"42", "größer".encode())
    items = list(read_transcript(broken, language="en"))
    assert items[2] == Refusal(11, "The text holds bytes that are not UTF-8.")
    assert [cue.text for cue in items if isinstance(cue, ImportedCue)][-1] == "größer"


def test_a_broken_byte_in_xml_refuses_its_cue_alone() -> None:
    spoken = "größer", "b@d", "good"
    texts = "".join(f'<p begin="{n}s">{each}</p>' for n, each in enumerate(spoken))
    broken = f"<tt><body>{texts}</body></tt>".encode().replace(b"@", b"\xff")
    file = read_transcript(broken, language="de")
    assert [cue.text for cue in file.cues] == ["größer", "good"]
    assert len(file.refusals) == 1


def test_the_language_is_told_by_the_caller_then_the_file_then_its_name() -> None:
    def language(name: str, text: str = SRT, **options: Any) -> str:
        return read_transcript(text.encode(), name=name, **options).cues[0].language

    assert language("talk.pt-BR.srt") == "pt-BR"
    assert language("talk.de.vtt", WEBVTT) == "nl"
    assert language("talk.de.vtt", WEBVTT, language="fr") == "fr"
    for name in ("talk.srt", "part.one.srt", "talk.v2.srt", "talk.qq.srt"):
        with pytest.raises(InvalidInputError, match="in which language"):
            language(name)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "is empty"),
        ("Dear all,\nsee the agenda: it is long.\nRegards", "none of the formats that are read: webvtt, ass"),
        ('{"a": 1}', "none of the formats"),
        ("[1, 2", "line 1 is no JSON"),
        ("[" * 100_000, "nested too deeply"),
        ('{"segments": [' + "1" * 5000 + "]}", "too many digits"),
    ],
)
def test_a_file_of_no_format_is_refused_with_what_was_tried(content: str, reason: str) -> None:
    with pytest.raises(InvalidInputError, match=reason):
        read(content)


def test_a_format_that_is_given_must_be_that_of_the_file() -> None:
    with pytest.raises(InvalidInputError, match="format must be one of webvtt"):
        read(SRT, format="docx")
    for name in FORMATS:
        if name not in {"srt", "webvtt"}:
            with pytest.raises(InvalidInputError, match=f"not {name}"):
                read(SRT, format=name)
    # A WebVTT file without its first line is one to whoever says so.
    assert read_transcript(SRT.encode(), format="webvtt", language="en").format == "webvtt"
