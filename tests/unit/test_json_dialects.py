"""JSON of other programs: what each kind of document holds, in the right unit, and by one reader alone."""

import json
from typing import Any

import pytest
from helpers.dialect_samples import DIALECT_SAMPLES, Spoken, SpokenWord
from helpers.transcript_samples import (
    ASSEMBLYAI,
    DEEPGRAM_WORDS,
    FIREFLIES,
    MEET,
    MEET_DOCUMENT,
    SRT,
    WEBVTT,
    WHISPER,
    WHISPERX,
    deepgram,
)

from livetranslate_store import InvalidInputError, Note, Refusal, Word
from livetranslate_store.formats import read_transcript
from livetranslate_store.formats.readers.json_formats import JSON_FORMATS
from livetranslate_store.formats.readers.registry import matching
from livetranslate_store.formats.readers.source import Source
from livetranslate_store.formats.readers.text_formats import TEXT_FORMATS
from livetranslate_store.values import ImportedCue, TranscriptFile

MEETING = [
    Spoken([SpokenWord("shall", 61_500, 61_800), SpokenWord("we", 61_800, 63_000)], 0, "en"),
    Spoken([SpokenWord("claro", 64_000, 64_400), SpokenWord("si", 64_400, 65_000)], 1, "es"),
]
DOCUMENTS: dict[str, Any] = {
    **{name: sample.write(MEETING) for name, sample in DIALECT_SAMPLES.items()},
    "whisper, short": WHISPER,
    "whisperx, short": WHISPERX,
    "deepgram, short": deepgram(),
    "assemblyai, short": ASSEMBLYAI,
    "fireflies, short": FIREFLIES,
    "google-meet, short": MEET,
    "google-meet, pages": [MEET, MEET],
    "whisper, a list": WHISPER["segments"],
    "vexa, nobody is named": {
        "native_meeting_id": "abc",
        "segments": [{"start": 0.5, "end": 2.0, "text": "So.", "completed": True}],
    },
    "whisper, nobody speaks": {"text": "", "segments": [], "language": "en"},
}


def read(document: Any, **options: Any) -> TranscriptFile:
    return read_transcript(json.dumps(document).encode(), **{"language": "en"} | options)


def cues(document: Any, **options: Any) -> list[ImportedCue]:
    file = read(document, **options)
    assert not file.refusals
    return [*file.cues]


@pytest.mark.parametrize("name", DOCUMENTS)
def test_one_reader_alone_claims_a_document(name: str) -> None:
    source = Source(json.dumps(DOCUMENTS[name]).encode())
    claiming = [each.name for each in JSON_FORMATS if each.matches(source)]
    assert claiming == [name.partition(",")[0] if name in DOCUMENTS and name != "voxtral" else "whisper"]
    assert [each.name for each in matching(source)] == claiming


@pytest.mark.parametrize(("text", "name"), [(WEBVTT, "webvtt"), (SRT, "srt"), (MEET_DOCUMENT, "dialogue")])
def test_one_reader_alone_claims_a_text(text: str, name: str) -> None:
    source = Source(text.encode())
    assert [each.name for each in (*TEXT_FORMATS, *JSON_FORMATS) if each.matches(source)] == [name]


@pytest.mark.parametrize("name", DIALECT_SAMPLES)
def test_a_minute_is_a_minute_in_every_dialect(name: str) -> None:
    first, second = cues(DIALECT_SAMPLES[name].write(MEETING))
    assert first.end_time is not None
    assert second.start_time is not None
    # 61.5 seconds, or the beginning if times count from the first.
    begin = 0.0 if DIALECT_SAMPLES[name].from_first else 61.5
    assert first.start_time == pytest.approx(begin)
    assert second.start_time == pytest.approx(begin + 2.5)


def test_gladia_in_seconds_is_not_taken_for_assemblyai_in_milliseconds() -> None:
    utterance = {
        "text": "Shall we?",
        "start": 61.5,
        "end": 63.0,
        "confidence": 0.9,
        "speaker": 0,
        "words": [],
    }
    with pytest.raises(InvalidInputError, match="none of the formats"):
        read({"utterances": [utterance]})
    [gladia] = cues({"full_transcript": "Shall we?", "utterances": [utterance | {"language": "en"}]})
    assert (gladia.start_time, gladia.end_time) == (61.5, 63.0)
    whole = utterance | {"start": 61, "end": 63, "language": "en"}
    [gladia] = cues({"transcription": {"full_transcript": "Shall we?", "utterances": [whole]}})
    assert (gladia.start_time, gladia.end_time) == (61.0, 63.0)
    [assemblyai] = cues({"utterances": [utterance | {"start": 61_500, "end": 63_000}]})
    assert (assemblyai.start_time, assemblyai.end_time) == (61.5, 63.0)


