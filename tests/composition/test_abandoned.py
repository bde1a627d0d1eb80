"""How a coroutine that was left where it stood goes on by itself."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from data_source_orchestrator.resilience.abandoned import live_on


def left(coroutine: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
    """Begin a coroutine, leave it at the first thing that it waits for, and return the task in which it goes on."""
    live_on(coroutine, coroutine.send(None), name="left")
    return next(task for task in asyncio.all_tasks() if task.get_name() == "left")


async def test_it_goes_on_to_its_end_in_a_task_of_its_name():
    done: list[float] = []

    async def three_steps() -> None:
        for _ in range(3):
            await asyncio.sleep(1)
        done.append(asyncio.get_running_loop().time())

    await left(three_steps())
    assert done == [3]


async def test_it_hears_how_what_it_waited_for_went_wrong_and_may_go_on():
    heard: list[Exception] = []
    waited_for: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def patient() -> None:
        try:
            await waited_for
        except ValueError as error:
            heard.append(error)
        await asyncio.sleep(1)
        heard.append(RuntimeError("done"))

    task = left(patient())
    error = ValueError("no such thing")
    waited_for.set_exception(error)
    await task
    assert heard[0] is error
    assert len(heard) == 2


@pytest.mark.parametrize("error", [ValueError(), GeneratorExit(), KeyboardInterrupt(), SystemExit()], ids=repr)
async def test_nobody_hears_what_it_raises_at_last(error: BaseException):
    async def failing() -> None:
        await asyncio.sleep(1)
        raise error

    await left(failing())


async def test_its_next_cancellation_ends_it_where_it_stands():
    ended: list[str] = []

    async def stubborn() -> None:
        try:
            await asyncio.sleep(100)
        except asyncio.CancelledError:
            ended.append("swallowed")
        finally:
            ended.append("closed")

    task = left(stubborn())
    await asyncio.sleep(1)
    task.cancel()
    await asyncio.wait([task])
    assert (task.cancelled(), ended) == (True, ["closed"])


async def test_one_that_refuses_even_to_be_closed_is_cancelled_all_the_same():
    async def closed_by_nobody() -> None:
        try:
            await asyncio.sleep(100)
        except GeneratorExit:
            raise RuntimeError("not yet") from None

    task = left(closed_by_nobody())
    await asyncio.sleep(1)
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()
