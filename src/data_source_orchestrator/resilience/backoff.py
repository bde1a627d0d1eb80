"""How long to wait before each retry: an endless sequence of delays, from a policy and chance alone."""

import math
from collections.abc import Iterator
from itertools import count, repeat

from data_source_orchestrator.core.clock import Chance, system_chance
from data_source_orchestrator.core.durations import in_seconds
from data_source_orchestrator.core.policies import RetryConfig

_QUARTER = 0.25
_HIGHEST_POWER = 64  # base · 2^64 is beyond any max_delay, and a float can still hold it


class Backoff:
    """The seconds to wait before the first retry, the second, and so on without end; none is above `max_delay`.

    Each iteration begins anew, and draws from `chance` as it goes. It waits for nothing, counts no retries and so needs
    no clock. `decorrelated` is a way of growing: with `exponential_backoff` False its delays are spread by ±25 %
    instead.
    """

    def __init__(self, policy: RetryConfig = RetryConfig(), *, chance: Chance | None = None) -> None:
        self.policy = policy
        self._chance = system_chance() if chance is None else chance

    def __iter__(self) -> Iterator[float]:
        retry, chance = self.policy, self._chance
        cap = in_seconds(retry.max_delay)
        grown = _decorrelated(retry, chance) if _grows_decorrelated(retry) else _spread(retry, chance)
        return (min(cap, delay) for delay in grown)


def _grows_decorrelated(retry: RetryConfig) -> bool:
    return retry.jitter == "decorrelated" and retry.exponential_backoff


def _spread(retry: RetryConfig, chance: Chance) -> Iterator[float]:
    """Yield base, 2 · base, 4 · base … up to the cap, or the base for ever, each with its jitter."""
    base, cap = in_seconds(retry.base_delay), in_seconds(retry.max_delay)
    for number in count():
        power = min(number, _HIGHEST_POWER) if retry.exponential_backoff else 0
        yield _jittered(min(cap, math.ldexp(base, power)), retry, chance)


def _jittered(delay: float, retry: RetryConfig, chance: Chance) -> float:
    match retry.jitter:
        case "none":
            return delay
        case "full":
            return delay * chance.random()
        case _:
            return delay * (1 - _QUARTER + 2 * _QUARTER * chance.random())


def _decorrelated(retry: RetryConfig, chance: Chance) -> Iterator[float]:
    """Yield delays by Polly V2's formula, whose medians are about base, 2 · base, 4 · base and which never cluster."""
    base, before = in_seconds(retry.base_delay), 0.0
    for number in range(_HIGHEST_POWER):
        t = number + chance.random()
        reached = 2**t * math.tanh(math.sqrt(4 * t))
        yield (reached - before) * base / 1.4
        before = reached
    yield from repeat(math.ldexp(base, _HIGHEST_POWER))
