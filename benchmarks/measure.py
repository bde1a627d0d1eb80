"""Figures taken in one process: contestants run in turn, round after round, and each is compared with another.

Machines are noisy. A ratio is the median over the rounds, with the least and the greatest beside it; an absolute figure
is the least of the rounds, for nothing makes code faster than it is.
"""

import gc
import statistics
import time  # noqa: TID251 — a benchmark measures real time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

Clock = Callable[[], float]

CPU: Clock = time.process_time
"""What this process has used of the processor, in seconds: what else the machine does blurs it least."""

WALL: Clock = time.perf_counter


@dataclass(frozen=True, slots=True)
class Figure:
    """What was measured: the value to be told, the least and the greatest."""

    value: float
    least: float
    greatest: float

    @classmethod
    def median(cls, values: Iterable[float]) -> "Figure":
        """Return the median, between the least and the greatest."""
        found = sorted(values)
        return cls(statistics.median(found), found[0], found[-1])

    @classmethod
    def least_of(cls, values: Iterable[float]) -> "Figure":
        """Return the least, which is told, and the greatest."""
        found = sorted(values)
        return cls(found[0], found[0], found[-1])

    def __str__(self) -> str:
        if self.least == self.greatest:
            return shown(self.value)
        return f"{shown(self.value)} ({shown(self.least)} to {shown(self.greatest)})"


def shown(value: float) -> str:
    """Return a number with about three digits that mean something."""
    for bound, digits in ((0.1, 3), (10, 2), (100, 1)):
        if abs(value) < bound:
            return f"{value:.{digits}f}"
    return f"{value:.0f}"


@dataclass(frozen=True, slots=True)
class Contestant:
    """What is run, and how often one run does what is measured."""

    run: Callable[[], object]
    times: int = 1


class Race:
    """What each contestant took in each round, in seconds for one time of what it does."""

    def __init__(self, taken: Mapping[str, list[float]]) -> None:
        self._taken = taken

    def ratio(self, name: str, to: str) -> Figure:
        """Return how often one contestant's time holds another's, taken round by round."""
        pairs = zip(self._taken[name], self._taken[to], strict=True)
        return Figure.median(mine / theirs for mine, theirs in pairs)

    def microseconds(self, name: str) -> Figure:
        """Return what one time took, the least of the rounds."""
        return Figure.least_of(seconds * 1e6 for seconds in self._taken[name])

    def ratios(self, to: str) -> dict[str, Figure]:
        """Return every contestant's ratio to one of them."""
        return {name: self.ratio(name, to) for name in self._taken}

    def tell(self, title: str, to: str) -> None:
        """Print every contestant's ratio to one of them, and what one time took."""
        print(f"\n{title}")
        for name, ratio in self.ratios(to).items():
            print(f"  {name:<46} {ratio!s:>28}x {shown(self.microseconds(name).value):>10} µs")


def race(contestants: Mapping[str, Contestant], *, rounds: int, clock: Clock = CPU) -> Race:
    """Run every contestant once to warm up, then all of them in turn, so many rounds.

    What one has thrown away is collected before the next begins, and what they keep between their runs is set aside
    from the garbage collector: nobody is charged for another's.
    """
    return races(contestants, rounds=rounds, clocks=(clock,))[0]


def races(contestants: Mapping[str, Contestant], *, rounds: int, clocks: tuple[Clock, ...]) -> tuple[Race, ...]:
    """Do as `race` does, under several clocks at once."""
    taken: tuple[dict[str, list[float]], ...] = tuple({name: [] for name in contestants} for _ in clocks)
    for contestant in contestants.values():
        contestant.run()
    gc.collect()
    gc.freeze()
    for _ in range(rounds):
        for name, contestant in contestants.items():
            gc.collect()
            began = [clock() for clock in clocks]
            contestant.run()
            for times, start, clock in zip(taken, began, clocks, strict=True):
                times[name].append((clock() - start) / contestant.times)
    gc.unfreeze()
    return tuple(Race(times) for times in taken)
