"""Known speakers: what need not be written again, and for how long."""

import pytest

from livetranslate_store.ids import new_id
from livetranslate_store.known_speakers import KNOWN_SECONDS, MOST_KNOWN, KnownSpeakers

SESSION = new_id()


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def known(clock: Clock) -> KnownSpeakers:
    return KnownSpeakers(clock)


def test_a_stored_speaker_is_known(known: KnownSpeakers) -> None:
    rows = [(SESSION, "A", None), (SESSION, "B", "Bea")]
    assert known.unknown(rows) == rows
    known.stored(rows)
    assert known.unknown(rows) == []
    assert known.unknown([(new_id(), "A", None)]) != []


def test_the_first_name_of_a_nameless_speaker_is_written(known: KnownSpeakers) -> None:
    known.stored([(SESSION, "A", None)])
    named = [(SESSION, "A", "Ana")]
    assert known.unknown(named) == named
    known.stored(named)
    assert known.unknown([(SESSION, "A", "Another"), (SESSION, "A", None)]) == []


def test_speakers_are_known_for_a_minute_although_they_speak_on(known: KnownSpeakers, clock: Clock) -> None:
    rows = [(SESSION, "A", None)]
    known.stored(rows)
    clock.now += KNOWN_SECONDS
    assert known.unknown(rows) == []
    known.stored(known.unknown(rows))
    clock.now += 1
    assert known.unknown(rows) == rows


def test_memory_is_bounded(known: KnownSpeakers) -> None:
    known.stored((SESSION, f"{number}", None) for number in range(MOST_KNOWN + 1))
    assert known.unknown([(SESSION, "0", None)]) != []
