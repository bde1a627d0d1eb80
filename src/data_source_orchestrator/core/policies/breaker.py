"""When a source is left alone, for how long, and how it is let back in."""

from dataclasses import dataclass

from data_source_orchestrator.core.durations import Seconds, count, in_seconds, seconds, share
from data_source_orchestrator.core.errors import ConfigurationError
from data_source_orchestrator.core.telling import told

MOST_REMEMBERED = 10_000
"""Attempts that a window by count may hold."""

SHORTEST_WINDOW = 0.1
"""Seconds that a window by time covers at least."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerPolicy:
    """When a source is left alone, for how long, and how it is let back in; times are in seconds.

    It trips on the `failures`-th consecutive failed execution. Rules over attempts are added where they are set, and
    whichever is met first trips it: `attempt_failures` failed attempts in a row; a share of `failure_ratio` failed, or
    of `slow_ratio` slower than `slow_after`, among the last `window` attempts or those of the last `window_seconds`,
    once these are at least `minimum_throughput`.

    After `cool_down`, doubled at each failed probe up to `max_cool_down` and spread by ±`spread`, at most `probes`
    attempts at once are let through; `success_threshold` of them have to succeed, and the first that fails, or is
    slower than `slow_after`, begins the next wait. Raises `ConfigurationError` where this cannot be meant.
    """

    failures: int = 5
    cool_down: Seconds = 30.0
    max_cool_down: Seconds = 600.0
    spread: float = 0.25
    attempt_failures: int | None = None
    failure_ratio: float | None = None
    slow_ratio: float | None = None
    slow_after: Seconds | None = None
    minimum_throughput: int = 10
    window: int | None = None
    window_seconds: Seconds | None = None
    probes: int = 1
    success_threshold: int = 1

    def __post_init__(self) -> None:
        count(self.failures, "breaker.failures", least=1)
        count(self.minimum_throughput, "breaker.minimum_throughput", least=1)
        count(self.probes, "breaker.probes", least=1)
        count(self.success_threshold, "breaker.success_threshold", least=1)
        share(self.spread, "breaker.spread")
        if self.attempt_failures is not None:
            count(self.attempt_failures, "breaker.attempt_failures", least=1)
        if self.window is not None:
            _window(self.window)
        for name in ("failure_ratio", "slow_ratio"):
            _ratio(getattr(self, name), f"breaker.{name}")
        for name in ("cool_down", "max_cool_down", "slow_after", "window_seconds"):
            given = getattr(self, name)
            if given is not None or name in {"cool_down", "max_cool_down"}:
                object.__setattr__(self, name, seconds(given, f"breaker.{name}"))
        _check_together(self)


def _window(value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= MOST_REMEMBERED:
        raise ConfigurationError(f"breaker.window is {told(value)}; give a whole number from 1 to {MOST_REMEMBERED}")


def _ratio(value: object, name: str) -> None:
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= 1:
        raise ConfigurationError(f"{name} is {told(value)}; give a number above 0 and at most 1")


def _check_together(policy: BreakerPolicy) -> None:
    """Refuse members that contradict each other, and those that nothing would read."""
    if in_seconds(policy.cool_down) > in_seconds(policy.max_cool_down):
        raise _contradiction(policy, "cool_down", "max_cool_down", "give a max_cool_down that is at least cool_down")
    if (policy.slow_ratio is None) != (policy.slow_after is None):
        raise _contradiction(policy, "slow_ratio", "slow_after", "give both, or neither")
    if policy.window_seconds is not None and in_seconds(policy.window_seconds) < SHORTEST_WINDOW:
        raise ConfigurationError(
            f"breaker.window_seconds is {policy.window_seconds!r}; give {SHORTEST_WINDOW} or more seconds"
        )
    if policy.window is not None and policy.window_seconds is not None:
        raise _contradiction(policy, "window", "window_seconds", "give the one or the other")
    ratio = "failure_ratio" if policy.failure_ratio is not None else "slow_ratio"
    _check_windowed(policy, ratio)
    if policy.window is not None and policy.minimum_throughput > policy.window:
        told = "a window never holds more than its size: lower minimum_throughput or raise window"
        raise _contradiction(policy, "minimum_throughput", "window", told)


def _check_windowed(policy: BreakerPolicy, ratio: str) -> None:
    """Refuse a ratio without a window, and a window without a ratio."""
    window = "window_seconds" if policy.window is None else "window"
    if getattr(policy, ratio) is None and getattr(policy, window) is not None:
        raise _contradiction(policy, window, "failure_ratio", "give a failure_ratio or a slow_ratio, or no window")
    if getattr(policy, ratio) is not None and getattr(policy, window) is None:
        raise _contradiction(
            policy, ratio, "window", "give a window (attempts) or window_seconds that it is taken over"
        )


def _contradiction(policy: BreakerPolicy, one: str, other: str, told: str) -> ConfigurationError:
    values = f"breaker.{one} is {getattr(policy, one)!r} and breaker.{other} {getattr(policy, other)!r}"
    return ConfigurationError(f"{values}; {told}")
