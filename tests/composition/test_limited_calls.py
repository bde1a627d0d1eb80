"""Limits in the guard: passed once for each attempt, before the breaker, and given back however it ends."""

import asyncio
from typing import Any

import pytest

from data_source_orchestrator import (
    BreakerPolicy,
    ConcurrencyPolicy,
    DataSourceOrchestrator,
    Failure,
    FetchError,
    HedgePolicy,
    LimitPolicy,
    OrchestratorConfig,
    RateLimitPolicy,
    RetryConfig,
    Skipped,
    Source,
    SourceCoordinator,
    Success,
    guard,
)
from data_source_orchestrator.resilience.limits import Passage
from data_source_orchestrator.testing import VirtualClock

PLAIN = RetryConfig(jitter=False)
ONE_A_SECOND = LimitPolicy(rate=RateLimitPolicy(limit=1, per=1))
ONE_AT_ONCE = LimitPolicy(concurrency=ConcurrencyPolicy(limit=1))
TWO_AT_ONCE = ConcurrencyPolicy(limit=2)


def timed(clock: VirtualClock, seconds: float = 0.0, error: Exception | None = None) -> Any:
    calls: list[float] = []

    async def fetch() -> str:
        calls.append(clock.monotonic())
        await asyncio.sleep(seconds)
        if error is not None:
            raise error
        return "data"

    return fetch, calls


@pytest.mark.pair("retry", "rate limit")
async def test_calls_keep_the_pace_and_retries_keep_it_too():
    clock = VirtualClock()
    fetch, calls = timed(clock, error=ConnectionError("down"))
    paced = guard(clock=clock, limits=LimitPolicy(rate=RateLimitPolicy(limit=1, per=5)), retry=PLAIN, max_retries=2)
    outcome = await paced.call(fetch)
    assert isinstance(outcome, Failure)
    assert calls == [0, 5, 10]


@pytest.mark.parametrize(
    ("seconds", "error", "limit"),
    [
        (0.0, FetchError("rate_limited"), 5),
        (100.0, None, 5),
        (0.0, ConnectionError("down"), 10),
        (0.0, FetchError("server"), 10),
        (100.0, asyncio.CancelledError(), 10),
    ],
    ids=["told so", "too slow", "not reached", "broken", "left by its caller"],
)
async def test_only_a_timeout_and_a_word_of_it_say_that_an_upstream_is_asked_too_much(
    seconds: float, error: BaseException | None, limit: int
):
    clock = VirtualClock()
    fetch, _ = timed(clock, seconds, error if isinstance(error, Exception) else None)
    policy = ConcurrencyPolicy(limit=10, adaptive=True, decrease=0.5)
    limited = guard(clock=clock, timeout=30, limits=LimitPolicy(concurrency=policy), max_retries=0)
    limiter = limited._guard.limits.scopes[0].concurrency  # type: ignore[union-attr]  # it has some
    assert limiter is not None
    call = asyncio.ensure_future(limited.call(fetch))
    await asyncio.sleep(1)
    if isinstance(error, asyncio.CancelledError):
        call.cancel()
    await asyncio.wait([call])
    assert limiter.limit == limit


@pytest.mark.parametrize("cancelled", [False, True])
async def test_a_call_that_its_caller_ends_says_nothing_of_the_load(cancelled: bool):
    clock = VirtualClock()
    fetch, _ = timed(clock, 10)
    policy = ConcurrencyPolicy(limit=2, most=3, least=1, adaptive=True, decrease=0.5)
    source = Source(key="a", fetcher=fetch, timeout=30, limits=LimitPolicy(concurrency=policy))
    coordinator = SourceCoordinator([source], clock=clock)
    orchestrator = DataSourceOrchestrator(coordinator, OrchestratorConfig(timeout=5))
    for _ in range(3):
        runs = [asyncio.ensure_future(orchestrator.fetch()) for _ in range(2)]
        await asyncio.sleep(1)
        for run in runs:
            if cancelled:
                run.cancel()
        await asyncio.wait(runs)
    limits = coordinator.guard("a").limits
    assert limits is not None
    assert [scope.concurrency.limit for scope in limits.scopes if scope.concurrency is not None] == [2]


@pytest.mark.pair("deadline", "rate limit")
async def test_a_turn_that_cannot_come_in_time_is_not_waited_for():
    clock = VirtualClock()
    fetch, calls = timed(clock)
    paced = guard(clock=clock, timeout=10, limits=LimitPolicy(rate=RateLimitPolicy(limit=1, per=60)))
    await paced.call(fetch)
    outcome = await paced.call(fetch)
    assert isinstance(outcome, Skipped)
    assert (outcome.reason, clock.monotonic(), calls) == ("rate_limit", 0, [0])
    assert "60 s" in outcome.detail


