"""The breaker at the level of a guarded call: the trio that other breakers fail, refusals, checks."""

import asyncio
from typing import Any

import pytest
from test_resilience_rig import Rig, failure, lasting, skipped, success

from data_source_orchestrator.core.events import AttemptStarted, BreakerChanged, BudgetRefused
from data_source_orchestrator.core.policies import BreakerPolicy, BudgetPolicy
from data_source_orchestrator.core.verdicts import SkipReason, Verdict

DOWN = ConnectionError("refused")


async def test_an_open_breaker_skips_the_source_and_says_when_it_is_tried_again_a07_a17():
    rig = Rig()
    await rig.trip()
    await asyncio.sleep(2)
    script = rig.script("data")
    executed = await rig.execute(script)
    assert (skipped(executed).reason, executed.verdict) == (SkipReason.CIRCUIT_OPEN, Verdict.RELEASED)
    assert skipped(executed).detail == "its circuit breaker is open; it is tried again in 28 s"
    assert (script.calls, rig.events) == ([], [])


async def test_refusals_do_not_keep_the_breaker_open_a17():
    rig = Rig()
    await rig.trip()
    for _ in range(30):
        await rig.execute(rig.script("data"))
        await asyncio.sleep(1)
    assert success(await rig.execute(rig.script("data"))).attempts == 1
    assert rig.breaker.state == "closed"


async def test_a_herd_of_fifty_at_half_open_sends_one_probe():
    rig = Rig()
    await rig.trip()
    await asyncio.sleep(31)
    script = rig.script(lasting(2))
    all_executed = await asyncio.gather(*(rig.execute(script) for _ in range(50)))
    assert len(script.calls) == 1
    assert [executed.probe for executed in all_executed].count(True) == 1
    refused = [skipped(executed) for executed in all_executed if not executed.probe]
    assert len(refused) == 49
    assert {skip.detail for skip in refused} == {
        "its circuit breaker is half open, and as many attempts as it lets through are under way"
    }
    assert rig.breaker.state == "closed"


async def test_a_call_begun_before_the_trip_that_succeeds_during_the_probe_changes_nothing():
    rig = Rig()
    early = asyncio.ensure_future(rig.execute(rig.script(lasting(35)), timeout=60))
    await asyncio.sleep(0)
    await rig.trip()
    await asyncio.sleep(31)
    probe = asyncio.ensure_future(rig.execute(rig.script(lasting(10, DOWN))))
    assert success(await early).data == "data"
    assert rig.breaker.state == "half_open"
    assert rig.breaker.admit() is None
    await probe
    assert (rig.breaker.state, rig.breaker.retry_after) == ("open", 60)


async def test_a_cancelled_probe_gives_its_permit_back_and_the_next_call_may_probe():
    rig = Rig()
    await rig.trip()
    await asyncio.sleep(31)
    probe = asyncio.ensure_future(rig.execute(rig.script(lasting(10))))
    await asyncio.sleep(1)
    probe.cancel()
    with pytest.raises(asyncio.CancelledError):
        await probe
    assert (rig.breaker.state, rig.breaker.admits) == ("half_open", True)
    executed = await rig.execute(rig.script("data"))
    assert (executed.probe, rig.breaker.state) == (True, "closed")


@pytest.mark.parametrize(("probes", "success_threshold"), [(2, 1), (3, 3), (7, 2)])
async def test_a_herd_of_fifty_at_half_open_sends_exactly_the_permitted_probes(probes: int, success_threshold: int):
    rig = Rig(breaker=BreakerPolicy(probes=probes, success_threshold=success_threshold))
    await rig.trip()
    await asyncio.sleep(31)
    script = rig.script(lasting(2))
    all_executed = await asyncio.gather(*(rig.execute(script) for _ in range(50)))
    assert len(script.calls) == probes
    assert [executed.probe for executed in all_executed].count(True) == probes
    assert rig.breaker.state == "closed"
    assert rig.breaker.statistics.refused == 50 - probes


