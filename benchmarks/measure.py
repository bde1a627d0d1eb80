"""Ratios taken in one process: contestants run in turn, round after round, and each is compared with the first.

Machines are noisy, so what is told is the median ratio over the rounds, with the least and the greatest.
"""

import statistics
import time  # noqa: TID251 — a benchmark measures real time
from collections.abc import Callable, Mapping

Contestant = Callable[[], object]


def compare(
    contestants: Mapping[str, Contestant], *, rounds: int = 7, unit: Callable[[], float] = time.perf_counter
) -> None:
    """Run every contestant once to warm up, then in turn, and print each one's ratio to the first."""
    taken: dict[str, list[float]] = {name: [] for name in contestants}
    for contestant in contestants.values():
        contestant()
    for _ in range(rounds):
        for name, contestant in contestants.items():
            began = unit()
            contestant()
            taken[name].append(unit() - began)
    first = next(iter(taken))
    for name, seconds in taken.items():
        ratios = [mine / theirs for mine, theirs in zip(seconds, taken[first], strict=True)]
        print(
            f"{name:<44} {statistics.median(ratios):8.2f}x  ({min(ratios):.2f}-{max(ratios):.2f})"
            f"  {statistics.median(seconds) * 1000:9.2f} ms"
        )
