"""A slow call is joined by a second one: who wins, what becomes of the other, and what is left behind."""

import asyncio

import pytest
from test_resilience_hedge_rig import (
    FATAL,
    PUSHED_BACK,
    SUCCESS,
    TIMED_OUT,
    TRANSIENT,
    Ended,
    Line,
    Rig,
    failed,
    nothing_is_left,
    others,
)
from test_resilience_rig import PLAIN, lasting, swallowing
from test_resilience_rig import Rig as GuardRig
from test_resilience_rig import success as outcome_of

from data_source_orchestrator.core.context import FetchContext
from data_source_orchestrator.core.deadline import Deadline
from data_source_orchestrator.core.errors import FetchError
from data_source_orchestrator.core.events import AttemptFinished, BudgetRefused, CallHedged
from data_source_orchestrator.core.outcome import Failure
from data_source_orchestrator.core.policies import (
    BreakerPolicy,
    BudgetPolicy,
    ConcurrencyPolicy,
    HedgePolicy,
    LimitPolicy,
    Purpose,
)
from data_source_orchestrator.core.verdicts import Verdict
from data_source_orchestrator.resilience.budget import JointBudget, RetryBudget
from data_source_orchestrator.resilience.limits import Limits, scope_of
from data_source_orchestrator.resilience.race import better
from data_source_orchestrator.resilience.retry import Retry
from data_source_orchestrator.testing import VirtualTimeLoop


async def test_a_call_that_answers_before_the_delay_makes_no_task_and_leaves_no_timer():
    rig = Rig(Line(0.9))
    tasks: list[int] = []
    asyncio.get_running_loop().call_later(0.5, lambda: tasks.append(len(asyncio.all_tasks())))
    assert (await rig.run()).result is SUCCESS
    assert tasks == [1]
    assert (rig.calls, rig.hedged, rig.budget.tokens) == ([(1, 0.0)], [], 500)
    assert nothing_is_left(rig)


async def test_a_slow_call_is_joined_when_the_delay_has_passed_and_the_faster_second_wins():
    rig = Rig(Line(9), Line(0.5))
    ended = await rig.run()
    assert (ended.number, rig.now) == (2, 1.5)
    assert rig.calls == [(1, 0.0), (2, 1.0)]
    assert rig.hedged == [1.0]
    assert (rig.lost, rig.cancelled) == ([1], [1])
    assert rig.budget.tokens == 495
    assert nothing_is_left(rig)


async def test_the_first_may_still_win_and_the_second_is_cancelled():
    rig = Rig(Line(2), Line(9))
    ended = await rig.run()
    assert (ended.number, rig.now) == (1, 2.0)
    assert (rig.lost, rig.cancelled) == ([2], [2])
    assert nothing_is_left(rig)


async def test_there_is_never_a_third_call():
    rig = Rig(Line(50, TRANSIENT), Line(60, TRANSIENT))
    await rig.run()
    assert [number for number, _ in rig.calls] == [1, 2]


async def test_the_loser_is_censored_for_as_long_as_it_lasted_and_is_no_success_and_no_failure():
    rig = Rig(Line(9), Line(0.5))
    await rig.run()
    assert [seconds for seconds, _ in rig.latencies._censored] == [1.5]
    assert len(rig.latencies) == 1
    assert rig.latencies.quantile(0.5) == 0.5
    rig = Rig(Line(2), Line(9))
    await rig.run()
    assert [seconds for seconds, _ in rig.latencies._censored] == [1.0]


async def test_a_call_that_timed_out_is_censored_too():
    rig = Rig(Line(0.8, TIMED_OUT), Line(0.1))
    await rig.run()
    assert [seconds for seconds, _ in rig.latencies._censored] == [0.8]


