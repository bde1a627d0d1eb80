"""Guarded calls and runs on virtual time, for the tests of pairs of strategies beside it."""

from typing import Any

from data_source_orchestrator import (
    BudgetPolicy,
    ConcurrencyPolicy,
    DataSourceOrchestrator,
    Failure,
    FetchError,
    Guarded,
    LimitPolicy,
    OrchestratorConfig,
    Outcome,
    RateLimitPolicy,
    RetryConfig,
    Skipped,
    Source,
    SourceCoordinator,
    Success,
    guard,
)
from data_source_orchestrator.testing import VirtualClock, scripted

PLAIN = RetryConfig(jitter=False)
DOWN = FetchError("server", "503")
BROKEN = ConnectionError("no route to host")
PLENTY = BudgetPolicy()
ONE_AT_ONCE = LimitPolicy(concurrency=ConcurrencyPolicy(limit=1))


def paced(per: float) -> LimitPolicy:
    """Return a pace of one call in so many seconds."""
    return LimitPolicy(rate=RateLimitPolicy(limit=1, per=per))


def safe(**settings: Any) -> Guarded:
    return guard("prices", clock=VirtualClock(), **{"retry": PLAIN, **settings})


def house(
    *sources: Source[Any],
    retries: int = 0,
    limits: LimitPolicy | None = None,
    budget: BudgetPolicy = PLENTY,
    **config: Any,
) -> DataSourceOrchestrator:
    """Return an orchestrator over these sources; `limits` are those of all together, `budget` each source's own."""
    coordinator = SourceCoordinator(sources, clock=VirtualClock(), limits=limits, budget=budget)
    retry = RetryConfig(max_retries=retries, jitter=False)
    return DataSourceOrchestrator(coordinator, OrchestratorConfig(**config), retry)


def success(outcome: Outcome[Any]) -> Success[Any]:
    assert isinstance(outcome, Success), outcome
    return outcome


def failure(outcome: Outcome[Any]) -> Failure:
    assert isinstance(outcome, Failure), outcome
    return outcome


def skipped(outcome: Outcome[Any]) -> Skipped:
    assert isinstance(outcome, Skipped), outcome
    return outcome


async def test_a_call_and_a_run_take_no_real_time_and_are_not_retried_unless_asked():
    assert failure((await house(scripted("a", DOWN)).fetch()).outcomes["a"]).attempts == 1
    assert success(await safe().call(len, "abc")).data == 3