async def test_a_source_is_let_back_in_by_one_success_after_another_where_two_are_asked():
    rig = Rig(breaker=BreakerPolicy(success_threshold=2))
    await rig.trip()
    await asyncio.sleep(31)
    states = []
    for _ in range(3):
        success(await rig.execute(rig.script("data")))
        states.append(rig.breaker.state)
    assert states == ["half_open", "closed", "closed"]


async def test_a_success_begun_before_the_trip_is_none_of_the_successes_that_let_it_back_in():
    rig = Rig(breaker=BreakerPolicy(probes=2, success_threshold=2))
    early = [asyncio.ensure_future(rig.execute(rig.script(lasting(35)), timeout=60)) for _ in range(5)]
    await asyncio.sleep(0)
    await rig.trip()
    await asyncio.sleep(31)
    probe = asyncio.ensure_future(rig.execute(rig.script(lasting(10))))
    await asyncio.gather(*early)
    assert (rig.breaker.state, rig.breaker.statistics.late) == ("half_open", 5)
    await probe
    assert rig.breaker.state == "half_open"


async def test_of_several_probes_a_cancelled_one_gives_its_place_back_and_the_others_decide():
    rig = Rig(breaker=BreakerPolicy(probes=3, success_threshold=3))
    await rig.trip()
    await asyncio.sleep(31)
    probes = [asyncio.ensure_future(rig.execute(rig.script(lasting(10)))) for _ in range(3)]
    await asyncio.sleep(1)
    assert not rig.breaker.admits
    probes[1].cancel()
    await asyncio.wait([probes[1]])
    assert (rig.breaker.state, rig.breaker.admits) == ("half_open", True)
    await asyncio.gather(probes[0], probes[2], rig.execute(rig.script(lasting(10))))
    assert rig.breaker.state == "closed"


@pytest.mark.pair("breaker", "attempt timeout")
async def test_a_probe_that_never_ends_is_bounded_by_the_attempt_timeout():
    rig = Rig()
    await rig.trip()
    await asyncio.sleep(31)
    await rig.execute(rig.script(lasting(1e9)), attempt_timeout=5)
    assert (rig.breaker.state, rig.breaker.retry_after) == ("open", 60)


async def test_a_rule_over_attempts_ends_an_execution_between_two_of_them():
    rig = Rig(breaker=BreakerPolicy(attempt_failures=2))
    executed = await rig.execute(rig.script(DOWN), retries=5)
    assert failure(executed).attempts == 2
    assert failure(executed).warnings == ("not tried again: its circuit breaker opened meanwhile",)
    assert (rig.breaker.state, rig.breaker.statistics.trips) == ("open", 1)


async def test_slow_answers_trip_it_where_slowness_is_a_rule():
    rig = Rig(breaker=BreakerPolicy(slow_ratio=1, slow_after=3, window=4, minimum_throughput=4))
    for _ in range(4):
        success(await rig.execute(rig.script(lasting(4))))
    assert (rig.breaker.state, rig.breaker.statistics.rule) == ("open", "slow_ratio")


async def test_quick_answers_do_not_whatever_the_hour():
    rig = Rig(breaker=BreakerPolicy(slow_ratio=1, slow_after=3, window=4, minimum_throughput=4))
    await asyncio.sleep(100)
    for _ in range(4):
        success(await rig.execute(rig.script(lasting(2))))
    assert rig.breaker.state == "closed"


async def test_a_source_that_the_operator_forced_open_is_asked_by_nobody_and_forced_closed_by_everybody():
    rig = Rig()
    rig.breaker.force_open()
    script = rig.script(DOWN)
    refused = skipped(await rig.execute(script))
    assert (refused.reason, refused.detail) == (
        SkipReason.CIRCUIT_OPEN,
        "its circuit breaker is forced open, until somebody stops that",
    )
    assert script.calls == []
    rig.breaker.force_closed()
    for _ in range(9):
        failure(await rig.execute(script, retries=0))
    assert (len(script.calls), rig.breaker.state) == (9, "forced_closed")