async def test_a_loser_that_will_not_end_is_waited_for_and_its_late_answer_is_not_learned():
    rig = Rig(Line(9, stubborn=3, late=SUCCESS), Line(0.5))
    ended = await rig.run()
    assert (ended.number, rig.now, len(rig.latencies)) == (2, 4.5, 1)
    assert nothing_is_left(rig)
    rig = Rig(Line(2), Line(9, stubborn=3, late=SUCCESS))
    began = rig.now
    assert (await rig.run()).number == 1
    assert (rig.now - began, len(rig.latencies)) == (5.0, 1)
    assert nothing_is_left(rig)


async def test_a_fatal_failure_of_the_first_is_returned_at_once():
    rig = Rig(Line(0.2, FATAL), Line(0.1))
    assert (await rig.run()).result is FATAL
    assert (rig.now, len(rig.calls)) == (0.2, 1)
    rig = Rig(Line(2, FATAL), Line(9))
    assert (await rig.run()).result is FATAL
    assert rig.lost == [2]
    assert nothing_is_left(rig)


async def test_a_fatal_failure_of_the_second_cancels_the_first():
    rig = Rig(Line(9), Line(0.5, FATAL))
    assert (await rig.run()).result is FATAL
    assert (rig.now, rig.lost, rig.cancelled) == (1.5, [1], [1])
    assert nothing_is_left(rig)


async def test_a_transient_failure_of_the_first_starts_the_second_at_once_and_without_a_task():
    rig = Rig(Line(0.3, TRANSIENT), Line(0.5))
    tasks: list[int] = []
    asyncio.get_running_loop().call_later(0.4, lambda: tasks.append(len(asyncio.all_tasks())))
    assert (await rig.run()).number == 2
    assert (rig.now, tasks, rig.hedged) == (0.8, [1], [0.3])
    assert rig.budget.tokens == 495
    assert nothing_is_left(rig)


async def test_a_transient_failure_of_the_second_leaves_the_first_its_time():
    rig = Rig(Line(4), Line(0.5, TRANSIENT))
    assert (await rig.run()).result is SUCCESS
    assert (rig.now, rig.lost) == (4.0, [])
    assert nothing_is_left(rig)


async def test_a_first_that_fails_beside_a_running_second_waits_for_it(caplog: pytest.LogCaptureFixture):
    rig = Rig(Line(2, TRANSIENT), Line(5))
    assert (await rig.run()).number == 2
    assert (rig.now, rig.lost, rig.cancelled) == (6.0, [], [])
    assert caplog.records == []


async def test_all_times_are_counted_from_the_call_on():
    rig = Rig(Line(9), Line(0.5))
    await asyncio.sleep(100)
    await rig.run()
    assert rig.hedged == [1.0]
    assert [seconds for seconds, _ in rig.latencies._censored] == [1.5]


async def test_an_upstream_that_asks_to_wait_is_not_asked_again_at_once():
    rig = Rig(Line(0.3, PUSHED_BACK), Line(0.5))
    assert (await rig.run()).result is PUSHED_BACK
    assert len(rig.calls) == 1


async def test_without_tokens_there_is_no_second_call_and_one_refusal():
    rig = Rig(Line(9, TRANSIENT), Line(0.5), tokens=4)
    assert (await rig.run()).number == 1
    assert (len(rig.calls), rig.budget.refused(Purpose.HEDGE), rig.now) == (1, 1, 9.0)
    assert nothing_is_left(rig)


async def test_a_budget_of_the_run_may_pay_beside_the_sources():
    rig = Rig(Line(9), Line(0.5))
    poor = RetryBudget(BudgetPolicy(tokens=0))
    ended = await rig.hedge.run(rig.call, deadline=Deadline.after(rig.clock, 100), budget=JointBudget(rig.budget, poor))
    assert ended.number == 1
    assert (rig.budget.tokens, poor.refusals) == (500, 1)


async def test_no_second_call_begins_when_the_deadline_has_passed():
    rig = Rig(Line(3), Line(0.5))
    assert (await rig.run(within=1)).number == 1
    rig = Rig(Line(0.9, TRANSIENT), Line(0.5))
    assert (await rig.run(within=0.9)).number == 1
    assert rig.budget.tokens == 500


