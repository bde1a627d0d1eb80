import asyncio
from typing import Any

import pytest

from clocks import HandSetVirtualClock
from data_source_orchestrator.core.clock import ManualClock
from data_source_orchestrator.core.deadline import Deadline
from data_source_orchestrator.core.errors import ConfigurationError
from data_source_orchestrator.core.policies import ConcurrencyPolicy
from data_source_orchestrator.resilience.concurrency import ConcurrencyLimiter, Slot
from data_source_orchestrator.testing import VirtualClock


def limited(limit: int, **members: Any) -> ConcurrencyLimiter:
    return ConcurrencyLimiter(ConcurrencyPolicy(limit=limit, **members), clock=VirtualClock())


def entered(limiter: ConcurrencyLimiter) -> Slot:
    slot = limiter.try_enter()
    assert slot is not None
    return slot


def fill(limiter: ConcurrencyLimiter) -> list[Slot]:
    slots: list[Slot] = []
    while (slot := limiter.try_enter()) is not None:
        slots.append(slot)
    return slots


def answered(limiter: ConcurrencyLimiter, calls: int) -> None:
    """Keep the limiter full while that many calls are answered in time."""
    slots = fill(limiter)
    for _ in range(calls):
        limiter.leave(slots.pop(0), overloaded=False)
        slots += fill(limiter)
    for slot in slots:
        limiter.leave(slot)


def timers() -> int:
    loop: Any = asyncio.get_running_loop()
    return sum(not handle.cancelled() for handle in loop._scheduled)


async def settled() -> None:
    for _ in range(6):
        await asyncio.sleep(0)


def test_no_more_enter_than_the_limit_says():
    limiter = limited(3)
    slots = fill(limiter)
    assert (len(slots), limiter.in_flight, limiter.limit) == (3, 3, 3)
    limiter.leave(slots[0])
    assert limiter.in_flight == 2
    assert len(fill(limiter)) == 1


async def test_a_wait_ends_by_the_clock_that_it_is_handed():
    clock = ManualClock()
    limiter = ConcurrencyLimiter(ConcurrencyPolicy(limit=1), clock=clock)
    fill(limiter)
    waiting = asyncio.ensure_future(limiter.enter(deadline=Deadline.after(clock, 5)))
    await asyncio.sleep(100)
    assert not waiting.done()
    clock.advance(5)
    await settled()
    assert waiting.done()
    assert waiting.result() is None


async def test_a_limiter_that_is_handed_no_clock_has_one():
    limiter = ConcurrencyLimiter(ConcurrencyPolicy(limit=1))
    fill(limiter)
    assert await limiter.enter(deadline=Deadline.after(VirtualClock(), 5)) is None


async def test_those_who_wait_enter_in_the_order_in_which_they_came():
    limiter = limited(1)
    order: list[int] = []
    first = entered(limiter)

    async def call(number: int) -> None:
        slot = await limiter.enter()
        assert slot is not None
        order.append(number)
        await asyncio.sleep(1)
        limiter.leave(slot)

    async with asyncio.TaskGroup() as group:
        for number in range(5):
            group.create_task(call(number))
        await settled()
        assert (limiter.waiting, timers()) == (5, 0)
        limiter.leave(first)
        assert limiter.try_enter() is None, "the slot is promised to the first of those who wait"
    assert order == [0, 1, 2, 3, 4]


async def test_whoever_waits_goes_without_at_the_deadline(clock: VirtualClock):
    limiter = limited(1)
    held = entered(limiter)
    waiting = asyncio.create_task(limiter.enter(deadline=Deadline.after(clock, 5)))
    assert await waiting is None
    assert (clock.monotonic(), limiter.waiting, timers()) == (5.0, 0, 0)
    limiter.leave(held)
    assert len(fill(limiter)) == 1


