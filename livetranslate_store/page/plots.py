"""The statistics as the page draws them. Words say everything that a drawing shows."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from livetranslate_store.page.lanes import Voice
from livetranslate_store.page.wording import amount, clock, length, share
from livetranslate_store.values import MinuteStatistics, SessionStatistics

# A phone shows no more bars apart.
MOST_BARS = 90
# The talk share folds further speakers away.
MOST_SPEAKERS = 5
MINUTES_PER_BAR = (1, 2, 3, 5, 10, 15, 30, 60, 120, 240, 480, 1440)


class Figure(NamedTuple):
    """One number of the meeting: its value, its name and a note."""

    value: str
    name: str
    note: str


class Share(NamedTuple):
    """A bar of a list: parts in per cent of the whole width, one after the other, and words for it.

    Without parts there is nothing to measure, and no bar.
    """

    name: str
    colour: str
    parts: tuple[str, ...]
    value: str
    note: str


class Bar(NamedTuple):
    """A bar of the speech per minute; places and sizes are in per cent."""

    x: str
    y: str
    width: str
    height: str
    words: str


class SpeechPlot(NamedTuple):
    """Speech over the meeting, in seconds per minute."""

    bars: list[Bar]
    first: str
    last: str
    summary: str


def figures_of(statistics: SessionStatistics, speakers: int) -> list[Figure]:
    """Return the numbers at the top of the page."""
    figures = [
        Figure(length(statistics.duration), "Duration", _spoken(statistics)),
        Figure(f"{statistics.segments:,}", "Segments", _finals(statistics)),
        Figure(f"{speakers:,}", "Speakers", _turns(statistics)),
    ]
    value, _, unit = amount(statistics.counts).partition(" ")
    figures.append(Figure(value, unit.partition(" ")[0].capitalize(), _rest(statistics)))
    if statistics.mean_confidence is not None:
        figures.append(Figure(share(statistics.mean_confidence), "Confidence", "mean of all segments"))
    return figures


def _spoken(statistics: SessionStatistics) -> str:
    if statistics.duration <= 0:
        return "no speech with times"
    return f"{share(statistics.speech_seconds / statistics.duration)} of it speech"


def _finals(statistics: SessionStatistics) -> str:
    interim = statistics.segments - statistics.final_segments
    if interim:
        return f"{interim:,} still interim"
    return "all final" if statistics.segments else "none yet"


def _turns(statistics: SessionStatistics) -> str:
    turns = sum(speaker.turns for speaker in statistics.speakers)
    return f"{turns:,} turns" if turns != 1 else "1 turn"


def _rest(statistics: SessionStatistics) -> str:
    counts = statistics.counts
    if counts.words and counts.characters:
        return f"and {counts.characters:,} characters"
    return f"in {len(statistics.languages):,} languages" if len(statistics.languages) > 1 else "as spoken"


def shown_of(speakers: int) -> int:
    """Return how many speakers the talk share shows at first; it never hides a single one."""
    return MOST_SPEAKERS if speakers > MOST_SPEAKERS + 1 else speakers


def talk_of(statistics: SessionStatistics, voices: Mapping[str | None, Voice]) -> list[Share]:
    """Return the share of each speaker, the largest first."""
    shares = []
    for speaker in sorted(statistics.speakers, key=lambda speaker: -speaker.talk_seconds):
        voice = voices[speaker.label]
        pace = "" if speaker.words_per_minute is None else f", {speaker.words_per_minute:.0f} words/min"
        note = f"{length(speaker.talk_seconds)}{pace}"
        shares.append(Share(voice.name, voice.colour, (_percent(speaker.share),), share(speaker.share), note))
    return shares


def coverage_of(statistics: SessionStatistics) -> list[Share]:
    """Return the coverage of each language: first up-to-date translations, then stale ones."""
    shares = []
    for each in statistics.translations:
        if each.needed == 0:
            shares.append(Share(each.language, "done", (), "", "nothing to translate"))
            continue
        parts = (
            _percent((each.translated - each.stale) / each.needed),
            _percent(each.stale / each.needed),
        )
        note = f"{each.translated:,} of {each.needed:,}" + (f", {each.stale:,} stale" if each.stale else "")
        shares.append(Share(each.language, "done", parts, share(each.coverage), note))
    return shares


def speech_of(minutes: Sequence[MinuteStatistics], end: float) -> SpeechPlot | None:
    """Return the speech per minute, several minutes to a bar in a long meeting; None without any.

    The plot ends at `end`, in seconds, with the last speech of the meeting.
    """
    if not minutes:
        return None
    first, last = minutes[0].minute, minutes[-1].minute + 1
    per_bar = _minutes_per_bar(last - first)
    sums: dict[int, float] = {}
    for minute in minutes:
        place = (minute.minute - first) // per_bar
        sums[place] = sums.get(place, 0.0) + minute.speech_seconds
    # The last bar may have fewer minutes than the others.
    rates = {place: total / min(per_bar, last - first - place * per_bar) for place, total in sums.items()}
    # A minute can hold more than sixty seconds if several people speak at once.
    highest = max(60.0, *rates.values())
    # The last minute ends with the meeting.
    end = min(60.0 * last, max(end, 60.0 * last - 59))
    width = 100 * 60 * per_bar / (end - 60 * first)
    bars = [
        _bar(place * width, width, rate / highest, 60 * (first + place * per_bar), rate)
        for place, rate in rates.items()
    ]
    busiest = max(rates, key=lambda place: rates[place])
    mean = sum(minute.speech_seconds for minute in minutes) / (last - first)
    summary = (
        f"On average {mean:.0f} s of speech per minute; most, {rates[busiest]:.0f} s, "
        f"at {clock(60 * (first + busiest * per_bar))}."
    )
    if per_bar > 1:
        summary += f" Each bar is the mean of {length(60 * per_bar)}."
    return SpeechPlot(bars, clock(60 * first), clock(end), summary)


def _minutes_per_bar(minutes: int) -> int:
    round_number = next((each for each in MINUTES_PER_BAR if minutes / each <= MOST_BARS), None)
    return -(-minutes // MOST_BARS) if round_number is None else round_number


def _bar(left: float, width: float, height: float, starts_at: float, rate: float) -> Bar:
    width = min(width, 100 - left)
    return Bar(
        x=f"{left + width * 0.1:.3f}",
        y=f"{100 * (1 - height):.2f}",
        width=f"{width * 0.8:.3f}",
        height=f"{100 * height:.2f}",
        words=f"{clock(starts_at)}: {rate:.0f} s of speech per minute",
    )


def _percent(part: float) -> str:
    return f"{100 * min(max(part, 0.0), 1.0):.2f}"
