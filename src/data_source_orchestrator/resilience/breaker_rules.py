"""The rules over attempts by which a closed breaker trips: each hears of every attempt and says when it is enough.

They know no permit, no state and no clock.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from data_source_orchestrator.core.claim import Json
from data_source_orchestrator.core.durations import Seconds, in_seconds
from data_source_orchestrator.core.policies import BreakerPolicy
from data_source_orchestrator.core.verdicts import Verdict
from data_source_orchestrator.resilience.windows import CountWindow, TimeWindow, Window

_SUCCESS, _FAILURE, _RELEASED = Verdict.SUCCESS, Verdict.FAILURE, Verdict.RELEASED

Weigh = Callable[[Verdict, float], int | None]
"""Says of an attempt, by its verdict and its seconds, whether it is bad (1) or good (0); None where it says nothing."""


class Rule(Protocol):
    """A rule over attempts; its name is that of the policy's member that sets it."""

    @property
    def name(self) -> str:
        """The policy's member, as `failure_ratio`."""
        ...

    def note(self, verdict: Verdict, duration: float, now: float) -> bool:
        """Take note of an attempt that ended at `now`, and return whether that is enough to trip."""
        ...

    def clear(self) -> None:
        """Forget all."""
        ...

    def to_state(self) -> Json:
        """Return what must survive a restart, None where that is nothing."""
        ...

    def restore(self, state: Json, now: float) -> None:
        """Take over what a rule of this name kept; what cannot be read, or has another shape, is nothing."""
        ...


class Consecutive:
    """So many failed attempts in a row."""

    name = "attempt_failures"

    def __init__(self, limit: int) -> None:
        self.count = 0
        self._limit = limit

    def note(self, verdict: Verdict, duration: float, now: float) -> bool:  # noqa: ARG002 — how long does not matter here
        """Count a failure; a success begins anew."""
        if verdict is _SUCCESS:
            self.count = 0
        elif verdict is _FAILURE:
            self.count += 1
            return self.count >= self._limit
        return False

    def clear(self) -> None:
        """Begin anew."""
        self.count = 0

    def to_state(self) -> Json:
        """Return the count."""
        return self.count or None

    def restore(self, state: Json, now: float) -> None:  # noqa: ARG002 — as above
        """Take over a count."""
        self.count = max(0, state) if isinstance(state, int) and not isinstance(state, bool) else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratio:
    """A share of the attempts in a window that are bad, once there are enough of them; only a bad one trips."""

    name: str
    share: float
    minimum: int
    window: Window
    weigh: Weigh

    def note(self, verdict: Verdict, duration: float, now: float) -> bool:
        """Add the attempt to the window where it says anything."""
        bad = self.weigh(verdict, duration)
        if bad is None:
            return False
        window = self.window
        window.add(bad, now)
        return bad == 1 and window.total >= self.minimum and window.bad / window.total >= self.share

    def clear(self) -> None:
        """Empty the window."""
        self.window.clear()

    def to_state(self) -> Json:
        """Return what the window holds."""
        return self.window.to_state()

    def restore(self, state: Json, now: float) -> None:
        """Take over what a window of the same shape held."""
        self.window.restore(state, now)


def attempt_rules(policy: BreakerPolicy) -> tuple[Rule, ...]:
    """Return the rules that a policy sets, with nothing noted yet."""
    rules: list[Rule] = []
    if policy.attempt_failures is not None:
        rules.append(Consecutive(policy.attempt_failures))
    if policy.failure_ratio is not None:
        rules.append(_ratio(policy, "failure_ratio", policy.failure_ratio, failed))
    if policy.slow_ratio is not None and policy.slow_after is not None:
        rules.append(_ratio(policy, "slow_ratio", policy.slow_ratio, slower_than(policy.slow_after)))
    return tuple(rules)


def failed(verdict: Verdict, _duration: float) -> int | None:
    """Weigh an attempt by whether it failed."""
    if verdict is _SUCCESS:
        return 0
    return 1 if verdict is _FAILURE else None


def slower_than(limit: Seconds) -> Weigh:
    """Weigh an attempt by whether it took longer; of one cut short only what it took already can be held against it."""
    most = in_seconds(limit)

    def slow(verdict: Verdict, duration: float) -> int | None:
        if verdict is _RELEASED:
            return None
        if duration > most:
            return 1
        return 0 if verdict is _SUCCESS or verdict is _FAILURE else None

    return slow


def _ratio(policy: BreakerPolicy, name: str, share: float, weigh: Weigh) -> Ratio:
    return Ratio(name=name, share=share, minimum=policy.minimum_throughput, window=_window(policy), weigh=weigh)


def _window(policy: BreakerPolicy) -> Window:
    if policy.window is not None:
        return CountWindow(policy.window)
    return TimeWindow(in_seconds(policy.window_seconds or 0.0))
