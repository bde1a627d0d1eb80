"""Hedges in the guard, seen from outside: who is still wanted, what is learnt, whose fault it was."""

import asyncio
import contextlib
import threading

import pytest

from data_source_orchestrator import (
    ConcurrencyPolicy,
    DataSourceOrchestrator,
    HedgePolicy,
    LimitPolicy,
    RetryConfig,
    Source,
    SourceCoordinator,
    Success,
    guard,
)
from data_source_orchestrator.testing import VirtualClock


@pytest.mark.real_time
async def test_a_first_call_in_a_thread_that_is_cut_by_its_own_limit_leaves_the_second_its_time():
    calls, never = threading.Lock(), threading.Event()

    def slow() -> str:
        if calls.acquire(blocking=False):
            never.wait(2)
            return "the first"
        never.wait(0.2)
        return "the second"

    hedged = guard(timeout=5, attempt_timeout=0.3, max_retries=0, hedge=HedgePolicy(delay=0.15))
    outcome = await hedged.call(slow)
    never.set()
    assert isinstance(outcome, Success)
    assert outcome.data == "the second"


@pytest.mark.pair("hedge", "concurrency limit")
async def test_a_second_call_that_only_stood_in_line_says_nothing_about_how_long_calls_take():
    async def slow() -> str:
        await asyncio.sleep(10)
        return "data"

    limits = LimitPolicy(concurrency=ConcurrencyPolicy(limit=1))
    hedged = guard(timeout=60, clock=VirtualClock(), hedge=HedgePolicy(quantile=0.5, minimum_samples=3), limits=limits)
    for _ in range(8):
        assert isinstance(await hedged.call(slow), Success)
    hedge = hedged._guard.hedge
    assert hedge is not None
    assert hedge.delay == 10


async def test_a_first_call_withheld_for_a_run_that_has_left_is_counted_when_the_second_has_failed():
    """The permit of the first attempt is still held when the execution of which it was part is counted."""
    calls = 0

    async def shared() -> None:
        nonlocal calls
        calls += 1
        await asyncio.sleep(2 if calls == 1 else 4.5)
        raise ConnectionError("no route")

    async def takes_time_to_end() -> None:
        try:
            await asyncio.sleep(100)
        except asyncio.CancelledError:
            await asyncio.sleep(0.9)
            raise

    sources: list[Source[None]] = [
        Source(key="shared", fetcher=shared, hedge=HedgePolicy(delay=1)),
        Source(key="other", fetcher=takes_time_to_end),
    ]
    coordinator = SourceCoordinator(sources, clock=VirtualClock())
    orchestrator = DataSourceOrchestrator(coordinator, retry=RetryConfig(max_retries=0))
    both = asyncio.ensure_future(orchestrator.fetch("shared", "other"))
    one = asyncio.ensure_future(orchestrator.fetch("shared"))
    await asyncio.sleep(5)
    both.cancel()
    [outcome] = (await one).outcomes.values()
    assert str(outcome).startswith("shared: connection failure")
    with contextlib.suppress(asyncio.CancelledError):
        await both
    assert coordinator.guard("shared").breaker.statistics.failures == 2
