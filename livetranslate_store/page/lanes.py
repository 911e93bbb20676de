"""The lanes: when each speaker spoke, along one axis of time."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from livetranslate_store.page.wording import UNKNOWN_SPEAKER, clock
from livetranslate_store.values import SpeakerStatistics, TranscriptRow

# The page's style has this many colours; further speakers use them again.
COLOURS = 16
NO_COLOUR = "none"
# The width of every drawing; speech that would be narrower than a mark gets the width of one.
WIDTH = 1000.0
NARROWEST = 1.2
MOST_TICKS = 5
# Beyond this part of the axis, half a label would not fit on a phone.
LAST_CENTRED = 0.92
STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 28800, 86400)


class Voice(NamedTuple):
    """A speaker on the page: the name and the colour."""

    label: str | None
    name: str
    colour: str


class Lane(NamedTuple):
    """A speaker's lane; `path` is the `d` of an SVG path, `WIDTH` wide and 1 high."""

    voice: Voice
    path: str


class Tick(NamedTuple):
    """A mark of the axis; `x` is in per cent of its width, `anchor` keeps the label within it."""

    x: str
    label: str
    anchor: str


class Axis(NamedTuple):
    """The time span of the lanes, in seconds since the session's start."""

    start: float
    span: float

    def place(self, seconds: float) -> float:
        """Return the place of a moment on the axis, from 0 to 1."""
        return (seconds - self.start) / self.span

    def ticks(self) -> list[Tick]:
        """Return a few round moments with their labels."""
        step = next((step for step in STEPS if self.span / step <= MOST_TICKS), self.span / MOST_TICKS)
        count = int(self.span / step) + 1
        moments = [self.start + step * number for number in range(count)]
        return [Tick(f"{100 * self.place(at):.2f}", clock(at), _anchor(self.place(at))) for at in moments]


def _anchor(place: float) -> str:
    return "start" if place == 0 else "end" if place > LAST_CENTRED else "middle"


def axis_of(rows: Iterable[TranscriptRow]) -> Axis:
    """Return the axis of all rows.

    It begins with the session, unless the first speech is so late that most of the axis would be empty.
    """
    times = [time for row in rows if row.is_timed for time in (row.timestamp, row.timestamp + row.duration)]
    if not times:
        return Axis(0.0, 1.0)
    first, last = min(times), max(times)
    start = 0.0 if 0 <= first <= last - first else first
    return Axis(start, max(last - start, 1.0))


def voices_of(
    speakers: Iterable[SpeakerStatistics], rows: Iterable[TranscriptRow]
) -> dict[str | None, Voice]:
    """Return the speakers by label, in the order of their first speech; colours follow that order."""
    names = {row.speaker_label: row.speaker_name for row in rows}
    for speaker in speakers:
        names.setdefault(speaker.label, speaker.name)
    voices: dict[str | None, Voice] = {}
    for label, name in names.items():
        if label is None:
            voices[label] = Voice(None, UNKNOWN_SPEAKER, NO_COLOUR)
        else:
            voices[label] = Voice(label, name or label, str(len(voices) % COLOURS))
    return voices


def lanes_of(rows: Sequence[TranscriptRow], voices: Iterable[Voice], axis: Axis) -> list[Lane]:
    """Return a lane for each speaker with any known time."""
    marks: dict[str | None, list[str]] = {}
    for row in rows:
        if row.is_timed:
            x = WIDTH * axis.place(row.timestamp)
            width = max(WIDTH * row.duration / axis.span, NARROWEST)
            mark = f"M{min(x, WIDTH - NARROWEST):.2f} 0h{width:.2f}v1h-{width:.2f}z"
            marks.setdefault(row.speaker_label, []).append(mark)
    return [Lane(voice, "".join(marks[voice.label])) for voice in voices if voice.label in marks]