async def test_until_enough_successes_were_seen_nothing_is_hedged():
    rig = Rig(Line(5), Line(0.1), policy=HedgePolicy(minimum_samples=3))
    for _ in range(2):
        rig.latencies.observe(0.2)
    before = rig.hedge.delay
    assert before is None
    assert (await rig.run()).number == 1
    assert (len(rig.latencies), rig.hedge.delay) == (3, 5.0)


async def test_the_delay_is_the_live_quantile_and_never_below_the_least():
    rig = Rig(Line(5), Line(0.1), policy=HedgePolicy(minimum_samples=3))
    for _ in range(20):
        rig.latencies.observe(0.2)
    assert (await rig.run()).number == 2
    assert rig.calls == [(1, 0.0), (2, 0.2)]
    for _ in range(100):
        rig.latencies.observe(0.0)
    assert rig.hedge.delay == 0.001


async def test_a_delay_of_nothing_starts_both_at_once():
    rig = Rig(Line(2), Line(1), policy=HedgePolicy(delay=0))
    assert (await rig.run()).number == 2
    assert rig.calls == [(1, 0.0), (2, 0.0)]


@pytest.mark.parametrize("moment", [0.5, 1.2])
async def test_a_cancellation_from_outside_ends_both_and_passes(moment: float):
    rig = Rig(Line(9, stubborn=0.5), Line(9, stubborn=2))
    task = asyncio.create_task(rig.run())
    await asyncio.sleep(moment)
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()
    assert (rig.lost, len(rig.latencies._censored)) == ([], 0)
    assert sorted(rig.cancelled) == [number for number, _ in rig.calls]
    assert nothing_is_left(rig)


async def test_a_cancellation_while_the_second_runs_alone_passes():
    rig = Rig(Line(2, TRANSIENT), Line(9, stubborn=1, late=SUCCESS))
    task = asyncio.create_task(rig.run())
    await asyncio.sleep(3)
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()
    assert rig.now == 4.0
    assert nothing_is_left(rig)


async def test_a_cancellation_from_outside_is_not_mistaken_for_the_seconds_victory():
    """The first is being ended from outside, and takes its time, when the second succeeds."""
    rig = Rig(Line(9, stubborn=2), Line(1))
    task = asyncio.create_task(rig.run())
    await asyncio.sleep(1.5)
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()
    assert rig.cancelled == [1]
    assert rig.now == 3.5
    assert nothing_is_left(rig)


async def test_a_cancellation_from_outside_passes_while_the_loser_takes_its_time():
    rig = Rig(Line(9, stubborn=2), Line(0.5))
    task = asyncio.create_task(rig.run())
    await asyncio.sleep(2)
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()
    rig = Rig(Line(2), Line(9, stubborn=2))
    task = asyncio.create_task(rig.run())
    await asyncio.sleep(2.5)
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()
    assert nothing_is_left(rig)


async def test_a_time_limit_around_it_works_as_around_anything():
    rig = Rig(Line(9), Line(9))
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(3):
            await rig.run()
    assert rig.now == 3
    assert nothing_is_left(rig)


async def test_a_time_limit_around_a_hedge_that_has_decided_is_not_reached_later():
    rig = Rig(Line(9), Line(0.5))
    async with asyncio.timeout(5):
        assert (await rig.run()).number == 2
        await asyncio.sleep(1)
    assert nothing_is_left(rig)


@pytest.mark.parametrize("number", [1, 2])
async def test_what_a_call_raises_passes_and_the_other_is_ended(number: int):
    lines = [Line(9), Line(9)]
    lines[number - 1] = Line(2, RuntimeError("out"))
    rig = Rig(*lines)
    with pytest.raises(RuntimeError, match="out"):
        await rig.run()
    assert rig.cancelled == [3 - number]
    assert nothing_is_left(rig)


