import asyncio
import json
import math
from datetime import timedelta
from typing import Any

import pytest

from clocks import HandSetClock, HandSetVirtualClock
from data_source_orchestrator.core.allowance import Allowance
from data_source_orchestrator.core.clock import ManualClock
from data_source_orchestrator.core.deadline import Deadline
from data_source_orchestrator.core.errors import ConfigurationError
from data_source_orchestrator.core.policies import RateLimitPolicy
from data_source_orchestrator.resilience.rate_limiter import Decision, RateLimiter
from data_source_orchestrator.testing import VirtualClock, VirtualTimeLoop

ONE_A_SECOND = RateLimitPolicy(limit=1, per=1)


def manual(policy: RateLimitPolicy | None = ONE_A_SECOND) -> tuple[ManualClock, RateLimiter]:
    clock = ManualClock()
    return clock, RateLimiter(policy, clock=clock)


def admitted(limiter: RateLimiter) -> int:
    """Take all that can be had now, and return how many that were."""
    number = 0
    while limiter.check().allowed:
        number += 1
    return number


def timers() -> int:
    loop: Any = asyncio.get_running_loop()
    return sum(not handle.cancelled() for handle in loop._scheduled)


async def noted(name: str, order: list[tuple[str, float]], limiter: RateLimiter, n: int = 1) -> None:
    await limiter.acquire(n)
    order.append((name, asyncio.get_running_loop().time()))


async def settled() -> None:
    """Let everything happen that happens now."""
    for _ in range(6):
        await asyncio.sleep(0)


def test_a_limiter_that_is_handed_no_clock_has_one():
    limiter = RateLimiter(RateLimitPolicy(limit=1, per=3600))
    assert [limiter.take(), limiter.take()] == [True, False]


def test_one_call_at_a_time_unless_the_policy_lets_more_come_at_once():
    clock, limiter = manual(RateLimitPolicy(limit=10, per=1))
    assert admitted(limiter) == 1
    clock.advance(0.1)
    assert admitted(limiter) == 1
    clock.advance(100)
    assert admitted(limiter) == 1


@pytest.mark.parametrize("at", [0.0, 0.1, 86_400.3, 12_345_678.9])
@pytest.mark.parametrize("limit", [3, 7, 1000])
def test_a_burst_is_exact_however_odd_the_pace_and_the_hour(limit: int, at: float):
    clock, limiter = manual(RateLimitPolicy(limit=limit, per=1, burst=limit))
    clock.advance(at)
    assert admitted(limiter) == limit
    assert limiter.check().retry_after == pytest.approx(1 / limit, abs=1e-8)


@pytest.mark.parametrize("per", [0.1, 0.7, 1, 3, 7])
@pytest.mark.parametrize("limit", [1, 3, 5, 6])
def test_what_remains_is_what_is_let_through_even_a_rounding_before_or_after_it_comes_back(limit: int, per: float):
    for back in range(5):
        for moment in (back * per / limit, math.nextafter(back * per / limit, 0)):
            clock, limiter = manual(RateLimitPolicy(limit=limit, per=per, burst=8))
            clock.advance(0.3)
            limiter.check(4)
            clock._elapsed += moment
            remaining = limiter.remaining
            assert admitted(limiter) == remaining


@pytest.mark.parametrize("burst", [1, 2])
def test_no_rounding_adds_up(burst: int):
    clock, limiter = manual(RateLimitPolicy(limit=3, per=1, burst=burst))
    limiter.check(burst)
    for number in range(1, 30_001):
        clock._elapsed = number / 3
        assert limiter.check().allowed, number
    assert limiter.check().retry_after == pytest.approx(1 / 3, abs=1e-11)


def test_a_refusal_names_the_exact_wait_and_takes_nothing():
    clock, limiter = manual()
    limiter.check()
    clock.advance(0.25)
    assert [limiter.check().retry_after for _ in range(3)] == [0.75] * 3
    clock.advance(0.75)
    assert limiter.check().allowed


