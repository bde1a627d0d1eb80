"""Overlapping runs (A15): a source wanted twice at one moment is fetched once, and ends with its last waiter."""

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_source_orchestrator import (
    DataSourceOrchestrator,
    Failure,
    FailureKind,
    ManualClock,
    OrchestratorConfig,
    RetryConfig,
    Source,
    SourceCoordinator,
    Success,
)
from data_source_orchestrator.testing import After, Hang, VirtualClock, run_virtual, script_of, scripted


def pair(*sources: Source[Any], **config: Any) -> DataSourceOrchestrator:
    return DataSourceOrchestrator(
        SourceCoordinator(sources, clock=VirtualClock()), OrchestratorConfig(**config), RetryConfig(max_retries=0)
    )


async def test_A15_two_overlapping_runs_fetch_a_source_once_and_count_it_once():
    source = scripted("a", After(1, ["row"]))
    orchestrator = pair(source)
    first, second = await asyncio.gather(orchestrator.fetch(), orchestrator.fetch())
    assert first["a"] is second["a"]
    assert len(script_of(source).calls) == 1
    assert orchestrator.coordinator.get_source_stats("a").executions == 1
    assert orchestrator.get_metrics().total_executions == 2


async def test_A15_a_shared_flight_goes_on_when_its_first_waiter_is_cancelled():
    source = scripted("a", After(1, "data"))
    orchestrator = pair(source)
    first = asyncio.create_task(orchestrator.fetch())
    await asyncio.sleep(0.5)
    second = asyncio.create_task(orchestrator.fetch())
    await asyncio.sleep(0.1)
    first.cancel()
    assert (await second)["a"] == "data"
    assert script_of(source).cancelled == 0
    with pytest.raises(asyncio.CancelledError):
        await first


async def test_A15_a_shared_flight_ends_with_its_last_waiter():
    source = scripted("a", Hang())
    orchestrator = pair(source)
    runs = [asyncio.create_task(orchestrator.fetch()) for _ in range(3)]
    await asyncio.sleep(0.1)
    for run in runs:
        assert script_of(source).cancelled == 0
        run.cancel()
        await asyncio.wait([run])
    assert script_of(source).cancelled == 1
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_nobody_boards_a_flight_that_is_being_cancelled():
    source = scripted("a", Hang(stubborn=0.5), "fresh")
    orchestrator = pair(source)
    first = asyncio.create_task(orchestrator.fetch())
    await asyncio.sleep(0.1)
    first.cancel()
    await asyncio.sleep(0)
    assert (await orchestrator.fetch())["a"] == "fresh"
    await asyncio.wait([first])


@pytest.mark.pair("deadline", "single flight")
async def test_a_run_with_more_time_puts_off_the_limit_of_the_flight_that_it_joins():
    source = scripted("a", After(6, "data"), timeout=20)
    orchestrator = pair(source, timeout=5)
    first = asyncio.create_task(orchestrator.fetch())
    await asyncio.sleep(3)
    second = asyncio.create_task(orchestrator.fetch())
    cut, whole = await first, await second
    outcome = cut.outcomes["a"]
    assert isinstance(outcome, Failure)
    assert outcome.kind is FailureKind.TIMEOUT
    assert cut.metadata.total_duration == pytest.approx(5)
    assert whole["a"] == "data"
    assert whole.metadata.total_duration == pytest.approx(3)
    assert len(script_of(source).calls) == 1
    assert orchestrator.coordinator.get_source_stats("a").successes == 1


@pytest.mark.pair("deadline", "single flight")
async def test_no_shared_flight_lasts_longer_than_its_sources_own_timeout():
    source = scripted("a", Hang(), timeout=4)
    orchestrator = pair(source, timeout=60)
    first = asyncio.create_task(orchestrator.fetch())
    await asyncio.sleep(3)
    second = await orchestrator.fetch()
    assert second.metadata.total_duration == pytest.approx(1)
    assert (await first).metadata.total_duration == pytest.approx(4)
    assert orchestrator.coordinator.get_source_stats("a").failures == 1


async def test_A15_a_fetch_after_a_reset_joins_what_is_under_way_which_is_not_counted():
    source = scripted("a", After(2, "old"), After(2, "new"))
    orchestrator = pair(source)
    before = asyncio.create_task(orchestrator.fetch())
    await asyncio.sleep(1)
    orchestrator.coordinator.reset("a")
    assert (await orchestrator.fetch())["a"] == (await before)["a"] == "old"
    assert orchestrator.coordinator.get_source_stats("a").executions == 0


