"""Subtitles: rows become cues, as they are or so that they can be read on a screen."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, zip_longest
from typing import NamedTuple

from livetranslate_store.formats import joiners
from livetranslate_store.formats.writers.line_breaking import balanced, broken, width_of
from livetranslate_store.formats.writers.row_text import (
    Said,
    clean_lines,
    one_line,
    said,
    speaker_of,
)
from livetranslate_store.values import TranscriptRow

# What broadcasters agree on: two lines of 42 columns, and a second at least to read them.
COLUMNS = 42
LINES = 2
MINIMUM_MS = 1000
# The usual speed of reading, for speech without a known end.
COLUMNS_PER_SECOND = 15


class CueLine(NamedTuple):
    """A line of a cue and its language."""

    text: str
    language: str


class SubtitleCue(NamedTuple):
    """One cue: milliseconds since the session's start, the end after it, and lines that show something."""

    start: int
    end: int
    speaker: str
    lines: tuple[CueLine, ...]


class Untimed(NamedTuple):
    """A text without a time: a format keeps it if it can."""

    speaker: str
    lines: tuple[CueLine, ...]


class _Texts:
    """The texts of each row in the languages asked for; `named` puts the speaker's name before a change."""

    def __init__(self, languages: Sequence[str], *, named: bool) -> None:
        self._languages = languages
        self._named = named
        self._speaker: str | None = None

    @property
    def several(self) -> bool:
        """Return whether languages stand below each other."""
        return len(self._languages) > 1

    def of(self, row: TranscriptRow) -> list[Said]:
        """Return the texts that show something."""
        found = said(row, self._languages)
        texts = [each for each in found if each is not None and one_line(each.text)]
        # A format with names has no place for a row without a time: it names nobody.
        marked = self._named and bool(texts) and row.is_timed
        return self._marked(texts, speaker_of(row), found) if marked else texts

    def _marked(self, texts: list[Said], speaker: str, found: Sequence[Said | None]) -> list[Said]:
        """Return the texts with the marks by which this package's reader knows speakers and languages."""
        marked = [each._replace(text=joiners.doubled(each.text.strip())) for each in texts]
        if self.several and texts[0] is not found[0]:
            # Without a mark the second language alone would be read as the first.
            marked[0] = marked[0]._replace(text=joiners.second(marked[0].text))
        if speaker != self._speaker:
            self._speaker = speaker
            marked[0] = marked[0]._replace(text=joiners.named(speaker, marked[0].text))
        return marked


class PlainCues:
    """Makes the cues of rows as they are: texts with their own line breaks, overlaps kept.

    With two languages each has one line. `named` puts the speaker's name before the text if it changes.
    """

    def __init__(self, languages: Sequence[str], *, named: bool = False) -> None:
        self._texts = _Texts(languages, named=named)

    def add(self, row: TranscriptRow) -> Iterator[SubtitleCue | Untimed]:
        """Yield what the next row, in the timeline's order, makes ready."""
        texts = self._texts.of(row)
        if self._texts.several:
            lines = [CueLine(one_line(each.text), each.language) for each in texts]
        else:
            lines = [CueLine(line, each.language) for each in texts for line in clean_lines(each.text)]
        if lines:
            yield _timed(row, tuple(lines))

    def rest(self) -> Iterator[SubtitleCue | Untimed]:
        """Yield the cues that are left at the end."""
        return iter(())


class ReadableCues:
    """Makes cues that can be read: two lines of 42 columns, a second at least, one at a time.

    A long text goes into several cues that share its time; if people talk at once, or faster than a second
    per cue, cues come later than the speech. Nothing is lost. With two languages each has one line.
    """

    def __init__(self, languages: Sequence[str], *, named: bool = False) -> None:
        self._texts = _Texts(languages, named=named)
        self._waiting: SubtitleCue | None = None

    def add(self, row: TranscriptRow) -> Iterator[SubtitleCue | Untimed]:
        """Yield what the next row, in the timeline's order, makes ready."""
        texts = self._texts.of(row)
        pieces = _beside(texts) if self._texts.several else _below(texts)
        if not pieces:
            return
        whole = _timed(row, tuple(line for piece in pieces for line in piece))
        if isinstance(whole, Untimed):
            yield whole
            return
        for cue in _shared(whole, pieces):
            yield from self._after(cue)

    def rest(self) -> Iterator[SubtitleCue | Untimed]:
        """Yield the cues that are left at the end."""
        if self._waiting is not None:
            yield self._waiting
            self._waiting = None

    def _after(self, cue: SubtitleCue) -> Iterator[SubtitleCue]:
        """Yield the cue before, which ends at the latest when this one begins."""
        start = cue.start
        if self._waiting is not None:
            start = max(start, self._waiting.start + MINIMUM_MS)
            yield self._waiting._replace(end=min(self._waiting.end, start))
        self._waiting = cue._replace(start=start, end=max(cue.end, start + MINIMUM_MS))


def _below(texts: Iterable[Said]) -> list[list[CueLine]]:
    """Return the lines of one text, cue by cue."""
    pieces: list[list[CueLine]] = []
    for text, language, *_ in texts:
        line = one_line(text)
        lines = balanced(line, COLUMNS, len(broken(line, COLUMNS)))
        made = [CueLine(each, language) for each in lines]
        pieces += (made[start : start + LINES] for start in range(0, len(made), LINES))
    return pieces


def _beside(texts: Iterable[Said]) -> list[list[CueLine]]:
    """Return one line of each text, cue by cue, all of them over as many cues as the longest needs."""
    lines = [(one_line(text), language) for text, language, *_ in texts]
    cues = max((len(broken(line, COLUMNS)) for line, _ in lines), default=0)
    columns = [[CueLine(each, tag) for each in balanced(line, COLUMNS, cues)] for line, tag in lines]
    return [[line for line in beside if line is not None] for beside in zip_longest(*columns)]


def _timed(row: TranscriptRow, lines: tuple[CueLine, ...]) -> SubtitleCue | Untimed:
    speaker = speaker_of(row)
    if not row.is_timed:
        return Untimed(speaker, lines)
    # Neither format knows times before the start.
    start = max(0, round(row.timestamp * 1000))
    end = round((row.timestamp + row.duration) * 1000)
    if row.start_time is None or row.end_time is None:
        columns = max(width_of(line.text) for line in lines)
        end = start + max(MINIMUM_MS, columns * 1000 // COLUMNS_PER_SECOND)
    return SubtitleCue(start, max(end, start + 1), speaker, lines)


def _shared(whole: SubtitleCue, pieces: Sequence[Sequence[CueLine]]) -> Iterator[SubtitleCue]:
    """Yield one cue per piece, each with its share of the time, in proportion to its width."""
    columns = [sum(width_of(line.text) for line in piece) or 1 for piece in pieces]
    total, time = sum(columns), whole.end - whole.start
    shares = [whole.start + time * part // total for part in accumulate(columns)]
    starts = [whole.start, *shares]
    for start, end, piece in zip(starts, shares, pieces, strict=False):
        yield SubtitleCue(start, end, whole.speaker, tuple(piece))
