"""What is written: a segment follows from its key alone, so that anybody can tell whether it is whole."""

from random import Random
from uuid import UUID

from livetranslate_store import AudioInput, SegmentInput, TranscriptInput, TranslationInput
from livetranslate_store.ids import transcript_id_for

# Comes later, in a call of its own; all other translations come with their transcript.
LATE = "ja"
_LANGUAGES = ("es", "fr", "ar")
_WORDS = ("good", "morning", "größer", "おはよう", "مرحبا", "🎧", "'; --", "%s")
# Most chunks are small; some take long enough to be caught while they are being written.
_SIZES = (500, 4_000, 30_000, 400_000)
_SIZE_WEIGHTS = (40, 40, 15, 5)


def planned(session_id: UUID, key: str) -> SegmentInput:
    """Return the segment that this key stands for: the same in every process."""
    chance = Random(key)
    start = chance.uniform(0.0, 7200.0)
    size = chance.choices(_SIZES, _SIZE_WEIGHTS)[0]
    recorded = AudioInput(data=chance.randbytes(size), format="wav", start_time=start, end_time=start + 2.0)
    languages = chance.sample(_LANGUAGES, chance.randrange(len(_LANGUAGES) + 1))
    return SegmentInput(
        session_id=session_id,
        transcript=TranscriptInput(
            text=_text(chance, key),
            language="en",
            start_time=start,
            end_time=start + 2.0,
            segment_key=key,
            speaker_label=f"SPEAKER_{chance.randrange(4):02}",
        ),
        translations=[
            TranslationInput(text=_text(chance, key), target_language=language) for language in languages
        ],
        audio=recorded if chance.random() < 0.75 else None,
    )


def late_translation(key: str) -> TranslationInput:
    """Return the translation that this segment gets later."""
    return TranslationInput(text=_text(Random(f"{LATE} {key}"), key), target_language=LATE)


def transcript_id(session_id: UUID, key: str) -> UUID:
    """Return the id that the store derives from the key."""
    return transcript_id_for(session_id, "transcriber", key)


def _text(chance: Random, key: str) -> str:
    return " ".join([key, *chance.choices(_WORDS, k=chance.randrange(1, 30))])
