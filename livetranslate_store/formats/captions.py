"""WebVTT captions, and how those of several languages belong together."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from livetranslate_store.errors import InvalidInputError


class Cue(NamedTuple):
    """One caption: its times in seconds and its text, line breaks included."""

    start: float
    end: float
    text: str


def read_webvtt(path: Path) -> list[Cue]:
    """Return the cues of a WebVTT file; raises InvalidInputError for a file that is none."""
    try:
        import webvtt  # noqa: PLC0415 (the extra `formats`)
        from webvtt.errors import MalformedCaptionError, MalformedFileError  # noqa: PLC0415
    except ImportError as error:
        raise InvalidInputError(
            "Captions need an extra: pip install 'livetranslate-store[formats]'."
        ) from error
    try:
        captions = webvtt.read(str(path))
    except (MalformedFileError, MalformedCaptionError, UnicodeDecodeError) as error:
        raise InvalidInputError(f"{path.name} is not a WebVTT file in UTF-8: {error}.") from error
    except OSError as error:
        raise InvalidInputError(f"{path.name} cannot be read: {error.strerror}.") from error
    return [Cue(_seconds(each.start), _seconds(each.end), each.text) for each in captions.captions]


def attach(cues: Sequence[Cue], segments: Sequence[Cue]) -> dict[int, list[Cue]]:
    """Return the cues of a translation by the place of the segment that each overlaps most.

    A cue that overlaps none goes to the nearest one; among equals the earlier segment has it.
    """
    attached: dict[int, list[Cue]] = {}
    for cue in cues:
        place = max(range(len(segments)), key=lambda place: (_overlap(cue, segments[place]), -place))
        attached.setdefault(place, []).append(cue)
    return attached


def _overlap(one: Cue, other: Cue) -> float:
    """Return the seconds in common; below zero it is the distance."""
    return min(one.end, other.end) - max(one.start, other.start)


def _seconds(timestamp: str) -> float:
    hours, minutes, seconds = timestamp.split(":")
    return int(hours) * 3600 + int(minutes) * 60 + float(seconds)