def test_a_decision_tells_how_many_more_could_be_had_at_that_moment():
    clock, limiter = manual(RateLimitPolicy(limit=1, per=1, burst=3))
    assert limiter.check() == Decision(allowed=True, retry_after=0.0, remaining=2)
    assert limiter.check(3) == Decision(allowed=False, retry_after=1.0, remaining=2)
    assert limiter.check(2) == Decision(allowed=True, retry_after=0.0, remaining=0)
    clock.advance(1)
    assert limiter.check(2) == Decision(allowed=False, retry_after=1.0, remaining=1)
    limiter.hold(9)
    assert limiter.check() == Decision(allowed=False, retry_after=9.0, remaining=0)


async def test_whoever_waited_hears_what_is_left_for_others(clock: VirtualClock):
    limiter = RateLimiter(RateLimitPolicy(limit=1, per=1, burst=3), clock=clock)
    limiter.check(3)
    first, second = asyncio.create_task(limiter.acquire(2)), asyncio.create_task(limiter.acquire())
    await asyncio.sleep(100)
    assert (await first, await second) == (Decision(allowed=True, remaining=0), Decision(allowed=True, remaining=0))
    limiter.hold(5)
    third = asyncio.create_task(limiter.acquire())
    await asyncio.sleep(6)
    assert await third == Decision(allowed=True, remaining=2)


async def test_whoever_can_wait_no_longer_hears_what_is_left_for_others(clock: VirtualClock):
    limiter = RateLimiter(RateLimitPolicy(limit=1, per=1, burst=3), clock=clock)
    limiter.check(2)
    waiting = asyncio.create_task(limiter.acquire(3, deadline=Deadline.after(clock, 10)))
    await settled()
    limiter.policy = RateLimitPolicy(limit=1, per=100, burst=3)
    assert await waiting == Decision(allowed=False, retry_after=200.0, remaining=1)


def test_taking_is_checking_without_the_words():
    clock, limiter = manual(RateLimitPolicy(limit=1, per=1, burst=2))
    assert [limiter.take(2), limiter.take()] == [True, False]
    clock.advance(1)
    limiter.hold(3)
    assert not limiter.take()
    clock.advance(3)
    assert limiter.take()
    with pytest.raises(ConfigurationError, match="n is 3"):
        limiter.take(3)


def test_without_a_policy_everything_is_let_through_but_a_hold():
    clock, limiter = manual(None)
    assert all(limiter.check(1000).allowed for _ in range(1000))
    limiter.hold(5)
    assert limiter.check().retry_after == 5
    clock.advance(5)
    assert limiter.check().allowed


@pytest.mark.parametrize("held", [False, True])
@pytest.mark.parametrize("n", [0, -1])
def test_an_amount_that_is_none_is_refused_with_what_is_accepted(n: int, held: bool):
    _, limiter = manual()
    limiter.hold(1 if held else 0)
    for refused in (limiter.check, limiter.take, limiter.refund):
        with pytest.raises(ConfigurationError, match=f"^n is {n}; give a whole number of 1 or more"):
            refused(n)


@pytest.mark.parametrize("told", [None, Allowance(remaining=5, reset_after=3)])
@pytest.mark.parametrize("pace", [RateLimitPolicy(limit=3, per=2, burst=4), RateLimitPolicy(limit=1, per=0.25), None])
def test_to_take_without_a_word_is_to_check(pace: RateLimitPolicy | None, told: Allowance | None):
    clock = ManualClock()
    silent, telling = RateLimiter(pace, clock=clock), RateLimiter(pace, clock=clock)
    for number in range(60):
        if told is not None and number % 20 == 7:
            silent.observe(told)
            telling.observe(told)
        if number == 30:
            silent.hold(1)
            telling.hold(1)
        amount = 1 + number % 2 if pace is None or pace.at_once > 1 else 1
        assert silent.take(amount) is telling.check(amount).allowed
        assert silent.remaining == telling.remaining
        clock.advance(0.25 * (number % 4))


def test_what_is_owed_from_before_a_restart_is_owed_by_whoever_takes_without_a_word():
    clock, limiter = manual(RateLimitPolicy(limit=2, per=10, burst=2))
    assert limiter.take(2)
    again = RateLimiter.from_state(limiter.to_state(), limiter.policy, clock=clock)
    assert not again.take()
    clock.advance(5)
    assert [again.take(), again.take()] == [True, False]


