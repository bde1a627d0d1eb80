"""The deadline and the attempt timeout beside every other strategy."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest
from test_resilience_pairs_rig import BROKEN, ONE_AT_ONCE, failure, house, paced, safe, skipped, success

from data_source_orchestrator import CachePolicy, ChaosPolicy, Contract, HedgePolicy, Source
from data_source_orchestrator.testing import After, Hang, Script, script_of, scripted


@pytest.mark.pair("deadline", "hedge")
async def test_both_calls_of_a_hedged_attempt_end_with_the_deadline():
    hung = Script(Hang())
    outcome = failure(await safe(timeout=10, hedge=HedgePolicy(delay=4)).call(hung))
    assert (outcome.kind, outcome.duration, hung.calls, hung.running) == ("timeout", 10, [0, 4], 0)


@pytest.mark.pair("deadline", "concurrency limit")
async def test_a_wait_for_a_slot_ends_with_the_deadline_and_leaves_its_place_to_those_behind():
    busy, hurried, patient = scripted("a", After(9, 1)), scripted("b", 2, timeout=4), scripted("c", 3)
    result = await house(busy, hurried, patient, limits=ONE_AT_ONCE).fetch()
    outcome = skipped(result.outcomes["b"])
    assert (outcome.reason, script_of(hurried).calls) == ("deadline", [])
    assert (result["a"], result["c"], script_of(patient).calls) == (1, 3, [9])
    assert result.metadata.total_duration == 9


@pytest.mark.pair("deadline", "chaos")
async def test_an_injected_wait_ends_with_the_deadline():
    chaos = ChaosPolicy(latency_rate=1, latency=100, seed=1)
    never = Script("data")
    outcome = failure(await safe(timeout=10, chaos=chaos).call(never))
    assert (outcome.kind, outcome.duration, never.calls) == ("timeout", 10, [])


async def too_late() -> list[object]:
    """Answer with no row, at once, when time is up."""
    with contextlib.suppress(asyncio.CancelledError):
        await asyncio.sleep(1000)
    return []


class Judging:
    """Gives the rows of a payload, and remembers which it was asked for."""

    def __init__(self) -> None:
        self.asked: list[object] = []

    def __call__(self, payload: list[object]) -> list[object]:
        self.asked.append(payload)
        return payload


@pytest.mark.pair("deadline", "contract")
async def test_what_the_deadline_cut_off_is_not_judged_by_its_contract_and_what_came_in_time_is():
    a_row, judging = Contract(minimum_rows=1), Judging()
    cut = Source(key="cut", fetcher=too_late, timeout=10, contract=a_row, records=judging)
    odd = scripted("odd", After(9.5, []), timeout=10, contract=a_row, records=judging)
    result = await house(cut, odd).fetch()
    assert failure(result.outcomes["cut"]).kind == "timeout"
    assert failure(result.outcomes["odd"]).kind == "content"
    assert judging.asked == [[]]


@pytest.mark.pair("deadline", "cache")
async def test_a_refresh_behind_has_the_sources_own_time_and_not_what_its_run_had_left():
    cache = CachePolicy(ttl=10, stale_while_revalidate=1000)
    source = scripted("a", "old", After(20, "new"), timeout=30, cache=cache)
    orchestrator = house(source, timeout=5)
    async with orchestrator:
        await orchestrator.fetch()
        await asyncio.sleep(60)
        assert (await orchestrator.fetch())["a"] == "old"
        await asyncio.sleep(25)
        assert (await orchestrator.fetch())["a"] == "new"


@pytest.mark.pair("deadline", "cache")
async def test_older_data_stands_beside_what_the_deadline_cut_off():
    source = scripted("a", "old", Hang(), timeout=5, serve_stale=3600)
    orchestrator = house(source)
    await orchestrator.fetch()
    outcome = failure((await orchestrator.fetch()).outcomes["a"])
    assert (outcome.kind, outcome.stale_data, outcome.duration) == ("timeout", "old", 5)


@pytest.mark.pair("hedge", "attempt timeout")
async def test_each_of_two_calls_has_an_attempt_timeout_of_its_own_from_its_own_beginning():
    hung = Script(Hang())
    outcome = failure(await safe(timeout=30, attempt_timeout=5, max_retries=0, hedge=HedgePolicy(delay=3)).call(hung))
    assert (hung.calls, outcome.duration, outcome.kind) == ([0, 3], 8, "timeout")


@pytest.mark.pair("rate limit", "attempt timeout")
async def test_the_time_in_which_a_call_waits_for_its_pace_is_no_time_of_its_attempt():
    calls, script = safe(attempt_timeout=2, limits=paced(10), max_retries=0), Script(After(1, "data"))
    outcomes = await asyncio.gather(calls.call(script), calls.call(script))
    assert [success(outcome).latency for outcome in outcomes] == [1, 1]
    assert script.calls == [0, 10]


@pytest.mark.pair("concurrency limit", "attempt timeout")
async def test_the_time_in_which_a_call_waits_for_a_slot_is_no_time_of_its_attempt_and_a_cut_gives_the_slot_back():
    calls = safe(attempt_timeout=3, limits=ONE_AT_ONCE, max_retries=0)
    script = Script(Hang(), After(2, "second"), After(2, "third"))
    cut, *others = await asyncio.gather(*(calls.call(script) for _ in range(3)))
    assert failure(cut).duration == 3
    assert [success(outcome).duration for outcome in others] == [5, 7]
    assert script.calls == [0, 3, 5]


@pytest.mark.pair("attempt timeout", "contract")
async def test_what_its_attempts_limit_cut_off_is_tried_again_and_not_judged_by_its_contract():
    judging = Judging()
    fetchers: Iterator[Callable[[], Awaitable[object]]] = iter([too_late, Script(["row"])])

    async def fetch() -> object:
        return await next(fetchers)()

    source: Source[Any] = Source(
        key="a", fetcher=fetch, attempt_timeout=2, contract=Contract(minimum_rows=1), records=judging
    )
    outcome = success((await house(source, retries=1).fetch()).outcomes["a"])
    assert (outcome.data, outcome.attempts, judging.asked) == (["row"], 2, [["row"]])


@pytest.mark.pair("cache", "attempt timeout")
async def test_older_data_stands_beside_an_attempt_that_was_cut_and_a_refresh_behind_is_cut_too():
    cache = CachePolicy(ttl=10, stale_while_revalidate=100, stale_if_error=1000)
    source = scripted("a", "old", Hang(), cache=cache, attempt_timeout=2)
    orchestrator = house(source)
    async with orchestrator:
        await orchestrator.fetch()
        await asyncio.sleep(50)
        assert (await orchestrator.fetch())["a"] == "old"
        await asyncio.sleep(3)
        assert (script_of(source).running, orchestrator.coordinator.get_source_stats("a").failures) == (0, 1)
        await asyncio.sleep(100)
        outcome = failure((await orchestrator.fetch()).outcomes["a"])
        assert (str(outcome.error), outcome.stale_data) == ("no answer within 2 s", "old")


@pytest.mark.pair("single flight", "attempt timeout")
async def test_whoever_joins_a_fetch_puts_off_its_deadline_and_no_attempts_limit():
    source = scripted("a", Hang(), After(6, "data"), timeout=30, attempt_timeout=8, max_retries=1)
    orchestrator = house(source, timeout=10)
    first = asyncio.create_task(orchestrator.fetch())
    await asyncio.sleep(7)
    second = await orchestrator.fetch()
    assert (second["a"], script_of(source).calls) == ("data", [0, 9])
    assert failure((await first).outcomes["a"]).kind == "timeout"


@pytest.mark.pair("common cause", "attempt timeout")
@pytest.mark.parametrize(("hanging", "offline"), [(1, True), (3, False)])
async def test_attempts_that_were_cut_beside_broken_connections_are_our_network_where_they_are_not_more(
    hanging: int, offline: bool
):
    broken = [scripted(f"broken{number}", BROKEN) for number in range(2)]
    cut = [scripted(f"cut{number}", Hang(), attempt_timeout=2) for number in range(hanging)]
    result = await house(*broken, *cut).fetch()
    assert bool(result.metadata.offline) is offline
    assert result.metadata.failure_count == 2 + hanging
