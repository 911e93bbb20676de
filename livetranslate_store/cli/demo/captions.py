"""Caption files of one meeting in several languages, as a meeting for the demo."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from livetranslate_store.cli.demo.meeting import Meeting, Segment
from livetranslate_store.errors import InvalidInputError
from livetranslate_store.exchange.attachment import places_of
from livetranslate_store.formats.readers.registry import read_transcript
from livetranslate_store.values import Refusal, TranslationInput


class Cue(NamedTuple):
    """One caption: its times in seconds and its text, line breaks included."""

    start: float
    end: float
    text: str


def read_webvtt(path: Path) -> list[Cue]:
    """Return the cues of a WebVTT file; raises InvalidInputError for another file, or one with errors."""
    try:
        file = read_transcript(path.read_bytes(), format="webvtt", language="und", name=path.name)
    except InvalidInputError as error:
        raise InvalidInputError(f"{path.name} is not a WebVTT file: {error}") from error
    except OSError as error:
        raise InvalidInputError(f"{path.name} cannot be read: {error.strerror}.") from error
    for item in file:
        if isinstance(item, Refusal):
            raise InvalidInputError(f"{path.name}, line {item.line}: {item.reason}")
    return [Cue(each.start_time or 0.0, each.end_time or 0.0, each.text) for each in file.cues]


def attach(cues: Sequence[Cue], segments: Sequence[Cue]) -> dict[int, list[Cue]]:
    """Return the cues of a translation by the place of the segment that each overlaps most."""
    places = places_of([cue[:2] for cue in cues], [segment[:2] for segment in segments])
    attached: dict[int, list[Cue]] = {}
    for cue, place in zip(cues, places, strict=True):
        attached.setdefault(place, []).append(cue)
    return attached


def captions_meeting(captions: Sequence[str]) -> Meeting:
    """Return the meeting of `LANGUAGE=FILE` arguments: the original first, then its translations.

    If several cues of a translation belong to one segment, they become its lines, and the metadata keeps
    their times. Raises InvalidInputError.
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
