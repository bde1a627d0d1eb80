"""The rules by which a number of today is compared with those of the past: counts and shares in, a verdict out.

What may differ without a word is the largest of what the past itself has varied by and a fixed part, and for what is
counted what few values differ by chance. What was there twice before is no news.
"""

import math
from collections.abc import Sequence

from data_source_orchestrator.drift.robust import median, reach, seen_twice

NOTABLE = 0.1
"""The share of objects that must have a field for its coming or going to be told, and of values for a new type."""

SURE = 0.95
"""The share from which on a field is taken to be in every object."""

EXPECTED = 5.0
"""Values of a rarer field before it counts: where five are to be expected, there are none by chance in 0.7 %."""

NULL_FLOOR = 0.15
"""By how much a null rate may differ in any case."""

TYPE_FLOOR = 0.25
"""By how much the share of a type that was seen before may differ in any case."""

SHRINK, GROWTH = 0.2, 0.5
"""The parts by which a list may shrink and grow in any case, where there is one such list."""

INNER_SHRINK, INNER_GROWTH = 0.5, 1.0
"""The same for the average of many lists, as those inside rows, whose lengths are values of their rows."""

CHANCES = 2.0
"""Standard deviations by which what is counted may differ by chance."""


def has_appeared(share: float, objects: int, usual: Sequence[float]) -> bool:
    """Return whether a field that no object ever had is in so large a share of so many that it is no odd one's."""
    return not any(usual) and _counts(share, objects)


def has_vanished(objects: int, usual: Sequence[float]) -> bool:
    """Return whether it cannot be chance that none of so many objects has a field that usually so large a share has."""
    return not seen_twice(0, usual) and _counts(median(usual), objects)


def _counts(share: float, objects: int) -> bool:
    return share >= SURE or (share >= NOTABLE and share * objects >= EXPECTED)


def null_rate_jumped(rate: float, values: float, usual: Sequence[float]) -> bool:
    """Return whether a null rate is not what so many values would have by chance where such rates are usual."""
    if seen_twice(rate, usual):
        return False
    middle = median(usual)
    return abs(rate - middle) > max(NULL_FLOOR, reach(usual)) + _by_chance(middle, values)


def type_changed(share: float, values: float, usual: Sequence[float]) -> bool:
    """Return whether the share that a type has among so many values is not usual; one never seen is told sooner."""
    if not any(usual):
        return share >= NOTABLE
    if seen_twice(share, usual):
        return False
    middle = median(usual)
    return abs(share - middle) > max(TYPE_FLOOR, reach(usual)) + _by_chance(middle, values)


def volume_moved(rows: float, lists: float, usual: Sequence[float]) -> bool:
    """Return whether a list, or the average of several, is not as long as is usual."""
    if seen_twice(rows, usual):
        return False
    middle = median(usual)
    shrink, growth = (SHRINK, GROWTH) if lists == 1 else (INNER_SHRINK, INNER_GROWTH)
    fixed = (growth if rows > middle else shrink) * middle
    chance = CHANCES * math.sqrt(max(middle, 1) / lists)
    return abs(rows - middle) > max(fixed, reach(usual), chance)


def _by_chance(share: float, values: float) -> float:
    """Return what a share of so many values differs by chance, with one more of either sort (Laplace's rule)."""
    guarded = (share * values + 1) / (values + 2)
    return CHANCES * math.sqrt(guarded * (1 - guarded) / values)
