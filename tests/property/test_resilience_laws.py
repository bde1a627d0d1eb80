import math
from itertools import islice

from hypothesis import given
from hypothesis import strategies as st

from data_source_orchestrator.core.clock import ManualClock, system_chance
from data_source_orchestrator.core.errors import FetchError
from data_source_orchestrator.core.policies import JITTERS, BreakerPolicy, BudgetPolicy, RetryConfig
from data_source_orchestrator.core.retry_after import parse_retry_after
from data_source_orchestrator.core.verdicts import FailureKind, Verdict
from data_source_orchestrator.resilience.backoff import Backoff
from data_source_orchestrator.resilience.breaker import CircuitBreaker
from data_source_orchestrator.resilience.budget import RetryBudget
from data_source_orchestrator.resilience.classify import Failed
from data_source_orchestrator.resilience.retry import Stop, Wait, decide

SECONDS = st.floats(0, 3600)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@st.composite
def retry_configs(draw: st.DrawFn) -> RetryConfig:
    base, cap = sorted((draw(SECONDS), draw(SECONDS)))
    return RetryConfig(
        base_delay=base,
        max_delay=cap,
        exponential_backoff=draw(st.booleans()),
        jitter=draw(st.sampled_from(JITTERS)),
    )


@given(retry_configs(), st.integers())
def test_no_delay_is_negative_or_beyond_the_cap_d41(retry: RetryConfig, seed: int):
    cap = float(retry.max_delay)  # type: ignore[arg-type]  # made of a float above
    assert all(0 <= delay <= cap for delay in islice(Backoff(retry, chance=system_chance(seed)), 80))


@given(retry_configs(), st.integers())
def test_the_same_chance_gives_the_same_delays(retry: RetryConfig, seed: int):
    once, again = (Backoff(retry, chance=system_chance(seed)) for _ in range(2))
    assert list(islice(once, 20)) == list(islice(again, 20))


@given(st.floats(0, 4000), st.floats(0, 4000), st.none() | st.floats(0), st.integers(0, 5), st.booleans())
def test_a_wait_always_ends_inside_the_deadline_and_is_never_shorter_than_asked_a02(
    delay: float, remaining: float, retry_after: float | None, retries_left: int, retryable: bool
):
    failed = Failed(kind=FailureKind.SERVER, error=FetchError("server"), retryable=retryable, retry_after=retry_after)
    decision = decide(failed, retries_left=retries_left, delay=delay, remaining=remaining)
    wanted = delay if retry_after is None else retry_after
    if retryable and retries_left and wanted < remaining:
        assert decision == Wait(wanted)
    else:
        assert isinstance(decision, Stop)


@given(st.lists(st.sampled_from(["retry", "timeout", "success"]), max_size=300))
def test_a_budget_stays_between_nothing_and_the_whole(moves: list[str]):
    budget = RetryBudget(BudgetPolicy(tokens=40))
    for move in moves:
        before = budget.tokens
        if move == "success":
            budget.refund()
            assert budget.tokens == min(40, before + 1)
        else:
            kind, cost = (FailureKind.TIMEOUT, 10) if move == "timeout" else (FailureKind.SERVER, 5)
            assert budget.spend(kind) is (before >= cost)
            assert budget.tokens == (before - cost if before >= cost else before)
        assert 0 <= budget.tokens <= 40


@given(st.integers(1, 3000))
def test_a_source_that_is_down_costs_little_more_than_a_call_for_each_wanted(wanted: int):
    budget = RetryBudget(BudgetPolicy())
    calls = 0
    for _ in range(wanted):
        calls += 1
        for _ in range(3):
            if not budget.spend(FailureKind.CONNECTION):
                break
            calls += 1
    assert calls <= wanted + 100


@given(st.text())
def test_whatever_retry_after_holds_it_is_a_wait_or_never(value: str):
    wait = parse_retry_after(value, ManualClock().now())
    assert wait is not None
    assert wait == math.inf or 0 <= wait < math.inf


@given(JSON)
def test_no_stored_state_can_do_harm_a25(state: object):
    clock = ManualClock()
    breaker = CircuitBreaker.from_state(state, BreakerPolicy(), clock=clock, chance=system_chance(1))  # type: ignore[arg-type]  # any JSON at all
    clock.advance(600)
    assert breaker.admit() is not None


@given(
    st.sampled_from(["open", "closed"]),
    st.one_of(st.integers(), st.booleans(), st.floats(), st.none()),
    st.one_of(st.datetimes(timezones=st.timezones()).map(lambda d: d.isoformat()), st.text()),
)
def test_no_stored_state_that_looks_right_can_do_harm_a25(name: str, number: object, moment: str):
    clock = ManualClock()
    state = {"state": name, "failures": number, "trips": number, "retry_at": moment}
    breaker = CircuitBreaker.from_state(state, BreakerPolicy(), clock=clock, chance=system_chance(1))  # type: ignore[arg-type]  # as above
    clock.advance(600)
    permit = breaker.admit()
    assert permit is not None
    breaker.finish(permit, Verdict.FAILURE, 0.1)
    breaker.finish_execution(permit, Verdict.FAILURE)
    assert (breaker.retry_after or 0) <= 600
