"""What is remembered of one source; `record` folds one more execution into it, everything else only reads it.

It knows neither the source's settings nor what its numbers mean for its status.
"""

from dataclasses import dataclass
from datetime import datetime

from data_source_orchestrator.core.durations import count
from data_source_orchestrator.core.policies.health import LONGEST_WINDOW
from data_source_orchestrator.core.verdicts import FailureKind, Verdict

KEPT = LONGEST_WINDOW
"""Executions, and latencies of successes, that are remembered of one source."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """One execution that said something about its source: its verdict is success or failure.

    `duration` is the whole of it in seconds, waits included; `latency` the successful attempt alone, None where
    upstream only confirmed what was kept.
    """

    at: datetime
    verdict: Verdict
    kind: FailureKind | None
    duration: float
    latency: float | None
    attempts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """An execution that the run's limit ended after so many seconds, before the source's own `timeout` was up."""

    at: datetime
    after: float
    timeout: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LastFailure:
    """When and how a source failed last."""

    at: datetime
    kind: FailureKind
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """What the last health check found; `latency` in seconds where it was answered, `message` where it was not.

    `offline` is whether nobody at all was reached, because our own network was down: that says nothing of the source.
    """

    at: datetime
    ok: bool
    latency: float | None = None
    message: str = ""
    offline: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceHealth:
    """One source's past: its newest executions and latencies (oldest first), and its totals since the beginning.

    `total_duration` is the sum in seconds. `cuts` (oldest first) are all newer than the last execution: since then no
    run has told anything of the source. So are the moments `offline`, at which our own network was down. `last_check`
    stands apart: checks never touch the rest.
    """

    recent: tuple[Execution, ...] = ()
    latencies: tuple[float, ...] = ()
    consecutive_failures: int = 0
    successes: int = 0
    failures: int = 0
    total_duration: float = 0.0
    last_success: datetime | None = None
    last_failure: LastFailure | None = None
    cuts: tuple[Cut, ...] = ()
    offline: tuple[datetime, ...] = ()
    last_check: Check | None = None

    @property
    def executions(self) -> int:
        """How many executions have said something about the source."""
        return self.successes + self.failures


def history(state: SourceHealth, limit: int = KEPT) -> tuple[Execution, ...]:
    """Return the last `limit` executions, the newest first; 0 gives none."""
    return state.recent[::-1][: count(limit, "limit")]