async def test_a_retry_whose_turn_cannot_come_in_time_leaves_the_real_error():
    clock = VirtualClock()
    fetch, calls = timed(clock, error=ConnectionError("down"))
    paced = guard(clock=clock, timeout=10, limits=LimitPolicy(rate=RateLimitPolicy(limit=1, per=60)), retry=PLAIN)
    outcome = await paced.call(fetch)
    assert isinstance(outcome, Failure)
    assert (outcome.kind, calls, len(outcome.warnings)) == ("connection", [0], 1)
    assert outcome.warnings[0].startswith("not tried again: the limit of call")


async def test_calls_at_once_stay_within_their_number_and_leave_it_however_they_end():
    clock = VirtualClock()
    fetch, calls = timed(clock, 1, ConnectionError("down"))
    limited = guard(clock=clock, limits=ONE_AT_ONCE, max_retries=0)
    await asyncio.gather(*(limited.call(fetch) for _ in range(3)))
    assert calls == [0, 1, 2]
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.5):
            await limited.call(fetch)
    assert isinstance(await limited.call(fetch), Failure)
    assert calls == [0, 1, 2, 3, 3.5]


@pytest.mark.pair("rate limit", "breaker")
async def test_an_open_breaker_costs_nothing_of_the_pace():
    clock = VirtualClock()
    fetch, calls = timed(clock, error=ConnectionError("down"))
    breaker = BreakerPolicy(failures=1, cool_down=2, spread=0)
    paced = guard(
        clock=clock, limits=LimitPolicy(rate=RateLimitPolicy(limit=1, per=10)), breaker=breaker, max_retries=0
    )
    await paced.call(fetch)
    await asyncio.sleep(10)
    paced.breaker.force_open()
    for _ in range(5):
        assert isinstance(await paced.call(fetch), Skipped)
    paced.breaker.stop_forcing()
    await paced.call(fetch)
    assert calls == [0, 10]


async def test_an_upstream_s_own_wait_holds_everybody_and_is_kept_exactly():
    clock = VirtualClock()
    calls: list[float] = []

    async def busy() -> str:
        calls.append(clock.monotonic())
        if len(calls) == 1:
            raise FetchError("rate_limited", retry_after=7)
        return "data"

    limited = guard(clock=clock, limits=LimitPolicy(rate=RateLimitPolicy(limit=100, per=1, burst=100)), retry=PLAIN)
    outcomes = await asyncio.gather(limited.call(busy), _after(1, limited.call(busy)))
    assert all(isinstance(outcome, Success) for outcome in outcomes)
    assert calls == [0, 7, 7]


async def _after(seconds: float, call: Any) -> Any:
    await asyncio.sleep(seconds)
    return await call


@pytest.mark.pair("hedge", "rate limit")
async def test_a_hedge_takes_its_own_turn():
    clock = VirtualClock()
    fetch, calls = timed(clock, 30)
    limits = LimitPolicy(rate=RateLimitPolicy(limit=1, per=3), concurrency=ConcurrencyPolicy(limit=2))
    await guard(clock=clock, limits=limits, hedge=HedgePolicy(delay=1), timeout=20).call(fetch)
    assert calls == [0, 3]


async def test_sources_of_one_host_share_its_pace_and_all_share_one():
    clock = VirtualClock()
    fetches = {key: timed(clock) for key in ("a", "b", "c")}
    sources = [
        Source(key=key, fetcher=fetch, host=None if key == "c" else "api.example")
        for key, (fetch, _) in fetches.items()
    ]
    coordinator = SourceCoordinator(
        sources,
        clock=clock,
        limits=LimitPolicy(concurrency=ConcurrencyPolicy(limit=2)),
        host_limits={"api.example": ONE_A_SECOND},
    )
    result = await DataSourceOrchestrator(coordinator).fetch()
    assert result.metadata.success_count == 3
    assert [calls for _, calls in fetches.values()] == [[0], [1], [0]]


async def test_changed_limits_hold_from_the_next_call_and_what_is_under_way_ends_well():
    clock = VirtualClock()
    fetch, calls = timed(clock, 2)
    coordinator = SourceCoordinator([Source(key="a", fetcher=fetch, limits=ONE_AT_ONCE)], clock=clock)
    orchestrator = DataSourceOrchestrator(coordinator, OrchestratorConfig(timeout=60))
    running = asyncio.ensure_future(orchestrator.fetch())
    await asyncio.sleep(1)
    coordinator.update_source("a", limits=None)
    assert (await running).metadata.success_count == 1
    assert (await orchestrator.fetch()).metadata.success_count == 1
    assert calls == [0, 2]


def paced_at(per: float) -> LimitPolicy:
    return LimitPolicy(rate=RateLimitPolicy(limit=1, per=per))