@pytest.mark.parametrize(
    ("at", "end"),
    [
        ({"offsetInTicks": 15_000_000.0, "durationInTicks": 5_000_000.0}, 2.0),
        ({"offset": "PT1.5S", "duration": "PT0.5S"}, 2.0),
        ({"offset": "PT1.5S", "duration": "PT1M0.5S"}, 62.0),
    ],
)
def test_azure_counts_in_ticks_or_in_durations(at: dict[str, Any], end: float) -> None:
    [cue] = cues({"recognizedPhrases": [{"nBest": [{"display": "So."}], **at}]})
    assert (cue.start_time, cue.end_time) == (1.5, end)


def test_a_duration_does_not_count_from_a_later_word() -> None:
    words = [
        {"word": "So", "durationInTicks": 2_000_000},
        {"word": "well", "offsetInTicks": 15_000_000, "durationInTicks": 5_000_000},
    ]
    phrase = {"durationInTicks": 20_000_000, "nBest": [{"display": "So well", "words": words}]}
    [cue] = cues({"recognizedPhrases": [phrase]})
    assert (cue.start_time, cue.end_time) == (1.5, 2.0)


@pytest.mark.parametrize("start", ["1.500s", {"seconds": "1", "nanos": 500_000_000}])
def test_google_counts_in_seconds_with_their_unit(start: Any) -> None:
    words = [{"word": "So", "startTime": start, "endTime": "2s"}]
    [cue] = cues({"results": [{"alternatives": [{"transcript": "So", "words": words}]}]})
    assert (cue.start_time, cue.end_time) == (1.5, 2.0)


def test_google_says_all_words_once_more_with_their_speakers() -> None:
    def words(*speakers: int) -> list[dict[str, Any]]:
        return [
            {
                "word": text,
                "startTime": f"{at}s",
                "endTime": f"{at + 1}s",
                **({"speakerTag": tag} if tag else {}),
            }
            for at, (text, tag) in enumerate(zip(["shall", "we", "yes"], speakers, strict=False))
        ]

    results = [
        {"alternatives": [{"transcript": "Shall we?", "words": words(0, 0)}]},
        {"alternatives": [{"words": words(1, 1, 2)}]},
    ]
    assert [(cue.text, cue.speaker_label) for cue in cues({"results": results})] == [
        ("shall we", "SPEAKER_01"),
        ("yes", "SPEAKER_02"),
    ]


def test_whisper_is_read_with_words_and_what_it_was_sure_of() -> None:
    first, second = cues(WHISPER, language=None)
    assert (first.text, first.language, first.end_time) == ("Eins.", "de", 1.5)
    assert first.confidence == pytest.approx(0.7788, abs=1e-4)
    assert first.words == [Word(text="Eins.", start_time=0.1, end_time=0.9, confidence=0.75)]
    assert (second.text, second.confidence, second.words) == ("Zwei.", None, None)


@pytest.mark.parametrize("bad", [10**400, "soon", [], True, -1.0, 1e300, float("nan"), float("-inf")])
def test_a_time_that_cannot_be_right_is_left_out_and_noted(bad: Any) -> None:
    good = {"start": 1.0, "end": 2.0, "text": "Good.", "avg_logprob": 0.01}
    file = read({"segments": [good, good | {"start": bad}, good]})
    assert [(cue.text, cue.start_time, cue.end_time) for cue in file.cues] == [
        ("Good.", 1.0, 2.0),
        ("Good.", None, 2.0),
        ("Good.", 1.0, 2.0),
    ]
    [note] = file.notes
    assert note.line == 2
    assert note.text.endswith("it is left out.")


@pytest.mark.parametrize("hours", ["9" * 400, "9" * 5000])
def test_a_duration_that_cannot_be_right_is_left_out_and_noted(hours: str) -> None:
    phrase = {"offset": "PT1.5S", "duration": f"PT{hours}H", "nBest": [{"display": "So."}]}
    file = read({"recognizedPhrases": [phrase]})
    assert [(cue.text, cue.start_time, cue.end_time) for cue in file.cues] == [("So.", 1.5, None)]
    assert [note.line for note in file.notes] == [1]


@pytest.mark.parametrize("field", ["tStartMs", "dDurationMs", "tOffsetMs"])
def test_a_time_of_captions_that_cannot_be_right_is_left_out_and_noted(field: str) -> None:
    part = {"utf8": "So", "tOffsetMs": 1.5}
    event = {"tStartMs": 1.5, "dDurationMs": 2.5, "segs": [part]}
    (part if field in part else event)[field] = 10**400
    file = read({"wireMagic": "pb3", "events": [event]})
    assert [cue.text for cue in file.cues] == ["So"]
    assert [note.line for note in file.notes] == [1]


