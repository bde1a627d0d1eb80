"""Retries, the budget that pays for extra calls, and hedges, beside what lies within them."""

import asyncio

import pytest
from test_resilience_pairs_rig import BROKEN, DOWN, ONE_AT_ONCE, failure, house, safe, skipped, success

from data_source_orchestrator import (
    BreakerPolicy,
    BudgetPolicy,
    CachePolicy,
    ChaosPolicy,
    ConcurrencyPolicy,
    Contract,
    FetchError,
    HedgePolicy,
    LimitPolicy,
    RateLimitPolicy,
)
from data_source_orchestrator.testing import After, Hang, Script, VirtualClock, script_of, scripted

ONE_RETRY = BudgetPolicy(tokens=5)
JOINED_AT_ONE = HedgePolicy(delay=1)


def odd_at_first(payload: object) -> list[object]:
    """Give a payload's rows, but of one that is odd raise what may pass."""
    if payload == "odd":
        raise DOWN
    return [payload]


@pytest.mark.pair("retry", "concurrency limit")
async def test_what_waits_before_a_retry_holds_no_slot(clock: VirtualClock):
    calls = safe(limits=ONE_AT_ONCE)
    first, second = Script(After(1, DOWN), After(1, "first")), Script(After(0.5, "second"))
    tried_again = asyncio.create_task(calls.call(first))
    await asyncio.sleep(0.5)
    assert success(await calls.call(second)).data == "second"
    assert clock.monotonic() == 1.5
    assert success(await tried_again).data == "first"
    assert (first.calls, second.calls) == ([0, 2], [1])


@pytest.mark.pair("retry", "contract")
async def test_what_checks_an_answer_is_tried_again_with_it_where_that_may_pass():
    source = scripted("a", "odd", "data", records=odd_at_first)
    outcome = success((await house(source, retries=1).fetch()).outcomes["a"])
    assert (outcome.data, outcome.attempts) == ("data", 2)


@pytest.mark.pair("cache", "retry")
async def test_older_data_stands_in_only_when_all_retries_have_failed_and_a_hit_needs_none():
    cache = CachePolicy(ttl=10, stale_if_error=1000)
    source = scripted("a", "old", DOWN, "new", DOWN, cache=cache)
    orchestrator = house(source, retries=1)
    await orchestrator.fetch()
    await asyncio.sleep(20)
    outcome = success((await orchestrator.fetch()).outcomes["a"])
    assert (outcome.data, outcome.age, outcome.attempts) == ("new", None, 2)
    assert success((await orchestrator.fetch()).outcomes["a"]).attempts == 0
    await asyncio.sleep(20)
    failed = failure((await orchestrator.fetch()).outcomes["a"])
    assert (failed.stale_data, failed.attempts) == ("new", 2)


@pytest.mark.pair("single flight", "retry")
async def test_whoever_comes_between_two_attempts_shares_the_next():
    source = scripted("a", DOWN, After(1, "data"))
    orchestrator = house(source, retries=1)
    first = asyncio.create_task(orchestrator.fetch())
    await asyncio.sleep(0.5)
    second = await orchestrator.fetch()
    assert ((await first)["a"], second["a"], script_of(source).calls) == ("data", "data", [0, 1])
    assert second.outcomes["a"].attempts == 2


@pytest.mark.pair("budget", "rate limit")
async def test_a_retry_that_is_not_paid_for_takes_no_turn_of_the_pace():
    two_at_once = LimitPolicy(rate=RateLimitPolicy(limit=1, per=10, burst=2))
    calls, script = safe(limits=two_at_once, budget=BudgetPolicy(tokens=0)), Script(DOWN, "data")
    assert failure(await calls.call(script)).attempts == 1
    assert [success(await calls.call(script)).data for _ in range(2)] == ["data", "data"]
    assert script.calls == [0, 0, 10]


@pytest.mark.pair("budget", "concurrency limit")
async def test_a_retry_that_is_not_paid_for_waits_for_no_slot(clock: VirtualClock):
    calls = safe(limits=ONE_AT_ONCE, budget=BudgetPolicy(tokens=0))
    scripts = Script(After(1, DOWN)), Script(After(20, "other"))
    outcomes = await asyncio.gather(*(calls.call(script) for script in scripts))
    assert (failure(outcomes[0]).duration, clock.monotonic()) == (1, 21)


@pytest.mark.pair("budget", "breaker")
async def test_a_probe_costs_nothing_so_that_a_spent_budget_keeps_nobody_out_and_a_refusal_costs_nothing_either():
    breaker = BreakerPolicy(failures=1, spread=0)
    calls = safe(budget=ONE_RETRY, breaker=breaker, max_retries=1)
    script = Script(DOWN, DOWN, "data")
    assert failure(await calls.call(script)).attempts == 2
    assert (calls.budget.tokens, calls.breaker.state) == (0, "open")
    skipped(await calls.call(script))
    assert (calls.budget.tokens, calls.budget.refusals) == (0, 0)
    await asyncio.sleep(30)
    assert success(await calls.call(script)).data == "data"
    assert (calls.budget.tokens, calls.breaker.state) == (1, "closed")


@pytest.mark.pair("budget", "chaos")
async def test_retries_after_injected_faults_are_paid_for_as_any():
    calls = safe(chaos=ChaosPolicy(fault_rate=1, seed=1), budget=ONE_RETRY)
    outcome = failure(await calls.call(Script("data")))
    assert (outcome.attempts, calls.budget.tokens, calls.budget.refusals) == (2, 0, 1)