async def test_the_limit_of_a_run_in_a_shared_flight_is_told_by_the_clock_that_was_handed_in():
    clock = ManualClock()
    orchestrator = DataSourceOrchestrator(SourceCoordinator([scripted("a", Hang(), timeout=60)], clock=clock))
    patient = asyncio.create_task(orchestrator.fetch())
    await asyncio.sleep(0)
    orchestrator.config = OrchestratorConfig(timeout=5)
    hurried = asyncio.create_task(orchestrator.fetch())
    await asyncio.sleep(1000)
    assert not hurried.done()
    clock.advance(5)
    await asyncio.sleep(1)
    assert hurried.done()
    assert not patient.done()
    clock.advance(55)
    assert isinstance((await hurried).outcomes["a"], Failure)
    assert isinstance((await patient).outcomes["a"], Failure)


async def test_a_later_run_fetches_again():
    source = scripted("a", After(1, "first"), After(1, "second"))
    orchestrator = pair(source)
    assert (await orchestrator.fetch())["a"] == "first"
    assert (await orchestrator.fetch())["a"] == "second"


@given(
    st.lists(
        st.tuples(st.floats(0, 3), st.one_of(st.none(), st.floats(0, 3))),
        min_size=1,
        max_size=6,
    )
)
def test_A15_whoever_is_not_cancelled_gets_the_data_and_nothing_is_left(waiters: list[tuple[float, float | None]]):
    """However runs begin and are cancelled, no two fetches of one source ever overlap unwanted."""

    async def simulate() -> None:
        source = scripted("a", After(1, "data"))
        script = script_of(source)
        orchestrator = pair(source)
        loop = asyncio.get_running_loop()

        async def wait(begin: float, cancel_after: float | None) -> None:
            await asyncio.sleep(begin)
            run = asyncio.create_task(orchestrator.fetch())
            if cancel_after is not None:
                loop.call_later(cancel_after, run.cancel)
            await asyncio.wait([run])
            if not run.cancelled():
                assert isinstance(run.result().outcomes["a"], Success)
            elif cancel_after is not None:
                assert cancel_after <= 1.000001

        await asyncio.gather(*(wait(begin, cancel) for begin, cancel in waiters))
        assert script.running == 0
        assert asyncio.all_tasks() == {asyncio.current_task()}

    run_virtual(simulate())


async def test_entering_twice_keeps_the_connections_until_the_last_has_left():
    orchestrator = pair(scripted("a", 1))
    async with orchestrator, orchestrator:
        assert (await orchestrator.fetch())["a"] == 1
    assert (await orchestrator.fetch())["a"] == 1
    assert not orchestrator._http._tenancies


@pytest.mark.skipif(not hasattr(asyncio, "eager_task_factory"), reason="eager tasks came with Python 3.12")
async def test_flights_land_on_a_loop_whose_tasks_begin_at_once():
    asyncio.get_running_loop().set_task_factory(getattr(asyncio, "eager_task_factory", None))
    orchestrator = pair(scripted("a", 1), scripted("b", After(1, 2)))
    first, second = await asyncio.gather(orchestrator.fetch(), orchestrator.fetch())
    assert dict(first) == dict(second) == {"a": 1, "b": 2}
    assert not orchestrator._flights._field().sky


async def test_A15_nobody_joins_a_flight_that_is_being_cut_off():
    source = scripted("a", Hang(stubborn=30), "fresh", timeout=20)
    orchestrator = pair(source, timeout=2)
    first = asyncio.create_task(orchestrator.fetch())
    await asyncio.sleep(2.5)
    second = asyncio.create_task(orchestrator.fetch())
    assert (await second)["a"] == "fresh"
    assert (await first).metadata.total_duration == pytest.approx(3)  # its limit and the grace, no more
    await asyncio.sleep(60)


async def test_D05_a_second_cancellation_leaves_nothing_running_either():
    async def tidy() -> None:
        try:
            await asyncio.sleep(100)
        finally:
            await asyncio.sleep(0.5)

    orchestrator = pair(Source(key="a", fetcher=tidy))
    run = asyncio.create_task(orchestrator.fetch())
    await asyncio.sleep(1)
    run.cancel()
    await asyncio.sleep(0.1)
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run
    assert asyncio.all_tasks() == {asyncio.current_task()}
