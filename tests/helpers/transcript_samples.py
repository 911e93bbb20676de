"""A short transcript in each format that is read."""

from typing import Any

WEBVTT = """WEBVTT - planning
Kind: captions
Language: nl

STYLE
::cue { color: yellow }

REGION
id:top

NOTE
This is between the authors --
and no speech.

intro
00:01.000 --> 00:03.500 align:start position:10%
<v.loud Ada Lovelace>Good <i>morning</i>, &amp; welcome.
<v Bob>Hello!</v>

2
01:00:04.000 --> 01:00:06.000
<c.green>Second line</c>
of <b>two</b>

00:01:10.000 --> 00:01:12.000
Now <00:01:10.500><c>word</c> <00:01:11.000>by word
"""

SRT = """1
00:00:01,000 --> 00:00:02,500
<i>Are we</i> {\\an8}ready?

2
00:00:03,000 --> 00:00:04,000
I <3 this -> and
2 > 1

3
00:00:05,000 --> 00:00:06,000
before a gap

after a gap
4
00:00:07,000 --> 00:00:08,000
42
"""

WHISPER = {
    "text": " One. Two.",
    "language": "de",
    "segments": [
        {
            "id": 0,
            "start": 0.0,
            "end": 1.5,
            "text": " Eins.",
            "avg_logprob": -0.25,
            "words": [{"word": " Eins.", "start": 0.1, "end": 0.9, "probability": 0.75}],
        },
        {"id": 1, "start": 1.5, "end": 2.0, "text": " Zwei.", "avg_logprob": float("nan")},
    ],
}

WHISPERX = {
    "segments": [
        {
            "start": 0.5,
            "end": 2.0,
            "text": " We start now.",
            "speaker": "SPEAKER_01",
            "words": [
                {"word": "We", "start": 0.5, "end": 0.7, "score": 0.5, "speaker": "SPEAKER_01"},
                {"word": "2024"},
                {"word": "now.", "start": 1.5, "end": 1.4, "score": 1.0000001},
            ],
        }
    ],
    "word_segments": [],
    "language": "en",
}

DEEPGRAM_WORDS = [
    {"word": "hi", "punctuated_word": "Hi.", "start": 0.0, "end": 0.4, "confidence": 0.9, "speaker": 0},
    {"word": "so", "punctuated_word": "So", "start": 1.0, "end": 1.2, "confidence": 0.8, "speaker": 0},
    {"word": "yes", "punctuated_word": "yes", "start": 1.3, "end": 1.6, "confidence": 0.7, "speaker": 1},
]


def deepgram(**results: Any) -> dict[str, Any]:
    alternative = {"transcript": "hi so yes", "confidence": 0.9, "words": DEEPGRAM_WORDS}
    return {"results": {"channels": [{"alternatives": [alternative], "detected_language": "en"}]} | results}


ASSEMBLYAI = {
    "id": "t1",
    "language_code": "en_us",
    "utterances": [
        {
            "speaker": "A",
            "text": "Let us begin.",
            "start": 250,
            "end": 1750,
            "confidence": 0.9,
            "words": [{"text": "Let", "start": 250, "end": 400, "confidence": 0.8, "speaker": "A"}],
        }
    ],
}

FIREFLIES = {
    "data": {
        "transcript": {
            "title": "Weekly",
            "sentences": [
                {
                    "index": 0,
                    "speaker_id": 3,
                    "speaker_name": "Ada",
                    "raw_text": "budget first",
                    "text": "Budget first.",
                    "start_time": 1.25,
                    "end_time": 2.5,
                }
            ],
        }
    }
}

MEET = {
    "transcriptEntries": [
        {
            "name": "conferenceRecords/c/transcripts/t/entries/e2",
            "participant": "conferenceRecords/c/participants/p7",
            "text": "Guten Tag.",
            "languageCode": "de-DE",
            "startTime": "2026-03-01T09:00:02.500Z",
            "endTime": "2026-03-01T09:00:04Z",
        },
        {
            "name": "conferenceRecords/c/transcripts/t/entries/e1",
            "participant": "conferenceRecords/c/participants/p8",
            "text": "Hello.",
            "languageCode": "en-US",
            "startTime": "2026-03-01T10:00:00+01:00",
            "endTime": "soon",
        },
    ]
}

MEET_DOCUMENT = """Planning (2026-03-01 10:00 GMT+1) - Transcript
Attendees
Ada Lovelace, Bob

00:00:00

Ada Lovelace: Good morning.
And welcome.
Bob: Time is 10:30 now.
00:05:00
Ada Lovelace: Next: the budget.
Transcription ended after 00:06:12
This was made by a computer: it might contain errors.
"""