def test_an_end_before_its_start_is_left_out_and_noted() -> None:
    file = read({"segments": [{"start": 5.0, "end": 4.98, "text": " Kept words"}]})
    assert [(cue.text, cue.start_time, cue.end_time) for cue in file.cues] == [("Kept words", 5.0, None)]
    assert [*file.notes] == [Note(1, "It ends at 4.98 s, before it starts at 5 s; the end is left out.")]


def test_a_segment_without_a_text_is_refused() -> None:
    assert [*read({"segments": [{"start": 7.0, "end": 8.0, "text": ""}]})] == [
        Refusal(1, "There is no text.")
    ]


def test_words_at_the_top_go_to_the_segments_that_they_lie_in() -> None:
    words = [{"word": text, "start": at, "end": at + 0.5} for at, text in enumerate("abcd")]
    segments = [{"start": 0.0, "end": 2.0, "text": "a b"}, {"start": 2.0, "end": 3.0, "text": "c d"}]
    found = cues({"segments": segments, "words": words})
    assert [[word.text for word in cue.words or ()] for cue in found] == [["a", "b"], ["c", "d"]]


def test_whisperx_is_read_with_speakers_and_words_that_have_no_times() -> None:
    [cue] = cues(WHISPERX)
    assert (cue.text, cue.speaker_label, cue.speaker_name) == ("We start now.", "SPEAKER_01", None)
    assert cue.words == [
        Word(text="We", start_time=0.5, end_time=0.7, confidence=0.5),
        Word(text="2024"),
        Word(text="now.", start_time=1.5, confidence=1.0),
    ]


def test_deepgram_is_read_by_utterances() -> None:
    utterance = {"id": "u-1", "start": 0, "end": 1.5, "confidence": 0.9, "transcript": "Hi. So", "speaker": 0}
    [cue] = cues(deepgram(utterances=[utterance | {"words": DEEPGRAM_WORDS[:2]}]), language=None)
    assert (cue.text, cue.language, cue.speaker_label, cue.identifier) == (
        "Hi. So",
        "en",
        "SPEAKER_00",
        "u-1",
    )
    assert cue.words is not None
    assert [word.text for word in cue.words] == ["Hi.", "So"]


def test_deepgram_without_utterances_is_read_by_sentences() -> None:
    document = deepgram()
    sentences = [{"text": "Hi.", "start": 0.0, "end": 0.4}, {"text": "So yes", "start": 1.0, "end": 1.6}]
    document["results"]["channels"][0]["alternatives"][0]["paragraphs"] = {
        "paragraphs": [{"sentences": sentences, "speaker": 1}]
    }
    first, second = cues(document)
    assert [word.text for word in first.words or ()] == ["Hi."]
    assert [word.text for word in second.words or ()] == ["So", "yes"]
    assert first.speaker_label == "SPEAKER_01"


def test_deepgram_with_words_alone_makes_a_cue_of_each_sentence_and_speaker() -> None:
    said = [(cue.text, cue.speaker_label, cue.start_time, cue.end_time) for cue in cues(deepgram())]
    assert said == [
        ("Hi.", "SPEAKER_00", 0.0, 0.4),
        ("So", "SPEAKER_00", 1.0, 1.2),
        ("yes", "SPEAKER_01", 1.3, 1.6),
    ]
    silent = [{"word": "so", "start": 0.0, "end": 0.5}, {"word": "then", "start": 1.0, "end": 1.5}]
    silent.append({"word": "later", "start": 2.6, "end": 3.0})
    document = deepgram(channels=[{"alternatives": [{"transcript": "so then later", "words": silent}]}])
    assert [cue.text for cue in cues(document)] == ["so then", "later"]


def test_each_channel_has_speakers_of_its_own() -> None:
    channel = {"alternatives": [{"words": DEEPGRAM_WORDS[:1]}], "detected_language": "es"}
    labels = [(cue.speaker_label, cue.language) for cue in cues(deepgram(channels=[channel, channel]))]
    assert labels == [("CHANNEL_0_SPEAKER_00", "es"), ("CHANNEL_1_SPEAKER_00", "es")]


def test_a_word_with_a_bad_number_loses_that_number_alone() -> None:
    words = [*DEEPGRAM_WORDS, {"word": "no", "start": 10**400, "end": 3.0, "speaker": 1}]
    file = read(deepgram(channels=[{"alternatives": [{"transcript": "", "words": words}]}]))
    assert [cue.text for cue in file.cues] == ["Hi.", "So", "yes no"]
    assert (file.cues[-1].words or ())[-1] == Word(text="no", end_time=3.0)
    assert [note.line for note in file.notes] == [3]