async def test_more_than_the_burst_can_never_come_and_is_told_at_once(clock: VirtualClock):
    limiter = RateLimiter(RateLimitPolicy(limit=10, per=1, burst=3), clock=clock)
    with pytest.raises(ConfigurationError, match=r"n is 4, and rate_limit\.burst lets at most 3 through at once"):
        await limiter.acquire(4)
    assert limiter.remaining == 3


async def test_a_waiter_for_four_who_came_first_goes_before_one_for_one(clock: VirtualClock):
    limiter = RateLimiter(RateLimitPolicy(limit=1, per=1, burst=4), clock=clock)
    limiter.check(4)
    order: list[tuple[str, float]] = []
    async with asyncio.TaskGroup() as group:
        group.create_task(noted("four", order, limiter, 4))
        group.create_task(noted("one", order, limiter))
        await asyncio.sleep(2)
        assert not limiter.check().allowed, "two are free, and nobody overtakes those who wait"
        assert limiter.check().retry_after == 4
    assert order == [("four", 4.0), ("one", 5.0)]


async def test_a_wait_that_cannot_end_inside_the_deadline_is_not_begun(clock: VirtualClock):
    limiter = RateLimiter(ONE_A_SECOND, clock=clock)
    limiter.check()
    decision = await limiter.acquire(deadline=Deadline.after(clock, 1.0))
    assert (decision.allowed, decision.retry_after, clock.monotonic()) == (False, 1.0, 0.0)
    assert (await limiter.acquire(deadline=Deadline.after(clock, 1.001))).allowed
    assert clock.monotonic() == 1.0


async def test_those_ahead_count_when_a_wait_is_foreseen(clock: VirtualClock):
    limiter = RateLimiter(ONE_A_SECOND, clock=clock)
    limiter.check()
    tasks = [asyncio.create_task(limiter.acquire()) for _ in range(3)]
    await settled()
    assert limiter.wait_for() == 4.0
    assert not (await limiter.acquire(deadline=Deadline.after(clock, 4.0))).allowed
    assert clock.monotonic() == 0.0
    await asyncio.gather(*tasks)


async def test_a_hold_ends_at_once_every_wait_that_can_no_longer_end_in_time(clock: VirtualClock):
    limiter = RateLimiter(ONE_A_SECOND, clock=clock)
    limiter.check()
    short = asyncio.create_task(limiter.acquire(deadline=Deadline.after(clock, 5)))
    long = asyncio.create_task(limiter.acquire(deadline=Deadline.after(clock, 50)))
    await settled()
    limiter.hold(5)
    assert (await short).retry_after == 5.0
    assert clock.monotonic() == 0.0
    assert (await long).allowed
    assert clock.monotonic() == 5.0


async def test_a_deadline_put_off_while_waiting_counts(clock: VirtualClock):
    limiter = RateLimiter(ONE_A_SECOND, clock=clock)
    limiter.check()
    deadline = Deadline.after(clock, 5)
    waiting = asyncio.create_task(limiter.acquire(deadline=deadline))
    await settled()
    deadline.put_off(20)
    limiter.hold(10)
    assert (await waiting).allowed
    assert clock.monotonic() == 10.0


async def test_whoever_was_held_up_past_the_deadline_takes_nothing():
    clock = HandSetVirtualClock()
    limiter = RateLimiter(ONE_A_SECOND, clock=clock)
    limiter.check()
    waiting = asyncio.create_task(limiter.acquire(deadline=Deadline.after(clock, 5)))
    await settled()
    clock.step(7)  # the loop is blocked that long
    assert not (await waiting).allowed
    assert limiter.remaining == 1


async def test_whoever_was_held_up_past_the_deadline_holds_up_nobody_behind():
    clock = HandSetVirtualClock()
    limiter = RateLimiter(ONE_A_SECOND, clock=clock)
    limiter.check()
    late = asyncio.create_task(limiter.acquire(deadline=Deadline.after(clock, 5)))
    patient = asyncio.create_task(limiter.acquire())
    await settled()
    clock.step(7)
    assert not (await late).allowed
    assert (await patient).allowed


