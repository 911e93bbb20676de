"""What was said, written as each dialect of JSON writes it."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

EPOCH_MS = 1_770_000_000_000


class SpokenWord(NamedTuple):
    """A word; times are milliseconds."""

    text: str
    start: int
    end: int


class Spoken(NamedTuple):
    """A sentence: its words, who said it, and in which language; its text ends with a full stop."""

    words: Sequence[SpokenWord]
    speaker: int
    language: str

    @property
    def text(self) -> str:
        """The words with spaces between them, and a full stop."""
        return " ".join(word.text for word in self.words) + "."

    @property
    def start(self) -> int:
        """The start of the first word."""
        return self.words[0].start

    @property
    def end(self) -> int:
        """The end of the last word."""
        return self.words[-1].end


Meeting = Sequence[Spoken]


class Sample(NamedTuple):
    """How a dialect is written, and what of a meeting it holds."""

    format: str
    write: Callable[[Meeting], Any]
    label: Callable[[int], str | None] = lambda _: None
    words: bool = True
    languages: bool = False
    from_first: bool = False
    starts: bool = True
    # A word that ends a sentence has its full stop.
    stops: bool = False
    # Words have ends of their own.
    ends: bool = True


def _numbered(speaker: int) -> str:
    return f"SPEAKER_{speaker:02d}"


def _named(speaker: int) -> str:
    return ("Ana Lima", "Bo Chen", "Cy Doe")[speaker]


def _s(milliseconds: int) -> float:
    return milliseconds / 1000


def _whole(meeting: Meeting) -> str:
    return " ".join(each.text for each in meeting)


def _words(spoken: Spoken, name: str = "word", **more: Any) -> list[dict[str, Any]]:
    return [{name: word.text, "start": _s(word.start), "end": _s(word.end), **more} for word in spoken.words]


def _stopped(spoken: Spoken) -> list[SpokenWord]:
    *before, last = spoken.words
    return [*before, last._replace(text=f"{last.text}.")]


def _whisper(meeting: Meeting) -> Any:
    return {
        "text": _whole(meeting),
        "language": "english",
        "segments": [
            {
                "id": number,
                "start": _s(each.start),
                "end": _s(each.end),
                "text": f" {each.text}",
                "avg_logprob": -0.25,
                "words": _words(each, probability=0.5),
            }
            for number, each in enumerate(meeting)
        ],
    }


def _openai(meeting: Meeting) -> Any:
    document = _whisper(meeting)
    for segment in document["segments"]:
        del segment["words"]
    return document | {"task": "transcribe", "words": [word for each in meeting for word in _words(each)]}


def _openai_words(meeting: Meeting) -> Any:
    document = _openai(meeting)
    del document["segments"]
    return document


def _diarized(meeting: Meeting) -> Any:
    return {
        "task": "transcribe",
        "duration": 9.5,
        "text": _whole(meeting),
        "segments": [
            {
                "type": "transcript.text.segment",
                "id": f"seg_{number}",
                "start": _s(each.start),
                "end": _s(each.end),
                "text": each.text,
                "speaker": "ABC"[each.speaker],
            }
            for number, each in enumerate(meeting)
        ],
    }


def _voxtral(meeting: Meeting) -> Any:
    return {
        "model": "voxtral-mini-2602",
        "text": _whole(meeting),
        "language": None,
        "segments": [
            {
                "type": "transcription_segment",
                "text": f" {each.text}",
                "start": _s(each.start),
                "end": _s(each.end),
                "speaker_id": f"speaker_{each.speaker}",
            }
            for each in meeting
        ],
    }


def _whisperx(meeting: Meeting) -> Any:
    return {
        "segments": [
            {
                "start": _s(each.start),
                "end": _s(each.end),
                "text": f" {each.text}",
                "speaker": _numbered(each.speaker),
                "words": _words(each, score=0.5),
            }
            for each in meeting
        ],
        "word_segments": [word for each in meeting for word in _words(each)],
        "language": "en",
    }


def _offsets(start: int, end: int) -> dict[str, Any]:
    return {
        "offsets": {"from": start, "to": end},
        "timestamps": {"from": "00:00:00,000", "to": "00:00:00,000"},
    }


def _whispercpp(meeting: Meeting) -> Any:
    def tokens(spoken: Spoken) -> list[dict[str, Any]]:
        found = [{"text": "[_BEG_]", **_offsets(spoken.start, spoken.start), "p": 0.9}]
        for text, start, end in _stopped(spoken):
            half = len(text) // 2
            found.append({"text": f" {text[:half]}", **_offsets(start, start), "p": 0.75})
            found.append({"text": text[half:], **_offsets(start, end), "p": 0.5})
        return found

    return {
        "systeminfo": "AVX = 1",
        "params": {"language": "auto"},
        "result": {"language": "en"},
        "transcription": [
            {**_offsets(each.start, each.end), "text": f" {each.text}", "tokens": tokens(each)}
            for each in meeting
        ],
    }


def _chunks(meeting: Meeting) -> Any:
    return {
        "text": _whole(meeting),
        "chunks": [
            {"timestamp": [_s(each.start), _s(each.end)], "text": f" {each.text}"} for each in meeting
        ],
    }


def _word_chunks(meeting: Meeting) -> Any:
    return {
        "text": _whole(meeting),
        "chunks": [
            {"timestamp": [_s(word.start), _s(word.end)], "text": f" {word.text}"}
            for each in meeting
            for word in _stopped(each)
        ],
    }


def _deepgram_words(spoken: Spoken) -> list[dict[str, Any]]:
    return [
        {
            "word": word.text.lower(),
            "punctuated_word": word.text,
            "start": _s(word.start),
            "end": _s(word.end),
            "confidence": 0.5,
            "speaker": spoken.speaker,
            "language": spoken.language,
        }
        for word in _stopped(spoken)
    ]


def _deepgram(alternative: dict[str, Any], **results: Any) -> Any:
    return {
        "metadata": {"channels": 1},
        "results": {"channels": [{"alternatives": [alternative], "detected_language": "en"}], **results},
    }


def _deepgram_utterances(meeting: Meeting) -> Any:
    utterances = [
        {
            "id": f"u-{number}",
            "start": _s(each.start),
            "end": _s(each.end),
            "transcript": each.text,
            "confidence": 0.5,
            "channel": 0,
            "speaker": each.speaker,
            "words": _deepgram_words(each),
        }
        for number, each in enumerate(meeting)
    ]
    return _deepgram({"transcript": _whole(meeting)}, utterances=utterances)


def _deepgram_paragraphs(meeting: Meeting) -> Any:
    paragraphs = [
        {
            "speaker": each.speaker,
            "start": _s(each.start),
            "end": _s(each.end),
            "sentences": [{"text": each.text, "start": _s(each.start), "end": _s(each.end)}],
        }
        for each in meeting
    ]
    words = [word for each in meeting for word in _deepgram_words(each)]
    return _deepgram(
        {"transcript": _whole(meeting), "words": words, "paragraphs": {"paragraphs": paragraphs}}
    )


def _deepgram_alone(meeting: Meeting) -> Any:
    words = [word for each in meeting for word in _deepgram_words(each)]
    return _deepgram({"transcript": _whole(meeting).lower(), "words": words})


def _assemblyai(meeting: Meeting) -> Any:
    return {
        "id": "t-1",
        "language_code": "en_us",
        "status": "completed",
        "utterances": [
            {
                "speaker": "ABC"[each.speaker],
                "text": each.text,
                "start": each.start,
                "end": each.end,
                "confidence": 0.5,
                "words": [
                    {"text": word.text, "start": word.start, "end": word.end, "confidence": 0.5}
                    for word in each.words
                ],
            }
            for each in meeting
        ],
    }


def _assemblyai_words(meeting: Meeting) -> Any:
    return {
        "id": "t-1",
        "language_code": "en_us",
        "text": _whole(meeting),
        "utterances": None,
        "words": [
            {"text": word.text, "start": word.start, "end": word.end, "confidence": 0.5, "speaker": None}
            for each in meeting
            for word in _stopped(each)
        ],
    }


def _gladia(meeting: Meeting) -> Any:
    return {
        "full_transcript": _whole(meeting),
        "languages": ["en"],
        "utterances": [
            {
                "text": each.text,
                "language": each.language,
                "start": _s(each.start),
                "end": _s(each.end),
                "confidence": 0.5,
                "channel": 0,
                "speaker": each.speaker,
                "words": _words(each, confidence=0.5),
            }
            for each in meeting
        ],
    }


def _gladia_answer(meeting: Meeting) -> Any:
    return {"id": "g-1", "status": "done", "result": {"metadata": {}, "transcription": _gladia(meeting)}}


def _gladia_first(meeting: Meeting) -> Any:
    return {
        "prediction": [
            {
                "transcription": each.text,
                "language": each.language,
                "time_begin": _s(each.start),
                "time_end": _s(each.end),
                "speaker": each.speaker,
                "channel": "channel_0",
                "words": [
                    {"word": word.text, "time_begin": _s(word.start), "time_end": _s(word.end)}
                    for word in each.words
                ],
            }
            for each in meeting
        ]
    }


def _elevenlabs(meeting: Meeting) -> Any:
    words: list[dict[str, Any]] = []
    for each in meeting:
        for word in _stopped(each):
            at = {"start": _s(word.start), "end": _s(word.end), "speaker_id": f"speaker_{each.speaker}"}
            words.append({"text": word.text, "type": "word", "logprob": -0.25, **at})
            words.append({"text": " ", "type": "spacing", **at})
    return {"language_code": "eng", "language_probability": 0.9, "text": _whole(meeting), "words": words}


def _aws_items(meeting: Meeting, **more: Any) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    for each in meeting:
        for word in each.words:
            at = {"start_time": str(_s(word.start)), "end_time": str(_s(word.end))}
            said = {"confidence": "0.5", "content": word.text}
            items += [{**at, "type": "pronunciation", "alternatives": [said]}]
        items.append({"type": "punctuation", "alternatives": [{"confidence": "0.0", "content": "."}]})
    return [{"id": number, **item, **more} for number, item in enumerate(items)]


def _aws(meeting: Meeting) -> Any:
    speakers = [
        {
            "speaker_label": f"spk_{each.speaker}",
            "items": [
                {"start_time": str(_s(word.start)), "speaker_label": f"spk_{each.speaker}"}
                for word in each.words
            ],
        }
        for each in meeting
    ]
    return {
        "jobName": "j",
        "status": "COMPLETED",
        "results": {
            "language_code": "en-US",
            "transcripts": [{"transcript": _whole(meeting)}],
            "speaker_labels": {"speakers": 3, "segments": speakers},
            "items": _aws_items(meeting),
        },
    }


def _aws_segments(meeting: Meeting) -> Any:
    document = _aws(meeting)
    segments, place = [], 0
    for number, each in enumerate(meeting):
        count = len(each.words) + 1
        segments.append(
            {
                "id": number,
                "transcript": each.text,
                "start_time": str(_s(each.start)),
                "end_time": str(_s(each.end)),
                "speaker_label": f"spk_{each.speaker}",
                "items": list(range(place, place + count)),
            }
        )
        place += count
    document["results"]["audio_segments"] = segments
    return document


def _azure(meeting: Meeting) -> Any:
    def at(start: int, end: int) -> dict[str, Any]:
        return {"offsetInTicks": start * 10_000.0, "durationInTicks": (end - start) * 10_000.0}

    return {
        "source": "https://example.org/a.wav",
        "durationInTicks": 300_000_000,
        "recognizedPhrases": [
            {
                "recognitionStatus": "Success",
                "channel": 0,
                "speaker": each.speaker,
                "locale": each.language,
                **at(each.start, each.end),
                "nBest": [
                    {
                        "confidence": 0.5,
                        "lexical": each.text.lower(),
                        "display": each.text,
                        "words": [
                            {"word": word.text, **at(word.start, word.end), "confidence": 0.5}
                            for word in each.words
                        ],
                    }
                ],
            }
            for each in meeting
        ],
    }


def _azure_fast(meeting: Meeting) -> Any:
    def at(start: int, end: int) -> dict[str, Any]:
        return {"offsetMilliseconds": start, "durationMilliseconds": end - start}

    return {
        "durationMilliseconds": 30_000,
        "combinedPhrases": [{"text": _whole(meeting)}],
        "phrases": [
            {
                "text": each.text,
                "locale": each.language,
                "speaker": each.speaker,
                "confidence": 0.5,
                **at(each.start, each.end),
                "words": [{"text": word.text, **at(word.start, word.end)} for word in each.words],
            }
            for each in meeting
        ],
    }


def _google(start: str, end: str, result_end: str, speaker: str) -> Callable[[Meeting], Any]:
    def write(meeting: Meeting) -> Any:
        return {
            "results": [
                {
                    "alternatives": [
                        {
                            "transcript": each.text,
                            "confidence": 0.5,
                            "words": [
                                {
                                    "word": word.text,
                                    start: f"{_s(word.start)}s",
                                    end: f"{_s(word.end)}s",
                                    speaker: f"{each.speaker}" if speaker == "speakerLabel" else each.speaker,
                                }
                                for word in each.words
                            ],
                        }
                    ],
                    result_end: f"{_s(each.end + 40)}s",
                    "languageCode": each.language,
                }
                for each in meeting
            ]
        }

    return write


def _speechmatics(meeting: Meeting) -> Any:
    results: list[dict[str, Any]] = []
    for each in meeting:
        for word in each.words:
            alternative = {"content": word.text, "confidence": 0.5, "language": each.language}
            results.append(
                {
                    "type": "word",
                    "start_time": _s(word.start),
                    "end_time": _s(word.end),
                    "alternatives": [{**alternative, "speaker": f"S{each.speaker}"}],
                }
            )
        results.append(
            {
                "type": "punctuation",
                "start_time": _s(each.end),
                "end_time": _s(each.end),
                "attaches_to": "previous",
                "is_eos": True,
                "alternatives": [{"content": ".", "confidence": 1.0, "speaker": f"S{each.speaker}"}],
            }
        )
    return {
        "format": "2.9",
        "metadata": {"type": "transcription", "transcription_config": {"language": "en"}},
        "results": results,
    }


def _revai(meeting: Meeting) -> Any:
    def elements(spoken: Spoken) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        for word in spoken.words:
            found.append(
                {
                    "type": "text",
                    "value": word.text,
                    "ts": _s(word.start),
                    "end_ts": _s(word.end),
                    "confidence": 0.5,
                }
            )
            found.append({"type": "punct", "value": " "})
        return [*found[:-1], {"type": "punct", "value": "."}]

    return {"monologues": [{"speaker": each.speaker, "elements": elements(each)} for each in meeting]}


def _vosk(meeting: Meeting) -> Any:
    return [{"text": each.text, "result": _words(each, conf=0.5)} for each in meeting]


def _watson(meeting: Meeting) -> Any:
    return {
        "result_index": 0,
        "results": [
            {
                "final": True,
                "alternatives": [
                    {
                        "transcript": f"{each.text} ",
                        "confidence": 0.5,
                        "timestamps": [[word.text, _s(word.start), _s(word.end)] for word in each.words],
                    }
                ],
            }
            for each in meeting
        ],
    }


def _podcast(meeting: Meeting) -> Any:
    return {
        "version": "1.0.0",
        "segments": [
            {
                "speaker": _named(each.speaker),
                "startTime": _s(each.start),
                "endTime": _s(each.end),
                "body": each.text,
            }
            for each in meeting
        ],
    }


def _vexa(meeting: Meeting) -> Any:
    return {
        "id": 1,
        "platform": "google_meet",
        "native_meeting_id": "abc-defg-hij",
        "status": "completed",
        "segments": [
            {
                "start": _s(each.start),
                "end": _s(each.end),
                "text": each.text,
                "language": each.language,
                "speaker": _named(each.speaker),
                "completed": True,
                "absolute_start_time": "2026-03-01T10:00:00.5Z",
            }
            for each in meeting
        ],
    }


def _attendee(meeting: Meeting) -> Any:
    return [
        {
            "speaker_name": _named(each.speaker),
            "speaker_uuid": f"u{each.speaker}",
            "timestamp_ms": EPOCH_MS + each.start,
            "duration_ms": each.end - each.start,
            "transcription": {
                "transcript": each.text,
                "language": each.language,
                "words": [
                    {
                        "word": word.text,
                        "start": _s(word.start - each.start),
                        "end": _s(word.end - each.start),
                    }
                    for word in each.words
                ],
            },
        }
        for each in meeting
    ]


def _recall(meeting: Meeting) -> Any:
    return [
        {
            "participant": {"id": each.speaker, "name": _named(each.speaker), "is_host": False},
            "language_code": each.language,
            "words": [
                {
                    "text": word.text,
                    "start_timestamp": {"relative": _s(word.start), "absolute": "2026-03-01T10:00:00Z"},
                    "end_timestamp": {"relative": _s(word.end), "absolute": "2026-03-01T10:00:00Z"},
                }
                for word in _stopped(each)
            ],
        }
        for each in meeting
    ]


def _recall_older(meeting: Meeting) -> Any:
    return [
        {
            "speaker": _named(each.speaker),
            "speaker_id": each.speaker,
            "language": each.language,
            "words": [
                {"text": word.text, "start_timestamp": _s(word.start), "end_timestamp": _s(word.end)}
                for word in _stopped(each)
            ],
        }
        for each in meeting
    ]


def _meetingbaas(meeting: Meeting) -> Any:
    transcript = [
        {
            "speaker": _named(each.speaker),
            "words": [
                {"word": word.text, "start": _s(word.start), "end": _s(word.end)} for word in _stopped(each)
            ],
        }
        for each in meeting
    ]
    return {"event": "complete", "data": {"bot_id": "b-1", "transcript": transcript}}


def _meetingbaas_data(meeting: Meeting) -> Any:
    transcripts = [
        {
            "id": number,
            "speaker": _named(each.speaker),
            "start_time": _s(each.start),
            "end_time": _s(each.end),
            "lang": each.language,
            "words": [
                {"text": word.text, "start_time": _s(word.start), "end_time": _s(word.end)}
                for word in _stopped(each)
            ],
        }
        for number, each in enumerate(meeting)
    ]
    return {"bot_data": {"bot": {"bot_name": "b"}, "transcripts": transcripts}, "duration": 30}


def _readai(meeting: Meeting) -> Any:
    blocks = [
        {
            "start_time": _s(EPOCH_MS + each.start),
            "end_time": _s(EPOCH_MS + each.end),
            "speaker": {"name": _named(each.speaker)},
            "words": each.text,
        }
        for each in meeting
    ]
    return {"session_id": "s", "title": "Weekly", "transcript": {"speaker_blocks": blocks}}


def _fireflies(meeting: Meeting) -> Any:
    sentences = [
        {
            "index": number,
            "speaker_id": each.speaker,
            "speaker_name": _named(each.speaker),
            "text": each.text,
            "raw_text": each.text.lower(),
            "start_time": _s(each.start),
            "end_time": _s(each.end),
        }
        for number, each in enumerate(meeting)
    ]
    return {"data": {"transcript": {"title": "Weekly", "sentences": sentences}}}


def _meet(meeting: Meeting) -> Any:
    def at(milliseconds: int) -> str:
        instant = datetime(2026, 3, 1, 9, tzinfo=UTC) + timedelta(milliseconds=milliseconds)
        return instant.isoformat().replace("+00:00", "Z")

    return {
        "transcriptEntries": [
            {
                "name": f"conferenceRecords/c/transcripts/t/entries/e{number}",
                "participant": f"conferenceRecords/c/participants/p{each.speaker}",
                "text": each.text,
                "languageCode": each.language,
                "startTime": at(each.start),
                "endTime": at(each.end),
            }
            for number, each in enumerate(meeting)
        ]
    }


def _json3(meeting: Meeting) -> Any:
    events: list[dict[str, Any]] = [{"tStartMs": 0, "dDurationMs": 90_000, "id": 1, "wpWinPosId": 1}]
    for each in meeting:
        parts = [
            {"utf8": f" {word.text}" if place else word.text, "tOffsetMs": word.start - each.start}
            for place, word in enumerate(_stopped(each))
        ]
        events.append({"tStartMs": each.start, "dDurationMs": each.end - each.start, "segs": parts})
        events.append({"tStartMs": each.end, "aAppend": 1, "segs": [{"utf8": "\n"}]})
    return {"wireMagic": "pb3", "events": events}


def _json3_written(meeting: Meeting) -> Any:
    return {
        "wireMagic": "pb3",
        "events": [
            {"tStartMs": each.start, "dDurationMs": each.end - each.start, "segs": [{"utf8": each.text}]}
            for each in meeting
        ],
    }


def _youtube_transcript(meeting: Meeting) -> Any:
    return [
        {"text": each.text, "start": _s(each.start), "duration": _s(each.end - each.start)}
        for each in meeting
    ]


DIALECT_SAMPLES: dict[str, Sample] = {
    "whisper": Sample("whisper", _whisper),
    "whisper, words at the top": Sample("whisper", _openai),
    "whisper, words alone": Sample("whisper", _openai_words),
    "whisper, diarized": Sample("whisper", _diarized, "ABC".__getitem__, words=False),
    "voxtral": Sample("whisper", _voxtral, lambda speaker: f"speaker_{speaker}", words=False),
    "whisperx": Sample("whisperx", _whisperx, _numbered),
    "whisper.cpp": Sample("whisper.cpp", _whispercpp, stops=True),
    "huggingface": Sample("huggingface", _chunks, words=False),
    "huggingface, words": Sample("huggingface", _word_chunks, stops=True),
    "deepgram, utterances": Sample("deepgram", _deepgram_utterances, _numbered, languages=True, stops=True),
    "deepgram, paragraphs": Sample("deepgram", _deepgram_paragraphs, _numbered, languages=True, stops=True),
    "deepgram, words": Sample("deepgram", _deepgram_alone, _numbered, languages=True, stops=True),
    "assemblyai": Sample("assemblyai", _assemblyai, "ABC".__getitem__),
    "assemblyai, words": Sample("assemblyai", _assemblyai_words, stops=True),
    "gladia": Sample("gladia", _gladia, _numbered, languages=True),
    "gladia, whole answer": Sample("gladia", _gladia_answer, _numbered, languages=True),
    "gladia, first version": Sample("gladia", _gladia_first, _numbered, languages=True),
    "elevenlabs": Sample("elevenlabs", _elevenlabs, lambda speaker: f"speaker_{speaker}", stops=True),
    "aws": Sample("aws", _aws, lambda speaker: f"spk_{speaker}"),
    "aws, segments": Sample("aws", _aws_segments, lambda speaker: f"spk_{speaker}"),
    "azure": Sample("azure", _azure, _numbered, languages=True),
    "azure-fast": Sample("azure-fast", _azure_fast, _numbered, languages=True),
    "google-stt, v1": Sample(
        "google-stt",
        _google("startTime", "endTime", "resultEndTime", "speakerTag"),
        _numbered,
        languages=True,
    ),
    "google-stt, v2": Sample(
        "google-stt",
        _google("startOffset", "endOffset", "resultEndOffset", "speakerLabel"),
        str,
        languages=True,
    ),
    "speechmatics": Sample("speechmatics", _speechmatics, lambda speaker: f"S{speaker}", languages=True),
    "revai": Sample("revai", _revai, _numbered),
    "vosk": Sample("vosk", _vosk),
    "watson": Sample("watson", _watson),
    "podcast": Sample("podcast", _podcast, _named, words=False),
    "vexa": Sample("vexa", _vexa, _named, words=False, languages=True),
    "attendee": Sample("attendee", _attendee, lambda speaker: f"u{speaker}", languages=True, from_first=True),
    "recall": Sample("recall", _recall, _numbered, languages=True, stops=True),
    "recall, older": Sample("recall", _recall_older, _numbered, languages=True, stops=True),
    "meetingbaas": Sample("meetingbaas", _meetingbaas, _named, stops=True),
    "meetingbaas, data": Sample("meetingbaas", _meetingbaas_data, _named, languages=True, stops=True),
    "read.ai": Sample("read.ai", _readai, _named, words=False, from_first=True),
    "fireflies": Sample("fireflies", _fireflies, _numbered, words=False),
    "google-meet": Sample(
        "google-meet", _meet, lambda speaker: f"p{speaker}", words=False, languages=True, from_first=True
    ),
    "youtube-json3": Sample("youtube-json3", _json3, stops=True, ends=False),
    "youtube-json3, written": Sample("youtube-json3", _json3_written, words=False),
    "youtube-transcript": Sample("youtube-transcript", _youtube_transcript, words=False),
}
