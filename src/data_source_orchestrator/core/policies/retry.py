"""How a failed attempt is repeated."""

from dataclasses import dataclass
from typing import Literal

from data_source_orchestrator.core.durations import Seconds, count, flag, in_seconds, seconds
from data_source_orchestrator.core.errors import ConfigurationError
from data_source_orchestrator.core.telling import did_you_mean, told

Jitter = Literal["none", "quarter", "full", "decorrelated"]
"""`quarter` is ±25 %; `full` is anything from 0 to the delay; `decorrelated` is Polly's V2 formula."""

JITTERS: tuple[Jitter, ...] = ("none", "quarter", "full", "decorrelated")


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


def _jitter(value: object) -> Jitter:
    if isinstance(value, bool):
        return "quarter" if value else "none"
    for known in JITTERS:
        if value == known:
            return known
    accepted = f"give True, False or one of {', '.join(JITTERS)}{did_you_mean(value, JITTERS)}"
    raise ConfigurationError(f"jitter is {told(value)}; {accepted}")