async def test_whoever_is_due_is_served_before_a_check_even_where_the_loop_was_held_up():
    clock = HandSetVirtualClock()
    limiter = RateLimiter(RateLimitPolicy(limit=1, per=1, burst=2), clock=clock)
    limiter.check(2)
    waiting = asyncio.create_task(limiter.acquire())
    await settled()
    clock.step(5)
    assert limiter.check().allowed
    assert limiter.waiting == 0
    assert not limiter.check().allowed
    assert (await waiting).allowed


async def test_a_cancelled_head_gives_its_place_to_those_behind_at_once(clock: VirtualClock):
    limiter = RateLimiter(RateLimitPolicy(limit=1, per=1, burst=4), clock=clock)
    limiter.check(3)
    order: list[tuple[str, float]] = []
    head = asyncio.create_task(limiter.acquire(4))
    behind = asyncio.create_task(noted("behind", order, limiter))
    await settled()
    head.cancel()
    await behind
    assert order == [("behind", 0.0)]
    assert (limiter.waiting, timers()) == (0, 0)


async def test_a_waiter_cancelled_in_the_moment_of_its_turn_gives_its_token_back(clock: VirtualClock):
    limiter = RateLimiter(ONE_A_SECOND, clock=clock)
    limiter.check()
    order: list[tuple[str, float]] = []
    first = asyncio.create_task(limiter.acquire())
    second = asyncio.create_task(noted("second", order, limiter))
    await settled()
    asyncio.get_running_loop().call_later(1.0, first.cancel)  # the same moment, after the limiter's own timer
    await second
    assert first.cancelled()
    assert order == [("second", 1.0)]


async def test_a_waiter_thrown_away_leaves_no_trace(clock: VirtualClock):
    limiter = RateLimiter(ONE_A_SECOND, clock=clock)
    limiter.check()
    abandoned = limiter.acquire()
    abandoned.send(None)
    assert limiter.waiting == 1
    abandoned.close()
    assert (limiter.waiting, timers()) == (0, 0)


def test_waiters_left_in_a_closed_loop_stand_in_nobodys_way():
    clock = VirtualClock()
    limiter = RateLimiter(ONE_A_SECOND, clock=clock)
    left: list[Any] = []

    async def leave_one_behind() -> None:
        limiter.check()
        left.append(limiter.acquire())
        left[0].send(None)

    async def come_later() -> float:
        await asyncio.sleep(0.5)
        await limiter.acquire()
        return clock.monotonic()

    for main, expected in ((leave_one_behind(), None), (come_later(), 1.0)):
        loop = VirtualTimeLoop()
        assert loop.run_until_complete(main) == expected
        loop.close()
    left[0].close()


async def test_one_timer_while_somebody_waits_and_none_otherwise(clock: VirtualClock):
    limiter = RateLimiter(ONE_A_SECOND, clock=clock)
    limiter.check()
    assert timers() == 0
    tasks = [asyncio.create_task(limiter.acquire(deadline=Deadline.after(clock, 100))) for _ in range(20)]
    await settled()
    assert (limiter.waiting, timers()) == (20, 1)
    for task in tasks[:10]:
        task.cancel()
    await settled()
    assert (limiter.waiting, timers()) == (10, 1)
    await asyncio.gather(*tasks[10:])
    assert (clock.monotonic(), timers()) == (10.0, 0)


async def test_a_refund_reaches_whoever_waits(clock: VirtualClock):
    limiter = RateLimiter(ONE_A_SECOND, clock=clock)
    limiter.check()
    waiting = asyncio.create_task(limiter.acquire())
    await settled()
    limiter.refund()
    await waiting
    assert clock.monotonic() == 0.0


def test_a_refund_never_goes_above_the_burst():
    clock, limiter = manual(RateLimitPolicy(limit=1, per=1, burst=3))
    limiter.check(2)
    limiter.refund(100)
    assert admitted(limiter) == 3
    clock.advance(100)
    limiter.refund(3)
    assert admitted(limiter) == 3


