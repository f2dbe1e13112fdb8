"""Judges whether memory is flat, and threads and descriptors are back at their level."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from process import Sample

# The smallest allocation of glibc takes 32 bytes: lost with every login, 31 KiB for a thousand.
# Less than a third of that is indistinguishable from the normal change of the heaps.
MOST_KIB_PER_1000_LOGINS = 10.0
# The share of the run before caches are full, and before the first abandoned logins expire.
WARM_UP = 0.25


# Seconds. The process runs a full garbage collection every ten seconds; the minimum of twenty
# seconds is the memory in use.
WINDOW = 20
# The minimum number of points for a slope.
FEWEST = 10


@dataclass(frozen=True)
class Slope:
    """A slope with its 95 % confidence interval."""

    middle: float
    low: float
    high: float


def theil_sen(points: Sequence[tuple[float, float]]) -> Slope:
    """The median of the slopes between all pairs of points; a fifth of the points may be outliers.

    The interval is that of Sen (1968), from the variance of Kendall's tau.
    """
    slopes = sorted(
        (later_y - y) / (later_x - x)
        for index, (x, y) in enumerate(points)
        for later_x, later_y in points[index + 1 :]
        if later_x != x
    )
    count = len(points)
    if count < FEWEST:
        return Slope(median(slopes or [0]), -math.inf, math.inf)
    deviation = math.sqrt(count * (count - 1) * (2 * count + 5) / 18)
    low = int((len(slopes) - 1.96 * deviation) / 2)
    return Slope(median(slopes), slopes[low], slopes[-1 - low])


def growth(samples: Sequence[Sample], value: Callable[[Sample], int]) -> Slope:
    """The growth of a value per 1,000 logins after the warm-up."""
    windows: dict[int, list[Sample]] = {}
    for sample in after_warm_up(samples):
        windows.setdefault(int(sample.seconds // WINDOW), []).append(sample)
    points = [
        (window[-1].logins / 1000, float(min(map(value, window)))) for window in windows.values()
    ]
    return theil_sen(points)


def after_warm_up(samples: Sequence[Sample]) -> list[Sample]:
    end = samples[-1].seconds
    return [sample for sample in samples if sample.seconds >= WARM_UP * end]


def band(samples: Sequence[Sample], calm: float, what: str) -> tuple[int, int]:
    """The minimum and the maximum before the first fault, after the first second."""
    values = [getattr(sample, what) for sample in samples if 1 <= sample.seconds <= calm]
    return min(values), max(values)
