"""One unit of work for both sides: a segment with audio, three translations and a speaker seen before."""

from itertools import count
from uuid import UUID

from floor import FloorSegment

from livetranslate_store import AudioInput, TranscriptInput, TranslationInput
from livetranslate_store.ids import new_id

LANGUAGES = ("es", "ja", "de")
TEXTS = (
    "Good morning, everyone, and thank you for coming at such short notice.",
    "The second point is the budget, which we have to settle before the end of the month.",
    "Right.",
    "Could you say that again? The line was bad, and I think I missed the most important part of it.",
)
SECONDS = 4.0
SPEAKER = "SPEAKER_00"

Input = tuple[TranscriptInput, list[TranslationInput], AudioInput]


class Workload:
    """Makes segments that have not been written before, spread over sessions."""

    def __init__(self, session_ids: list[UUID]) -> None:
        self.session_ids = session_ids
        self._numbers = count()

    def ours(self) -> tuple[UUID, Input]:
        """Return a session and what `record_segment` takes."""
        number = next(self._numbers)
        start = SECONDS * (number // len(self.session_ids))
        transcript = TranscriptInput(
            text=TEXTS[number % len(TEXTS)],
            language="en",
            start_time=start,
            end_time=start + SECONDS,
            speaker_label=SPEAKER,
            confidence=0.9,
            segment_index=number,
            segment_key=f"segment-{number}",
            is_final=True,
        )
        translations = [
            TranslationInput(text=TEXTS[number % len(TEXTS)], target_language=tag, confidence=0.8)
            for tag in LANGUAGES
        ]
        audio = AudioInput(
            data=number.to_bytes(8, "big"), format="wav", start_time=start, end_time=start + SECONDS
        )
        return self.session_ids[number % len(self.session_ids)], (transcript, translations, audio)

    def floor(self) -> FloorSegment:
        """Return the rows of another segment of the same kind."""
        number = next(self._numbers)
        session_id, transcript_id, audio_id = (
            self.session_ids[number % len(self.session_ids)],
            new_id(),
            new_id(),
        )
        start = SECONDS * (number // len(self.session_ids))
        text = TEXTS[number % len(TEXTS)]
        end = start + SECONDS
        return FloorSegment(
            audio=(
                session_id,
                audio_id,
                f"{session_id}/{audio_id}",
                "wav",
                8,
                "0" * 64,
                None,
                None,
                None,
                start,
                end,
            ),
            speaker=(session_id, SPEAKER, None),
            transcript=(
                *(session_id, transcript_id, text, "en", start, end, SPEAKER, 0.9, number),
                *(f"segment-{number}", "transcriber", True, audio_id),
            ),
            translations=[
                (session_id, new_id(), transcript_id, text, "en", tag, 0.8, "translator", 0)
                for tag in LANGUAGES
            ],
        )
