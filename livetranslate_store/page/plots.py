"""The statistics as the page draws them. Everything that is drawn is also there in words."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from livetranslate_store.page.lanes import Voice
from livetranslate_store.page.wording import amount, clock, length, share
from livetranslate_store.values import MinuteStatistics, SessionStatistics

# More bars than this cannot be told apart on a phone.
MOST_BARS = 90
MINUTES_PER_BAR = (1, 2, 3, 5, 10, 15, 30, 60, 120, 240, 480, 1440)


class Figure(NamedTuple):
    """One number of the meeting, and what it is."""

    value: str
    name: str
    note: str


class Share(NamedTuple):
    """A bar of a list: parts in per cent of the whole width, one after the other, and words for it."""

    name: str
    colour: str
    parts: tuple[str, ...]
    value: str
    note: str


class Bar(NamedTuple):
    """A bar of the speech per minute; all but the words in per cent."""

    x: str
    y: str
    width: str
    height: str
    words: str


class SpeechPlot(NamedTuple):
    """Speech over the meeting, in seconds per minute."""

    bars: list[Bar]
    last: str
    summary: str


def figures_of(statistics: SessionStatistics, speakers: int) -> list[Figure]:
    """Return the numbers that come first."""
    spoken = statistics.speech_seconds / statistics.duration if statistics.duration > 0 else 0.0
    interim = statistics.segments - statistics.final_segments
    figures = [
        Figure(length(statistics.duration), "Duration", f"{share(spoken)} of it speech"),
        Figure(
            f"{statistics.segments:,}", "Segments", f"{interim:,} still interim" if interim else "all final"
        ),
        Figure(f"{speakers:,}", "Speakers", _turns(statistics)),
    ]
    value, _, unit = amount(statistics.counts).partition(" ")
    figures.append(Figure(value, unit.partition(" ")[0].capitalize(), _rest(statistics)))
    if statistics.mean_confidence is not None:
        figures.append(Figure(share(statistics.mean_confidence), "Confidence", "mean of all segments"))
    return figures


def _turns(statistics: SessionStatistics) -> str:
    turns = sum(speaker.turns for speaker in statistics.speakers)
    return f"{turns:,} turns" if turns != 1 else "1 turn"


def _rest(statistics: SessionStatistics) -> str:
    counts = statistics.counts
    if counts.words and counts.characters:
        return f"and {counts.characters:,} characters"
    return f"in {len(statistics.languages):,} languages" if len(statistics.languages) > 1 else "as spoken"


def talk_of(statistics: SessionStatistics, voices: Mapping[str | None, Voice]) -> list[Share]:
    """Return who talked how much, the most first."""
    shares = []
    for speaker in sorted(statistics.speakers, key=lambda speaker: -speaker.talk_seconds):
        voice = voices[speaker.label]
        pace = "" if speaker.words_per_minute is None else f", {speaker.words_per_minute:.0f} words/min"
        note = f"{length(speaker.talk_seconds)}{pace}"
        shares.append(Share(voice.name, voice.colour, (_percent(speaker.share),), share(speaker.share), note))
    return shares


def coverage_of(statistics: SessionStatistics) -> list[Share]:
    """Return how far the meeting is translated: first what is up to date, then what is stale."""
    shares = []
    for each in statistics.translations:
        whole = max(each.needed, 1)
        parts = (_percent((each.translated - each.stale) / whole), _percent(each.stale / whole))
        note = f"{each.translated:,} of {each.needed:,}" + (f", {each.stale:,} stale" if each.stale else "")
        shares.append(Share(each.language, "done", parts, share(each.coverage), note))
    return shares


def speech_of(minutes: Sequence[MinuteStatistics]) -> SpeechPlot | None:
    """Return the speech per minute, several minutes to a bar in a long meeting; None without any."""
    if not minutes:
        return None
    first, last = minutes[0].minute, minutes[-1].minute + 1
    per_bar = next((each for each in MINUTES_PER_BAR if (last - first) / each <= MOST_BARS), None)
    if per_bar is None:
        per_bar = -(-(last - first) // MOST_BARS)
    sums: dict[int, float] = {}
    for minute in minutes:
        place = (minute.minute - first) // per_bar
        sums[place] = sums.get(place, 0.0) + minute.speech_seconds
    rates = {place: total / per_bar for place, total in sums.items()}
    # A minute can hold more than sixty seconds where several speak at once.
    highest = max(60.0, *rates.values())
    width = 100 * per_bar / (last - first)
    bars = [
        _bar(place, rate / highest, width, 60 * (first + place * per_bar), rate)
        for place, rate in rates.items()
    ]
    busiest = max(rates, key=lambda place: rates[place])
    mean = sum(minute.speech_seconds for minute in minutes) / (last - first)
    summary = (
        f"On average {mean:.0f} s of speech per minute; most, {rates[busiest]:.0f} s, "
        f"at {clock(60 * (first + busiest * per_bar))}."
    )
    return SpeechPlot(bars, clock(60 * last), summary)


def _bar(place: int, height: float, width: float, starts_at: float, rate: float) -> Bar:
    return Bar(
        x=f"{place * width + width * 0.1:.3f}",
        y=f"{100 * (1 - height):.2f}",
        width=f"{width * 0.8:.3f}",
        height=f"{100 * height:.2f}",
        words=f"{clock(starts_at)}: {rate:.0f} s of speech per minute",
    )


def _percent(part: float) -> str:
    return f"{100 * min(max(part, 0.0), 1.0):.2f}"