def test_a_hold_is_exact_and_a_shorter_one_later_changes_nothing():
    clock, limiter = manual()
    limiter.hold(10)
    clock.advance(1)
    limiter.hold(3)
    assert limiter.check().retry_after == 9.0
    assert limiter.remaining == 0
    clock.advance(8.999)
    assert not limiter.check().allowed
    clock.advance(0.001)
    assert limiter.check().allowed


@pytest.mark.parametrize("seconds", [0, -1, math.nan, math.inf, -math.inf])
def test_what_is_no_time_is_no_hold(seconds: float):
    _, limiter = manual()
    limiter.hold(seconds)
    assert limiter.check().allowed


def test_after_a_hold_the_pace_goes_on_from_a_whole_burst():
    _, limiter = manual(RateLimitPolicy(limit=4, per=1, burst=2))
    limiter.hold(10)
    assert [limiter.wait_for(n) for n in range(1, 5)] == [10, 10, 10.25, 10.5]


def test_a_window_that_ends_with_a_hold_leaves_nothing_to_be_had_before():
    _, limiter = manual()
    limiter.hold(10)
    limiter.observe(Allowance(remaining=2, reset_after=10))
    assert [limiter.wait_for(n) for n in range(1, 5)] == [10, 11, 12, 13]


async def test_a_hold_during_a_wait_moves_it_and_the_operator_may_lift_it(clock: VirtualClock):
    limiter = RateLimiter(ONE_A_SECOND, clock=clock)
    limiter.check()
    waiting = asyncio.create_task(limiter.acquire())
    await asyncio.sleep(0.5)
    limiter.hold(100)
    await asyncio.sleep(4.5)
    limiter.lift()
    await waiting
    assert clock.monotonic() == 5.0


async def test_a_clock_that_steps_back_makes_waits_longer_and_never_negative():
    clock = HandSetVirtualClock()
    limiter = RateLimiter(ONE_A_SECOND, clock=clock)
    await asyncio.sleep(100)
    limiter.check()
    limiter.hold(10)
    waiting = asyncio.create_task(limiter.acquire())
    await asyncio.sleep(5)
    clock.step(-50)
    assert limiter.check().retry_after == 56.0
    assert limiter.remaining == 0
    await waiting
    assert clock.monotonic() == 110.0
    assert asyncio.get_running_loop().time() == 160.0


def test_a_full_limiter_whose_clock_steps_back_grants_no_more_than_its_burst():
    clock = HandSetClock()
    limiter = RateLimiter(RateLimitPolicy(limit=1, per=1, burst=3), clock=clock)
    clock.advance(100)
    assert limiter.check(2).allowed
    limiter.refund(3)
    clock.step(-2)
    assert limiter.remaining == admitted(limiter) == 1
    assert limiter.check().retry_after == 1.0


def test_another_pace_keeps_what_was_taken():
    clock, limiter = manual(RateLimitPolicy(limit=1, per=1, burst=4))
    limiter.check(4)
    clock.advance(0.5)
    limiter.policy = RateLimitPolicy(limit=10, per=1, burst=2)
    assert limiter.policy.limit == 10
    assert limiter.check().retry_after == pytest.approx(0.25)
    clock.advance(100)
    assert admitted(limiter) == 2
    limiter.policy = None
    assert limiter.policy is None
    assert limiter.check(1000).allowed


async def test_a_slower_pace_lets_go_of_who_can_no_longer_be_served(clock: VirtualClock):
    limiter = RateLimiter(RateLimitPolicy(limit=1, per=1, burst=4), clock=clock)
    limiter.check(4)
    four = asyncio.create_task(limiter.acquire(4))
    late = asyncio.create_task(limiter.acquire(deadline=Deadline.after(clock, 9)))
    patient = asyncio.create_task(limiter.acquire())
    await settled()
    limiter.policy = RateLimitPolicy(limit=1, per=10, burst=2)
    assert limiter.waiting == 1
    with pytest.raises(ConfigurationError, match="n is 4"):
        await four
    assert not (await late).allowed
    assert clock.monotonic() == 0.0
    assert (await patient).allowed
    assert clock.monotonic() == 30.0


