"""What the demo replays: the project's own sample meeting, or caption files."""

import json
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

from livetranslate_store.cli.demo.captions import attach, read_webvtt
from livetranslate_store.errors import InvalidInputError
from livetranslate_store.values import TranslationInput


class Segment(NamedTuple):
    """What was said, and its translations."""

    start: float
    end: float
    text: str
    language: str
    speaker_label: str | None
    speaker_name: str | None
    translations: Sequence[TranslationInput]


class Meeting(NamedTuple):
    """A meeting as it ends up; the replay makes a live one of it."""

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


def captions_meeting(captions: Sequence[str]) -> Meeting:
    """Return the meeting of `LANGUAGE=FILE` arguments: what was said first, then its translations.

    Several cues of a translation that belong to one segment become its lines, with their own times kept in
    the metadata. Raises InvalidInputError.
    """
    (language, path), *others = (_split(argument) for argument in captions)
    spoken = read_webvtt(path)
    if not spoken:
        raise InvalidInputError(f"{path.name} has no captions.")
    translations: list[list[TranslationInput]] = [[] for _ in spoken]
    for target_language, other in others:
        for place, cues in attach(read_webvtt(other), spoken).items():
            translations[place].append(
                TranslationInput(
                    text="\n".join(cue.text for cue in cues),
                    target_language=target_language,
                    start_time=min(cue.start for cue in cues),
                    end_time=max(cue.end for cue in cues),
                    service="captions",
                    metadata={"cues": [cue._asdict() for cue in cues]},
                )
            )
    segments = [Segment(*cue, language, None, None, translations[place]) for place, cue in enumerate(spoken)]
    return Meeting(path.stem, [each for each, _ in others], segments)


def _split(argument: str) -> tuple[str, Path]:
    language, separator, path = argument.partition("=")
    if not separator or not path:
        raise InvalidInputError(f"{argument!r} is not LANGUAGE=FILE, such as en=talk.en.vtt.")
    return language, Path(path)
