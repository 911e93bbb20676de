"""One unit of work for both sides: a segment with audio, three translations and a speaker seen before.

Both sides get it in the form that they take, made before any clock starts.
"""

from itertools import count, islice
from typing import NamedTuple
from uuid import UUID

from benchmarks.corpus import TEXTS, texts_in
from benchmarks.floor import FloorSegment
from livetranslate_store import AudioInput, TranscriptInput, TranslationInput
from livetranslate_store.ids import new_id

# The meeting of a quarter of all stored segments, and the one of all the others.
LONG, LIVE = "long", "live"
SPOKEN = "en"
LANGUAGES = ("es", "ja", "de")
SECONDS = 4.0
SPEAKER = "SPEAKER_00"
# A segment's entries in the timeline, and its rows in the three tables.
ENTRIES_PER_SEGMENT = 1 + len(LANGUAGES)
ROWS_PER_SEGMENT = 2 + len(LANGUAGES)

_texts = {language: texts_in(language) for language in (SPOKEN, *LANGUAGES, "fr")}


class Segment(NamedTuple):
    """A segment as the store takes it."""

    session_id: UUID
    transcript: TranscriptInput
    translations: list[TranslationInput]
    audio: AudioInput


class _Facts(NamedTuple):
    """The facts about a segment that both sides write."""

    session_id: UUID
    number: int
    start: float
    end: float

    def text(self, language: str) -> str:
        return text_of(language, self.number)


class Workload:
    """Makes new segments, spread over live sessions."""

    def __init__(self, session_ids: list[UUID], first: int = 0) -> None:
        self._session_ids = session_ids
        self._numbers = count(first)

    def segments(self, how_many: int) -> list[Segment]:
        """Return new segments for the store."""
        return [_segment(facts) for facts in self._next(how_many)]

    def rows(self, how_many: int) -> list[FloorSegment]:
        """Return the rows of other new segments of the same kind."""
        return [_rows(facts) for facts in self._next(how_many)]

    def _next(self, how_many: int) -> list[_Facts]:
        sessions = len(self._session_ids)
        starts = ((number, SECONDS * (number // sessions)) for number in islice(self._numbers, how_many))
        return [
            _Facts(self._session_ids[number % sessions], number, start, start + SECONDS)
            for number, start in starts
        ]


def text_of(language: str, number: int) -> str:
    """Return the text of the segment with that number in a language."""
    return _texts[language][number % TEXTS]


def _segment(facts: _Facts) -> Segment:
    transcript = TranscriptInput(
        text=facts.text(SPOKEN),
        language=SPOKEN,
        start_time=facts.start,
        end_time=facts.end,
        speaker_label=SPEAKER,
        confidence=0.9,
        segment_index=facts.number,
        segment_key=f"segment-{facts.number}",
        is_final=True,
    )
    translations = [
        TranslationInput(text=facts.text(tag), target_language=tag, confidence=0.8) for tag in LANGUAGES
    ]
    recording = facts.number.to_bytes(8, "big")
    audio = AudioInput(data=recording, format="wav", start_time=facts.start, end_time=facts.end)
    return Segment(facts.session_id, transcript, translations, audio)


def _rows(facts: _Facts) -> FloorSegment:
    session_id, number, start, end = facts
    transcript_id, audio_id = new_id(), new_id()
    return FloorSegment(
        audio=(session_id, audio_id, f"{session_id}/{audio_id}", "wav", 8, "0" * 64, start, end),
        speaker=(session_id, SPEAKER),
        transcript=(
            *(session_id, transcript_id, facts.text(SPOKEN), SPOKEN, start, end, SPEAKER, 0.9, number),
            *(f"segment-{number}", "transcriber", True, audio_id),
        ),
        translations=[
            (session_id, transcript_id, facts.text(tag), SPOKEN, tag, 0.8, "translator", 0)
            for tag in LANGUAGES
        ],
    )
