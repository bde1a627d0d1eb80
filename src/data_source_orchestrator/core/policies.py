"""How runs and calls behave: frozen records, each default written once, checked when built."""

import math
from dataclasses import dataclass
from typing import Literal

from data_source_orchestrator.core.durations import Seconds, count, flag, in_seconds, seconds, share
from data_source_orchestrator.core.errors import ConfigurationError, nearest

Jitter = Literal["none", "quarter", "full", "decorrelated"]
"""`quarter` is ±25 %; `full` is anything from 0 to the delay; `decorrelated` is Polly's V2 formula."""

JITTERS: tuple[Jitter, ...] = ("none", "quarter", "full", "decorrelated")


@dataclass(frozen=True, slots=True, kw_only=True)
class OrchestratorConfig:
    """How one run behaves.

    `timeout` is the whole run's limit in seconds. `min_successful_sources` is what makes a run sufficient.
    """

    timeout: Seconds = 60.0
    max_retries: int = 3
    parallel_execution: bool = True
    fail_fast: bool = False
    min_successful_sources: int = 1

    def __post_init__(self) -> None:
        object.__setattr__(self, "timeout", seconds(self.timeout, "timeout"))
        count(self.max_retries, "max_retries")
        flag(self.parallel_execution, "parallel_execution")
        flag(self.fail_fast, "fail_fast")
        count(self.min_successful_sources, "min_successful_sources")


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryConfig:
    """How a failed attempt is repeated; delays are in seconds.

    `max_retries` None leaves the number to `OrchestratorConfig`. With `exponential_backoff` False every delay
    is `base_delay`. `jitter` True means ±25 %; no jitter ever goes beyond `max_delay`.
    """

    max_retries: int | None = None
    base_delay: Seconds = 1.0
    max_delay: Seconds = 10.0
    exponential_backoff: bool = True
    jitter: bool | Jitter = True

    def __post_init__(self) -> None:
        if self.max_retries is not None:
            count(self.max_retries, "max_retries")
        object.__setattr__(self, "base_delay", seconds(self.base_delay, "base_delay", zero=True))
        object.__setattr__(self, "max_delay", seconds(self.max_delay, "max_delay", zero=True))
        flag(self.exponential_backoff, "exponential_backoff")
        if in_seconds(self.base_delay) > in_seconds(self.max_delay):
            raise ConfigurationError(
                f"base_delay is {self.base_delay!r} and max_delay {self.max_delay!r};"
                " give a max_delay that is at least base_delay"
            )
        object.__setattr__(self, "jitter", _jitter(self.jitter))


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerPolicy:
    """When a source is left alone, and for how long; times are in seconds.

    It trips on the `failures`-th consecutive failed execution; after `cool_down`, doubled at each failed probe
    up to `max_cool_down` and spread by ±`spread`, one attempt is let through.
    """

    failures: int = 5
    cool_down: Seconds = 30.0
    max_cool_down: Seconds = 600.0
    spread: float = 0.25

    def __post_init__(self) -> None:
        count(self.failures, "breaker.failures", least=1)
        object.__setattr__(self, "cool_down", seconds(self.cool_down, "breaker.cool_down"))
        object.__setattr__(self, "max_cool_down", seconds(self.max_cool_down, "breaker.max_cool_down"))
        share(self.spread, "breaker.spread")
        if in_seconds(self.cool_down) > in_seconds(self.max_cool_down):
            raise ConfigurationError(
                f"breaker.cool_down is {self.cool_down!r} and breaker.max_cool_down {self.max_cool_down!r};"
                " give a max_cool_down that is at least cool_down"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetPolicy:
    """How many retries a source may spend: a bucket of tokens, refilled by successes.

    A retry costs `retry_cost`, after a timeout `timeout_cost`; a success gives back `refund`. The figures are
    those of the AWS SDKs' standard retry mode.
    """

    tokens: int = 500
    retry_cost: int = 5
    timeout_cost: int = 10
    refund: int = 1

    def __post_init__(self) -> None:
        count(self.tokens, "budget.tokens")
        count(self.retry_cost, "budget.retry_cost")
        count(self.timeout_cost, "budget.timeout_cost")
        count(self.refund, "budget.refund")


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthPolicy:
    """When a source is called degraded or down.

    Degraded from `degraded_after` consecutive failed executions, and while `recent_failures` of the last
    `recent_window` failed; down from `down_after`. Slow, and so degraded, when the mean latency of the last 10
    successes is above `slow_factor` times the baseline, or above `slow_share` of the source's timeout.
    """

    degraded_after: int = 1
    down_after: int = 3
    recent_failures: int = 2
    recent_window: int = 10
    slow_factor: float = 2.0
    slow_share: float = 0.8

    def __post_init__(self) -> None:
        count(self.degraded_after, "health.degraded_after", least=1)
        count(self.down_after, "health.down_after", least=1)
        count(self.recent_failures, "health.recent_failures", least=1)
        count(self.recent_window, "health.recent_window", least=1)
        share(self.slow_share, "health.slow_share")
        _factor(self.slow_factor, "health.slow_factor")
        if self.degraded_after > self.down_after:
            raise ConfigurationError(
                f"health.degraded_after is {self.degraded_after} and health.down_after {self.down_after};"
                " give a down_after that is at least degraded_after"
            )


def _factor(value: object, name: str) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 1 < value < math.inf:
        raise ConfigurationError(f"{name} is {value!r}; give a number above 1")


def _jitter(value: object) -> Jitter:
    if isinstance(value, bool):
        return "quarter" if value else "none"
    for known in JITTERS:
        if value == known:
            return known
    near = nearest(str(value), JITTERS)
    hint = f"; did you mean {near!r}?" if near else ""
    raise ConfigurationError(f"jitter is {value!r}; give True, False or one of {', '.join(JITTERS)}{hint}")
