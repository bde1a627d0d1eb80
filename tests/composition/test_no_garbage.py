"""What a call has made is gone when its outcome is: nothing waits for the garbage collector, however the call ended.

A failure that held its fetcher's frames in a circle would keep bodies and payloads for as long as the collector likes.
From Python 3.12 on it does where a fetcher has raised, for its frame holds those that called it: that is Python's own.
"""

import asyncio
import gc
import sys
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from data_source_orchestrator import (
    DataSourceOrchestrator,
    FetchContext,
    FetchError,
    HedgePolicy,
    OrchestratorConfig,
    RetryConfig,
    Source,
    SourceCoordinator,
    guard,
)
from data_source_orchestrator.core.verdicts import FailureKind

HERE = "data_source_orchestrator"

Fetch = Callable[[Any], Coroutine[Any, Any, list[int]]]


async def answers(ctx: FetchContext) -> list[int]:
    ctx.warn("a little old")
    await asyncio.sleep(0.01)
    return [1]


async def hangs(ctx: FetchContext) -> list[int]:
    await asyncio.sleep(60)
    return [ctx.attempt]


async def raises(ctx: FetchContext) -> list[int]:
    await asyncio.sleep(0.01)
    raise FetchError(FailureKind.SERVER, f"attempt {ctx.attempt}")


async def is_not_reached(ctx: FetchContext) -> list[int]:
    await asyncio.sleep(0.01)
    raise FetchError(FailureKind.CONNECTION, f"attempt {ctx.attempt}")


async def swallows_its_end(ctx: FetchContext) -> list[int]:
    try:
        await asyncio.sleep(60)
    except asyncio.CancelledError:
        return [ctx.attempt]
    return []


async def slow_only_at_first(ctx: FetchContext) -> list[int]:
    await asyncio.sleep(60 if ctx.attempt == 1 else 0.01)
    return [ctx.attempt]


@contextmanager
def nothing_is_left_to_the_collector() -> Iterator[None]:
    """Collect what was there before, and then look at what only the collector would find."""
    gc.collect()
    gc.disable()
    debugged = gc.get_debug()
    try:
        yield
        gc.set_debug(gc.DEBUG_SAVEALL)
        gc.collect()
        left = sorted({f"{type(each).__qualname__}" for each in gc.garbage if type(each).__module__.startswith(HERE)})
        assert left == []
    finally:
        gc.garbage.clear()
        gc.set_debug(debugged)
        gc.enable()


needs_frames_that_let_go = pytest.mark.skipif(
    sys.version_info >= (3, 12),
    reason="from Python 3.12 on the frame that an error holds also holds the frames that called it, ours among them",
)

RAISING = [pytest.param(fetcher, marks=needs_frames_that_let_go) for fetcher in (raises, is_not_reached)]

FETCHERS = (answers, hangs, *RAISING, swallows_its_end)


@pytest.mark.parametrize("fetcher", FETCHERS, ids=lambda fetcher: fetcher.__name__)
@pytest.mark.parametrize("sources", [1, 3])
async def test_a_run_leaves_nothing_to_the_collector(fetcher: Fetch, sources: int):
    asked: list[Source[list[int]]] = [
        Source(key=f"s{number}", fetcher=fetcher, timeout=2.0) for number in range(sources)
    ]
    orchestrator = DataSourceOrchestrator(
        SourceCoordinator(asked), OrchestratorConfig(timeout=5), RetryConfig(max_retries=1)
    )
    await orchestrator.fetch_from_all_sources()  # what is made once and for all is made now
    with nothing_is_left_to_the_collector():
        result = await orchestrator.fetch_from_all_sources()
        assert result.metadata.success_count + result.metadata.failure_count == sources
        del result


@needs_frames_that_let_go
@pytest.mark.parametrize("fetcher", [*FETCHERS, slow_only_at_first], ids=lambda fetcher: fetcher.__name__)
async def test_hedged_calls_leave_nothing_to_the_collector(fetcher: Fetch):
    asked: list[Source[list[int]]] = [
        Source(key="s", fetcher=fetcher, timeout=2.0, attempt_timeout=1.0, hedge=HedgePolicy(delay=0.005))
    ]
    orchestrator = DataSourceOrchestrator(SourceCoordinator(asked), OrchestratorConfig(timeout=5))
    await orchestrator.fetch_from_all_sources()
    with nothing_is_left_to_the_collector():
        await orchestrator.fetch_from_all_sources()


@pytest.mark.parametrize("fetcher", FETCHERS, ids=lambda fetcher: fetcher.__name__)
async def test_a_guarded_call_leaves_nothing_to_the_collector(fetcher: Fetch):
    guarded = guard("call", timeout=2.0, max_retries=1)

    class Given:
        attempt = 1

        @staticmethod
        def warn(message: str) -> None:
            """Hear nothing."""

    await guarded.call(fetcher, Given)
    with nothing_is_left_to_the_collector():
        await guarded.call(fetcher, Given)
