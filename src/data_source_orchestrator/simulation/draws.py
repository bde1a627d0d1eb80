"""Chance, asked in words, for whoever makes up worlds."""

from collections.abc import Sequence
from typing import TypeVar

from data_source_orchestrator.core.clock import Chance, system_chance

T = TypeVar("T")


class Draws:
    """One seed's chance, the same every time."""

    def __init__(self, seed: int) -> None:
        self._chance = system_chance(seed)

    def between(self, least: float, most: float) -> float:
        """Return a number in between, to a hundredth."""
        return round(least + (most - least) * self._chance.random(), 2)

    def whole(self, least: int, most: int) -> int:
        """Return a whole number from `least` to `most`."""
        return least + int(self._chance.random() * (most - least + 1))

    def one_of(self, things: Sequence[T]) -> T:
        """Return one of these."""
        return things[self.whole(0, len(things) - 1)]

    def happens(self, share: float) -> bool:
        """Return True in that share of cases."""
        return self._chance.random() < share

    def some(self, things: Sequence[T]) -> tuple[T, ...]:
        """Return some of these, in their order; none at all stands for all."""
        return tuple(thing for thing in things if self.happens(0.5)) if self.happens(0.3) else ()


class Lots:
    """The lots of calls: each call's are told by its moment, so that they fall the same whatever else is played."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._moment = -1
        self._drawn = 0

    def at(self, moment: float) -> Chance:
        """Return the chance of the next call that begins at this moment, in seconds."""
        micros = round(moment * 1_000_000)
        self._drawn = self._drawn + 1 if micros == self._moment else 0
        self._moment = micros
        return system_chance((self._seed * 1_000_003 + micros) * 31 + self._drawn)
