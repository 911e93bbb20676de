"""Everything that one bot in a live meeting sends to a store, in the order of arrival, without an end.

The shares are those of real captures: 11 revisions of a segment on average and 44 at most, 4 % exact repeats,
7 % with shorter text than before, 18 % after a segment that starts later.
"""

import random
from collections.abc import Iterator, Sequence
from heapq import heappop, heappush
from itertools import count
from typing import NamedTuple

MEAN_REVISIONS = 11
MOST_REVISIONS = 44
# Shares of the revisions between first and final, so that they make 4 % and 7 % of all revisions.
REPEATED = 0.048
SHORTER = 0.086
# Eleven revisions make a segment of four seconds, 44 one of sixteen.
SECONDS_PER_REVISION = 4.0 / MEAN_REVISIONS
# A transcriber falls behind: it still revises a segment when the next one begins.
DRAG = 1.3
LATEST_TRANSLATION_SECONDS = 30.0
# Some 15 characters a second are spoken.
CHARACTERS_PER_REVISION = 6
TALK = (
    "Good morning, everyone, and thank you for coming at such short notice. The second point is the budget, "
    "which we have to settle before the end of the month. Could you say that again? The line was bad, and I "
    "think I missed the most important part of it. Then let us start with what the customers told us."
)


class Arrival(NamedTuple):
    """A revision of a segment, or its translation into `language`; times are seconds since the start."""

    at: float
    place: int
    text: str
    start: float
    end: float
    is_final: bool
    language: str | None


def arrivals(chance: random.Random, languages: Sequence[str]) -> Iterator[Arrival]:
    """Yield arrivals without an end, keeping only those still to come."""
    coming: list[Arrival] = []
    start = chance.uniform(0.0, MEAN_REVISIONS * SECONDS_PER_REVISION)
    for place in count():
        while coming and coming[0].at <= start:
            yield heappop(coming)
        revisions = _number_of_revisions(chance)
        end = start + revisions * SECONDS_PER_REVISION
        for arrival in _segment(place, start, end, revisions, chance):
            heappush(coming, arrival)
        for language in languages:
            at = arrival.at + chance.uniform(0.5, LATEST_TRANSLATION_SECONDS)
            heappush(coming, arrival._replace(at=at, language=language))
        start = end


def _number_of_revisions(chance: random.Random) -> int:
    # Many short remarks and a few long speeches; the mean is 0.2 higher before the cut at 44.
    return min(MOST_REVISIONS, round(0.6 + chance.expovariate(1 / (MEAN_REVISIONS - 0.4))))


def _segment(
    place: int, start: float, end: float, revisions: int, chance: random.Random
) -> Iterator[Arrival]:
    """Yield the revisions in order, the final last: the text grows, shrinks at times, or stays."""
    length = 0
    for number in range(1, revisions + 1):
        is_final = number == revisions
        fate = 1.0 if is_final or number == 1 else chance.random()
        if fate < SHORTER:
            length = max(1, length - CHARACTERS_PER_REVISION)
        elif fate > SHORTER + REPEATED:
            length = number * CHARACTERS_PER_REVISION
        at = start + number * DRAG * SECONDS_PER_REVISION
        yield Arrival(at, place, TALK[:length], start, end, is_final, None)
