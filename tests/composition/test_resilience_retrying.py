"""Retry at the level of a guarded call, and beside breaker, budget and deadline."""

import asyncio
import logging
from datetime import timedelta
from email.utils import format_datetime

import httpx
import pytest
from test_resilience_rig import PLAIN, Rig, failure, lasting, skipped, success

from data_source_orchestrator.core.clock import system_chance
from data_source_orchestrator.core.deadline import Deadline
from data_source_orchestrator.core.errors import FetchError
from data_source_orchestrator.core.events import AttemptFinished, AttemptStarted, RetryScheduled
from data_source_orchestrator.core.policies import BudgetPolicy, HedgePolicy, RetryConfig
from data_source_orchestrator.core.verdicts import FailureKind, Verdict
from data_source_orchestrator.resilience.budget import RetryBudget
from data_source_orchestrator.resilience.retry import Retry

DOWN = ConnectionError("refused")


def limited(retry_after: float) -> FetchError:
    return FetchError("rate_limited", "slow down", retry_after=retry_after)


async def test_the_first_attempt_is_made_at_once_and_the_others_after_1_2_4_seconds_b03():
    rig = Rig()
    script = rig.script(DOWN)
    await rig.execute(script, retries=5)
    assert script.calls == pytest.approx([0, 1, 3, 7, 15, 25])


async def test_always_failing_with_two_retries_makes_three_calls_b04():
    rig = Rig()
    script = rig.script(DOWN)
    outcome = failure(await rig.execute(script, retries=2))
    assert len(script.calls) == 3
    assert (outcome.kind, outcome.error, outcome.attempts, outcome.duration) == ("connection", DOWN, 3, 3.0)


async def test_failing_twice_and_then_succeeding_with_three_retries_makes_three_calls_b04():
    rig = Rig()
    script = rig.script(DOWN, DOWN, "data")
    executed = await rig.execute(script, retries=3)
    assert (success(executed).data, success(executed).attempts, len(script.calls)) == ("data", 3, 3)
    assert executed.verdict is Verdict.SUCCESS


async def test_no_retries_means_one_call_d25():
    rig = Rig()
    script = rig.script(DOWN)
    assert failure(await rig.execute(script, retries=0)).attempts == 1
    assert len(script.calls) == 1


async def test_a_run_that_begins_too_late_asks_nobody_and_says_so():
    rig = Rig()
    script = rig.script("data")
    late = skipped(await rig.execute(script, within=0))
    assert (late.reason, late.detail) == ("deadline", "not asked because its time was up before it could begin")
    assert script.calls == []


@pytest.mark.parametrize("hedge", [None, HedgePolicy(delay=5)])
async def test_the_budget_of_a_run_pays_for_retries_too_and_a_success_gives_back_to_both(hedge: HedgePolicy | None):
    rig = Rig(budget=BudgetPolicy(tokens=50), hedge=hedge)
    of_the_run = RetryBudget(BudgetPolicy(tokens=20))
    await rig.guard.run(rig.wanted(rig.script(DOWN, DOWN, lasting(9))), Retry(PLAIN, 3), of_the_run)
    spent = 2 * 5 - 1 if hedge is None else 2 * 5 + 5 - 1
    assert (rig.budget.tokens, of_the_run.tokens) == (50 - spent, 20 - spent)


async def test_a_constant_back_off_waits_the_same_every_time_b08():
    rig = Rig()
    script = rig.script(DOWN)
    await rig.execute(script, retry=RetryConfig(jitter=False, exponential_backoff=False, base_delay=2))
    assert script.calls == [0, 2, 4, 6]


async def test_jitter_is_on_by_default_and_never_goes_beyond_the_cap_d41():
    rig = Rig(chance=system_chance(7))
    script = rig.script(DOWN)
    await rig.execute(script, retries=9, retry=RetryConfig(max_delay=3), timeout=60)
    waits = [event.delay for event in rig.told(RetryScheduled)]
    assert len(waits) == 9
    assert waits[:2] != [1, 2]
    assert all(0.75 <= wait <= 3 for wait in waits)


@pytest.mark.parametrize(
    "error",
    [
        FetchError("client", "404 not found"),
        FetchError("blocked", "a challenge page"),
        FetchError("content", "no list"),
        TypeError("no"),
        KeyError("weapons"),
    ],
    ids=repr,
)
async def test_what_another_attempt_cannot_mend_is_not_tried_again_d42_d09(error: Exception):
    rig = Rig()
    script = rig.script(error)
    outcome = failure(await rig.execute(script))
    assert (outcome.attempts, len(script.calls), outcome.duration) == (1, 1, 0)


