"""Hedging: a call that has lasted longer than most is joined by a second one, and the first success of the two counts.

After J. Dean and L. A. Barroso, "The Tail at Scale" (2013), and gRPC's proposal A6. It must not know what a call is
made of, nor of the permit that it holds.
"""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeVar

from data_source_orchestrator.core.clock import Clock
from data_source_orchestrator.core.deadline import Deadline
from data_source_orchestrator.core.durations import in_seconds
from data_source_orchestrator.core.policies import HedgePolicy
from data_source_orchestrator.core.verdicts import FailureKind, Verdict
from data_source_orchestrator.resilience.budget import Budget
from data_source_orchestrator.resilience.latencies import Latencies
from data_source_orchestrator.resilience.race import FIRST, PLAIN_PAIR, Ended, Pair, Race

R = TypeVar("R", bound=Ended)

OnHedge = Callable[[float], None]
"""Hears that a second call is asked for, and how many seconds after the first; it may have to stand in line."""

OnLost = Callable[[int], None]
"""Hears the number of the call that has lost, just before it is cancelled: whatever it ends with is censored."""


class Hedge:
    """One source's hedging, shared by all its calls; a half-open breaker's probe does without it."""

    def __init__(
        self,
        policy: HedgePolicy,
        *,
        budget: Budget,
        clock: Clock,
        latencies: Latencies,
        on_hedge: OnHedge | None = None,
    ) -> None:
        self.policy = policy
        self.latencies = latencies
        self.on_hedge = on_hedge
        self._budget = budget
        self._clock = clock

    @property
    def delay(self) -> float | None:
        """Seconds after which a call is joined by a second one now; None where too few successes were seen."""
        return self._wait()

    async def run(
        self,
        call: Callable[[int], Awaitable[R]],
        *,
        deadline: Deadline,
        on_lost: OnLost | None = None,
        budget: Budget | None = None,
        pair: Pair = PLAIN_PAIR,
    ) -> R:
        """Return the first success, or else the failure that tells more; what a call raises passes.

        `call` is given 1 for the first and 2 for the second. The loser is cancelled and waited for. `budget` takes the
        place of the source's own, as one that pays for the run too. `pair` tells what its maker knows of the two calls.
        """
        delay = self._wait()
        if delay is None:
            ended = await call(FIRST)
            self.learn(ended)
            return ended
        race: Race[R] = Race(
            call,
            clock=self._clock,
            may_join=partial(self._may_join, deadline, budget or self._budget),
            ended=self.learn,
            lost=partial(self._lose, on_lost),
            pair=pair,
        )
        return await race.run(delay)

    def learn(self, ended: Ended) -> None:
        """Remember how long a call took; one that timed out would have taken longer still."""
        if ended.verdict is Verdict.SUCCESS:
            self.latencies.observe(ended.duration)
        elif ended.failed is not None and ended.failed.kind is FailureKind.TIMEOUT:
            self.latencies.censor(ended.duration)

    def _wait(self) -> float | None:
        if self.policy.fixed is not None:
            return self.policy.fixed
        usual = self.latencies.quantile(self.policy.quantile, least=self.policy.minimum_samples)
        return None if usual is None else max(usual, in_seconds(self.policy.least))

    def _may_join(self, deadline: Deadline, budget: Budget, waited: float) -> bool:
        if deadline.passed or not budget.spend_hedge():
            return False
        if self.on_hedge is not None:
            self.on_hedge(waited)
        return True

    def _lose(self, on_lost: OnLost | None, number: int, lasted: float) -> None:
        self.latencies.censor(lasted)
        if on_lost is not None:
            on_lost(number)
