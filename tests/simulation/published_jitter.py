"""Many clients update one row at once, each with its own backoff: how many writes it takes until all have succeeded.

After Marc Brooker, "Exponential Backoff And Jitter" (AWS Architecture Blog, 2015): reading and writing take N(10, 2)
milliseconds each way; a write succeeds only if nobody else has written since the read.
"""

import heapq
from collections.abc import Iterator
from itertools import count
from statistics import NormalDist

from data_source_orchestrator.core.clock import Chance, system_chance
from data_source_orchestrator.core.policies import Jitter, RetryConfig
from data_source_orchestrator.resilience.backoff import Backoff

CLIENTS = 100
CAP = 2.0
_NETWORK = NormalDist(0.010, 0.002)
_SMALLEST = 2.0**-53


def none() -> RetryConfig:
    """Return a policy that never waits."""
    return RetryConfig(base_delay=0, max_delay=0, jitter=False)


def exponential(jitter: Jitter, base: float = 0.010) -> RetryConfig:
    """Return a policy like the published ones, whose first wait is twice their base of 5 ms."""
    return RetryConfig(base_delay=base, max_delay=CAP, jitter=jitter)


def writes(retry: RetryConfig, *, rounds: int, seed: int = 1) -> float:
    """Return the mean number of writes until all clients have succeeded."""
    chance = system_chance(seed)
    return sum(_round(retry, chance) for _ in range(rounds)) / rounds


def _round(retry: RetryConfig, chance: Chance) -> int:
    """Let every client read at once, then write, and begin again after its wait where somebody else was faster.

    A client's way is: request to read, answer, request to write, answer. Each event is an arrival at the row.
    """
    version = written = 0
    order = count()
    queue: list[tuple[float, int, int | None, Iterator[float]]] = []
    for _ in range(CLIENTS):
        heapq.heappush(queue, (_way(chance), next(order), None, iter(Backoff(retry, chance=chance))))
    while queue:
        now, _, read, waits = heapq.heappop(queue)
        if read is None:
            heapq.heappush(queue, (now + _way(chance) + _way(chance), next(order), version, waits))
            continue
        written += 1
        if read == version:
            version += 1
        else:
            again = now + _way(chance) + next(waits) + _way(chance)
            heapq.heappush(queue, (again, next(order), None, waits))
    return written


def _way(chance: Chance) -> float:
    """Return the seconds of one way through the network."""
    return abs(_NETWORK.inv_cdf(max(_SMALLEST, chance.random())))
