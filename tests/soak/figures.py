"""Whether memory is flat, and threads and descriptors back where they were."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from process import Sample

# The smallest allocation of glibc takes 32 bytes: lost with every login, 31 KiB for a
# thousand. What is less than a third of that cannot be told from the coming and going of the heaps.
MOST_KIB_PER_1000_LOGINS = 10.0
# Of the run. Until then caches fill, and the first logins that nobody completes expire.
WARM_UP = 0.25


# Seconds. The process collects its garbage all of it every ten; what was least in twenty is what
# is left then.
WINDOW = 20
# Points that say anything about a slope.
FEWEST = 10


@dataclass(frozen=True)
class Slope:
    """A slope, and between what it lies in 95 of 100 cases."""

    middle: float
    low: float
    high: float


def theil_sen(points: Sequence[tuple[float, float]]) -> Slope:
    """The median of the slopes between all pairs of points: a fifth of the points may be anywhere.

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
    """How something grows in 1,000 logins after the warm-up."""
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
    """The least and the most while nothing was broken yet, after the first second."""
    values = [getattr(sample, what) for sample in samples if 1 <= sample.seconds <= calm]
    return min(values), max(values)
