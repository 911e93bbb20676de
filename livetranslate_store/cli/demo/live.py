"""A finished meeting as a live transcriber would have sent it.

Interims grow, shrink and repeat; some arrive after the final. The final brings the audio and one translation,
the others come later. The same meeting always gives the same arrivals.
"""

import io
import math
import random
import struct
import wave
from collections.abc import Iterator
from typing import NamedTuple

from livetranslate_store.cli.demo.meeting import Meeting, Segment
from livetranslate_store.values import AudioInput, TranscriptInput, TranslationInput

# As real transcribers do: some repeats, some shorter texts.
REPEATED = 0.04
SHRINKING = 0.07
# Interims come about as fast as people speak; now and then one is late.
WORDS_PER_INTERIM = 2
LATEST_INTERIM_SECONDS = 2.5
LATEST_TRANSLATION_SECONDS = 8.0
# A telephone's rate: enough for a hum with a pitch for each speaker.
SAMPLE_RATE = 8000


class Arrival(NamedTuple):
    """A write of the live meeting: a revision of a segment, or a late translation."""

    at: float
    place: int
    transcript: TranscriptInput | None
    translations: tuple[TranslationInput, ...]
    audio: AudioInput | None


def arrivals(meeting: Meeting) -> list[Arrival]:
    """Return all writes in the order of their arrival."""
    chance = random.Random(7)  # noqa: S311 (the same meeting every time, no secret)
    found: list[Arrival] = []
    for place, segment in enumerate(meeting.segments):
        found += _interims(place, segment, chance)
        final_at = segment.end + chance.uniform(0.2, 0.8)
        early, late = segment.translations[:1], segment.translations[1:]
        spoken = _transcript(place, segment, segment.text, is_final=True)
        found.append(Arrival(final_at, place, spoken, tuple(early), _recording(segment)))
        for each in late:
            at = final_at + chance.uniform(0.5, LATEST_TRANSLATION_SECONDS)
            found.append(Arrival(at, place, None, (each,), None))
    return sorted(found, key=lambda arrival: arrival.at)


def _interims(place: int, segment: Segment, chance: random.Random) -> Iterator[Arrival]:
    words = segment.text.split(" ")
    if len(words) == 1:
        # A script without spaces grows by characters.
        steps = [segment.text[:end] for end in range(3, len(segment.text), 6)]
    else:
        steps = [" ".join(words[:end]) for end in range(1, len(words), WORDS_PER_INTERIM)]
    for number, text in enumerate(steps, start=1):
        heard_at = segment.start + (segment.end - segment.start) * number / (len(steps) + 1)
        delay = LATEST_INTERIM_SECONDS * chance.random() ** 4
        said = text.rsplit(" ", 1)[0] if chance.random() < SHRINKING else text
        yield Arrival(heard_at + delay, place, _transcript(place, segment, said), (), None)
        if chance.random() < REPEATED:
            yield Arrival(heard_at + delay, place, _transcript(place, segment, said), (), None)


def _transcript(place: int, segment: Segment, text: str, *, is_final: bool = False) -> TranscriptInput:
    return TranscriptInput(
        text=text,
        language=segment.language,
        start_time=segment.start,
        end_time=segment.end if is_final else None,
        speaker_label=segment.speaker_label,
        speaker_name=segment.speaker_name if is_final else None,
        segment_index=place,
        segment_key=f"segment-{place}",
        is_final=is_final,
    )


def _recording(segment: Segment) -> AudioInput:
    pitch = 110.0 + 40.0 * (sum(map(ord, segment.speaker_label or "")) % 5)
    frames = int((segment.end - segment.start) * SAMPLE_RATE)
    period = [
        round(8000 * math.sin(2 * math.pi * pitch * frame / SAMPLE_RATE)) for frame in range(SAMPLE_RATE)
    ]
    second = struct.pack(f"<{SAMPLE_RATE}h", *period)
    recording = io.BytesIO()
    with wave.open(recording, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        file.writeframes((second * (frames // SAMPLE_RATE + 1))[: 2 * frames])
    return AudioInput(
        data=recording.getvalue(),
        format="wav",
        start_time=segment.start,
        end_time=segment.end,
        duration=frames / SAMPLE_RATE,
        sample_rate=SAMPLE_RATE,
        channels=1,
    )
