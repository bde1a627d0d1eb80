import asyncio
from itertools import pairwise
from typing import Any

import pytest

from data_source_orchestrator.core.clock import ManualClock
from data_source_orchestrator.core.deadline import Deadline
from data_source_orchestrator.core.errors import ConfigurationError
from data_source_orchestrator.core.policies import ConcurrencyPolicy, LimitPolicy, RateLimitPolicy
from data_source_orchestrator.resilience.concurrency import ConcurrencyLimiter
from data_source_orchestrator.resilience.limits import Limits, Passage, Refusal, Scope, changed_scope, scope_of
from data_source_orchestrator.resilience.rate_limiter import RateLimiter
from data_source_orchestrator.testing import VirtualClock

SLOW = RateLimitPolicy(limit=1, per=10)
QUICK = RateLimitPolicy(limit=1, per=1)


def scope(name: str, rate: RateLimitPolicy | None = None, limit: int | None = None, *, adaptive: bool = False) -> Scope:
    clock = VirtualClock()
    return Scope(
        name,
        rate=None if rate is None else RateLimiter(rate, clock=clock),
        concurrency=None
        if limit is None
        else ConcurrencyLimiter(ConcurrencyPolicy(limit=limit, adaptive=adaptive), clock=clock),
        clock=clock,
    )


def pace(scope: Scope) -> RateLimiter:
    assert scope.rate is not None
    return scope.rate


def places(scope: Scope) -> ConcurrencyLimiter:
    assert scope.concurrency is not None
    return scope.concurrency


async def passage(limits: Limits, within: float | None = None) -> Passage:
    deadline = None if within is None else Deadline.after(VirtualClock(), within)
    entered = await limits.enter(deadline)
    assert isinstance(entered, Passage)
    return entered


async def refusal(limits: Limits, within: float) -> tuple[str, str, float | None]:
    entered = await limits.enter(Deadline.after(VirtualClock(), within))
    assert isinstance(entered, Refusal)
    return entered.reason.value, entered.scope, entered.retry_after


async def settled() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


def quiet(*scopes: Scope) -> bool:
    """Whether nobody is inside, at a door, or waits."""
    loop: Any = asyncio.get_running_loop()
    busy = [s.queue + s.door.in_flight + s.door.waiting for s in scopes]
    busy += [s.concurrency.in_flight + s.concurrency.waiting for s in scopes if s.concurrency is not None]
    busy += [s.rate.waiting for s in scopes if s.rate is not None]
    return not any(busy) and all(handle.cancelled() for handle in loop._scheduled)


async def test_a_passage_takes_a_token_and_a_slot_of_every_scope():
    source, host, whole = scope("prices", QUICK), scope("a.example", SLOW, 2), scope("all", limit=3)
    limits = Limits([source, host, whole])
    entered = limits.try_enter()
    assert entered is not None
    assert (pace(source).remaining, pace(host).remaining) == (0, 0)
    assert (places(host).in_flight, places(whole).in_flight) == (1, 1)
    limits.leave(entered)
    assert (pace(source).remaining, pace(host).remaining) == (0, 0)
    assert quiet(source, host, whole)


async def test_all_or_nothing_where_a_later_one_refuses():
    source, host, whole = scope("prices", QUICK, 1), scope("a.example", SLOW, 1), scope("all", limit=1)
    limits = Limits([source, host, whole])
    held = places(whole).try_enter()
    assert held is not None
    assert limits.try_enter() is None
    assert (pace(source).remaining, pace(host).remaining) == (1, 1)
    assert (places(source).in_flight, places(host).in_flight) == (0, 0)
    places(whole).leave(held)
    pace(host).check()
    assert limits.try_enter() is None
    assert pace(source).remaining == 1
    assert quiet(source, host, whole)


async def test_what_was_not_used_is_given_back_and_says_nothing_of_the_load():
    whole = scope("all", QUICK, 2, adaptive=True)
    limits = Limits([whole])
    for _ in range(5):
        limits.leave(await passage(limits, 0.1), used=False, overloaded=True)
    assert (pace(whole).remaining, places(whole).limit) == (1, 2)
    limits.leave(await passage(limits, 0.1), overloaded=True)
    assert (pace(whole).remaining, places(whole).limit) == (0, 1)


