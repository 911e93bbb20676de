"""How large everything is: in full, and cut down to seconds where only the bench itself is tried."""

from typing import NamedTuple

# The size of both pools.
CONNECTIONS = 20
SESSIONS = 64
PAGE = 200


class Scale(NamedTuple):
    """The sizes of a run."""

    #: Calls of each side where one writer is measured, after some that are not counted.
    calls: int
    warm_up: int
    #: How many write at once, which of them the table shows, and how many segments each
    #: of that crowd writes in a round.
    writers: tuple[int, ...]
    crowd: int
    calls_per_writer: int
    rounds: int
    #: Segments of a bulk import.
    bulk: int
    #: Segments that most measures find stored; a quarter of them, in one session, is the whole timeline.
    base: int
    #: Segments that are stored where growth is measured; the last one is also the one that is paged through.
    stored: tuple[int, ...]
    readings: int


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
)
