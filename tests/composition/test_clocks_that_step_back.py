"""A clock that goes backwards makes no wait negative and nothing early: each strategy that tells the time, guarded.

The breaker's and the limiters' own are beside their other tests; a budget and a backoff tell no time at all.
"""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from test_resilience_pairs_rig import BROKEN, DOWN, PLAIN, failure, skipped, success

from clocks import HandSetClock, HandSetVirtualClock
from data_source_orchestrator import (
    BreakerPolicy,
    CachePolicy,
    ConcurrencyPolicy,
    DataSourceOrchestrator,
    Deadline,
    Guarded,
    HedgePolicy,
    LimitPolicy,
    OrchestratorConfig,
    RateLimitPolicy,
    RetryConfig,
    Source,
    SourceCoordinator,
    guard,
)
from data_source_orchestrator.core.events import CallHedged
from data_source_orchestrator.resilience.alarms import Alarms
from data_source_orchestrator.testing import After, Hang, Recorder, Script, script_of, scripted


def stepping(at: float, by: float = -1000.0, **settings: Any) -> tuple[HandSetVirtualClock, Guarded]:
    """Return a guard whose clock steps by so many seconds at a moment of the loop's time."""
    clock = HandSetVirtualClock()
    asyncio.get_running_loop().call_later(at, clock.step, by)
    return clock, guard("prices", clock=clock, **{"retry": PLAIN, "timeout": 60, **settings})


def running(source: Source[Any], clock: HandSetVirtualClock, **config: Any) -> DataSourceOrchestrator:
    coordinator = SourceCoordinator([source], clock=clock)
    return DataSourceOrchestrator(coordinator, OrchestratorConfig(**config), RetryConfig(max_retries=0))


def now() -> float:
    """Return the loop's time, which no step touches."""
    return asyncio.get_running_loop().time()


def test_a_deadline_has_never_less_than_nothing_left_and_comes_later_by_the_step():
    clock = HandSetClock()
    deadline = Deadline.after(clock, 5)
    clock.advance(9)
    assert (deadline.remaining, deadline.passed) == (0.0, True)
    clock.step(-7)
    assert (deadline.remaining, deadline.passed) == (3.0, False)
    clock.advance(3)
    assert (deadline.remaining, deadline.passed) == (0.0, True)


async def test_alarms_ring_when_the_clock_says_so_again_and_not_before():
    clock, rung = HandSetVirtualClock(), list[float]()

    class Ringing:
        def ring(self) -> None:
            rung.append(now())

    alarms = Alarms(clock).here()
    alarms.set(5, Ringing())
    await asyncio.sleep(3)
    clock.step(-10)
    await asyncio.sleep(20)
    assert rung == [15]


async def test_a_call_is_cut_when_its_time_is_up_by_the_clock_and_not_before():
    clock, calls = stepping(at=3, by=-10, timeout=8)
    assert failure(await calls.call(Script(Hang()))).kind == "timeout"
    assert (now(), clock.monotonic()) == (18, 8)


async def test_an_attempt_is_cut_when_its_own_time_is_up_by_the_clock_and_not_before():
    _, calls = stepping(at=1, by=-10, attempt_timeout=2)
    script = Script(Hang(), "data")
    assert success(await calls.call(script)).attempts == 2
    assert script.calls == [0, 13]


async def test_a_retry_follows_after_its_whole_wait():
    _, calls = stepping(at=0.5)
    script = Script(DOWN, DOWN, "data")
    assert success(await calls.call(script)).data == "data"
    assert script.calls == [0, 1, 3]


async def test_a_second_call_joins_after_its_whole_delay_and_no_number_that_is_told_is_negative():
    heard = Recorder()
    _, calls = stepping(at=1, hedge=HedgePolicy(delay=2), on_event=heard)
    script = Script(Hang(), "second")
    assert success(await calls.call(script)).data == "second"
    assert script.calls == [0, 2]
    assert calls.listener is not None
    assert await calls.listener.heard_out(20)
    assert [event.after for event in heard.of(CallHedged)] == [0.0]


async def test_latencies_that_cannot_be_bring_no_second_call_before_the_least_delay():
    clock, calls = stepping(at=0.5, hedge=HedgePolicy(minimum_samples=1, least=0.25))
    assert success(await calls.call(Script(After(1, "backwards")))).data == "backwards"
    script = Script(Hang(), "second")
    began = now()
    assert success(await calls.call(script)).data == "second"
    assert [moment - began for moment in script.calls] == [0, 0.25]
    assert clock.monotonic() < 0


async def test_a_wait_for_a_slot_ends_when_its_deadline_has_come_by_the_clock_and_not_before():
    limits = LimitPolicy(concurrency=ConcurrencyPolicy(limit=1))
    _, calls = stepping(at=3, by=-10, limits=limits, timeout=8)
    holding = asyncio.create_task(calls.call(Script(Hang())))
    await asyncio.sleep(0)
    assert skipped(await calls.call(Script("never"))).reason == "deadline"
    assert now() == 18
    await holding


async def test_a_call_waits_for_its_pace_as_long_as_the_clock_says_and_never_less():
    _, calls = stepping(at=1, by=-10, limits=LimitPolicy(rate=RateLimitPolicy(limit=1, per=5)))
    script = Script("data")
    await asyncio.gather(*(calls.call(script) for _ in range(2)))
    assert script.calls == [0, 15]


async def test_an_open_breaker_lets_nobody_through_early_and_its_wait_goes_on_from_where_it_was():
    _, calls = stepping(at=10, breaker=BreakerPolicy(failures=1, spread=0), max_retries=0)
    await calls.call(Script(DOWN))
    told = []
    for _ in range(4):
        await asyncio.sleep(9)
        told.append(skipped(await calls.call(Script("too early"))).detail.rpartition(" in ")[2])
    assert told == ["21 s", "21 s", "12 s", "3 s"], "the step is one of standing still"
    await asyncio.sleep(3)
    assert success(await calls.call(Script("data"))).data == "data"


async def test_a_run_ends_when_its_limit_has_come_by_the_clock_and_not_before():
    clock = HandSetVirtualClock()
    asyncio.get_running_loop().call_later(1, clock.step, -10.0)
    result = await running(scripted("a", Hang()), clock, timeout=5).fetch()
    assert (failure(result.outcomes["a"]).kind, now()) == ("timeout", 15)


async def test_kept_data_ages_by_the_wall_clock_alone_and_none_from_the_future_is_served():
    clock = HandSetVirtualClock()
    source = scripted("a", 1, 2, cache=CachePolicy(ttl=60))
    orchestrator = running(source, clock)
    await orchestrator.fetch()
    clock.step(-1000)
    assert (await orchestrator.fetch())["a"] == 1
    clock.set_wall(-timedelta(hours=1).total_seconds())
    assert (await orchestrator.fetch())["a"] == 2
    assert len(script_of(source).calls) == 2


@pytest.mark.parametrize("by", [-1.0, -1e9])
async def test_two_sources_that_break_off_are_our_network_whatever_the_clock_does(by: float):
    clock = HandSetVirtualClock()
    asyncio.get_running_loop().call_later(1, clock.step, by)
    sources = [scripted(key, After(2, BROKEN)) for key in "ab"]
    orchestrator = DataSourceOrchestrator(SourceCoordinator(sources, clock=clock), retry=RetryConfig(max_retries=0))
    assert (await orchestrator.fetch()).metadata.offline == ("a", "b")