async def test_a_passage_left_twice_or_elsewhere_is_an_error_and_changes_nothing():
    whole, other = scope("all", QUICK, 2), scope("other", QUICK, 2)
    limits, elsewhere = Limits([whole]), Limits([other])
    entered = await passage(limits)
    with pytest.raises(ConfigurationError, match=r"^this passage is not held here; .* that have given it$"):
        elsewhere.leave(entered, used=False)
    limits.leave(entered)
    with pytest.raises(ConfigurationError, match="leave each passage once"):
        limits.leave(entered, used=False)
    assert (pace(whole).remaining, pace(other).remaining, places(other).in_flight) == (0, 1, 0)


async def test_limits_made_of_a_policy_end_every_wait_at_its_deadline(clock: VirtualClock):
    policy = LimitPolicy(concurrency=ConcurrencyPolicy(limit=1))
    limits = Limits([scope_of("prices", policy, clock)])
    await passage(limits)
    at_the_slot = asyncio.create_task(refusal(limits, within=9))
    await settled()
    assert await refusal(limits, within=5) == ("deadline", "prices", None)
    assert clock.monotonic() == 5
    assert await at_the_slot == ("deadline", "prices", None)
    assert clock.monotonic() == 9


async def test_what_takes_a_scope_s_place_keeps_its_pace_and_its_line_and_begins_to_count_calls_anew(
    clock: VirtualClock,
):
    uncounted, counted = LimitPolicy(rate=SLOW), LimitPolicy(rate=QUICK, concurrency=ConcurrencyPolicy(limit=1))
    before = scope_of("prices", uncounted, clock)
    after = changed_scope(before, counted, clock)
    assert places(after).limit == 1
    again = changed_scope(after, uncounted, clock)
    for each in (after, again):
        assert (each.name, each.rate, each.door) == ("prices", before.rate, before.door)
    assert again.concurrency is None
    assert len({before, after, again}) == 3


@pytest.mark.parametrize("limit", [None, 1])
async def test_a_scope_whose_calls_are_counted_as_before_keeps_its_place_under_another_policy(
    clock: VirtualClock, limit: int | None
):
    def policy(rate: RateLimitPolicy, limit: int | None) -> LimitPolicy:
        return LimitPolicy(rate=rate, concurrency=None if limit is None else ConcurrencyPolicy(limit=limit))

    before = scope_of("prices", policy(SLOW, limit), clock)
    assert changed_scope(before, policy(QUICK, limit and 2), clock) is before
    assert pace(before).policy == QUICK
    assert limit is None or places(before).limit == 2


@pytest.mark.parametrize("changed", [False, True])
async def test_every_wait_in_a_scope_ends_by_the_clock_that_it_is_handed(changed: bool):
    clock = ManualClock()
    policy = LimitPolicy(concurrency=ConcurrencyPolicy(limit=1))
    scope = (
        changed_scope(scope_of("prices", LimitPolicy(), clock), policy, clock)
        if changed
        else scope_of("prices", policy, clock)
    )
    limits = Limits([scope])
    await passage(limits)
    at_the_slot = asyncio.ensure_future(limits.enter(Deadline.after(clock, 9)))
    at_the_door = asyncio.ensure_future(limits.enter(Deadline.after(clock, 5)))
    await asyncio.sleep(100)
    for waiting, ends, left in ((at_the_door, 5, at_the_slot), (at_the_slot, 9, None)):
        assert not waiting.done()
        clock.advance(ends - clock.monotonic())
        await settled()
        assert isinstance(waiting.result(), Refusal)
        assert left is None or not left.done()


async def test_no_limits_let_everything_through():
    limits = Limits([])
    entered = await limits.enter()
    assert isinstance(entered, Passage)
    limits.leave(entered, used=False)


async def test_whoever_waits_for_a_narrow_pace_holds_no_slot_of_a_wide_scope(clock: VirtualClock):
    slow, quick, whole = scope("slow", SLOW), scope("quick"), scope("all", limit=1)
    of_slow, of_quick = Limits([slow, whole]), Limits([quick, whole])
    of_slow.leave(await passage(of_slow))
    waiting = asyncio.create_task(passage(of_slow))
    await settled()
    assert places(whole).in_flight == 0
    entered = of_quick.try_enter()
    assert entered is not None
    of_quick.leave(entered)
    of_slow.leave(await waiting)
    assert clock.monotonic() == 10.0
    assert quiet(slow, quick, whole)


