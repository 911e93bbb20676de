"""A healthy run keeps the limits of the soak's memory, and a small leak does not."""

import random
from collections.abc import Callable, Sequence
from itertools import accumulate
from pathlib import Path

import pytest

from benchmarks.soak import hundred_bots, ten_bots
from benchmarks.soak.memory import MemorySample
from benchmarks.soak.table import Measure, write_page
from benchmarks.soak.trend import BLOCKS, Slope, Trend, growth

SAMPLES = ten_bots.SAMPLES
WRITES = [ten_bots.WRITES * (number + 1) // SAMPLES for number in range(SAMPLES)]
WRITES_OF_FOUR_MINUTES = [400_000 * (number + 1) // SAMPLES for number in range(SAMPLES)]
MIB = 2**20

Leak = Callable[[int], int]


def wandering(chance: random.Random, *, inertia: float = 0.8) -> list[float]:
    """Noise around zero whose neighbours are much alike."""
    return list(
        accumulate((chance.gauss(0.0, 1.0) for _ in range(SAMPLES)), lambda old, new: inertia * old + new)
    )


def steps(chance: random.Random, *, height: float, often: float) -> list[float]:
    """A level that jumps up and falls back now and then, as memory does when a connection is replaced."""
    level, levels = 0.0, []
    for _ in range(SAMPLES):
        if chance.random() < often:
            level = height - level
        levels.append(level)
    return levels


def nothing(_written: int) -> int:
    return 0


def memory(
    seed: int,
    writes: Sequence[int] = WRITES,
    *,
    blocks: Leak = nothing,
    held: Leak = nothing,
    resident: Leak = nothing,
) -> list[MemorySample]:
    """The memory of a run with the noise of real ones: it fills at first, then stays, but for a leak."""
    chance = random.Random(seed)
    flights, connections, arenas = (
        wandering(chance),
        steps(chance, height=1_000, often=0.05),
        steps(chance, height=MIB, often=0.02),
    )
    return [
        MemorySample(
            440_000 - 12_000 // (number + 1) + round(60 * flight + connection) + blocks(written),
            22 * MIB + round(40_000 * flight) + held(written),
            90 * MIB + round(arena) + resident(written),
        )
        for number, (written, flight, connection, arena) in enumerate(
            zip(writes, flights, connections, arenas, strict=True)
        )
    ]


def missed(measures: Sequence[Measure]) -> set[str]:
    return {each.measure for each in measures if not each.ok}


def a_day(samples: Sequence[MemorySample]) -> set[str]:
    return missed(ten_bots.judged(list(zip(WRITES, samples, strict=True))))


def four_minutes(samples: Sequence[MemorySample]) -> set[str]:
    return missed(hundred_bots.judged(samples))


def test_a_line_without_noise_has_its_slope_and_no_uncertainty() -> None:
    slope = Slope.of(WRITES, [5.0 + 0.25 * written for written in WRITES])
    assert slope.value == pytest.approx(0.25)
    assert slope.margin == pytest.approx(0.0, abs=1e-6)


def test_only_the_second_half_counts() -> None:
    series = [float(min(written, ten_bots.WRITES / 2)) for written in WRITES]
    assert Trend.of(WRITES, series).slope.value == pytest.approx(0.0, abs=1e-9)


def test_too_few_samples_are_refused() -> None:
    few = 2 * BLOCKS - 1
    with pytest.raises(ValueError, match="15 samples are too few for a slope: at least 16"):
        Slope.of(WRITES[:few], WRITES[:few])
    Slope.of(WRITES[: few + 1], WRITES[: few + 1])


def test_noise_whose_neighbours_are_alike_is_taken_for_growth_no_more_often_than_promised() -> None:
    half = len(WRITES) // 2
    slopes = [Slope.of(WRITES[:half], wandering(random.Random(seed))[:half]) for seed in range(1_000)]
    outside = sum(abs(slope.value) > slope.margin for slope in slopes)
    assert 25 <= outside <= 85  # 5 %, and some more because blocks depend on each other a little


def test_growth_compares_the_last_tenth_with_the_second() -> None:
    assert growth([*[1.0] * 10, *[2.0] * 80, *[3.0] * 10]) == pytest.approx(0.5)


@pytest.mark.parametrize("judged", [a_day, four_minutes])
def test_a_healthy_run_that_moves_in_steps_keeps_the_limits(
    judged: Callable[[Sequence[MemorySample]], set[str]],
) -> None:
    assert sum(bool(judged(memory(seed))) for seed in range(100)) <= 10


@pytest.mark.parametrize("share", [0.6, 0.75, 0.9])
def test_one_more_connection_in_the_second_half_is_no_leak(share: float) -> None:
    def opened(written: int) -> int:
        return 1_500 if written > share * ten_bots.WRITES else 0

    assert sum(bool(a_day(memory(seed, WRITES, blocks=opened))) for seed in range(100)) <= 10


@pytest.mark.parametrize(
    ("leak", "measure"),
    [
        ({"held": lambda written: written}, "bytes held, growth that shows all the time"),
        ({"blocks": lambda written: written // 100}, "live blocks, growth that shows all the time"),
        ({"resident": lambda written: 3 * written}, "resident memory, growth since a tenth"),
    ],
    ids=["one byte a write", "one block in a hundred writes", "three resident bytes a write"],
)
def test_a_day_shows_the_smallest_leak_that_it_promises(leak: dict[str, Leak], measure: str) -> None:
    assert all(measure in a_day(memory(seed, WRITES, **leak)) for seed in range(100))


def test_noise_that_would_hide_such_a_leak_misses_a_limit_too() -> None:
    loud = [
        sample._replace(malloc_bytes=sample.malloc_bytes + round(2 * MIB * noise))
        for sample, noise in zip(memory(1), wandering(random.Random(2)), strict=True)
    ]
    assert "bytes held, uncertainty (± 95 %)" in a_day(loud)


@pytest.mark.parametrize(
    ("leak", "measure"),
    [
        ({"blocks": lambda written: written // 20}, "full load: live blocks, growth"),
        ({"held": lambda written: 8 * written}, "full load: bytes held, growth"),
        ({"resident": lambda written: 24 * written}, "full load: resident memory, growth"),
    ],
    ids=["one block in twenty writes", "eight bytes a write", "twenty-four resident bytes a write"],
)
def test_four_minutes_show_a_leak_that_would_fill_a_process_within_days(
    leak: dict[str, Leak], measure: str
) -> None:
    assert all(measure in four_minutes(memory(seed, WRITES_OF_FOUR_MINUTES, **leak)) for seed in range(100))


def test_a_table_replaces_that_of_the_same_command_and_no_other(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "<!-- written by make soak: begin -->\none\n<!-- end -->\n"
        "<!-- written by make soak-day: begin -->\nother\n<!-- end -->\n",
        encoding="utf-8",
    )
    write_page(page, "make soak-day", [Measure("a figure", 0.6, "{:.1f}", 0.5)], "today")
    text = page.read_text(encoding="utf-8")
    assert "one" in text
    assert "other" not in text
    assert "| a figure | 0.6 | ≤ 0.5 | NO |" in text