def test_words_of_a_script_without_spaces_are_joined_without() -> None:
    words = [
        {"word": text, "start": float(at), "end": at + 0.5}
        for at, text in enumerate(["会議", "を", "始めます", "OK"])
    ]
    [cue] = cues(deepgram(channels=[{"alternatives": [{"words": words}]}]))
    assert cue.text == "会議を始めます OK"


def test_the_whole_text_is_kept_if_the_words_are_fewer() -> None:
    words = [{"text": "Shall", "start": 0.1, "end": 0.3, "type": "word"}]
    [cue] = cues({"language_code": "eng", "text": "Shall we begin?", "words": words})
    assert (cue.text, cue.start_time, cue.end_time) == ("Shall we begin?", 0.1, 0.3)


def test_a_language_by_its_name_is_a_tag_and_one_that_is_none_is_noted() -> None:
    segment = {"start": 0.0, "end": 1.0, "text": "So."}
    [cue] = cues({"language": "Haitian Creole", "segments": [segment]}, language=None)
    assert cue.language == "ht"
    file = read({"language": "english", "segments": [segment | {"language": "unclear"}]}, language=None)
    assert file.cues[0].language == "en"
    assert [*file.notes] == [Note(1, "'unclear' is no language; en is taken.")]
    for said in ("auto", "multi", "und", "", "en" + "-abcde" * 1200):
        with pytest.raises(InvalidInputError, match="in which language"):
            read({"language": said, "segments": [segment]}, language=None)


def test_assemblyai_is_read_in_seconds() -> None:
    [cue] = cues(ASSEMBLYAI, language=None)
    assert (cue.language, cue.speaker_label, cue.start_time, cue.end_time) == ("en-US", "A", 0.25, 1.75)
    assert cue.words == [Word(text="Let", start_time=0.25, end_time=0.4, confidence=0.8)]


def test_fireflies_is_read_with_names_and_as_a_person_corrected_it() -> None:
    [cue] = cues(FIREFLIES)
    assert (cue.text, cue.speaker_label, cue.speaker_name) == ("Budget first.", "SPEAKER_03", "Ada")
    assert (cue.start_time, cue.end_time) == (1.25, 2.5)
    download = [
        {"sentence": "Budget first.", "speaker_name": "Ada", "startTime": "01:05", "endTime": "01:07"}
    ]
    [cue] = cues(download)
    assert (cue.text, cue.speaker_label, cue.start_time, cue.end_time) == ("Budget first.", "Ada", 65.0, 67.0)


def test_google_meet_counts_from_its_first_entry_and_each_has_its_language() -> None:
    file = read(MEET, language=None)
    first, second = file.cues
    assert (first.text, first.language, first.speaker_label) == ("Guten Tag.", "de-DE", "p7")
    assert (first.start_time, first.end_time, first.identifier) == (2.5, 4.0, "e2")
    assert (second.start_time, second.end_time) == (0.0, None)
    assert file.notes[-1] == Note(2, "'soon' is no time such as 2026-01-31T09:30:00Z; it is left out.")
    # What an entry says itself stands above the language of the file.
    assert cues(MEET["transcriptEntries"][:1], language="en")[0].language == "de-DE"


def test_times_of_the_wall_clock_count_from_the_first_and_others_do_not() -> None:
    def attendee(*starts: int) -> list[float | None]:
        turns = [{"timestamp_ms": at, "duration_ms": 900, "transcription": "So."} for at in starts]
        return [cue.start_time for cue in cues(turns)]

    assert attendee(1_770_000_002_200, 1_770_000_000_500) == [1.7, 0.0]
    assert attendee(1_079, 2_000) == [1.079, 2.0]


def test_an_interim_segment_of_a_bot_is_no_final() -> None:
    segment = {"start": 0.5, "end": 2.0, "text": "So.", "speaker": "Ana", "completed": False}
    [cue] = cues({"native_meeting_id": "abc", "segments": [segment]})
    assert not cue.is_final


def test_speakers_may_be_left_out() -> None:
    assert {cue.speaker_label for cue in cues(WHISPERX, speakers="none")} == {None}


def test_captions_of_recognized_speech_end_with_the_next_line() -> None:
    def event(start: int, text: str) -> dict[str, Any]:
        return {"tStartMs": start, "dDurationMs": 5000, "segs": [{"utf8": text, "tOffsetMs": 0}]}

    found = cues({"wireMagic": "pb3", "events": [event(0, "so today"), event(2000, "we look")]})
    assert [(cue.start_time, cue.end_time) for cue in found] == [(0.0, 2.0), (2.0, 7.0)]
