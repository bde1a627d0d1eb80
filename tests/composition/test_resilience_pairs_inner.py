"""Limits, breaker, chaos and contract beside one another."""

import asyncio

import pytest
from test_resilience_pairs_rig import DOWN, ONE_AT_ONCE, failure, house, paced, safe, skipped, success

from data_source_orchestrator import (
    BreakerPolicy,
    ChaosPolicy,
    CircuitBreaker,
    ConcurrencyPolicy,
    Contract,
    Guarded,
    LimitPolicy,
    RateLimitPolicy,
)
from data_source_orchestrator.testing import After, Hang, Script, VirtualClock, script_of, scripted

ALWAYS = ChaosPolicy(fault_rate=1, seed=1)
TRIPS_AT_ONCE = BreakerPolicy(failures=1, spread=0)


def slots_taken(calls: Guarded) -> int:
    limits = calls._guard.limits
    assert limits is not None
    return sum(scope.concurrency.in_flight for scope in limits.scopes if scope.concurrency is not None)


@pytest.mark.pair("rate limit", "concurrency limit")
async def test_who_waits_for_the_pace_holds_no_slot_and_who_waits_for_a_slot_takes_a_fresh_turn():
    limits = LimitPolicy(rate=RateLimitPolicy(limit=1, per=2), concurrency=ConcurrencyPolicy(limit=1))
    calls, script = safe(limits=limits), Script(After(7, "long"), After(0.5, "short"))
    running = [asyncio.create_task(calls.call(script)) for _ in range(3)]
    await asyncio.sleep(8)
    assert slots_taken(calls) == 0
    await asyncio.wait(running)
    assert script.calls == [0, 7, 9]


@pytest.mark.pair("rate limit", "concurrency limit")
async def test_a_source_that_waits_for_its_own_pace_keeps_no_slot_from_the_others():
    slow = scripted("slow", "first", "second", limits=paced(10))
    other = scripted("other", After(1, "data"))
    orchestrator = house(slow, other, limits=ONE_AT_ONCE)
    await orchestrator.fetch("slow")
    result = await orchestrator.fetch()
    assert (script_of(other).calls, script_of(slow).calls) == ([0], [0, 10])
    assert result.metadata.success_count == 2


@pytest.mark.pair("rate limit", "breaker")
async def test_who_waits_for_the_pace_holds_no_probe_of_a_half_open_breaker():
    calls = safe(limits=paced(40), breaker=TRIPS_AT_ONCE, max_retries=0, timeout=60)
    script = Script(DOWN, "data")
    await calls.call(script)
    await asyncio.sleep(31)
    waiting = asyncio.create_task(calls.call(script))
    await asyncio.sleep(1)
    assert (calls.breaker.state, calls.breaker.admits) == ("open", True)
    assert success(await waiting).data == "data"
    assert (script.calls, calls.breaker.state) == ([0, 40], "closed")


@pytest.mark.pair("rate limit", "chaos")
async def test_a_call_that_chaos_makes_fail_has_had_its_turn():
    calls, script = safe(limits=paced(10), chaos=ALWAYS, max_retries=0), Script("data")
    outcomes = await asyncio.gather(*(calls.call(script) for _ in range(3)))
    assert [failure(outcome).duration for outcome in outcomes] == [0, 10, 20]


@pytest.mark.pair("rate limit", "contract")
async def test_an_answer_that_breaks_its_contract_has_had_its_turn():
    source = scripted("a", [], ["row"], limits=paced(10), contract=Contract(minimum_rows=1))
    orchestrator = house(source)
    assert failure((await orchestrator.fetch()).outcomes["a"]).kind == "content"
    assert (await orchestrator.fetch())["a"] == ["row"]
    assert script_of(source).calls == [0, 10]


