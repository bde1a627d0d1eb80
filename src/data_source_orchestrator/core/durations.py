"""Durations and counts as people give them, checked where they enter."""

import math
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeGuard

from data_source_orchestrator.core.errors import ConfigurationError
from data_source_orchestrator.core.telling import told

LONGEST = 3600.0
"""Seconds; a longer limit is taken for milliseconds given by mistake."""

OLDEST = 315_360_000.0
"""Seconds, ten years; data that old is no data."""

MOST = 1_000_000_000
"""The largest count that can be meant; beyond it a key was pressed too long, and floats soon lose count."""

Seconds = float | timedelta
"""Seconds as a number, or a `timedelta`."""


@dataclass(frozen=True, slots=True)
class WholeNumber:
    """The whole numbers that a count may be: from `least` on, and to `most`, which is `MOST` where it is not said."""

    least: int = 0
    most: int | None = None

    @property
    def form(self) -> str:
        """What to give, in words."""
        if self.most is None:
            return f"a whole number of {self.least} or more"
        return f"a whole number from {self.least} to {self.most}"

    def holds(self, value: object) -> TypeGuard[int]:
        """Return whether a value is one of them."""
        if isinstance(value, bool) or not isinstance(value, int):
            return False
        return self.least <= value <= (MOST if self.most is None else self.most)

    def instead_of(self, value: object) -> str:
        """Return in words what to give instead of a value; where all numbers end is told to whoever has passed it."""
        passed = isinstance(value, int) and value > MOST
        return WholeNumber(self.least, MOST).form if passed and self.most is None else self.form


def in_seconds(value: Seconds) -> float:
    """Return a duration that was checked where it entered as a plain number."""
    return value.total_seconds() if isinstance(value, timedelta) else value


def seconds(value: object, name: str, *, zero: bool = False) -> float:
    """Return a duration in seconds, or say which setting is wrong, what it holds and what is accepted."""
    tells_unit = isinstance(value, timedelta)
    if isinstance(value, timedelta):
        value = value.total_seconds()
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ConfigurationError(f"{name} is {told(value)}; give seconds as a number, or a timedelta")
    if value in {math.inf, -math.inf} or not value >= 0 or (value == 0 and not zero):
        floor = "0 or more" if zero else "more than 0"
        raise ConfigurationError(f"{name} is {told(value)}; give {floor} and at most {LONGEST:g} seconds")
    if value > LONGEST**2:
        raise ConfigurationError(f"{name} is {told(value)}; give at most {LONGEST:g} seconds")
    if value > LONGEST:
        hint = "give a shorter time" if tells_unit else f"the unit is seconds; did you mean {value / 1000:g}?"
        raise ConfigurationError(f"{name} is {value:g} seconds, and at most {LONGEST:g} are accepted; {hint}")
    return float(value)


def age(value: object, name: str) -> float:
    """Return an age in seconds, which may be days, or say which setting is wrong and what is accepted."""
    given = value.total_seconds() if isinstance(value, timedelta) else value
    if isinstance(given, bool) or not isinstance(given, int | float) or not 0 <= given <= OLDEST:
        raise ConfigurationError(
            f"{name} is {told(given)}; give seconds from 0 to {OLDEST:.0f}, which is ten years, or a timedelta"
        )
    return float(given)


def count(value: object, name: str, *, least: int = 0, most: int | None = None) -> int:
    """Return a whole number, or say which setting is wrong and what is accepted."""
    accepted = WholeNumber(least, most)
    if not accepted.holds(value):
        raise ConfigurationError(f"{name} is {told(value)}; give {accepted.instead_of(value)}")
    return value


def share(value: object, name: str) -> float:
    """Return a number from 0 to 1, or say which setting is wrong."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise ConfigurationError(f"{name} is {told(value)}; give a number from 0 to 1")
    return float(value)


def flag(value: object, name: str) -> bool:
    """Return a boolean, or say which setting is wrong."""
    if not isinstance(value, bool):
        raise ConfigurationError(f"{name} is {told(value)}; give True or False")
    return value