async def test_whoever_waits_for_a_narrow_pace_stands_in_no_wider_line():
    slow, whole = scope("slow", SLOW), scope("all", limit=1)
    limits, others = Limits([slow, whole]), Limits([whole])
    limits.leave(await passage(limits))
    hung = await passage(others)
    waiting = asyncio.create_task(passage(limits))
    await settled()
    assert whole.queue == 0
    others.leave(hung)
    limits.leave(await waiting)


async def test_calls_begin_at_the_pace_even_after_a_long_wait_for_slots(clock: VirtualClock):
    """Tokens taken while waiting for a slot would be old ones by then, and the calls a burst."""
    source, whole = scope("prices", QUICK), scope("all", limit=2)
    limits, others = Limits([source, whole]), Limits([whole])
    hung = [await passage(others), await passage(others)]
    began: list[float] = []

    async def call() -> None:
        entered = await passage(limits)
        began.append(clock.monotonic())
        limits.leave(entered)

    async with asyncio.TaskGroup() as group:
        for _ in range(5):
            group.create_task(call())
        await asyncio.sleep(60)
        for entered in hung:
            others.leave(entered)
    assert began == [60.0, 61.0, 62.0, 63.0, 64.0]
    assert quiet(source, whole)


async def test_callers_of_one_source_go_in_order_and_nobody_overtakes_them():
    source, whole = scope("prices", QUICK, 2), scope("all", limit=1)
    limits, others = Limits([source, whole]), Limits([whole])
    order: list[str] = []
    hung = await passage(others)

    async def call(name: str, through: Limits) -> None:
        entered = await passage(through)
        order.append(name)
        await asyncio.sleep(0.1)
        through.leave(entered)

    async with asyncio.TaskGroup() as group:
        for name in ("first", "second"):
            group.create_task(call(name, limits))
        await settled()
        group.create_task(call("other", others))
        await settled()
        others.leave(hung)
        assert limits.try_enter() is None
        assert others.try_enter() is None
    assert order == ["first", "other", "second"]


async def test_nobody_overtakes_in_the_moment_in_which_a_slot_is_handed_over(clock: VirtualClock):
    whole = scope("all", QUICK, 2)
    limits = Limits([whole])
    held = [places(whole).try_enter(), places(whole).try_enter()]
    waiting = asyncio.create_task(passage(limits))
    await settled()
    for slot in held:
        assert slot is not None
        places(whole).leave(slot)
    assert limits.try_enter() is None, "a token and a slot are free, and the first in the door has not come to them yet"
    await waiting
    assert clock.monotonic() == 0.0


async def test_a_refusal_names_the_scope_the_reason_and_the_wait(clock: VirtualClock):
    source, whole = scope("prices", SLOW), scope("all", limit=1)
    limits, others = Limits([source, whole]), Limits([whole])
    hung = await passage(others)
    assert await refusal(limits, 5) == ("deadline", "all", None)
    assert clock.monotonic() == 5.0
    assert await refusal(limits, 0) == ("deadline", "all", None)
    others.leave(hung)
    limits.leave(await passage(limits, 5))
    assert await refusal(limits, 10) == ("rate_limit", "prices", 10.0)
    assert clock.monotonic() == 5.0
    assert quiet(source, whole)


@pytest.mark.parametrize("per", [1, 0.125])
async def test_those_at_the_door_count_when_a_wait_is_foreseen(per: float, clock: VirtualClock):
    source = scope("prices", RateLimitPolicy(limit=1, per=per))
    limits = Limits([source])
    await passage(limits)
    tasks = [asyncio.create_task(passage(limits)) for _ in range(3)]
    await settled()
    assert await refusal(limits, 4 * per) == ("rate_limit", "prices", 4 * per)
    assert clock.monotonic() == 0.0
    await asyncio.gather(*tasks)
    assert clock.monotonic() == 3 * per