async def test_a_library_s_404_is_not_retried_and_its_503_is_d42():
    def status(code: int) -> Exception:
        request = httpx.Request("GET", "http://a.example")
        return httpx.HTTPStatusError("no", request=request, response=httpx.Response(code, request=request))

    rig = Rig()
    assert failure(await rig.execute(rig.script(status(404)))).attempts == 1
    assert success(await rig.execute(rig.script(status(503), "data"))).attempts == 2


async def test_a_retry_waits_until_the_hour_that_an_upstream_names():
    rig = Rig()
    request = httpx.Request("GET", "http://a.example")
    until = format_datetime(rig.clock.now().replace(microsecond=0) + timedelta(seconds=20), usegmt=True)
    answer = httpx.Response(503, headers={"Retry-After": until}, request=request)
    script = rig.script(httpx.HTTPStatusError("no", request=request, response=answer), "data")
    assert success(await rig.execute(script)).data == "data"
    assert script.calls == pytest.approx([0, 20], abs=1)


async def test_a_bug_is_told_in_the_log_with_its_traceback_d09(caplog: pytest.LogCaptureFixture):
    rig = Rig()
    with caplog.at_level(logging.ERROR, "data_source_orchestrator"):
        outcome = failure(await rig.execute(rig.script(TypeError("no such thing"))))
    assert outcome.kind is FailureKind.BUG
    assert len(caplog.records) == 1
    assert "prices" in caplog.text
    assert "Traceback" in caplog.text
    assert "TypeError: no such thing" in caplog.text


async def test_an_ordinary_failure_is_not_told_in_the_log(caplog: pytest.LogCaptureFixture):
    rig = Rig()
    await rig.execute(rig.script(DOWN))
    assert caplog.records == []


async def test_the_upstream_s_wait_is_kept_exactly_without_jitter_and_beyond_our_cap_d42():
    rig = Rig(chance=system_chance(7))
    script = rig.script(limited(17.25), "data")
    await rig.execute(script, retry=RetryConfig(max_delay=2), timeout=60)
    assert script.calls[1] == pytest.approx(17.25)
    assert script.calls[1] >= 17.25 - 1e-9
    assert [event.delay for event in rig.told(RetryScheduled)] == [17.25]


async def test_a_wait_asked_beyond_the_deadline_fails_at_once_with_the_reason_a02():
    rig = Rig()
    script = rig.script(lasting(18, limited(60)))
    executed = await rig.execute(script, timeout=30)
    outcome = failure(executed)
    assert (outcome.kind, outcome.duration, len(script.calls)) == ("rate_limited", 18, 1)
    assert outcome.warnings == ("not tried again: the upstream asked to wait 60 s, and 12 s were left",)
    assert executed.verdict is Verdict.FAILURE


async def test_a_negative_wait_means_do_not_retry():
    rig = Rig()
    script = rig.script(limited(-1))
    assert failure(await rig.execute(script)).attempts == 1


@pytest.mark.pair("deadline", "retry")
async def test_a_back_off_that_cannot_end_in_time_fails_at_once_with_the_last_real_error_a02():
    rig = Rig()
    script = rig.script(lasting(1, ConnectionError("first")), lasting(1, ConnectionError("second")))
    outcome = failure(await rig.execute(script, timeout=4.5))
    assert str(outcome.error) == "second"
    assert (outcome.attempts, outcome.duration) == (2, 3)
    assert outcome.warnings == ("not tried again: the next attempt was due in 2 s, and 1.5 s were left",)


async def test_a_deadline_put_off_meanwhile_makes_room_for_a_retry():
    rig = Rig()
    deadline = Deadline.after(rig.clock, 1.5)
    asyncio.get_running_loop().call_later(1, deadline.put_off, 30.0)
    script = rig.script(lasting(1.25, DOWN), "data")
    assert success(await rig.execute(script, deadline=deadline)).attempts == 2
    assert script.calls == [0, 2.25]


async def test_an_attempt_cut_by_a_deadline_that_is_then_put_off_may_be_repeated():
    rig = Rig()
    deadline = Deadline.after(rig.clock, 2)

    async def slow_to_end(_ctx: object) -> None:
        try:
            await asyncio.sleep(100)
        finally:
            await asyncio.sleep(0.5)

    asyncio.get_running_loop().call_later(2.25, deadline.put_off, 30.0)
    script = rig.script(slow_to_end, "data")
    assert success(await rig.execute(script, deadline=deadline)).attempts == 2
    assert script.calls == [0, 3.5]


async def test_an_event_loop_held_up_during_a_wait_does_not_lead_to_an_attempt_without_time():
    class Oversleeping:
        def __init__(self, rig: Rig) -> None:
            self.now = rig.clock.now
            self.monotonic = rig.clock.monotonic
            self.call_later = rig.clock.call_later

        async def sleep(self, seconds: float) -> None:
            await asyncio.sleep(seconds + 40)

    rig = Rig(Oversleeping(Rig()))
    script = rig.script(DOWN)
    outcome = failure(await rig.execute(script))
    assert (len(script.calls), outcome.error) == (1, DOWN)