@pytest.mark.pair("deadline", "breaker")
async def test_a_probe_cut_by_the_run_s_deadline_says_nothing_and_gives_its_permit_back_a07():
    rig = Rig()
    await rig.trip()
    await asyncio.sleep(31)
    executed = await rig.execute(rig.script(lasting(10)), within=1)
    assert (executed.verdict, rig.breaker.state, rig.breaker.admits) == (Verdict.RELEASED, "half_open", True)


async def test_a_probe_that_hangs_for_its_whole_time_opens_it_again_for_longer():
    rig = Rig()
    await rig.trip()
    await asyncio.sleep(31)
    await rig.execute(rig.script(lasting(100)), timeout=10)
    assert (rig.breaker.state, rig.breaker.retry_after) == ("open", 60)


async def test_a_recovered_source_comes_back_by_itself_b11_a07():
    rig = Rig()
    script = rig.script(*[DOWN] * 6, "data")
    for _ in range(20):
        await rig.execute(script, retries=0)
        await asyncio.sleep(10)
    assert script.calls[:8] == [0, 10, 20, 30, 40, 70, 130, 140]
    assert rig.breaker.state == "closed"


@pytest.mark.pair("breaker", "contract")
async def test_bad_content_counts_because_the_contract_lies_inside_the_breaker():
    rig = Rig()
    for _ in range(5):
        await rig.execute(rig.script(None))
    assert rig.breaker.state == "open"


async def test_changes_of_the_breaker_are_told():
    rig = Rig(breaker=BreakerPolicy(failures=1))
    await rig.execute(rig.script(DOWN), retries=0)
    await asyncio.sleep(31)
    await rig.execute(rig.script("data"))
    told = [(event.source, event.before, event.after, event.retry_after) for event in rig.told(BreakerChanged)]
    assert told == [
        ("prices", "closed", "open", 30),
        ("prices", "open", "half_open", None),
        ("prices", "half_open", "closed", None),
    ]


async def test_a_check_asks_the_light_probe_whatever_it_returns_a12():
    rig = Rig()
    fetcher, probe = rig.script("data"), rig.script(None)
    executed = await rig.check(fetcher, probe=probe)
    assert (success(executed).data, success(executed).attempts) == (None, 1)
    assert (len(fetcher.calls), len(probe.calls)) == (0, 1)


async def test_without_a_probe_a_check_asks_the_fetcher_and_holds_its_answer_to_the_contract_a12():
    rig = Rig()
    assert failure(await rig.check(rig.script(None))).kind == "empty"


async def test_a_check_is_made_once_and_within_the_source_s_own_timeout_a12_d40():
    rig = Rig()
    failing, hanging = rig.script(DOWN), rig.script(lasting(100))
    assert failure(await rig.check(failing)).attempts == 1
    assert len(failing.calls) == 1
    outcome = failure(await rig.check(hanging, timeout=12, attempt_timeout=3))
    assert (outcome.kind, outcome.duration) == ("timeout", 12)


async def test_a_check_ends_with_its_deadline_too_a10():
    rig = Rig()
    executed = await rig.check(rig.script(lasting(100)), within=2)
    assert (failure(executed).duration, executed.verdict) == (2, Verdict.RELEASED)
    late = skipped(await rig.check(rig.script("data"), within=0))
    assert (late.source, late.reason) == ("prices", SkipReason.DEADLINE)
    assert late.detail == "not asked because its time was up before it could begin"


@pytest.mark.parametrize("operator", [True, False])
async def test_a_check_is_no_execution_a12_d17(operator: bool):
    rig = Rig()
    for _ in range(20):
        assert failure(await rig.check(rig.script(DOWN), operator=operator)).error is DOWN
    assert rig.breaker.state == "closed"
    assert rig.breaker.to_state()["failures"] == 0
    assert rig.told(AttemptStarted) == []
    assert rig.budget.tokens == (500 if operator else 480)


async def test_an_automatic_check_s_success_does_not_clear_the_count_a12():
    rig = Rig()
    for _ in range(4):
        await rig.execute(rig.script(DOWN), retries=0)
    await rig.check(rig.script("data"))
    await rig.execute(rig.script(DOWN), retries=0)
    assert rig.breaker.state == "open"


