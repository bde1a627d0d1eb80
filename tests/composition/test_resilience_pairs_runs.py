"""What only runs have, beside what each guarded call has: shared fetches, the cache, and the common cause."""

import asyncio
from typing import Any

import pytest
from test_resilience_pairs_rig import BROKEN, DOWN, ONE_AT_ONCE, failure, house, paced, skipped, success

from data_source_orchestrator import BreakerPolicy, CachePolicy, ChaosPolicy, Contract, DataSourceOrchestrator
from data_source_orchestrator.testing import After, Hang, script_of, scripted

A_MINUTE = CachePolicy(ttl=60, stale_if_error=3600)
TRIPS_AT_ONCE = BreakerPolicy(failures=1, spread=0)
ALWAYS = ChaosPolicy(fault_rate=1, seed=1)


async def twice(orchestrator: DataSourceOrchestrator) -> list[Any]:
    """Let two runs want everything at one moment, and return what both made of source a."""
    return [result.outcomes["a"] for result in await asyncio.gather(orchestrator.fetch(), orchestrator.fetch())]


@pytest.mark.pair("cache", "rate limit")
async def test_a_hit_takes_no_turn_of_the_pace():
    source = scripted("a", 1, 2, cache=A_MINUTE, limits=paced(100), timeout=300)
    orchestrator = house(source, timeout=300)
    for _ in range(5):
        assert (await orchestrator.fetch())["a"] == 1
    await asyncio.sleep(70)
    assert (await orchestrator.fetch())["a"] == 2
    assert script_of(source).calls == [0, 100]


@pytest.mark.pair("cache", "concurrency limit")
async def test_a_hit_needs_no_slot():
    kept, hung = scripted("a", "data", cache=A_MINUTE), scripted("b", Hang(), timeout=20)
    orchestrator = house(kept, hung, limits=ONE_AT_ONCE)
    await orchestrator.fetch("a")
    hanging = asyncio.create_task(orchestrator.fetch("b"))
    await asyncio.sleep(1)
    result = await orchestrator.fetch("a")
    assert (result["a"], result.metadata.total_duration) == ("data", 0)
    await hanging


@pytest.mark.pair("cache", "breaker")
async def test_a_hit_is_served_while_the_breaker_is_open_and_neither_asks_nor_mends_it():
    source = scripted("a", "data", cache=A_MINUTE)
    orchestrator = house(source)
    breaker = orchestrator.coordinator.guard("a").breaker
    await orchestrator.fetch()
    breaker.force_open()
    assert (await orchestrator.fetch())["a"] == "data"
    assert (breaker.state, breaker.statistics.refused, breaker.statistics.successes) == ("forced_open", 0, 1)
    await asyncio.sleep(100)
    outcome = skipped((await orchestrator.fetch()).outcomes["a"])
    assert (outcome.reason, outcome.stale_data) == ("circuit_open", "data")


@pytest.mark.pair("cache", "chaos")
async def test_a_hit_meets_no_chaos_and_what_chaos_makes_fail_is_not_kept():
    kept = scripted("a", "data", cache=A_MINUTE)
    orchestrator = house(kept)
    await orchestrator.fetch()
    orchestrator.coordinator.update_source("a", chaos=ALWAYS)
    assert (await orchestrator.fetch())["a"] == "data"
    await asyncio.sleep(100)
    outcome = failure((await orchestrator.fetch()).outcomes["a"])
    assert (outcome.kind, outcome.stale_data) == ("connection", "data")
    orchestrator.coordinator.update_source("a", chaos=None)
    assert success((await orchestrator.fetch()).outcomes["a"]).age is None


@pytest.mark.pair("cache", "contract")
async def test_an_answer_that_breaks_its_contract_is_not_kept_and_older_data_stands_beside_it():
    source = scripted("a", ["row"], [], ["new"], cache=A_MINUTE, contract=Contract(minimum_rows=1))
    orchestrator = house(source)
    await orchestrator.fetch()
    await asyncio.sleep(100)
    outcome = failure((await orchestrator.fetch()).outcomes["a"])
    assert (outcome.kind, outcome.stale_data) == ("content", ["row"])
    assert (await orchestrator.fetch())["a"] == ["new"]


@pytest.mark.pair("single flight", "cache")
async def test_two_runs_over_an_empty_cache_ask_once_and_what_they_share_is_kept():
    source = scripted("a", After(2, "data"), cache=A_MINUTE)
    orchestrator = house(source)
    outcomes = await twice(orchestrator)
    assert [success(outcome).attempts for outcome in outcomes] == [1, 1]
    assert success((await twice(orchestrator))[1]).attempts == 0
    assert script_of(source).calls == [0]