async def test_whoever_waits_for_a_slot_counts_too_for_it_takes_the_next_of_the_pace(clock: VirtualClock):
    source = scope("prices", SLOW, 1)
    limits = Limits([source])
    entered = await passage(limits)
    first = asyncio.create_task(passage(limits))
    await asyncio.sleep(10)
    await settled()
    assert (pace(source).waiting, pace(source).remaining) == (0, 1)
    assert await refusal(limits, 5) == ("rate_limit", "prices", 10.0)
    assert clock.monotonic() == 10.0
    limits.leave(entered)
    limits.leave(await first)


async def test_a_deadline_that_comes_at_the_door_is_one(clock: VirtualClock):
    source = scope("prices", limit=1)
    limits = Limits([source])
    entered = await passage(limits)
    first = asyncio.create_task(passage(limits))
    await settled()
    assert await refusal(limits, 3) == ("deadline", "prices", None)
    assert clock.monotonic() == 3.0
    limits.leave(entered)
    limits.leave(await first)
    assert quiet(source)


async def test_a_hold_that_comes_while_waiting_further_out_is_kept_and_frees_the_wide_scope(clock: VirtualClock):
    source, whole = scope("prices", QUICK, 1), scope("all", limit=1)
    limits, others = Limits([source, whole]), Limits([whole])
    hung = await passage(others)
    waiting = asyncio.create_task(passage(limits))
    await asyncio.sleep(2)
    pace(source).hold(30)
    others.leave(hung)
    await settled()
    assert (places(whole).in_flight, places(source).in_flight) == (0, 1)
    limits.leave(await waiting)
    assert clock.monotonic() == 32.0
    assert quiet(source, whole)


async def test_a_hold_beyond_the_deadline_that_comes_while_waiting_further_out_refuses(clock: VirtualClock):
    source, whole = scope("prices", QUICK, 1), scope("all", limit=1)
    limits, others = Limits([source, whole]), Limits([whole])
    hung = await passage(others)
    waiting = asyncio.create_task(refusal(limits, 20))
    await asyncio.sleep(2)
    pace(source).hold(30)
    others.leave(hung)
    assert await waiting == ("rate_limit", "prices", 30.0)
    assert clock.monotonic() == 2.0
    assert quiet(source, whole)


@pytest.mark.parametrize("at", [0.0, 0.5, 1.0, 1.5, 2.0, 9.9, 10.0, 10.1])
async def test_a_waiter_cancelled_anywhere_gives_back_all_that_it_held(at: float, clock: VirtualClock):
    source, host, whole = (
        scope("prices", QUICK, 2),
        scope("a.example", RateLimitPolicy(limit=1, per=2), 2),
        scope("all"),
    )
    limits = Limits([source, host, whole])
    limits.leave(await passage(limits))
    part = Limits([Scope("part", concurrency=places(host), clock=clock)])
    held = await passage(part)
    tasks = [asyncio.create_task(passage(limits)) for _ in range(3)]
    await asyncio.sleep(at)
    for task in tasks:
        task.cancel()
    for ended in await asyncio.gather(*tasks, return_exceptions=True):
        if isinstance(ended, Passage):
            limits.leave(ended)
        else:
            assert isinstance(ended, asyncio.CancelledError)
    part.leave(held)
    assert quiet(source, host, whole)
    await asyncio.sleep(100)
    assert (pace(source).remaining, pace(host).remaining) == (1, 1)
    assert limits.try_enter() is not None


async def test_ten_thousand_callers_pass_two_full_scopes_one_after_another(clock: VirtualClock):
    """Nobody is woken to find that something else is missing: the work grows with the callers, not their square."""
    host, whole = scope("a.example", RateLimitPolicy(limit=10, per=1)), scope("all", limit=10)
    limits = [Limits([scope(f"s{number}"), host, whole]) for number in range(2000)]
    began: list[float] = []

    async def call(through: Limits) -> None:
        entered = await passage(through)
        began.append(clock.monotonic())
        await asyncio.sleep(1)
        through.leave(entered)

    await asyncio.gather(*map(call, limits))
    assert began[-1] == pytest.approx(199.9)
    assert all(later - earlier == pytest.approx(0.1) for earlier, later in pairwise(began))
    assert quiet(host, whole)