async def test_a_wait_is_not_begun_after_the_deadline(clock: VirtualClock):
    limiter = limited(1)
    held = entered(limiter)
    passed = Deadline.after(clock, 0)
    assert await limiter.enter(deadline=passed) is None
    limiter.leave(held)
    assert await limiter.enter(deadline=passed) is not None, "there was nothing to wait for"


async def test_a_deadline_put_off_while_waiting_counts(clock: VirtualClock):
    limiter = limited(1)
    entered(limiter)
    deadline = Deadline.after(clock, 5)
    waiting = asyncio.create_task(limiter.enter(deadline=deadline))
    await asyncio.sleep(1)
    deadline.put_off(20)
    assert await waiting is None
    assert clock.monotonic() == 20.0


async def test_a_slot_freed_after_a_deadline_goes_to_the_next_even_where_the_loop_was_held_up():
    clock = HandSetVirtualClock()
    limiter = ConcurrencyLimiter(ConcurrencyPolicy(limit=1), clock=clock)
    held = entered(limiter)
    late = asyncio.create_task(limiter.enter(deadline=Deadline.after(clock, 5)))
    patient = asyncio.create_task(limiter.enter(deadline=Deadline.after(clock, 50)))
    await settled()
    clock.step(10)
    limiter.leave(held)
    assert await late is None
    assert await patient is not None
    assert timers() == 0


async def test_a_cancelled_waiter_leaves_no_trace():
    limiter = limited(1)
    held = entered(limiter)
    tasks = [asyncio.create_task(limiter.enter()) for _ in range(3)]
    await settled()
    tasks[0].cancel()
    await settled()
    assert limiter.waiting == 2
    limiter.leave(held)
    assert await tasks[1] is not None
    tasks[2].cancel()
    await settled()
    assert (limiter.waiting, limiter.in_flight) == (0, 1)


async def test_a_waiter_cancelled_in_the_moment_of_its_turn_passes_its_slot_on(clock: VirtualClock):
    limiter = limited(1)
    held = entered(limiter)
    first = asyncio.create_task(limiter.enter(deadline=Deadline.after(clock, 9)))
    second = asyncio.create_task(limiter.enter())
    await settled()
    limiter.leave(held)
    first.cancel()
    slot = await second
    assert first.cancelled()
    assert slot is not None
    limiter.leave(slot)
    assert (limiter.in_flight, limiter.waiting, timers()) == (0, 0, 0)


@pytest.mark.parametrize("adaptive", [False, True])
def test_a_slot_left_twice_or_at_another_limiter_is_an_error_and_changes_nothing(adaptive: bool):
    limiter, other = limited(2, adaptive=adaptive), limited(2, adaptive=adaptive)
    slot = entered(limiter)
    with pytest.raises(ConfigurationError, match=r"^this slot is not held here; .* that has given it$"):
        other.leave(slot, overloaded=True)
    limiter.leave(slot)
    entered(limiter)
    with pytest.raises(ConfigurationError, match="leave each slot once"):
        limiter.leave(slot, overloaded=True)
    assert (limiter.in_flight, limiter.limit, other.in_flight, other.limit) == (1, 2, 0, 2)


def test_an_overload_lowers_the_limit_once_for_all_that_were_under_way():
    limiter = limited(100, adaptive=True)
    slots = fill(limiter)
    for slot in slots:
        limiter.leave(slot, overloaded=True)
    assert limiter.limit == 90
    for slot in fill(limiter):
        limiter.leave(slot, overloaded=True)
    assert limiter.limit == 81


def test_as_many_successes_as_the_limit_add_one_while_it_is_used_to_the_full():
    limiter = limited(10, adaptive=True)
    answered(limiter, 9)
    assert limiter.limit == 10
    answered(limiter, 1)
    assert limiter.limit == 11
    answered(limiter, 10)
    assert limiter.limit == 11
    answered(limiter, 1)
    assert limiter.limit == 12


