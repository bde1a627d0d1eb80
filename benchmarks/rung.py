"""One rung of the ladder: a figure, what it must reach, what it aims at, and what others reach in the same run."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from measure import Figure, shown

TIMES = "×"  # noqa: RUF001 — the sign for a ratio


@dataclass(frozen=True, slots=True, kw_only=True)
class Rung:
    """What was measured, in `unit`; it must be at most `must`, or at least so much where `more_is_better`.

    `must` is None for what is only aimed at. `beside` is what others reach in the same run, in the same unit.
    """

    figure: str
    measured: Figure
    must: float | None
    aim: float
    unit: str = TIMES
    more_is_better: bool = False
    beside: Mapping[str, Figure] = field(default_factory=dict)

    @property
    def reached(self) -> str:
        """Which of the two goals it has reached."""
        if self._meets(self.aim):
            return "aim"
        return "**missed**" if self.must is None or not self._meets(self.must) else "must"

    @property
    def goals(self) -> tuple[str, str]:
        """The two goals in words."""
        sign = "≥" if self.more_is_better else "≤"
        must, aim = ("" if goal is None else f"{sign} {goal:g} {self.unit}" for goal in (self.must, self.aim))
        return must, aim

    @property
    def others(self) -> str:
        """What others reach, in words."""
        return " · ".join(f"{name} {shown(figure.value)}" for name, figure in self.beside.items())

    def _meets(self, goal: float) -> bool:
        value = self.measured.value
        return value >= goal if self.more_is_better else value <= goal


def tell(rungs: Iterable[Rung]) -> None:
    """Print where each stands against its goals."""
    print()
    for rung in rungs:
        must, aim = rung.goals
        print(f"{rung.figure}: {rung.measured} {rung.unit}; must {must}, aim {aim}: {rung.reached}")
