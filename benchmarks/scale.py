"""The sizes of a run: in full, and cut down to seconds to try the bench itself."""

from typing import NamedTuple

# The size of both pools.
CONNECTIONS = 20
SESSIONS = 64
PAGE = 200


class Scale(NamedTuple):
    """The sizes of a run."""

    #: Calls of each side by one writer, after a warm-up that does not count.
    calls: int
    warm_up: int
    #: The numbers of writers at once, the one that the table shows, and how many segments each writer of that
    #: crowd writes in a round.
    writers: tuple[int, ...]
    crowd: int
    calls_per_writer: int
    rounds: int
    #: Segments of a bulk import.
    bulk: int
    #: Stored segments in most measures; a quarter of them, in one session, is the whole timeline.
    base: int
    #: Stored segments in the measures of growth; the last of them also has the pages and the searches.
    stored: tuple[int, ...]
    readings: int
    #: Lives of a segment that each bot of the crowd writes: in a round of the rate, to count bytes, and to
    #: give autovacuum some work. Then the seconds that it writes at the pace of speech.
    lives_per_bot: int
    counted_lives: int
    vacuumed_lives: int
    paced_seconds: float
    #: Calls of one writer whose processor time is counted, in steps of 10 ms.
    guaranteed_calls: int


FULL = Scale(
    calls=500,
    warm_up=40,
    writers=(1, 10, 50, 100, 200),
    crowd=100,
    calls_per_writer=30,
    rounds=5,
    bulk=100_000,
    base=20_000,
    stored=(1_000, 10_000, 100_000, 1_000_000),
    readings=15,
    lives_per_bot=3,
    counted_lives=15,
    vacuumed_lives=100,
    paced_seconds=20.0,
    guaranteed_calls=2_000,
)
QUICK = Scale(
    calls=5,
    warm_up=1,
    writers=(1, 10),
    crowd=10,
    calls_per_writer=2,
    rounds=1,
    bulk=200,
    base=1_000,
    stored=(1_000, 2_000),
    readings=2,
    lives_per_bot=1,
    counted_lives=1,
    vacuumed_lives=2,
    paced_seconds=4.0,
    guaranteed_calls=20,
)