@pytest.mark.pair("concurrency limit", "breaker")
async def test_who_waits_for_a_slot_holds_no_probe_of_a_half_open_breaker(clock: VirtualClock):
    breaker = CircuitBreaker(TRIPS_AT_ONCE, clock=clock)
    limited, free = safe(breaker=breaker, limits=ONE_AT_ONCE, timeout=60), safe(breaker=breaker, max_retries=0)
    slow = asyncio.create_task(limited.call(Script(After(40, "slow"))))
    await asyncio.sleep(1)
    failure(await free.call(Script(DOWN)))
    await asyncio.sleep(31)
    waiting = asyncio.create_task(limited.call(Script("probe")))
    await asyncio.sleep(1)
    assert (breaker.state, breaker.admits) == ("open", True)
    assert (success(await slow).data, success(await waiting).data) == ("slow", "probe")
    assert breaker.state == "closed"


@pytest.mark.pair("concurrency limit", "breaker")
async def test_what_an_open_breaker_refuses_gives_its_slot_back_and_says_nothing_of_the_load():
    limits = LimitPolicy(concurrency=ConcurrencyPolicy(limit=1, adaptive=True, most=5))
    calls = safe(limits=limits, max_retries=0)
    calls.breaker.force_open()
    for _ in range(20):
        skipped(await calls.call(Script("data")))
    calls.breaker.stop_forcing()
    script = Script(After(1, "data"))
    await asyncio.gather(*(calls.call(script) for _ in range(2)))
    assert script.calls == [0, 1]


@pytest.mark.pair("concurrency limit", "chaos")
async def test_a_call_that_chaos_makes_wait_keeps_its_slot_meanwhile():
    calls, script = safe(limits=ONE_AT_ONCE, chaos=ChaosPolicy(latency_rate=1, latency=3, seed=1)), Script("data")
    await asyncio.gather(*(calls.call(script) for _ in range(3)))
    assert script.calls == [3, 6, 9]


@pytest.mark.pair("concurrency limit", "contract")
async def test_only_answers_that_keep_their_contract_raise_an_adaptive_limit():
    limits = LimitPolicy(concurrency=ConcurrencyPolicy(limit=1, adaptive=True))
    source = scripted("a", *[[]] * 4, ["row"], limits=limits, contract=Contract(minimum_rows=1))
    orchestrator = house(source)
    limited = orchestrator.coordinator.guard("a").limits
    assert limited is not None
    [scope] = limited.scopes
    assert scope.concurrency is not None
    for expected in (1, 1, 1, 1, 2):
        await orchestrator.fetch()
        assert scope.concurrency.limit == expected


@pytest.mark.pair("breaker", "chaos")
async def test_injected_faults_trip_the_breaker_and_what_it_refuses_meets_no_chaos():
    calls, script = safe(chaos=ALWAYS, breaker=BreakerPolicy(failures=2, spread=0), max_retries=0), Script("data")
    for _ in range(2):
        assert failure(await calls.call(script)).kind == "connection"
    for _ in range(5):
        assert skipped(await calls.call(script)).reason == "circuit_open"
    chaos = calls._guard.chaos
    assert chaos is not None
    assert (chaos.calls, script.calls) == (2, [])


@pytest.mark.pair("breaker", "attempt timeout")
async def test_attempts_that_are_cut_are_failures_of_so_many_seconds_to_the_breaker():
    policy = BreakerPolicy(slow_ratio=1, slow_after=2, window=2, minimum_throughput=2)
    calls = safe(attempt_timeout=3, breaker=policy, max_retries=1, timeout=30)
    outcome = failure(await calls.call(Script(Hang())))
    told = calls.breaker.statistics
    assert (outcome.attempts, told.failures, told.state, told.rule) == (2, 2, "open", "slow_ratio")


@pytest.mark.pair("chaos", "contract")
async def test_what_chaos_returns_is_held_to_the_contract_and_what_it_lets_through_too(clock: VirtualClock):
    chaos = ChaosPolicy(outcome_rate=1, outcomes=(["odd"],), latency_rate=1, latency=1, seed=1)
    source = scripted("a", ["row"], chaos=chaos, contract=Contract(minimum_rows=2))
    outcome = failure((await house(source).fetch()).outcomes["a"])
    assert (outcome.kind, clock.monotonic(), script_of(source).calls) == ("content", 1, [])