async def test_what_a_loser_raises_as_it_ends_is_not_lost():
    rig = Rig(Line(2), Line(9))

    async def call(number: int) -> Ended:
        try:
            return await rig.call(number)
        except asyncio.CancelledError:
            raise KeyError from None

    with pytest.raises(KeyError):
        await rig.hedge.run(call, deadline=Deadline.after(rig.clock, 100))
    assert nothing_is_left(rig)


async def test_a_second_that_somebody_else_cancels_leaves_the_first_alone():
    rig = Rig(Line(3, TRANSIENT), Line(9))
    running = asyncio.create_task(rig.run())
    await asyncio.sleep(1.5)
    [extra] = others() - {running}
    extra.cancel()
    assert (await running).result is TRANSIENT
    assert (rig.now, rig.lost) == (3.0, [])


async def test_a_hedged_call_that_is_thrown_away_takes_its_second_with_it():
    rig = Rig(Line(9), Line(9))
    thrown_away = rig.run()
    thrown_away.send(None)  # this test's own task begins it, as a generator that is then closed would
    await asyncio.sleep(2)
    thrown_away.close()
    await asyncio.sleep(0)
    assert rig.cancelled == [2]
    assert nothing_is_left(rig)


def test_a_hedged_call_that_is_thrown_away_after_its_loop_was_closed_raises_nothing():
    rig = Rig(Line(9), Line(9))
    thrown_away = rig.run()

    async def begin() -> None:
        thrown_away.send(None)
        await asyncio.sleep(2)

    loop = VirtualTimeLoop()
    loop.run_until_complete(begin())
    loop.close()
    thrown_away.close()


async def test_a_hedged_call_outside_of_any_task_is_refused_with_what_to_do():
    rig = Rig(Line(9), Line(9))
    told: list[str] = []

    def begin() -> None:
        with pytest.raises(RuntimeError) as caught:
            rig.run().send(None)
        told.append(str(caught.value))

    asyncio.get_running_loop().call_soon(begin)
    await asyncio.sleep(1)
    assert told == ["a hedged call is made inside a task; await it from a coroutine that asyncio runs"]
    assert nothing_is_left(rig)


async def test_many_hedged_calls_at_once_leave_nothing_behind():
    rig = Rig(Line(9), Line(0.5))
    await asyncio.gather(*(rig.run() for _ in range(50)))
    assert rig.lost == [1] * 50
    assert rig.budget.tokens == 250
    assert nothing_is_left(rig)


@pytest.mark.parametrize(
    ("first", "second", "told"),
    [
        (TRANSIENT, failed("connection"), 1),
        (TIMED_OUT, TRANSIENT, 2),
        (TRANSIENT, TIMED_OUT, 1),
        (TRANSIENT, PUSHED_BACK, 2),
        (TRANSIENT, failed("rate_limited", retry_after=0.5), 2),
        (PUSHED_BACK, failed("rate_limited", retry_after=8.0), 2),
        (PUSHED_BACK, FATAL, 2),
        (FATAL, SUCCESS, 2),
        (SUCCESS, TRANSIENT, 1),
    ],
)
async def test_of_two_failures_the_one_that_tells_more_is_returned(first: object, second: object, told: int):
    rig = Rig(Line(1, first), Line(1, second))  # type: ignore[arg-type]  # results all
    assert better(await rig.call(1), await rig.call(2)).number == told


async def test_a_failure_that_says_nothing_about_the_source_tells_least():
    rig = Rig(Line(1, failed("client", retryable=False), Verdict.RELEASED), Line(1, TIMED_OUT))
    assert better(await rig.call(1), await rig.call(2)).number == 2


SLOW = lasting(10, "slow")


async def test_a_guarded_attempt_that_lasts_is_joined_by_a_second_and_the_first_answer_counts():
    rig = GuardRig(hedge=HedgePolicy(delay=1))
    script = rig.script(SLOW, lasting(0.5, "quick"))
    executed = await rig.execute(script)
    assert (outcome_of(executed).data, outcome_of(executed).duration, script.calls) == ("quick", 1.5, [0, 1])
    assert [event.verdict for event in rig.told(AttemptFinished)] == [Verdict.SUCCESS, Verdict.CENSORED]
    assert (rig.breaker.statistics.censored, rig.budget.tokens) == (1, 496)
    assert [event.after for event in rig.told(CallHedged)] == [1]


