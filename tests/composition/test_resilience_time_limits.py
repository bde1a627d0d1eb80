"""Deadline and attempt timeout at the level of a guarded call: who is cut when, and what that says of the source."""

import asyncio

import pytest
from test_resilience_rig import Rig, failure, lasting, skipped, success, swallowing

from data_source_orchestrator.core.deadline import Deadline
from data_source_orchestrator.core.events import AttemptFinished
from data_source_orchestrator.core.outcome import CutShort
from data_source_orchestrator.core.verdicts import Verdict

DOWN = ConnectionError("refused")


async def test_a_source_timeout_cuts_off_and_cancels_b05_d05():
    rig = Rig()
    ended: list[float] = []

    async def hang(_ctx: object) -> None:
        try:
            await asyncio.sleep(100)
        finally:
            ended.append(rig.clock.monotonic())

    outcome = failure(await rig.execute(rig.script(hang), timeout=5))
    assert (outcome.kind, outcome.attempts, outcome.duration) == ("timeout", 1, 5)
    assert ended == [5]
    assert str(outcome.error) == "no answer yet when its time was up, after 5 s"


async def test_a_global_deadline_below_the_source_s_own_cuts_it_off_d04_a10():
    rig = Rig()
    outcome = failure(await rig.execute(rig.script(lasting(0.3)), within=0.1))
    assert outcome.kind == "timeout"
    assert outcome.duration == pytest.approx(0.1)


async def test_a_timeout_keeps_its_attempts_and_duration_d06():
    rig = Rig()
    outcome = failure(await rig.execute(rig.script(lasting(1, DOWN), lasting(1, DOWN), lasting(100)), timeout=20))
    assert (outcome.kind, outcome.attempts, outcome.duration) == ("timeout", 3, 20)


@pytest.mark.pair("retry", "attempt timeout")
async def test_an_attempt_that_reaches_its_own_limit_is_an_ordinary_failure_and_retried():
    rig = Rig()
    script = rig.script(lasting(100), "data")
    assert success(await rig.execute(script, attempt_timeout=2)).attempts == 2
    assert script.calls == [0, 3]
    finished = rig.told(AttemptFinished)[0]
    assert (finished.kind, finished.verdict, finished.duration) == ("timeout", Verdict.FAILURE, 2)


@pytest.mark.pair("deadline", "attempt timeout")
async def test_attempts_that_all_reach_their_limit_end_within_the_source_s_timeout_a02():
    rig = Rig()
    script = rig.script(lasting(100))
    executed = await rig.execute(script, attempt_timeout=4, timeout=12)
    outcome = failure(executed)
    assert script.calls == [0, 5, 11]
    assert (outcome.kind, outcome.attempts, outcome.duration) == ("timeout", 3, 12)
    assert executed.verdict is Verdict.FAILURE


@pytest.mark.pair("deadline", "retry")
async def test_a_retry_never_outlives_the_source_s_timeout_a02():
    rig = Rig()
    outcome = failure(await rig.execute(rig.script(lasting(1, DOWN), lasting(100)), timeout=6))
    assert (outcome.kind, outcome.duration) == ("timeout", 6)


async def test_a_timeout_that_the_fetcher_raises_itself_is_retried():
    rig = Rig()

    async def own_limit(_ctx: object) -> None:
        async with asyncio.timeout(1):
            await asyncio.sleep(100)

    assert success(await rig.execute(rig.script(own_limit, "data"))).attempts == 2


async def test_cut_before_its_own_time_was_up_nothing_is_said_against_the_source_a07_a17():
    rig = Rig()
    for _ in range(10):
        executed = await rig.execute(rig.script(lasting(100)), timeout=30, within=20)
        assert failure(executed).kind == "timeout"
        assert executed.verdict is Verdict.RELEASED
        assert executed.cut_short == CutShort(after=20, timeout=30)
    assert rig.breaker.state == "closed"
    assert {event.verdict for event in rig.told(AttemptFinished)} == {Verdict.RELEASED}


@pytest.mark.parametrize("within", [None, 30, 40])
async def test_cut_after_its_own_whole_time_counts_against_the_source_a07(within: float | None):
    rig = Rig()
    for _ in range(5):
        executed = await rig.execute(rig.script(lasting(100)), timeout=30, within=within)
        assert (executed.verdict, executed.cut_short) == (Verdict.FAILURE, None)
    assert rig.breaker.state == "open"


async def test_a_real_error_counts_even_where_the_run_s_deadline_left_no_time_for_a_retry_a07():
    rig = Rig()
    executed = await rig.execute(rig.script(lasting(1, DOWN)), within=1.5)
    assert (failure(executed).error, executed.verdict) == (DOWN, Verdict.FAILURE)


async def test_its_whole_time_is_counted_over_all_attempts_and_not_from_the_last_a07():
    rig = Rig()
    script = rig.script(lasting(1, DOWN), lasting(100))
    assert (await rig.execute(script, timeout=10)).verdict is Verdict.FAILURE


async def test_the_grace_of_a_swallowing_fetcher_is_no_part_of_the_time_it_was_given_a07_a24():
    rig = Rig()
    executed = await rig.execute(swallowing, timeout=10, within=9.5)
    assert (failure(executed).duration, executed.verdict) == (10.5, Verdict.RELEASED)


async def test_a_source_whose_time_is_up_before_it_begins_is_skipped_a10():
    rig = Rig()
    script = rig.script("data")
    deadline = Deadline.after(rig.clock, 0)
    executed = await rig.execute(script, deadline=deadline)
    assert (skipped(executed).reason, executed.verdict) == ("deadline", Verdict.RELEASED)
    assert script.calls == []
    assert rig.events == []


async def test_a_deadline_put_off_gives_the_attempt_in_flight_more_time():
    rig = Rig()
    deadline = Deadline.after(rig.clock, 2)
    asyncio.get_running_loop().call_later(1, deadline.put_off, 10.0)
    outcome = success(await rig.execute(rig.script(lasting(5)), deadline=deadline))
    assert outcome.duration == 5


async def test_a_deadline_put_off_still_holds_at_its_later_moment():
    rig = Rig()
    deadline = Deadline.after(rig.clock, 2)
    asyncio.get_running_loop().call_later(1, deadline.put_off, 4.0)
    executed = await rig.execute(rig.script(lasting(5)), deadline=deadline)
    assert (failure(executed).duration, executed.verdict) == (4, Verdict.RELEASED)


async def test_a_deadline_put_off_does_not_lengthen_an_attempt_s_own_limit():
    rig = Rig()
    deadline = Deadline.after(rig.clock, 2)
    asyncio.get_running_loop().call_later(1, deadline.put_off, 20.0)
    outcome = failure(await rig.execute(rig.script(lasting(9)), deadline=deadline, attempt_timeout=3, retries=0))
    assert (outcome.duration, str(outcome.error)) == (3, "no answer within 3 s")


async def test_an_answer_that_comes_in_the_last_moment_is_an_answer():
    rig = Rig()
    just_in_time = 5 - 5e-7  # the same turn of the loop as the limit, and before it
    executed = await rig.execute(rig.script(lasting(just_in_time)), timeout=5)
    assert (success(executed).data, executed.verdict) == ("data", Verdict.SUCCESS)