async def test_a_changed_pace_counts_what_was_taken_before():
    clock = VirtualClock()
    fetch, calls = timed(clock)
    coordinator = SourceCoordinator([Source(key="a", fetcher=fetch, limits=paced_at(10))], clock=clock)
    orchestrator = DataSourceOrchestrator(coordinator)
    await orchestrator.fetch()
    coordinator.update_source("a", limits=paced_at(4))
    await orchestrator.fetch()
    coordinator.update_source("a", limits=LimitPolicy(rate=RateLimitPolicy(limit=1, per=4), concurrency=TWO_AT_ONCE))
    await orchestrator.fetch()
    assert calls == [0, 4, 8]


async def test_a_wait_that_an_upstream_asked_for_outlives_a_change_of_limits():
    clock = VirtualClock()
    fetch, calls = timed(clock, error=FetchError("rate_limited", retry_after=60))
    coordinator = SourceCoordinator([Source(key="a", fetcher=fetch, limits=paced_at(1))], clock=clock)
    orchestrator = DataSourceOrchestrator(coordinator)
    await orchestrator.fetch()
    coordinator.update_source("a", limits=paced_at(2))
    await asyncio.sleep(5)
    [outcome] = (await orchestrator.fetch()).outcomes.values()
    assert isinstance(outcome, Skipped)
    assert (outcome.reason, calls) == ("rate_limit", [0])


@pytest.mark.parametrize("limits", [None, LimitPolicy()])
async def test_whoever_waits_for_limits_that_are_taken_away_waits_no_longer(limits: LimitPolicy | None):
    clock = VirtualClock()
    fetch, calls = timed(clock)
    coordinator = SourceCoordinator([Source(key="a", fetcher=fetch, timeout=300, limits=paced_at(100))], clock=clock)
    orchestrator = DataSourceOrchestrator(coordinator, OrchestratorConfig(timeout=300))
    await orchestrator.fetch()
    waiting = asyncio.ensure_future(orchestrator.fetch())
    await asyncio.sleep(1)
    coordinator.update_source("a", limits=limits)
    assert (await waiting).metadata.success_count == 1
    assert calls == [0, 1]


async def test_whoever_waits_for_a_slot_goes_before_newcomers_when_calls_at_once_are_limited_no_longer():
    clock = VirtualClock()
    began: list[tuple[str, float]] = []
    coordinator = SourceCoordinator([Source(key="a", fetcher=timed(clock)[0], limits=ONE_AT_ONCE)], clock=clock)

    async def pass_through(name: str) -> None:
        limits = coordinator.guard("a").limits
        assert limits is not None
        passage = await limits.enter()
        assert isinstance(passage, Passage)
        began.append((name, clock.monotonic()))
        await asyncio.sleep(50)
        limits.leave(passage)

    async with asyncio.TaskGroup() as tasks:
        for name in "abc":
            tasks.create_task(pass_through(name))
        await asyncio.sleep(1)
        coordinator.update_source("a", limits=LimitPolicy(rate=RateLimitPolicy(limit=100, per=1)))
        await asyncio.sleep(1)
        tasks.create_task(pass_through("newcomer"))
    assert began == [("a", 0), ("b", 1), ("c", 1.01), ("newcomer", 2)]


@pytest.mark.parametrize("reset", [True, False])
async def test_a_source_that_is_reset_or_registered_anew_knows_nothing_of_its_pace(*, reset: bool):
    clock = VirtualClock()
    fetch, calls = timed(clock)
    source = Source(key="a", fetcher=fetch, limits=paced_at(60))
    coordinator = SourceCoordinator([source], clock=clock)
    await DataSourceOrchestrator(coordinator).fetch()
    if reset:
        coordinator.reset("a")
    else:
        coordinator.unregister_source("a")
        coordinator.register_source(source)
    await DataSourceOrchestrator(coordinator).fetch()
    assert calls == [0, 0]


async def test_a_changed_number_of_calls_at_once_counts_who_is_under_way():
    coordinator = SourceCoordinator([Source(key="a", fetcher=timed(VirtualClock())[0], limits=ONE_AT_ONCE)])
    before = coordinator.guard("a").limits
    assert before is not None
    first = before.try_enter()
    assert first is not None
    coordinator.update_source("a", limits=LimitPolicy(concurrency=TWO_AT_ONCE))
    after = coordinator.guard("a").limits
    assert after is not None
    assert after.try_enter() is not None
    assert after.try_enter() is None
    before.leave(first)
    assert after.try_enter() is not None


async def test_R1_a_call_that_hangs_takes_nobody_else_s_turn():
    clock = VirtualClock()
    hang, hung = timed(clock, 1000)
    fetch, calls = timed(clock)
    sources = [Source(key="a", fetcher=hang, host="api.example"), Source(key="b", fetcher=fetch, host="api.example")]
    coordinator = SourceCoordinator(sources, clock=clock, host_limits={"api.example": ONE_A_SECOND})
    running = asyncio.ensure_future(DataSourceOrchestrator(coordinator, retry=RetryConfig(max_retries=0)).fetch())
    await asyncio.sleep(2)
    assert (hung, calls) == ([0], [1])
    assert (await running).outcomes["b"].duration == 1
