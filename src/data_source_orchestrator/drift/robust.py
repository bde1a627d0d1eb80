"""Median and median absolute deviation: what a few odd values among many cannot move."""

from collections.abc import Sequence

MODIFIED_Z = 3.5
"""The modified z-score beyond which Iglewicz and Hoaglin (1993) call a value an outlier."""

_SEVERAL = 4

_NORMAL = 1.4826
"""What makes of the median absolute deviation of normal values their standard deviation."""


def median(values: Sequence[float]) -> float:
    """Return the middle of one or more values."""
    ordered = sorted(values)
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2


def deviation(values: Sequence[float]) -> float:
    """Return the median distance of one or more values from their median."""
    middle = median(values)
    return median([abs(value - middle) for value in values])


def seen_twice(value: float, values: Sequence[float]) -> bool:
    """Return whether a value lies among several others, of which the least and the greatest may be odd ones."""
    return len(values) >= _SEVERAL and sorted(values)[1] <= value <= sorted(values)[-2]


def reach(values: Sequence[float]) -> float:
    """Return how far from their median these values say that another may lie."""
    return MODIFIED_Z * _NORMAL * deviation(values)
