"""Calls shared by key: one at a time, failed for all, and ended with the last who waits."""

import asyncio
import gc
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_source_orchestrator.core.errors import FetchError
from data_source_orchestrator.resilience.single_flight import SingleFlight
from data_source_orchestrator.testing import run_virtual


@dataclass
class Counted:
    """A call of some length that gives its own number, and knows how often it was made and how it ended."""

    lasts: float = 1.0
    begun: int = 0
    running: int = 0
    cancelled: int = 0
    most_at_once: int = 0
    stubborn: float = 0.0
    error: Exception | None = None
    ends: list[float] = field(default_factory=list)

    async def __call__(self) -> int:
        self.begun += 1
        number = self.begun
        self.running += 1
        self.most_at_once = max(self.most_at_once, self.running)
        try:
            await asyncio.sleep(self.lasts)
        except asyncio.CancelledError:
            self.cancelled += 1
            await asyncio.sleep(self.stubborn)
            raise
        finally:
            self.running -= 1
            self.ends.append(asyncio.get_running_loop().time())
        if self.error is not None:
            raise self.error
        return number


def nothing_left() -> bool:
    return asyncio.all_tasks() == {asyncio.current_task()}


async def test_a_hundred_callers_at_once_make_one_call():
    flights, call = SingleFlight[int](), Counted()
    assert await asyncio.gather(*(flights.run("a", call) for _ in range(100))) == [1] * 100
    assert nothing_left()


async def test_other_keys_are_other_calls_and_a_later_caller_makes_a_new_one():
    flights, call = SingleFlight[int](), Counted()
    assert sorted(await asyncio.gather(flights.run("a", call), flights.run("b", call))) == [1, 2]
    assert await flights.run("a", call) == 3


async def test_a_call_that_fails_is_failed_for_all_who_wait_and_for_nobody_later():
    flights, call = SingleFlight[int](), Counted(error=OSError("down"))
    ended = await asyncio.gather(*(flights.run("a", call) for _ in range(3)), return_exceptions=True)
    assert [repr(each) for each in ended] == ["OSError('down')"] * 3
    call.error = None
    assert await flights.run("a", call) == 2


async def test_who_is_cancelled_leaves_and_the_others_get_the_result():
    flights, call = SingleFlight[int](), Counted()
    first, second = (asyncio.create_task(flights.run("a", call)) for _ in range(2))
    await asyncio.sleep(0.5)
    first.cancel()
    assert await second == 1
    assert first.cancelled()
    assert call.cancelled == 0


async def test_the_last_who_leaves_cancels_the_call_and_waits_for_its_end():
    flights, call = SingleFlight[int](), Counted(stubborn=0.5)
    waiters = [asyncio.create_task(flights.run("a", call)) for _ in range(3)]
    await asyncio.sleep(0.5)
    for waiter in waiters:
        assert call.cancelled == 0
        waiter.cancel()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    await asyncio.wait(waiters)
    assert (call.cancelled, call.running, call.ends) == (1, 0, [1.0])
    assert nothing_left()


async def test_nobody_joins_a_call_that_is_ending():
    flights, call = SingleFlight[int](), Counted(stubborn=0.5)
    first = asyncio.create_task(flights.run("a", call))
    await asyncio.sleep(0.5)
    first.cancel()
    await asyncio.sleep(0.1)
    second = asyncio.create_task(flights.run("a", call))
    await asyncio.sleep(0.6)
    assert first.done()
    assert await flights.run("a", call) == await second == 2, "the first one's end is not the second one's"
    assert nothing_left()


async def test_a_call_that_is_over_is_joined_by_nobody_not_even_in_its_last_moment():
    flights, later = SingleFlight[int](), list[asyncio.Task[int]]()

    async def call() -> int:
        if not later:
            later.append(asyncio.create_task(flights.run("a", call)))
            return 1
        return 2

    assert await flights.run("a", call) == 1
    assert await later[0] == 2