@pytest.mark.pair("single flight", "rate limit")
async def test_a_shared_fetch_takes_one_turn_of_the_pace():
    source = scripted("a", After(1, "data"), limits=paced(10))
    orchestrator = house(source)
    assert [success(outcome).duration for outcome in await twice(orchestrator)] == [1, 1]
    assert success((await twice(orchestrator))[0]).attempts == 1
    assert script_of(source).calls == [0, 10]


@pytest.mark.pair("single flight", "concurrency limit")
async def test_a_shared_fetch_holds_one_slot():
    source = scripted("a", After(3, "data"))
    outcomes = await twice(house(source, limits=ONE_AT_ONCE))
    assert [success(outcome).duration for outcome in outcomes] == [3, 3]


@pytest.mark.pair("single flight", "breaker")
async def test_two_runs_that_want_a_half_open_source_share_its_one_probe():
    source = scripted("a", DOWN, After(2, "data"), breaker=TRIPS_AT_ONCE)
    orchestrator = house(source)
    await orchestrator.fetch()
    await asyncio.sleep(30)
    assert [success(outcome).data for outcome in await twice(orchestrator)] == ["data", "data"]
    assert script_of(source).calls == [0, 30]
    assert orchestrator.coordinator.guard("a").breaker.statistics.refused == 0


@pytest.mark.pair("single flight", "chaos")
async def test_chaos_meets_a_shared_fetch_once():
    orchestrator = house(scripted("a", "data", chaos=ChaosPolicy(latency_rate=1, latency=2, seed=1)))
    await twice(orchestrator)
    chaos = orchestrator.coordinator.guard("a").chaos
    assert chaos is not None
    assert chaos.calls == 1


@pytest.mark.pair("single flight", "contract")
async def test_a_shared_answer_is_judged_once_and_for_all_who_share_it():
    judged: list[object] = []

    def rows(payload: object) -> list[object]:
        judged.append(payload)
        return []

    source = scripted("a", After(1, "odd"), contract=Contract(minimum_rows=1), records=rows)
    orchestrator = house(source)
    assert [failure(outcome).kind for outcome in await twice(orchestrator)] == ["content", "content"]
    assert (judged, orchestrator.coordinator.get_source_stats("a").failures) == (["odd"], 1)


@pytest.mark.pair("common cause", "rate limit")
async def test_a_source_that_was_not_asked_for_want_of_its_pace_says_nothing_of_our_network():
    waiting = scripted("c", "data", BROKEN, limits=paced(1000))
    orchestrator = house(scripted("a", BROKEN), scripted("b", BROKEN), waiting)
    await orchestrator.fetch("c")
    result = await orchestrator.fetch()
    assert skipped(result.outcomes["c"]).reason == "rate_limit"
    assert result.metadata.offline == ("a", "b")


@pytest.mark.pair("common cause", "concurrency limit")
async def test_a_source_that_was_not_asked_for_want_of_a_slot_says_nothing_of_our_network():
    hung = scripted("hung", Hang(), timeout=30)
    never = scripted("c", BROKEN, limits=ONE_AT_ONCE, timeout=5)
    orchestrator = house(scripted("a", BROKEN), scripted("b", BROKEN), never, hung)
    limits = orchestrator.coordinator.guard("c").limits
    assert limits is not None
    passage = limits.try_enter()
    assert passage is not None
    result = await orchestrator.fetch("a", "b", "c")
    assert skipped(result.outcomes["c"]).reason == "deadline"
    assert result.metadata.offline == ("a", "b")
    limits.leave(passage)


@pytest.mark.pair("common cause", "chaos")
async def test_chaos_that_makes_every_source_break_off_looks_as_our_own_network_and_trips_nobody():
    orchestrator = house(*(scripted(key, "data", chaos=ALWAYS, breaker=TRIPS_AT_ONCE) for key in "ab"))
    assert (await orchestrator.fetch()).metadata.offline == ("a", "b")
    assert {orchestrator.coordinator.guard(key).breaker.state for key in "ab"} == {"closed"}


@pytest.mark.pair("common cause", "contract")
async def test_an_answer_that_breaks_its_contract_proves_that_the_network_works():
    odd = scripted("c", After(1, []), contract=Contract(minimum_rows=1))
    orchestrator = house(scripted("a", BROKEN, breaker=TRIPS_AT_ONCE), scripted("b", BROKEN), odd)
    assert (await orchestrator.fetch()).metadata.offline == ()
    assert orchestrator.coordinator.guard("a").breaker.state == "open"


@pytest.mark.pair("common cause", "cache")
async def test_older_data_stands_beside_what_failed_while_we_were_offline():
    sources = [scripted(key, "old", BROKEN, cache=A_MINUTE, breaker=TRIPS_AT_ONCE) for key in "ab"]
    orchestrator = house(*sources)
    await orchestrator.fetch()
    await asyncio.sleep(100)
    result = await orchestrator.fetch()
    assert result.metadata.offline == ("a", "b")
    assert [failure(result.outcomes[key]).stale_data for key in "ab"] == ["old", "old"]