async def test_whoever_can_never_be_served_any_longer_waits_no_longer(clock: VirtualClock):
    limiter = RateLimiter(RateLimitPolicy(limit=1, per=1, burst=3), clock=clock)
    limiter.check(3)
    one, three = asyncio.create_task(limiter.acquire()), asyncio.create_task(limiter.acquire(3))
    await settled()
    limiter.policy = RateLimitPolicy(limit=1, per=1, burst=2)
    assert (limiter.waiting, limiter.wait_for()) == (1, 3.0)
    with pytest.raises(ConfigurationError, match="n is 3"):
        await three
    assert (await one).allowed


def test_an_upstream_that_leaves_fewer_is_believed_until_its_reset():
    clock, limiter = manual(RateLimitPolicy(limit=100, per=1, burst=100))
    limiter.observe(Allowance(remaining=3, reset_after=60))
    assert limiter.remaining == 3
    assert admitted(limiter) == 3
    assert limiter.check().retry_after == 60.0
    clock.advance(59.9)
    assert (limiter.remaining, admitted(limiter)) == (0, 0)
    clock.advance(0.1)
    assert (limiter.remaining, admitted(limiter)) == (100, 100)


def test_an_upstream_that_leaves_fewer_than_the_pace_would_take_is_believed_too():
    clock, limiter = manual(RateLimitPolicy(limit=2, per=0.5))
    limiter.observe(Allowance(remaining=100, reset_after=60))
    let_through = 0
    for _ in range(200):
        let_through += limiter.check().allowed
        clock.advance(0.25)
    assert let_through == 100


def test_a_word_in_the_moment_in_which_a_window_ends_is_about_the_next():
    clock, limiter = manual(None)
    limiter.observe(Allowance(remaining=2, reset_after=60))
    clock.advance(60)
    limiter.observe(Allowance(remaining=0, reset_after=1))
    assert limiter.check().retry_after == 1.0


def test_an_upstream_that_leaves_more_never_loosens_the_policy():
    clock, limiter = manual()
    limiter.observe(Allowance(remaining=5000, reset_after=3600))
    assert limiter._quota is None, "what never binds costs nothing"
    assert admitted(limiter) == 1
    limiter.observe(Allowance(remaining=5000, reset_after=0))
    assert admitted(limiter) == 0
    clock.advance(1)
    assert admitted(limiter) == 1


def test_within_one_window_only_a_lower_word_counts_and_a_later_window_begins_anew():
    clock, limiter = manual(None)
    limiter.observe(Allowance(remaining=2, reset_after=60))
    limiter.observe(Allowance(remaining=5, reset_after=60.5))
    assert limiter.remaining == 2
    limiter.observe(Allowance(remaining=1, reset_after=59))
    limiter.observe(Allowance(remaining=5, reset_after=61))
    assert admitted(limiter) == 1
    clock.advance(30)
    limiter.observe(Allowance(remaining=4, reset_after=60))
    assert admitted(limiter) == 4


def test_an_unlimited_word_ends_a_tight_one_of_another_window():
    clock, limiter = manual(RateLimitPolicy(limit=1, per=1, burst=3))
    limiter.observe(Allowance(remaining=0, reset_after=60))
    limiter.observe(Allowance(remaining=1000, reset_after=10))
    assert admitted(limiter) == 3
    clock.advance(1)
    assert admitted(limiter) == 1


def test_a_refund_never_goes_above_what_the_upstream_said():
    _, limiter = manual(RateLimitPolicy(limit=100, per=1, burst=100))
    limiter.check(10)
    limiter.observe(Allowance(remaining=3, reset_after=60))
    limiter.refund(10)
    assert admitted(limiter) == 3
    limiter.refund()
    assert admitted(limiter) == 1
    limiter.observe(Allowance(remaining=90, reset_after=60))  # an answer that was overtaken
    limiter.refund(10)
    assert admitted(limiter) == 3


