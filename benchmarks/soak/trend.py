"""Judge whether a series of samples grows, and say how sure that is."""

import math
import statistics
from collections.abc import Sequence
from typing import NamedTuple, Self

# Neighbouring samples depend on each other; the means of long blocks hardly do. Eight of them leave six
# degrees of freedom, for which Student's t is 2.447 at 95 %.
BLOCKS = 8
STUDENT = 2.447
FEWEST_IN_A_BLOCK = 2
QUARTERS = 4


class Slope(NamedTuple):
    """By how much a series grows with each unit of x, and the half-width of its 95 % interval."""

    value: float
    margin: float

    @property
    def lowest(self) -> float:
        """The lower end of the interval: above zero, the series grows."""
        return self.value - self.margin

    @classmethod
    def of(cls, x: Sequence[float], y: Sequence[float]) -> Self:
        """Fit a line through the means of eight blocks; raises ValueError if there are too few samples."""
        size = len(x) // BLOCKS
        if size < FEWEST_IN_A_BLOCK:
            raise ValueError(
                f"{len(x)} samples are too few for a slope: at least {FEWEST_IN_A_BLOCK * BLOCKS} are needed."
            )
        first = len(x) - size * BLOCKS
        places, levels = (
            [statistics.fmean(series[start : start + size]) for start in range(first, len(x), size)]
            for series in (x, y)
        )
        value, offset = statistics.linear_regression(places, levels)
        residuals = [level - offset - value * place for place, level in zip(places, levels, strict=True)]
        variance = sum(each**2 for each in residuals) / (BLOCKS - 2)
        return cls(value, STUDENT * math.sqrt(variance / (BLOCKS * statistics.pvariance(places))))


class Trend(NamedTuple):
    """The slope of the second half, and the least growth that shows all the time, at 95 %."""

    slope: Slope
    least: float

    @classmethod
    def of(cls, x: Sequence[float], y: Sequence[float]) -> Self:
        """Judge the second half.

        A leak grows in the whole half and in both of its quarters. A step, as when the pool opens another
        connection, shows in one quarter only.
        """
        quarter = len(x) // QUARTERS
        stretches = slice(-2 * quarter, None), slice(-2 * quarter, -quarter), slice(-quarter, None)
        slopes = [Slope.of(x[stretch], y[stretch]) for stretch in stretches]
        return cls(slopes[0], min(slope.lowest for slope in slopes))


def growth(samples: Sequence[float]) -> float:
    """Return by how much the last tenth is above the second tenth, as a share; the first is warm-up."""
    tenth = max(1, len(samples) // 10)
    before = statistics.median(samples[tenth : 2 * tenth] or samples)
    return statistics.median(samples[-tenth:]) / before - 1.0
