"""Many sources at once: each in its own context, none at another's mercy, nobody waiting for ever."""

import asyncio
import contextvars
import sys
from typing import Any

import pytest

from data_source_orchestrator import (
    DataSourceOrchestrator,
    Failure,
    ManualClock,
    OrchestratorConfig,
    Source,
    SourceCoordinator,
)
from data_source_orchestrator.core.events import Event, RunStarted
from data_source_orchestrator.resilience.guard import Guard
from data_source_orchestrator.testing import VirtualClock

COLOUR: contextvars.ContextVar[str] = contextvars.ContextVar("colour", default="none")


def orchestrate(*fetchers: Any, **config: Any) -> DataSourceOrchestrator:
    sources = [Source(key=f"s{number}", fetcher=fetcher) for number, fetcher in enumerate(fetchers)]
    return DataSourceOrchestrator(SourceCoordinator(sources, clock=VirtualClock()), OrchestratorConfig(**config))


@pytest.mark.parametrize("wait", [None, 0, 1])
async def test_context_variables_reach_every_fetcher_and_leak_from_none(wait: float | None):
    def fetcher(number: int) -> Any:
        async def coloured() -> str:
            before = COLOUR.get()
            COLOUR.set(f"colour {number}")
            if wait is not None:
                await asyncio.sleep(wait)
            assert COLOUR.get() == f"colour {number}"
            return before

        return coloured

    COLOUR.set("red")
    result = await orchestrate(*(fetcher(number) for number in range(300))).fetch()
    assert set(result.values()) == {"red"}
    assert COLOUR.get() == "red"


async def test_sources_that_never_wait_and_sources_that_do_are_all_asked_at_once():
    async def instant() -> str:
        return "instant"

    async def slow() -> str:
        await asyncio.sleep(2)
        return "slow"

    result = await orchestrate(*[instant, slow] * 100).fetch()
    assert (len(result), result.metadata.total_duration) == (200, 2)


async def test_a_fetch_whose_task_is_cancelled_from_elsewhere_fails_alone():
    async def hostile() -> None:
        await asyncio.sleep(1)
        this = asyncio.current_task()
        for task in asyncio.all_tasks():
            if task.get_name() == "dso-crew" and task is not this:
                task.cancel()

    async def slow() -> str:
        await asyncio.sleep(5)
        return "data"

    orchestrator = orchestrate(slow, hostile, slow)
    result = await orchestrator.fetch()
    failures = [outcome for outcome in result.outcomes.values() if isinstance(outcome, Failure)]
    assert [failure.kind for failure in failures] == ["bug", "empty", "bug"]
    assert "cancelled by code that is none of the orchestrator's" in failures[0].message
    assert orchestrator.coordinator.get_health("s0").executions == 0


async def test_what_tasks_were_to_do_that_were_cancelled_before_they_began_is_done_by_others():
    async def instant() -> str:
        return "data"

    run = asyncio.ensure_future(orchestrate(instant, instant, timeout=3).fetch())
    while not (crew := [task for task in asyncio.all_tasks() if task.get_name() == "dso-crew"]):  # noqa: ASYNC110 — the very turn in which they are made
        await asyncio.sleep(0)
    for task in crew:
        task.cancel()
    result = await run
    assert (result.metadata.success_count, result.metadata.total_duration) == (2, 0)


async def test_a_run_whose_time_is_up_before_all_have_begun_leaves_nobody_behind_to_go_through_the_rest():
    clock, asked = ManualClock(), list[int]()

    async def busy() -> str:
        clock.advance(0.01)
        asked.append(1)
        return "data"

    sources: list[Source[str]] = [Source(key=f"s{number}", fetcher=busy) for number in range(1000)]
    orchestrator = DataSourceOrchestrator(SourceCoordinator(sources, clock=clock), OrchestratorConfig(timeout=1))
    result = await orchestrator.fetch()
    assert (result.metadata.success_count, result.metadata.skipped_count) == (len(asked), 1000 - len(asked))
    await asyncio.sleep(0)
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_a_bug_of_the_engine_itself_makes_nobody_wait_for_ever(monkeypatch: pytest.MonkeyPatch, caplog: Any):
    async def instant() -> str:
        return "data"

    def broken(*_: Any) -> None:
        raise RuntimeError("out of order")

    monkeypatch.setattr(Guard, "_executed", broken)
    result = await orchestrate(instant).fetch()
    outcome = result.outcomes["s0"]
    assert isinstance(outcome, Failure)
    assert (outcome.kind, str(outcome.error)) == ("bug", "out of order")
    assert "a bug of the engine" in caplog.text


async def test_a_listener_that_raises_a_cancellation_makes_nobody_wait():
    async def instant() -> str:
        return "data"

    def listen(event: Event) -> None:
        if event.type in {"source_finished", "attempt_started", "attempt_finished"}:
            raise asyncio.CancelledError

    orchestrator = orchestrate(instant, instant, timeout=5)
    orchestrator.coordinator.hub.follow(listen)
    assert (await orchestrator.fetch()).metadata.success_count == 2


@pytest.mark.skipif(sys.version_info < (3, 12), reason="eager tasks came with Python 3.12")
async def test_a_loop_that_begins_tasks_at_once_asks_any_number_of_sources():
    async def suspended() -> str:
        await asyncio.sleep(1)
        return "data"

    asyncio.get_running_loop().set_task_factory(asyncio.eager_task_factory)  # type: ignore[attr-defined, unused-ignore]
    for _ in range(2):
        result = await orchestrate(*[suspended] * 2000, timeout=5).fetch()
        assert (result.metadata.success_count, result.metadata.total_duration) == (2000, 1)


async def test_a_source_that_is_gone_is_told_before_another_one_goes():
    async def instant() -> str:
        return "data"

    orchestrator = orchestrate(instant, instant, instant)
    coordinator = orchestrator.coordinator

    def listen(_event: Event) -> None:
        coordinator.unregister_source("s0")

    coordinator.hub.follow(listen, RunStarted)
    seen = []
    async for outcome in orchestrator.stream():
        seen.append(outcome.source)
        coordinator.unregister_source("s1")
    assert sorted(seen) == ["s0", "s1", "s2"]


@pytest.mark.skipif(sys.version_info < (3, 12), reason="eager tasks came with Python 3.12")
async def test_a_loop_that_begins_tasks_at_once_asks_those_that_wait_and_those_that_do_not():
    def fetcher(number: int) -> Any:
        async def fetch() -> int:
            if number % 3:
                await asyncio.sleep(number % 3 - 1)
            return number

        return fetch

    asyncio.get_running_loop().set_task_factory(asyncio.eager_task_factory)  # type: ignore[attr-defined, unused-ignore]
    result = await orchestrate(*(fetcher(number) for number in range(1000)), timeout=5).fetch()
    assert (result.metadata.success_count, result.metadata.total_duration) == (1000, 1)


async def test_a_task_factory_that_raises_ends_its_own_run_and_no_later_one():
    def broken(*_arguments: object, **_named: object) -> Any:
        raise RuntimeError("no tasks today")

    async def fetch() -> str:
        await asyncio.sleep(1)
        return "data"

    whole = orchestrate(fetch, fetch)
    loop = asyncio.get_running_loop()
    loop.set_task_factory(broken)
    with pytest.raises(RuntimeError, match="no tasks today"):
        await whole.fetch()
    loop.set_task_factory(None)
    assert (await whole.fetch()).metadata.success_count == 2