async def test_waiters_beyond_the_upstreams_allowance_wait_for_its_reset(clock: VirtualClock):
    limiter = RateLimiter(RateLimitPolicy(limit=1, per=1), clock=clock)
    limiter.check()
    order: list[tuple[str, float]] = []
    tasks = [asyncio.create_task(noted(name, order, limiter)) for name in "abcd"]
    late = asyncio.create_task(limiter.acquire(deadline=Deadline.after(clock, 20)))
    await settled()
    limiter.observe(Allowance(remaining=1, reset_after=30))
    assert (await late).retry_after >= 30.0
    assert clock.monotonic() == 0.0
    await asyncio.gather(*tasks)
    assert order == [("a", 1.0), ("b", 30.0), ("c", 31.0), ("d", 32.0)]


async def test_a_lower_word_lets_go_at_once_of_who_can_no_longer_be_served(clock: VirtualClock):
    limiter = RateLimiter(ONE_A_SECOND, clock=clock)
    limiter.check()
    limiter.observe(Allowance(remaining=5, reset_after=30))
    late = asyncio.create_task(limiter.acquire(deadline=Deadline.after(clock, 20)))
    await settled()
    limiter.observe(Allowance(remaining=0, reset_after=30))
    assert not (await late).allowed
    assert clock.monotonic() == 0.0


async def test_a_wait_begun_under_an_allowance_is_looked_at_again_when_its_window_ends(clock: VirtualClock):
    limiter = RateLimiter(RateLimitPolicy(limit=1, per=1, burst=2), clock=clock)
    limiter.check(2)
    limiter.observe(Allowance(remaining=1, reset_after=10))
    two = asyncio.create_task(limiter.acquire(2))
    middle = asyncio.create_task(limiter.acquire())
    late = asyncio.create_task(limiter.acquire(deadline=Deadline.after(clock, 11.5)))
    last = asyncio.create_task(limiter.acquire())
    assert (await late).retry_after == 2.0
    assert clock.monotonic() == 10.0
    assert (await two).allowed
    await middle
    await last
    assert clock.monotonic() == 12.0


def restarted(limiter: RateLimiter, clock: ManualClock) -> RateLimiter:
    kept = json.loads(json.dumps(limiter.to_state()))
    return RateLimiter.from_state(kept, limiter.policy, clock=clock)


def test_what_was_taken_and_a_hold_survive_a_restart_and_age():
    clock, limiter = manual(RateLimitPolicy(limit=1, per=1, burst=3))
    limiter.check(3)
    clock.advance(0.5)
    assert restarted(limiter, clock).check().retry_after == pytest.approx(0.5, abs=2e-6)
    limiter.hold(10)
    again = restarted(limiter, clock)
    clock.advance(9.999)
    assert not again.check().allowed
    clock.advance(0.001 + 1e-5)
    assert admitted(again) == 3


def test_a_hold_between_two_microseconds_of_the_calendar_ends_no_earlier_after_a_restart():
    clock, limiter = manual()
    limiter.hold(10.0000004)
    assert restarted(limiter, clock).check().retry_after == 10.0000004


def test_a_hold_of_less_than_a_second_survives_a_restart():
    clock, limiter = manual()
    limiter.hold(0.5)
    assert restarted(limiter, clock).check().retry_after == 0.5


def test_a_quicker_policy_after_a_restart_owes_no_more_than_its_own_burst():
    clock, limiter = manual(RateLimitPolicy(limit=1, per=1000, burst=5))
    limiter.check(5)
    kept = limiter.to_state()
    quicker = RateLimitPolicy(limit=4, per=1, burst=2)
    assert RateLimiter.from_state(kept, quicker, clock=clock).check(2).retry_after == 0.5


def test_a_spent_allowance_survives_a_restart():
    clock, limiter = manual(None)
    limiter.observe(Allowance(remaining=0, reset_after=60))
    assert restarted(limiter, clock).check().retry_after == pytest.approx(60)


def test_an_allowance_that_leaves_something_holds_nobody_up_after_a_restart():
    _, limiter = manual(None)
    limiter.observe(Allowance(remaining=1, reset_after=60))
    assert limiter.to_state()["held"] is None


def test_a_fresh_limiter_is_kept_as_one():
    clock, limiter = manual()
    assert limiter.to_state() == {"back": None, "held": None}
    limiter.check()
    clock.advance(1)
    assert limiter.to_state() == {"back": None, "held": None}
    assert admitted(restarted(limiter, clock)) == 1


