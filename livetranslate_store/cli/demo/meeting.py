"""A meeting for the demo, and the sample that comes with the package."""

import json
from collections.abc import Sequence
from importlib.resources import files
from typing import NamedTuple

from livetranslate_store.values import TranslationInput


class Segment(NamedTuple):
    """One segment of speech and its translations."""

    start: float
    end: float
    text: str
    language: str
    speaker_label: str | None
    speaker_name: str | None
    translations: Sequence[TranslationInput]


class Meeting(NamedTuple):
    """A finished meeting; the replay turns it into a live one."""

    title: str
    languages: Sequence[str]
    segments: Sequence[Segment]


def sample_meeting() -> Meeting:
    """Return the meeting that comes with the package."""
    data = json.loads(files(__package__).joinpath("sample_meeting.json").read_text(encoding="utf-8"))
    languages = data["languages"]
    segments = [
        Segment(
            start=each["start"],
            end=each["end"],
            text=each["text"],
            language=each["language"],
            speaker_label=each["speaker"],
            speaker_name=data["speakers"][each["speaker"]],
            translations=[TranslationInput(text=each[tag], target_language=tag) for tag in languages],
        )
        for each in data["segments"]
    ]
    return Meeting(data["title"], languages, segments)