async def test_a_second_that_the_breaker_no_longer_lets_through_leaves_the_first_alone():
    rig = GuardRig(hedge=HedgePolicy(delay=1), breaker=BreakerPolicy(failures=1))
    script = rig.script(lasting(3, "slow"))
    slow = asyncio.ensure_future(rig.execute(script))
    await asyncio.sleep(0.5)
    await rig.trip()
    executed = await slow
    assert (outcome_of(executed).data, outcome_of(executed).attempts, len(script.calls)) == ("slow", 1, 1)


async def test_of_a_first_that_fails_and_a_second_that_is_not_let_through_the_first_is_told():
    rig = GuardRig(hedge=HedgePolicy(delay=9), breaker=BreakerPolicy(attempt_failures=1))
    executed = await rig.execute(rig.script(ConnectionError("down")), retries=0)
    assert isinstance(executed.outcome, Failure)
    assert (executed.outcome.kind, executed.outcome.attempts, executed.verdict) == ("connection", 1, Verdict.FAILURE)


async def test_a_hedged_fetcher_hears_how_what_it_waits_for_went_wrong():
    rig = GuardRig(hedge=HedgePolicy(delay=5))
    loop = asyncio.get_running_loop()
    waited_for: asyncio.Future[None] = loop.create_future()
    loop.call_later(1, waited_for.set_exception, ConnectionError("down"))

    async def fetch() -> str:
        try:
            await waited_for
        except ConnectionError as error:
            return str(error)
        return "data"

    assert outcome_of(await rig.execute(fetch)).data == "down"


async def test_what_was_learnt_of_latencies_stays_under_another_policy():
    rig = GuardRig(hedge=HedgePolicy(delay=1))
    assert rig.guard.hedge is not None
    learnt = rig.guard.hedge.latencies
    rig.guard.hedge_by(HedgePolicy(delay=2))
    assert rig.guard.hedge.latencies is learnt


async def test_a_second_call_is_given_up_as_soon_as_its_caller_leaves_though_the_first_takes_its_time():
    rig = GuardRig(hedge=HedgePolicy(delay=1))
    ended: list[tuple[int, float]] = []

    async def fetch(ctx: FetchContext) -> None:
        try:
            await asyncio.sleep(100)
        finally:
            ended.append((ctx.attempt, rig.clock.monotonic()))
            await asyncio.sleep(0.5)

    run = asyncio.ensure_future(rig.execute(fetch))
    await asyncio.sleep(2)
    run.cancel()
    await asyncio.wait([run])
    assert ended == [(1, 2), (2, 2)]
    assert rig.clock.monotonic() == 2.5


async def test_nothing_is_learnt_of_a_second_call_that_was_given_up_and_answers_all_the_same():
    rig = GuardRig(hedge=HedgePolicy(delay=1))

    async def fetch(_ctx: FetchContext) -> str:
        try:
            await asyncio.sleep(100)
        except asyncio.CancelledError:
            await asyncio.sleep(0.25)
        return "data"

    run = asyncio.ensure_future(rig.execute(fetch))
    await asyncio.sleep(2)
    run.cancel()
    await asyncio.wait([run])
    assert rig.guard.hedge is not None
    assert len(rig.guard.hedge.latencies) == 0


async def test_no_second_call_begins_while_the_first_ends_whose_caller_has_left():
    rig = GuardRig(hedge=HedgePolicy(delay=1))
    begun: list[int] = []

    async def fetch(ctx: FetchContext) -> None:
        begun.append(ctx.attempt)
        try:
            await asyncio.sleep(100)
        finally:
            await asyncio.sleep(0.75)

    run = asyncio.ensure_future(rig.execute(fetch))
    await asyncio.sleep(0.5)
    run.cancel()
    await asyncio.wait([run])
    assert begun == [1]
    assert rig.budget.tokens == 500


