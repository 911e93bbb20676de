"""Which segment a translated cue belongs to: the one that it overlaps most."""

from bisect import bisect_right
from collections.abc import Sequence
from math import inf
from operator import itemgetter
from typing import NamedTuple, TypeAlias

Span: TypeAlias = tuple[float, float]


class _Segment(NamedTuple):
    start: float
    end: float
    place: int


def places_of(cues: Sequence[Span], segments: Sequence[Span]) -> list[int]:
    """Return for each cue the place of the segment that it overlaps most; spans are (start, end) in seconds.

    A cue that overlaps none goes to the nearest one. Among equals the segment has it that starts last before
    the cue does, or else first after it; if they start together, the longer and then the earlier one.
    Raises ValueError without any segment.
    """
    if cues and not segments:
        raise ValueError("There are no segments.")
    ordered = [_Segment(*span, place) for place, span in enumerate(segments)]
    ordered.sort(key=lambda segment: (segment.start, -segment.end, segment.place))
    starts = [segment.start for segment in ordered]
    found = [0] * len(cues)
    running = _Running()
    taken = 0
    for number, (start, end) in sorted(enumerate(cues), key=itemgetter(1)):
        while taken < len(ordered) and starts[taken] <= start:
            running.add(ordered[taken])
            taken += 1
        best = running.longest(end)
        most = -inf if best is None else min(end, best.end) - start
        for place in range(taken, len(ordered)):
            segment = ordered[place]
            # Whatever starts later has less of the cue.
            if end - segment.start <= most:
                break
            shared = min(end, segment.end) - segment.start
            if shared > most:
                best, most = segment, shared
            if segment.start >= end:
                break
        if best is not None:
            found[number] = best.place
    return found


class _Running:
    """The segments that have started, without those that one which started later outlasts."""

    def __init__(self) -> None:
        # Each ends before the one below it; the ends are kept negative, because bisect wants them ascending.
        self._segments: list[_Segment] = []
        self._ends: list[float] = []

    def add(self, segment: _Segment) -> None:
        """Take in a segment that starts later than those before, or with them and is no longer."""
        if self._segments and self._segments[-1].start == segment.start:
            return
        while self._segments and self._segments[-1].end <= segment.end:
            self._segments.pop()
            self._ends.pop()
        self._segments.append(segment)
        self._ends.append(-segment.end)

    def longest(self, end: float) -> _Segment | None:
        """Return the segment that goes on longest, at most until `end`; of several the last one to start."""
        if not self._segments:
            return None
        # Those that end at `end` or later come first.
        enough = bisect_right(self._ends, -end)
        return self._segments[max(enough - 1, 0)]