@pytest.mark.pair("retry", "budget")
async def test_a_spent_budget_stops_with_the_last_real_error_and_a_warning_a19():
    rig = Rig(budget=BudgetPolicy(tokens=10))
    script = rig.script(DOWN)
    outcome = failure(await rig.execute(script, retries=5))
    assert (len(script.calls), outcome.attempts, outcome.error) == (3, 3, DOWN)
    assert outcome.warnings == ("not tried again: this source's retry budget is spent, and only successes refill it",)
    assert rig.budget.refusals == 1


@pytest.mark.pair("budget", "attempt timeout")
async def test_a_retry_after_a_timeout_costs_twice_as_much():
    rig = Rig()
    await rig.execute(rig.script(lasting(9), "data"), attempt_timeout=1)
    assert rig.budget.tokens == 500 - 10 + 1


async def test_a_success_pays_back_into_the_budget():
    rig = Rig(budget=BudgetPolicy(tokens=10))
    await rig.execute(rig.script(DOWN, "data"))
    assert rig.budget.tokens == 6


@pytest.mark.pair("deadline", "budget")
async def test_nothing_is_spent_on_a_retry_that_is_not_made():
    rig = Rig()
    await rig.execute(rig.script(limited(60)), timeout=30)
    await rig.execute(rig.script(FetchError("client")))
    await rig.execute(rig.script(DOWN), retries=0)
    assert rig.budget.tokens == 500


@pytest.mark.pair("retry", "breaker")
async def test_five_failed_executions_trip_the_breaker_however_many_attempts_they_took_a07():
    rig = Rig()
    for _ in range(4):
        await rig.execute(rig.script(DOWN), retries=3)
    assert rig.breaker.state == "closed"
    await rig.execute(rig.script(DOWN), retries=0)
    assert rig.breaker.state == "open"


@pytest.mark.pair("retry", "breaker")
async def test_a_half_open_breaker_s_single_attempt_is_not_retried_a07():
    rig = Rig()
    await rig.trip()
    await asyncio.sleep(31)
    script = rig.script(DOWN)
    executed = await rig.execute(script, retries=3)
    assert (len(script.calls), failure(executed).attempts, executed.probe) == (1, 1, True)
    assert (failure(executed).duration, rig.budget.tokens, rig.told(RetryScheduled)) == (0, 500, [])
    assert rig.breaker.state == "open"


async def test_a_breaker_that_opens_between_two_attempts_leaves_the_last_real_error():
    rig = Rig()
    script = rig.script(DOWN)
    waiting = asyncio.ensure_future(rig.execute(script, retries=3))
    await asyncio.sleep(0.5)
    await rig.trip()
    executed = await waiting
    assert (len(script.calls), failure(executed).error) == (1, DOWN)
    assert failure(executed).warnings == ("not tried again: its circuit breaker opened meanwhile",)


async def test_every_attempt_and_every_wait_is_told_in_order():
    rig = Rig()
    await rig.execute(rig.script(lasting(0.5, DOWN), lasting(0.25)))
    told = [(type(event).__name__, getattr(event, "attempt", None)) for event in rig.events]
    assert told == [
        ("AttemptStarted", 1),
        ("AttemptFinished", 1),
        ("RetryScheduled", 2),
        ("AttemptStarted", 2),
        ("AttemptFinished", 2),
    ]
    assert [event.duration for event in rig.told(AttemptFinished)] == [0.5, 0.25]
    assert [(event.verdict, event.kind) for event in rig.told(AttemptFinished)] == [
        ("failure", "connection"),
        ("success", None),
    ]
    assert (rig.told(RetryScheduled)[0].delay, rig.told(RetryScheduled)[0].kind) == (1, "connection")
    assert {event.source for event in rig.told(AttemptStarted)} == {"prices"}


async def test_latency_is_the_successful_attempt_alone_and_duration_the_whole_a06():
    rig = Rig()
    outcome = success(await rig.execute(rig.script(lasting(2, DOWN), lasting(0.25))))
    assert (outcome.latency, outcome.duration) == (0.25, 3.25)


async def test_warnings_are_those_of_the_last_attempt():
    rig = Rig()

    async def noisy(ctx: object) -> object:
        ctx.warn(message=f"attempt {ctx.attempt}")  # type: ignore[attr-defined]  # a FetchContext
        if ctx.attempt == 1:  # type: ignore[attr-defined]  # the same
            raise DOWN
        return "data"

    assert success(await rig.execute(rig.script(noisy), retry=PLAIN)).warnings == ("attempt 2",)
