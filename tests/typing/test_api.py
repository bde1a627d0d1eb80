"""The public names as a stranger's type checker sees them: this file is checked by mypy and run by pytest."""

from collections.abc import AsyncGenerator, Callable, Coroutine, Iterator
from datetime import timedelta
from itertools import islice
from typing import Any, assert_type

import pytest

from data_source_orchestrator import (
    Backoff,
    BreakerPolicy,
    BreakerState,
    BreakerStatistics,
    BudgetPolicy,
    CircuitBreaker,
    ConcurrencyLimiter,
    ConcurrencyPolicy,
    DataSourceOrchestrator,
    Deadline,
    Decision,
    Failure,
    FailureKind,
    FetchContext,
    FetchResult,
    HttpClient,
    HttpPolicy,
    HttpPool,
    HttpResponse,
    ManualClock,
    MetaResult,
    OrchestratorConfig,
    Outcome,
    Permit,
    PermitError,
    RateLimiter,
    RateLimitPolicy,
    RetryBudget,
    RetryConfig,
    Skipped,
    Slot,
    Source,
    SourceCoordinator,
    Success,
    Verdict,
    guard,
    source,
)


@source(key="prices", timeout=timedelta(seconds=10), max_retries=2)
async def prices(ctx: FetchContext) -> dict[str, int]:
    return dict(await ctx.http.get_json("https://a.example/prices"))


@source(key="names")
async def names(ctx: FetchContext) -> tuple[str, ...]:
    answer = assert_type(await ctx.http.get("https://a.example/names"), HttpResponse)
    return assert_type(await ctx.parsed("names", [answer], lambda: tuple(answer.text().split())), tuple[str, ...])


async def by_itself() -> tuple[bool, float]:
    pool = HttpPool(HttpPolicy(cache=True))
    async with pool.use():
        http = assert_type(pool.client(confirmed=True), HttpClient)
        answer = await http.get("https://a.example/names")
        return assert_type(answer.from_cache, bool), assert_type(answer.age, float)


@source(key="stock")
def stock() -> list[str]:
    return ["milk"]


def told(outcome: Outcome[Any]) -> str:
    match outcome:
        case Success(data=data):
            return repr(data)
        case Failure(kind=kind):
            return kind
        case Skipped(reason=reason):
            return reason


def test_a_decorated_function_is_a_source_of_what_it_returns():
    assert_type(prices, Source[dict[str, int]])
    assert_type(stock, Source[list[str]])
    assert stock() == ["milk"]


async def test_calls_return_what_they_say():
    coordinator = SourceCoordinator([stock])
    orchestrator = DataSourceOrchestrator(coordinator, OrchestratorConfig(timeout=timedelta(minutes=1)), RetryConfig())
    result = await orchestrator.fetch_from_all_sources()
    assert_type(result, FetchResult)
    assert_type(await orchestrator.fetch_meta_only(), MetaResult)
    assert_type(orchestrator.stream(), AsyncGenerator[Outcome[Any], None])
    assert told(result.outcomes["stock"]) == "['milk']"


safe = guard("prices")


@safe
async def cost(product: str, number: int = 1) -> float:
    return len(product) * number


@safe
def look_up(product: str) -> int:
    return len(product)


class Shop:
    @safe
    async def price(self, product: str) -> float:
        return len(product)


async def test_a_guarded_function_keeps_its_signature_and_a_call_gives_an_outcome_of_what_it_returns():
    assert_type(await cost("milk", number=2), float)
    assert_type(await look_up("milk"), int)
    assert_type(await Shop().price("milk"), float)
    taken: Callable[[str], Coroutine[Any, Any, int]] = look_up
    assert await taken("milk") == 4
    assert_type(await safe.call(len, "milk"), Outcome[int])
    outcome = await safe.call(Shop.price, Shop(), "milk")
    assert_type(outcome, Outcome[float])
    assert told(outcome) == "4"


async def test_arguments_that_do_not_fit_are_seen_by_the_type_checker():
    async def never_called() -> None:
        await cost(5)  # type: ignore[arg-type]  # that is the subject
        await cost("milk", price=2)  # type: ignore[call-arg]  # that is the subject

    assert callable(never_called)


class Middle:
    """Chance that always gives 0.5."""

    def random(self) -> float:
        return 0.5


def test_a_circuit_breaker_stands_on_its_own():
    clock = ManualClock()
    policy = BreakerPolicy(attempt_failures=1)
    breaker = CircuitBreaker(policy, clock=clock, chance=Middle())
    permit = breaker.admit()
    assert_type(permit, Permit | None)
    assert permit is not None
    breaker.finish(permit, Verdict.FAILURE, 0.2)
    with pytest.raises(PermitError):
        breaker.finish(permit, Verdict.SUCCESS, 0.2)
    assert breaker.admit() is None
    assert_type(breaker.state, BreakerState)
    assert breaker.state == "open"
    assert_type(breaker.statistics, BreakerStatistics)
    assert (breaker.statistics.failures, breaker.statistics.refused) == (1, 1)
    again = CircuitBreaker.from_state(breaker.to_state(), policy, clock=clock, chance=Middle())
    clock.advance(30)
    assert again.admit() is not None
    assert again.state == "half_open"
    assert [state.value for state in BreakerState] == ["closed", "open", "half_open", "forced_open", "forced_closed"]


async def test_a_rate_limiter_stands_on_its_own():
    clock = ManualClock()
    limiter = RateLimiter(RateLimitPolicy(limit=1, per=60, burst=3), clock=clock)
    decision = limiter.check(2)
    assert_type(decision, Decision)
    assert (decision.allowed, decision.retry_after, decision.remaining) == (True, 0.0, 1)
    refused = await limiter.acquire(2, deadline=Deadline.after(clock, 5))
    assert_type(refused, Decision)
    assert (refused.allowed, refused.retry_after, refused.remaining) == (False, 60.0, 1)
    assert RateLimiter(RateLimitPolicy(limit=1, per=60)).check().allowed, "without a clock it is the machine's"


async def test_a_concurrency_limiter_stands_on_its_own():
    clock = ManualClock()
    limiter = ConcurrencyLimiter(ConcurrencyPolicy(limit=1), clock=clock)
    slot = await limiter.enter(deadline=Deadline.after(clock, 5))
    assert_type(slot, Slot | None)
    assert slot is not None
    assert limiter.try_enter() is None
    limiter.leave(slot, overloaded=False)
    assert ConcurrencyLimiter(ConcurrencyPolicy(limit=1)).try_enter() is not None


def test_a_retry_budget_and_a_backoff_stand_on_their_own_and_need_no_clock():
    budget = RetryBudget(BudgetPolicy(tokens=5))
    assert [budget.spend(FailureKind.SERVER), budget.spend(FailureKind.SERVER)] == [True, False]
    backoff = Backoff(RetryConfig(base_delay=1, max_delay=10), chance=Middle())
    assert_type(iter(backoff), Iterator[float])
    assert list(islice(backoff, 5)) == [1, 2, 4, 8, 10]


async def test_a_guard_takes_a_clock_and_shares_what_it_is_handed():
    clock = ManualClock()
    breaker, budget = CircuitBreaker(BreakerPolicy(), clock=clock), RetryBudget(BudgetPolicy())
    guarded = guard("prices", breaker=breaker, budget=budget, clock=clock, chance=Middle())
    assert_type(await guarded.call(len, "milk"), Outcome[int])
    assert (guarded.breaker, guarded.budget) == (breaker, budget)
