"""Work in the background lives only inside an owner's `async with`."""

import asyncio
import logging

import pytest

from data_source_orchestrator.resilience.background import Background
from data_source_orchestrator.testing import run_virtual


class Work:
    """Work of some length that knows how often it began, and how it ended."""

    def __init__(self, lasts: float = 1.0, error: Exception | None = None) -> None:
        self.lasts = lasts
        self.error = error
        self.begun = self.done = self.running = 0

    async def __call__(self) -> None:
        self.begun += 1
        self.running += 1
        try:
            await asyncio.sleep(self.lasts)
            if self.error is not None:
                raise self.error
            self.done += 1
        finally:
            await asyncio.sleep(0.1)
            self.running -= 1


def nothing_left() -> bool:
    return asyncio.all_tasks() == {asyncio.current_task()}


async def test_outside_of_its_context_nothing_is_begun():
    background, work = Background(), Work()
    assert [background.open, background.start("a", work)] == [False, False]
    async with background:
        assert background.open
    assert not background.start("a", work)
    await asyncio.sleep(2)
    assert work.begun == 0


async def test_inside_work_goes_on_while_nobody_waits():
    work = Work()
    async with Background() as background:
        assert background.start("a", work)
        await asyncio.sleep(2)
        assert work.done == 1
    assert nothing_left()


async def test_of_one_name_there_is_only_one_at_a_time():
    work, other = Work(), Work()
    async with Background() as background:
        assert background.start("a", work)
        assert background.start("a", work)
        assert background.start("b", other)
        await asyncio.sleep(2)
        assert (work.begun, other.begun) == (1, 1)
        assert background.start("a", work)
        await asyncio.sleep(2)
    assert work.done == 2


async def test_leaving_cancels_what_is_under_way_and_waits_for_its_end(caplog: pytest.LogCaptureFixture):
    work = Work(lasts=100)
    async with Background() as background:
        background.start("a", work)
        await asyncio.sleep(1)
    assert (work.begun, work.done, work.running) == (1, 0, 0)
    assert caplog.records == []
    assert asyncio.get_running_loop().time() == pytest.approx(1.1)
    assert nothing_left()


async def test_a_cancellation_while_leaving_passes_when_everything_has_ended():
    background, work = Background(), Work(lasts=100)

    async def own() -> None:
        async with background:
            background.start("a", work)
            await asyncio.sleep(1)

    owner = asyncio.create_task(own())
    await asyncio.sleep(1.05)
    owner.cancel()
    with pytest.raises(asyncio.CancelledError):
        await owner
    assert work.running == 0
    assert nothing_left()


async def test_entered_twice_it_ends_with_the_last_who_leaves():
    background, work = Background(), Work()
    async with background:
        async with background:
            background.start("a", work)
        assert background.open
        await asyncio.sleep(2)
    assert work.done == 1


async def test_nothing_is_begun_while_the_last_is_leaving():
    background, work, late = Background(), Work(lasts=100), Work()

    async def own() -> None:
        async with background:
            background.start("a", work)
            await asyncio.sleep(1)

    owner = asyncio.create_task(own())
    await asyncio.sleep(1.05)
    assert not background.start("b", late)
    async with background:
        assert background.start("a", late), "entered anew, it does not wait for what is ending"
        await asyncio.sleep(2)
    await owner
    assert late.done == 1
    assert nothing_left()


async def test_what_work_raises_is_told_and_ends_nothing_else(caplog: pytest.LogCaptureFixture):
    other = Work()
    with caplog.at_level(logging.ERROR):
        async with Background() as background:
            background.start("a", Work(error=ValueError("broken")))
            background.start("b", other)
            await asyncio.sleep(2)
    assert caplog.messages == ["work in the background failed"]
    assert "ValueError: broken" in caplog.text
    assert other.done == 1


async def test_an_owner_may_listen_to_what_work_raises():
    heard: list[BaseException] = []
    error = ValueError("broken")
    async with Background(on_error=heard.append) as background:
        background.start("a", Work(error=error))
        background.start("b", Work())
        await asyncio.sleep(2)
    assert heard == [error]


def test_it_may_be_entered_on_one_event_loop_after_another():
    background = Background()
    works = [Work(), Work()]

    async def own(work: Work) -> None:
        async with background:
            background.start("a", work)
            await asyncio.sleep(2)

    for work in works:
        run_virtual(own(work))
    assert [work.done for work in works] == [1, 1]
    assert (background._entered, background._tasks) == ({}, {})


async def test_who_waits_for_the_work_under_way_has_it_done_and_begins_none():
    background, work = Background(), Work()
    async with background:
        assert not await background.finish()
        background.start("a", work)
        assert await background.finish()
        assert work.done == 1
    assert nothing_left()


async def test_who_is_cancelled_while_waiting_for_the_work_leaves_it_going_on():
    background, work = Background(), Work()
    async with background:
        background.start("a", work)
        waiting = asyncio.create_task(background.finish())
        await asyncio.sleep(0.5)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert work.running == 1
        await asyncio.sleep(1)
    assert work.done == 1
