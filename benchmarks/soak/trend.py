"""Judge whether a series of samples grows, and say how sure that is."""

import math
import statistics
from collections.abc import Sequence
from typing import NamedTuple, Self

# Neighbouring samples depend on each other; the means of long blocks hardly do. Eight of them leave six
# degrees of freedom, for which Student's t is 2.447 at 95 %.
BLOCKS = 8
STUDENT = 2.447


class Slope(NamedTuple):
    """By how much a series grows with each unit of x, and the half-width of its 95 % interval."""

    value: float
    margin: float

    @property
    def lowest(self) -> float:
        """The lower end of the interval: above zero, the series grows."""
        return self.value - self.margin

    @classmethod
    def of_the_second_half(cls, x: Sequence[float], y: Sequence[float]) -> Self:
        """Fit a line through the block means of the second half.

        Raises ValueError if the second half has fewer than two samples a block.
        """
        size = len(x) // 2 // BLOCKS
        if size < 2:  # noqa: PLR2004 (a mean needs two)
            raise ValueError(f"{len(x)} samples are too few: at least {4 * BLOCKS} are needed.")
        first = len(x) - size * BLOCKS
        places, levels = (
            [statistics.fmean(series[start : start + size]) for start in range(first, len(x), size)]
            for series in (x, y)
        )
        value, offset = statistics.linear_regression(places, levels)
        spread = sum(
            (level - offset - value * place) ** 2 for place, level in zip(places, levels, strict=True)
        )
        width = statistics.pvariance(places) * BLOCKS
        return cls(value, STUDENT * math.sqrt(spread / (BLOCKS - 2) / width))


def growth(samples: Sequence[float]) -> float:
    """Return by how much the last tenth is above the second tenth, as a share; the first is warm-up."""
    tenth = max(1, len(samples) // 10)
    before = statistics.median(samples[tenth : 2 * tenth] or samples)
    return statistics.median(samples[-tenth:]) / before - 1.0