async def test_an_automatic_check_needs_a_permit_a12():
    rig = Rig()
    await rig.trip()
    script = rig.script("data")
    executed = await rig.check(script)
    assert (skipped(executed).reason, script.calls) == (SkipReason.CIRCUIT_OPEN, [])
    assert executed.verdict is Verdict.RELEASED


@pytest.mark.parametrize(("line", "after"), [("data", "closed"), (DOWN, "open")])
async def test_an_automatic_check_decides_where_it_is_the_probe_a12(line: Any, after: str):
    rig = Rig()
    await rig.trip()
    await asyncio.sleep(31)
    executed = await rig.check(rig.script(line))
    assert (executed.probe, rig.breaker.state) == (True, after)


async def test_a_cancelled_automatic_check_gives_its_permit_back():
    rig = Rig()
    await rig.trip()
    await asyncio.sleep(31)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(1):
            await rig.check(rig.script(lasting(100)))
    assert (rig.breaker.state, rig.breaker.admits) == ("half_open", True)


async def test_an_operator_s_check_asks_no_permit_and_its_success_re_admits_a07():
    rig = Rig()
    await rig.trip()
    assert success(await rig.check(rig.script("data"), operator=True)).data == "data"
    assert rig.breaker.state == "closed"
    for _ in range(4):
        await rig.execute(rig.script(DOWN), retries=0)
    assert rig.breaker.state == "closed"


async def test_an_operator_s_failed_check_changes_nothing_a12():
    rig = Rig()
    await rig.trip()
    await asyncio.sleep(31)
    await rig.check(rig.script(DOWN), operator=True)
    assert (rig.breaker.state, rig.breaker.admits) == ("open", True)


async def test_an_operator_s_check_of_a_closed_breaker_changes_nothing_a07_a12():
    rig = Rig()
    for _ in range(4):
        await rig.execute(rig.script(DOWN), retries=0)
    before = rig.breaker.to_state()
    success(await rig.check(rig.script("data"), operator=True))
    assert rig.breaker.to_state() == before
    await rig.execute(rig.script(DOWN), retries=0)
    assert rig.breaker.state == "open"


async def test_an_operator_s_check_of_a_closed_breaker_leaves_what_is_under_way_its_say():
    rig = Rig(breaker=BreakerPolicy(failures=1))
    failing = asyncio.ensure_future(rig.execute(rig.script(lasting(5, DOWN)), retries=0))
    await asyncio.sleep(1)
    await rig.check(rig.script("data"), operator=True)
    await failing
    assert rig.breaker.state == "open"


@pytest.mark.parametrize("wait", [0, 31])
async def test_an_operator_s_check_re_admits_before_and_after_the_cool_down_a07(wait: float):
    rig = Rig()
    await rig.trip()
    await asyncio.sleep(wait)
    await rig.check(rig.script("data"), operator=True)
    assert rig.breaker.state == "closed"


async def test_an_operator_s_check_re_admits_while_a_probe_is_under_way_a07():
    rig = Rig()
    await rig.trip()
    await asyncio.sleep(31)
    probe = asyncio.ensure_future(rig.execute(rig.script(lasting(5, DOWN))))
    await asyncio.sleep(1)
    await rig.check(rig.script("data"), operator=True)
    assert rig.breaker.state == "closed"
    await probe
    assert rig.breaker.state == "closed"


async def test_an_automatic_check_is_paid_for_and_an_operator_s_is_not():
    rig = Rig(budget=BudgetPolicy(tokens=2))
    for _ in range(2):
        await rig.check(rig.script(DOWN))
    assert rig.budget.tokens == 0
    refused = await rig.check(rig.script("data"))
    assert skipped(refused).reason == "budget"
    assert skipped(refused).detail.startswith("not checked: this source's retry budget is spent")
    assert success(await rig.check(rig.script("data"), operator=True)).data == "data"
    assert rig.budget.tokens == 0
    assert [event.purpose for event in rig.told(BudgetRefused)] == ["probe"]