def test_a_limit_that_nobody_reaches_does_not_grow():
    limiter = limited(10, adaptive=True)
    for _ in range(1000):
        slots = [entered(limiter) for _ in range(9)]
        for slot in slots:
            limiter.leave(slot, overloaded=False)
    assert limiter.limit == 10


def test_a_limit_that_was_reached_once_grows_once():
    limiter = limited(3, adaptive=True)
    slots = fill(limiter)
    for slot in slots:
        limiter.leave(slot, overloaded=False)
    assert limiter.limit == 4
    for _ in range(100):
        limiter.leave(entered(limiter), overloaded=False)
    assert limiter.limit == 4


def test_successes_begun_before_the_limit_was_lowered_do_not_raise_it_again():
    limiter = limited(10, adaptive=True)
    slots = fill(limiter)
    limiter.leave(slots.pop(), overloaded=True)
    for slot in slots:
        limiter.leave(slot, overloaded=False)
    assert limiter.limit == 9


def test_what_says_nothing_moves_nothing():
    limiter = limited(2, adaptive=True)
    for _ in range(100):
        for slot in fill(limiter):
            limiter.leave(slot)
    assert limiter.limit == 2


def test_an_adaptive_limit_stays_between_its_least_and_its_most():
    limiter = limited(2, adaptive=True, least=2, most=3)
    for _ in range(50):
        limiter.leave(entered(limiter), overloaded=True)
    assert limiter.limit == 2
    answered(limiter, 1000)
    assert limiter.limit == 3
    unnamed = limited(2, adaptive=True)
    answered(unnamed, 10_000)
    assert unnamed.limit == 10


def test_a_limit_that_does_not_adapt_never_moves():
    limiter = limited(3)
    answered(limiter, 100)
    for slot in fill(limiter):
        limiter.leave(slot, overloaded=True)
    assert limiter.limit == 3


def test_a_lowered_limit_ends_nothing_and_lets_nobody_in_until_enough_have_left():
    limiter = limited(4)
    slots = fill(limiter)
    limiter.policy = ConcurrencyPolicy(limit=2)
    assert (limiter.in_flight, limiter.limit, limiter.policy.limit) == (4, 2, 2)
    for _ in range(2):
        limiter.leave(slots.pop())
        assert limiter.try_enter() is None
    limiter.leave(slots.pop())
    assert limiter.try_enter() is not None


async def test_a_raised_limit_lets_in_at_once_those_who_wait(clock: VirtualClock):
    limiter = limited(1)
    entered(limiter)
    waiting = asyncio.create_task(limiter.enter())
    await settled()
    limiter.policy = ConcurrencyPolicy(limit=2)
    assert await waiting is not None
    assert clock.monotonic() == 0.0


def test_a_new_policy_keeps_what_was_learnt_unless_it_begins_elsewhere():
    limiter = limited(10, adaptive=True)
    limiter.leave(entered(limiter), overloaded=True)
    limiter.policy = ConcurrencyPolicy(limit=10, adaptive=True, decrease=0.5)
    assert limiter.limit == 9
    limiter.policy = ConcurrencyPolicy(limit=10, adaptive=True, least=10)
    assert limiter.limit == 10
    limiter.policy = ConcurrencyPolicy(limit=20, adaptive=True)
    assert limiter.limit == 20
    limiter.policy = ConcurrencyPolicy(limit=20)
    assert limiter.limit == 20


def test_whoever_listens_hears_of_every_change_of_the_limit():
    heard: list[tuple[int, int]] = []
    limiter = ConcurrencyLimiter(
        ConcurrencyPolicy(limit=2, adaptive=True),
        clock=VirtualClock(),
        on_limit=lambda before, after: heard.append((before, after)),
    )
    limiter.leave(entered(limiter), overloaded=True)
    limiter.leave(entered(limiter), overloaded=True)
    answered(limiter, 1)
    assert heard == [(2, 1), (1, 2)]