async def test_what_a_call_raises_that_everybody_has_left_is_no_news(caplog: pytest.LogCaptureFixture):
    async def stubborn() -> int:
        try:
            await asyncio.sleep(100)
        except asyncio.CancelledError:
            raise OSError("down") from None
        return 1

    waiter = asyncio.create_task(SingleFlight[int]().run("a", stubborn))
    await asyncio.sleep(1)
    waiter.cancel()
    await asyncio.wait([waiter])
    del waiter
    gc.collect()
    assert caplog.text == ""


async def test_a_second_cancellation_does_not_leave_the_call_alone():
    flights, call = SingleFlight[int](), Counted(stubborn=0.5)
    waiter = asyncio.create_task(flights.run("a", call))
    await asyncio.sleep(0.5)
    for _ in range(2):
        waiter.cancel()
        await asyncio.sleep(0.1)
    with pytest.raises(asyncio.CancelledError):
        await waiter
    assert call.running == 0
    assert nothing_left()


async def test_who_is_cancelled_before_the_call_has_begun_leaves_nothing():
    flights, call = SingleFlight[int](), Counted()
    waiter = asyncio.create_task(flights.run("a", call))
    await asyncio.sleep(0)
    waiter.cancel()
    await asyncio.wait([waiter])
    assert not flights._under_way
    assert nothing_left()


async def test_a_cancellation_that_nobody_asked_for_is_the_calls_own_mistake():
    async def confused() -> int:
        raise asyncio.CancelledError

    with pytest.raises(FetchError, match="nobody had cancelled it") as caught:
        await SingleFlight[int]().run("a", confused)
    assert caught.value.kind == "bug"


def test_a_waiter_that_is_thrown_away_with_its_loop_complains_of_nothing():
    async def endless() -> None:
        await asyncio.sleep(100)

    flights = SingleFlight[None]()
    loop = asyncio.new_event_loop()
    waiter = loop.create_task(flights.run("a", endless))
    loop.run_until_complete(asyncio.sleep(0))
    loop.run_until_complete(asyncio.sleep(0))
    for task in asyncio.all_tasks(loop):
        setattr(task, "_log_destroy_pending", False)  # noqa: B010 — asyncio's own complaint is not the subject
    loop.close()
    waiter.get_coro().close()
    assert not flights._under_way


def test_calls_on_two_event_loops_are_two_calls():
    flights = SingleFlight[int]()

    async def once() -> int:
        return await flights.run("a", Counted())

    assert run_virtual(once()) == run_virtual(once()) == 1
    assert not flights._under_way


@pytest.mark.skipif(not hasattr(asyncio, "eager_task_factory"), reason="eager tasks came with Python 3.12")
async def test_calls_are_shared_on_a_loop_whose_tasks_begin_at_once():
    asyncio.get_running_loop().set_task_factory(getattr(asyncio, "eager_task_factory", None))

    async def at_once() -> int:
        return 7

    flights, call = SingleFlight[int](), Counted()
    assert await flights.run("a", at_once) == 7
    assert await asyncio.gather(*(flights.run("a", call) for _ in range(3))) == [1] * 3
    await asyncio.sleep(0)
    assert not flights._under_way


@given(
    lasts=st.sampled_from([0.0, 0.5, 1.0]),
    stubborn=st.sampled_from([0.0, 0.25]),
    waiters=st.lists(st.tuples(st.floats(0, 3), st.none() | st.floats(0, 2)), min_size=1, max_size=8),
)
def test_A15_whoever_stays_gets_a_result_and_whatever_is_left_alone_ends(
    lasts: float, stubborn: float, waiters: list[tuple[float, float | None]]
):
    async def simulate() -> None:
        flights, call = SingleFlight[int](), Counted(lasts=lasts, stubborn=stubborn)

        async def wait(begin: float, patience: float | None) -> None:
            await asyncio.sleep(begin)
            waiter = asyncio.create_task(flights.run("a", call))
            if patience is not None:
                asyncio.get_running_loop().call_later(patience, waiter.cancel)
            await asyncio.wait([waiter])
            assert waiter.cancelled() or 1 <= waiter.result() <= call.begun
            assert patience is not None or not waiter.cancelled()

        await asyncio.gather(*(wait(begin, patience) for begin, patience in waiters))
        assert call.most_at_once <= 1 + call.cancelled
        assert call.running == 0
        assert nothing_left()

    run_virtual(simulate())