LATER = FetchError("rate_limited", retry_after=60)


@pytest.mark.parametrize(
    ("error", "one_at_once", "told"),
    [(LATER, True, LATER), (LATER, False, "quick"), (ConnectionError("down"), True, "quick")],
    ids=["in line", "under way", "in line, but the first was not told to wait"],
)
async def test_a_second_call_that_stands_in_line_is_given_up_where_the_first_is_told_when_to_come_back(
    error: Exception, one_at_once: bool, told: object
):
    rig = GuardRig(hedge=HedgePolicy(delay=1))
    if one_at_once:
        scope = scope_of("prices", LimitPolicy(concurrency=ConcurrencyPolicy(limit=1)), rig.clock)
        rig.guard.limit_by(Limits([scope]), None)
    script = rig.script(lasting(2, error), lasting(3, "quick"))
    executed = await rig.execute(script, retries=0)
    outcome = executed.outcome
    assert (outcome.error if isinstance(outcome, Failure) else outcome_of(executed).data) == told
    assert len(script.calls) == (1 if told is LATER else 2)
    assert others() == set()


async def test_the_budget_of_a_run_pays_for_second_calls_too():
    rig = GuardRig(hedge=HedgePolicy(delay=1))
    of_the_run = RetryBudget(BudgetPolicy(tokens=20))
    await rig.guard.run(rig.wanted(rig.script(SLOW, "quick")), Retry(PLAIN, 0), of_the_run)
    assert (rig.budget.tokens, of_the_run.tokens) == (496, 16)


async def test_a_second_call_s_fetcher_is_told_which_it_is_and_may_warn():
    async def fetch(ctx: FetchContext) -> str:
        if len(script.calls) == 1:
            await asyncio.sleep(10)
        ctx.warn(f"attempt {ctx.attempt}")
        return "data"

    rig = GuardRig(hedge=HedgePolicy(delay=1))
    script = rig.script(fetch)
    assert outcome_of(await rig.execute(script)).warnings == ("attempt 2",)


async def test_a_probe_of_a_half_open_breaker_is_never_hedged():
    rig = GuardRig(hedge=HedgePolicy(delay=1))
    await rig.trip()
    await asyncio.sleep(31)
    script = rig.script(SLOW, "quick")
    assert outcome_of(await rig.execute(script)).data == "slow"
    assert len(script.calls) == 1


async def test_a_loser_that_swallows_its_cancellation_is_abandoned_after_a_second():
    rig = GuardRig(hedge=HedgePolicy(delay=1))
    executed = await rig.execute(rig.script(swallowing, "quick"))
    assert (outcome_of(executed).data, outcome_of(executed).duration) == ("quick", 2)
    assert rig.guard.abandoned == 1


@pytest.mark.pair("budget", "hedge")
async def test_a_spent_budget_hedges_nobody_and_says_so():
    rig = GuardRig(hedge=HedgePolicy(delay=1), budget=BudgetPolicy(tokens=0))
    script = rig.script(lasting(3, "slow"), "quick")
    assert outcome_of(await rig.execute(script)).data == "slow"
    assert len(script.calls) == 1
    assert [event.purpose for event in rig.told(BudgetRefused)] == ["hedge"]


@pytest.mark.pair("retry", "hedge")
async def test_retries_go_on_after_two_hedged_calls_have_failed():
    rig = GuardRig(hedge=HedgePolicy(delay=1))
    down = ConnectionError("down")
    script = rig.script(lasting(2, down), lasting(2, down), "data")
    outcome = outcome_of(await rig.execute(script))
    assert (outcome.data, script.calls) == ("data", [0, 1, 4])


async def test_a_cancelled_caller_ends_both_calls():
    rig = GuardRig(hedge=HedgePolicy(delay=1))
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(3):
            await rig.execute(rig.script(SLOW, SLOW))
    assert rig.clock.monotonic() == 3
    assert asyncio.all_tasks() == {asyncio.current_task()}
