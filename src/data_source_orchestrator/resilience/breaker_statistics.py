"""What a breaker has seen and how it stands, as numbers to read; nothing is decided by them."""

from dataclasses import dataclass
from datetime import datetime

from data_source_orchestrator.resilience.breaker_standing import BreakerState


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """A rule's window at this moment: how many attempts it holds, and the share of them that are bad, None of none."""

    throughput: int
    ratio: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerStatistics:
    """A breaker at one moment; counts are of attempts, since this process made it.

    `late` ended after the breaker had moved on, and said nothing; `refused` were not let through. `trips` counts how
    often it opened, and `rule` tells the policy's member that made it open last, or `probe`, while it is not closed.
    `consecutive_failures` are failed executions in a row; `consecutive_failed_attempts`, `failure_ratio` and
    `slow_ratio` are None where no rule uses them. The state is that of `since` (aware UTC); an open breaker lets a
    probe through in `next_probe_in` seconds, and any other says None.
    """

    state: BreakerState
    since: datetime
    successes: int
    failures: int
    released: int
    censored: int
    late: int
    refused: int
    trips: int
    rule: str | None
    consecutive_failures: int
    consecutive_failed_attempts: int | None
    failure_ratio: Share | None
    slow_ratio: Share | None
    next_probe_in: float | None