@pytest.mark.pair("budget", "contract")
async def test_an_answer_that_breaks_its_contract_pays_nothing_back():
    source = scripted("a", DOWN, ["row"], [], contract=Contract(minimum_rows=1))
    orchestrator = house(source, retries=1)
    budget = orchestrator.coordinator.guard("a").budget
    assert (await orchestrator.fetch())["a"] == ["row"]
    assert budget.tokens == 500 - 5 + 1
    assert failure((await orchestrator.fetch()).outcomes["a"]).kind == "content"
    assert budget.tokens == 496


@pytest.mark.pair("single flight", "budget")
async def test_the_retries_of_a_shared_fetch_are_paid_for_once():
    source = scripted("a", DOWN, After(1, "data"))
    orchestrator = house(source, retries=1)
    await asyncio.gather(orchestrator.fetch(), orchestrator.fetch())
    assert orchestrator.coordinator.guard("a").budget.tokens == 500 - 5 + 1


@pytest.mark.pair("common cause", "budget")
async def test_what_was_spent_while_we_were_offline_is_spent():
    orchestrator = house(*(scripted(key, BROKEN) for key in "ab"), retries=2)
    result = await orchestrator.fetch()
    assert result.metadata.offline == ("a", "b")
    assert [orchestrator.coordinator.guard(key).budget.tokens for key in "ab"] == [490, 490]


@pytest.mark.pair("hedge", "concurrency limit")
async def test_a_second_call_takes_a_slot_of_its_own_and_both_are_given_back(clock: VirtualClock):
    calls = safe(hedge=JOINED_AT_ONE, limits=LimitPolicy(concurrency=ConcurrencyPolicy(limit=2)))
    script = Script(Hang(), After(2, "second"), After(0.5, "third"))
    hedged = asyncio.create_task(calls.call(script))
    await asyncio.sleep(1.5)
    assert success(await calls.call(script)).data == "third"
    assert (clock.monotonic(), script.calls) == (3.5, [0, 1, 3])
    assert success(await hedged).data == "second"


@pytest.mark.pair("hedge", "concurrency limit")
async def test_a_second_call_for_which_there_is_no_slot_waits_for_one_and_leaves_the_first_alone():
    script = Script(After(5, "first"), "second")
    assert success(await safe(hedge=JOINED_AT_ONE, limits=ONE_AT_ONCE).call(script)).data == "first"
    assert script.calls == [0]


@pytest.mark.pair("hedge", "chaos")
async def test_each_of_two_calls_meets_a_chaos_of_its_own():
    chaos = ChaosPolicy(latency_rate=0.5, latency=60, seed=2)  # the first call has to wait, the second has not
    calls, script = safe(hedge=JOINED_AT_ONE, chaos=chaos), Script(After(1, "data"))
    outcome = success(await calls.call(script))
    assert (outcome.data, outcome.duration, script.calls) == ("data", 2, [1])


@pytest.mark.pair("hedge", "contract")
async def test_an_answer_that_cannot_be_checked_wins_no_race():
    source = scripted("a", After(5, "data"), After(1, "odd"), records=odd_at_first, hedge=JOINED_AT_ONE)
    outcome = success((await house(source).fetch()).outcomes["a"])
    assert (outcome.data, outcome.duration) == ("data", 5)


@pytest.mark.pair("cache", "hedge")
async def test_a_hit_teaches_no_latency_and_an_answer_that_won_a_race_is_kept():
    hedge = HedgePolicy(minimum_samples=2)
    source = scripted("a", After(4, 1), After(4, 2), Hang(), After(1, 4), hedge=hedge, cache=CachePolicy(ttl=10))
    orchestrator = house(source)
    for expected in (1, 2, 4):
        served = [(await orchestrator.fetch())["a"] for _ in range(4)]
        assert served == [expected] * 4
        await asyncio.sleep(11)
    assert script_of(source).calls == [0, 15, 30, 34]


@pytest.mark.pair("single flight", "hedge")
async def test_two_runs_that_share_a_fetch_share_its_two_calls_and_the_last_who_leaves_ends_both():
    source = scripted("a", Hang(), Hang(), hedge=JOINED_AT_ONE)
    orchestrator = house(source)
    runs = [asyncio.create_task(orchestrator.fetch()) for _ in range(2)]
    await asyncio.sleep(2)
    assert script_of(source).calls == [0, 1]
    runs[0].cancel()
    await asyncio.sleep(0)
    assert script_of(source).running == 2
    runs[1].cancel()
    await asyncio.wait(runs)
    assert script_of(source).running == 0


@pytest.mark.pair("hedge", "breaker")
async def test_a_probe_is_not_hedged_even_where_the_breaker_would_let_another_through():
    calls = safe(hedge=JOINED_AT_ONE, breaker=BreakerPolicy(failures=1, probes=2, spread=0), max_retries=0)
    script = Script(FetchError("server", retry_after=1), After(5, "probe"))
    failure(await calls.call(script))
    await asyncio.sleep(30)
    assert success(await calls.call(script)).data == "probe"
    assert (script.calls, calls.budget.refusals, calls.budget.tokens) == ([0, 30], 0, 500)


@pytest.mark.pair("hedge", "breaker")
async def test_a_call_that_lost_says_nothing_to_the_breaker():
    calls = safe(hedge=JOINED_AT_ONE, breaker=BreakerPolicy(attempt_failures=1))
    assert success(await calls.call(Script(Hang(), After(1, "data")))).data == "data"
    told = calls.breaker.statistics
    assert (told.successes, told.failures, told.released, told.censored) == (1, 0, 0, 1)


@pytest.mark.pair("retry", "hedge")
async def test_an_upstreams_own_wait_is_the_retrys_to_keep_and_no_second_call_follows_at_once():
    script = Script(FetchError("server", retry_after=5), "data")
    outcome = success(await safe(hedge=JOINED_AT_ONE).call(script))
    assert (outcome.attempts, script.calls) == (2, [0, 5])