def test_a_wall_clock_set_back_lengthens_no_hold():
    clock, limiter = manual()
    limiter.hold(10)
    kept = limiter.to_state()
    earlier = ManualClock(clock.now() - timedelta(days=365))
    again = RateLimiter.from_state(kept, ONE_A_SECOND, clock=earlier)
    assert again.check().retry_after == pytest.approx(10)


@pytest.mark.parametrize(
    "state",
    [
        None,
        [],
        {},
        {"back": 1, "held": "x"},
        {"back": {"at": "no date", "in": 5}, "held": {"at": "2027-01-01T00:00:00", "in": 5}},
        {"back": {"at": "2027-01-01T00:00:00+00:00", "in": True}, "held": {"at": "2027-01-01", "in": -1}},
        {"back": None, "held": {"at": "2027-01-01T00:00:00+00:00", "in": math.inf}},
    ],
)
def test_a_state_that_cannot_be_read_is_a_fresh_limiter(state: Any):
    clock = ManualClock()
    assert admitted(RateLimiter.from_state(state, ONE_A_SECOND, clock=clock)) == 1


async def test_whoever_waits_is_let_go_where_another_process_has_learnt_of_a_longer_wait(clock: VirtualClock):
    limiter, other = (RateLimiter(ONE_A_SECOND, clock=clock) for _ in range(2))
    limiter.check()
    late = asyncio.create_task(limiter.acquire(deadline=Deadline.after(clock, 5)))
    patient = asyncio.create_task(limiter.acquire())
    await settled()
    other.hold(60)
    limiter.catch_up(other.to_state())
    assert (await late).retry_after == pytest.approx(60)
    await patient
    assert clock.monotonic() == pytest.approx(60)


def test_what_was_asked_for_elsewhere_is_taken_over_and_what_ends_earlier_changes_nothing():
    clock, limiter = manual(None)
    limiter.hold(60)
    before = limiter.to_state()
    for state in (None, {}, RateLimiter(None, clock=clock).to_state()):
        limiter.catch_up(state)
    assert limiter.to_state() == before
    other = RateLimiter(None, clock=clock)
    other.observe(Allowance(remaining=0, reset_after=90))
    limiter.catch_up(other.to_state())
    assert limiter.held_for == pytest.approx(90)
    clock.advance(100)
    assert limiter.held_for == 0


def test_what_another_process_has_taken_counts_here_but_never_beyond_this_pace():
    clock, limiter = manual(RateLimitPolicy(limit=1, per=1, burst=5))
    other = RateLimiter(RateLimitPolicy(limit=1, per=100, burst=5), clock=clock)
    other.check(5)
    limiter.catch_up(other.to_state())
    assert limiter.remaining == 0
    assert limiter.check().retry_after == pytest.approx(1)


def test_what_another_process_has_taken_is_back_when_a_whole_burst_would_be():
    clock, limiter = manual(RateLimitPolicy(limit=2, per=1, burst=4))
    other = RateLimiter(RateLimitPolicy(limit=1, per=100, burst=4), clock=clock)
    other.check(4)
    limiter.catch_up(other.to_state())
    assert limiter.wait_for(4) == pytest.approx(2)


def test_a_hold_is_not_shortened_by_what_another_process_knows_of_it():
    clock, limiter = manual()
    other = RateLimiter(ONE_A_SECOND, clock=clock)
    other.hold(10)
    limiter.hold(10.000_005)
    limiter.catch_up(other.to_state())
    assert limiter.held_for == 10.000_005


@pytest.mark.parametrize("moment", [0.0, 0.1, 1e6 + 0.3])
def test_what_a_limiter_knows_already_is_not_told_it_anew_by_a_rounding(moment: float):
    clock, limiter = manual(RateLimitPolicy(limit=7, per=3, burst=5))
    clock.advance(moment)
    limiter.check(3)
    state = limiter.to_state()
    clock.advance(0.1)
    waits = [limiter.wait_for(n) for n in range(1, 6)]
    limiter.catch_up(state)
    assert [limiter.wait_for(n) for n in range(1, 6)] == waits
