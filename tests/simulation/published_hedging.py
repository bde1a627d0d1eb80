"""A page is made of a hundred answers, and is as slow as the slowest: with and without hedging.

After J. Dean and L. A. Barroso, "The Tail at Scale" (2013). Latencies are lognormal around 5 ms; one call in 2 000 is a
straggler that takes about a second. Every call that lasts longer than the delay runs through this library's own
`Hedge`, on virtual time; of the others it is known that they cost nothing but a timer, and they only add to a maximum.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

from data_source_orchestrator.core.clock import Chance, system_chance
from data_source_orchestrator.core.deadline import Deadline
from data_source_orchestrator.core.policies import BudgetPolicy, HedgePolicy
from data_source_orchestrator.core.verdicts import Verdict
from data_source_orchestrator.resilience.budget import RetryBudget
from data_source_orchestrator.resilience.classify import Failed
from data_source_orchestrator.resilience.hedge import Hedge
from data_source_orchestrator.resilience.latencies import Latencies
from data_source_orchestrator.testing import VirtualClock

WIDTH = 100
STRAGGLERS = 0.0005
USUAL = NormalDist(math.log(0.005), 0.6)
STRAGGLING = NormalDist(math.log(1.0), 0.39)
_NORMAL = NormalDist()
_SMALLEST = 2.0**-53


def latency(chance: Chance) -> float:
    """Draw the seconds of one call."""
    shape = STRAGGLING if chance.random() < STRAGGLERS else USUAL
    return math.exp(shape.inv_cdf(max(_SMALLEST, chance.random())))


@dataclass(frozen=True, slots=True)
class Answer:
    """How a call ended, as a hedge asks it."""

    duration: float
    verdict: Verdict = Verdict.SUCCESS
    failed: Failed | None = None


class Upstream:
    """Answers after a drawn latency, the first time after a given one."""

    def __init__(self, chance: Chance, clock: VirtualClock) -> None:
        self.calls = 0
        self._chance = chance
        self._clock = clock

    async def answer(self, number: int, first: float) -> Answer:
        """Answer the first or the second call of a hedged one."""
        self.calls += 1
        began = self._clock.monotonic()
        await self._clock.sleep(first if number == 1 else latency(self._chance))
        return Answer(self._clock.monotonic() - began)


@dataclass(frozen=True, slots=True)
class Pages:
    """The seconds that each page took, with and without hedging, and the calls made for each that was wanted."""

    plain: Sequence[float]
    hedged: Sequence[float]
    calls: float


async def pages(count: int, *, delay: float, seed: int = 1) -> Pages:
    """Make so many pages, each twice from the same first latencies."""
    chance, clock = system_chance(seed), VirtualClock()
    upstream = Upstream(chance, clock)
    hedge = _hedge(HedgePolicy(delay=delay), clock)
    plain: list[float] = []
    hedged: list[float] = []
    for _ in range(count):
        firsts = [latency(chance) for _ in range(WIDTH)]
        slow = [first for first in firsts if first > delay]
        upstream.calls += WIDTH - len(slow)
        plain.append(max(firsts))
        hedged.append(max([await _lasts(hedge, upstream, first, clock) for first in slow] or [max(firsts)]))
    return Pages(plain, hedged, upstream.calls / (count * WIDTH))


async def _lasts(hedge: Hedge, upstream: Upstream, first: float, clock: VirtualClock) -> float:
    began = clock.monotonic()
    await hedge.run(lambda number: upstream.answer(number, first), deadline=Deadline.after(clock, 60))
    return clock.monotonic() - began


async def extra_calls(calls: int, *, latencies: Latencies, seed: int = 1) -> float:
    """Return which share of the calls is hedged when the delay is the live 95 % quantile."""
    chance, clock = system_chance(seed), VirtualClock()
    upstream = Upstream(chance, clock)
    hedge = _hedge(HedgePolicy(), clock, latencies)
    for _ in range(calls):
        await _lasts(hedge, upstream, latency(chance), clock)
    return upstream.calls / calls - 1


class Forgetful(Latencies):
    """What most hedging does: it learns nothing from the calls that it cancelled."""

    def censor(self, seconds: float) -> None:
        """Forget it."""


def quantile(values: Sequence[float], share: float) -> float:
    """Return the nearest rank."""
    return sorted(values)[math.ceil(len(values) * share) - 1]


def _hedge(policy: HedgePolicy, clock: VirtualClock, latencies: Latencies | None = None) -> Hedge:
    """Return a hedge whose budget is never the limit, so that the delay alone decides."""
    budget = RetryBudget(BudgetPolicy(hedge_cost=0))
    return Hedge(policy, budget=budget, clock=clock, latencies=Latencies() if latencies is None else latencies)
