"""Caption files of one meeting in several languages, as the demo replays them."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from livetranslate_store.errors import InvalidInputError
from livetranslate_store.exchange.attachment import places_of
from livetranslate_store.formats.readers.registry import read_transcript
from livetranslate_store.values import Refusal


class Cue(NamedTuple):
    """One caption: its times in seconds and its text, line breaks included."""

    start: float
    end: float
    text: str


def read_webvtt(path: Path) -> list[Cue]:
    """Return the cues of a WebVTT file; raises InvalidInputError for a file that is none, or has errors."""
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
