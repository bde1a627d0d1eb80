"""A run as a whole, under virtual time: who is asked, in which order, within which limits, and what comes back."""

import asyncio
import threading
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_source_orchestrator import (
    DataSourceOrchestrator,
    Failure,
    FailureKind,
    FetchError,
    InsufficientSourcesError,
    OrchestratorConfig,
    RetryConfig,
    Skipped,
    SkipReason,
    Source,
    SourceCoordinator,
    Success,
)
from data_source_orchestrator.testing import After, Hang, VirtualClock, run_virtual, script_of, scripted

NO_RETRY = RetryConfig(max_retries=0)
SERVER_DOWN = FetchError("server", "the server is down")


def orchestrate(*sources: Source[Any], retry: RetryConfig = NO_RETRY, **config: Any) -> DataSourceOrchestrator:
    return DataSourceOrchestrator(SourceCoordinator(sources, clock=VirtualClock()), OrchestratorConfig(**config), retry)


def three(step: Any = None, **members: Any) -> list[Source[Any]]:
    return [scripted(key, After(0.3, step or {"rows": [key]}), **members) for key in ("a", "b", "c")]


async def test_B01_in_parallel_the_whole_takes_exactly_as_long_as_the_slowest():
    sources = [scripted("a", After(0.1, 1)), scripted("b", After(0.3, 2)), scripted("c", After(0.2, 3))]
    result = await orchestrate(*sources).fetch_from_all_sources()
    assert result.metadata.total_duration == pytest.approx(0.3)
    assert [script_of(source).calls for source in sources] == [[0.0], [0.0], [0.0]]


async def test_B02_in_sequence_sources_run_by_priority_one_after_another():
    sources = [
        scripted("late", After(0.3, 1), priority=3),
        scripted("first", After(0.3, 2), priority=1),
        scripted("second", After(0.3, 3), priority=2),
    ]
    result = await orchestrate(*sources, parallel_execution=False).fetch_from_all_sources()
    assert result.metadata.total_duration == pytest.approx(0.9)
    assert {source.key: script_of(source).calls[0] for source in sources} == pytest.approx(
        {"first": 0.0, "second": 0.3, "late": 0.6}
    )


async def test_A01_equal_priorities_keep_the_order_of_registration():
    result = await orchestrate(*three(priority=7), parallel_execution=False).fetch_from_all_sources()
    assert list(result.outcomes) == ["a", "b", "c"]


async def test_B04_two_retries_make_three_calls_and_a_third_success_is_success():
    failing = scripted("failing", SERVER_DOWN)
    recovering = scripted("recovering", SERVER_DOWN, SERVER_DOWN, "data", max_retries=3)
    result = await orchestrate(failing, recovering, retry=RetryConfig(max_retries=2)).fetch_from_all_sources()
    assert len(script_of(failing).calls) == 3
    assert result.outcomes["failing"].attempts == 3
    assert len(script_of(recovering).calls) == 3
    assert result["recovering"] == "data"


async def test_B05_D04_the_global_timeout_cuts_off_a_sequential_run_and_cancels():
    sources = three()
    result = await orchestrate(*sources, parallel_execution=False, timeout=0.1).fetch_from_all_sources()
    assert result.metadata.total_duration == pytest.approx(0.1)
    assert result.metadata.success_count == 0
    assert script_of(sources[0]).cancelled == 1
    outcomes = result.outcomes
    assert isinstance(outcomes["a"], Failure)
    assert outcomes["a"].kind is FailureKind.TIMEOUT
    assert outcomes["a"].attempts == 1  # D06: a timeout keeps its count and its duration
    assert outcomes["a"].duration == pytest.approx(0.1)
    assert [o.reason for o in outcomes.values() if isinstance(o, Skipped)] == [SkipReason.DEADLINE] * 2  # A10


async def test_B05_the_global_timeout_cuts_off_a_parallel_run_and_keeps_what_was_finished():
    sources = [scripted("quick", After(0.05, "data")), scripted("hung", Hang())]
    result = await orchestrate(*sources, timeout=0.1).fetch_from_all_sources()
    assert result.metadata.total_duration == pytest.approx(0.1)
    assert result.get("quick") == "data"
    assert isinstance(result.outcomes["hung"], Failure)
    assert script_of(sources[1]).cancelled == 1


async def test_A07_A10_a_source_cut_by_the_run_counts_against_itself_only_after_its_own_whole_timeout():
    impatient = orchestrate(scripted("hung", Hang(), timeout=10), timeout=5)
    await impatient.fetch_from_all_sources()
    assert impatient.coordinator.get_source_stats("hung").executions == 0
    patient = orchestrate(scripted("hung", Hang(), timeout=5), timeout=10)
    await patient.fetch_from_all_sources()
    assert patient.coordinator.get_source_stats("hung").failures == 1


async def test_B06_D43_what_succeeded_is_returned_and_what_failed_tells_its_error():
    result = await orchestrate(scripted("good", [1]), scripted("bad", SERVER_DOWN)).fetch_from_all_sources()
    assert result["good"] == [1]
    outcome = result.outcomes["bad"]
    assert isinstance(outcome, Failure)
    assert outcome.error is SERVER_DOWN
    assert outcome.kind is FailureKind.SERVER
    assert result.metadata.sufficient


async def test_B07_nothing_enabled_gives_an_empty_result_that_is_not_sufficient():
    nobody = await orchestrate().fetch_from_all_sources()
    assert nobody.metadata.success_count == 0
    assert not nobody.metadata.sufficient
    assert not list(nobody)
    switched_off = await orchestrate(scripted("a", 1, enabled=False)).fetch_from_all_sources()
    assert not switched_off.metadata.sufficient
    assert switched_off.get("a") is None
    assert switched_off.metadata.skipped_count == 1


async def test_A03_D10_D11_fail_fast_in_parallel_cancels_the_rest_which_are_skipped():
    sources = [scripted("slow", Hang()), scripted("bad", After(0.1, SERVER_DOWN)), scripted("quick", 1)]
    orchestrator = orchestrate(*sources, fail_fast=True)
    result = await orchestrator.fetch_from_all_sources()
    assert result.metadata.total_duration == pytest.approx(0.1)
    assert result.get("quick") == 1
    skipped = result.outcomes["slow"]
    assert isinstance(skipped, Skipped)
    assert skipped.reason is SkipReason.FAIL_FAST
    assert script_of(sources[0]).cancelled == 1
    assert orchestrator.coordinator.get_source_stats("slow").executions == 0  # A17: it says nothing about the source


async def test_A03_D12_a_timeout_is_a_failure_for_fail_fast_too():
    sources = [scripted("hung", Hang(), timeout=1, priority=1), scripted("never", 1, priority=2)]
    result = await orchestrate(*sources, fail_fast=True, parallel_execution=False).fetch_from_all_sources()
    assert isinstance(result.outcomes["hung"], Failure)
    skipped = result.outcomes["never"]
    assert isinstance(skipped, Skipped)
    assert skipped.reason is SkipReason.FAIL_FAST
    assert not script_of(sources[1]).calls


async def test_A03_with_fail_fast_what_had_landed_in_the_same_moment_is_not_thrown_away():
    sources = [scripted("bad", SERVER_DOWN), scripted("good", "data")]
    result = await orchestrate(*sources, fail_fast=True).fetch_from_all_sources()
    assert {type(outcome) for outcome in result.outcomes.values()} <= {Failure, Success, Skipped}
    assert result.metadata.failure_count == 1


@pytest.mark.parametrize(
    ("source", "retry", "config", "calls"),
    [(0, 5, 7, 1), (None, 2, 7, 3), (None, None, 3, 4), (None, 0, 3, 1), (4, 0, 0, 5)],
)
async def test_A04_D25_D26_retries_are_the_sources_else_the_retry_configs_else_the_runs(
    source: int | None, retry: int | None, config: int, calls: int
):
    failing = scripted("failing", SERVER_DOWN, max_retries=source, timeout=600)
    await orchestrate(failing, retry=RetryConfig(max_retries=retry), max_retries=config, timeout=600).fetch()
    assert len(script_of(failing).calls) == calls


async def test_A08_D13_too_few_successes_are_told_and_raised_only_when_asked():
    orchestrator = orchestrate(scripted("good", 1), scripted("bad", SERVER_DOWN), min_successful_sources=2)
    result = await orchestrator.fetch_from_all_sources()
    assert not result.metadata.sufficient
    assert result.get("good") == 1
    assert orchestrator.get_metrics().failed_executions == 1
    with pytest.raises(
        InsufficientSourcesError, match=r"1 of 2 required sources succeeded.*the server is down"
    ) as told:
        result.raise_if_insufficient()
    assert told.value.result is result


@pytest.mark.parametrize("value", [0, "", False, [], {}])
@pytest.mark.parametrize("parallel", [True, False])
async def test_A09_D22_falsy_values_are_data_everywhere_alike(value: object, parallel: bool):
    orchestrator = orchestrate(scripted("falsy", value), parallel_execution=parallel)
    result = await orchestrator.fetch_from_all_sources()
    assert result["falsy"] == value
    assert result.metadata.success_count == 1
    assert orchestrator.coordinator.get_source_stats("falsy").successes == 1


async def test_A09_none_is_no_data():
    result = await orchestrate(scripted("nothing", None)).fetch_from_all_sources()
    outcome = result.outcomes["nothing"]
    assert isinstance(outcome, Failure)
    assert outcome.kind is FailureKind.EMPTY


async def test_A14_every_source_asked_is_counted_once():
    sources = [scripted("good", 1), scripted("bad", SERVER_DOWN), scripted("off", 1, enabled=False)]
    told = (await orchestrate(*sources).fetch_from_all_sources()).metadata
    assert (told.success_count, told.failure_count, told.skipped_count) == (1, 1, 1)
    assert told.sources == ("good",)


@given(
    st.lists(
        st.sampled_from([("data", 0.1), ("data", 0.4), (SERVER_DOWN, 0.2), (None, 0.0), ("off", 0.0)]),
        max_size=6,
    )
)
def test_B18_in_sequence_and_in_parallel_give_the_same_result_but_for_time(script: list[tuple[Any, float]]):
    def sources() -> list[Source[Any]]:
        return [
            scripted(f"s{number}", After(seconds, step), enabled=step != "off", priority=number % 3)
            for number, (step, seconds) in enumerate(script)
        ]

    async def run(parallel: bool) -> tuple[Any, ...]:
        result = await orchestrate(*sources(), parallel_execution=parallel).fetch_from_all_sources()
        kinds = [(key, type(o), getattr(o, "kind", None), o.attempts) for key, o in result.outcomes.items()]
        return kinds, dict(result), result.metadata.sources, result.metadata.sufficient

    assert run_virtual(run(parallel=True)) == run_virtual(run(parallel=False))


async def test_outcomes_come_as_they_end():
    sources = [scripted("slow", After(0.3, 1)), scripted("quick", After(0.1, 2)), scripted("off", 1, enabled=False)]
    came = [outcome.source async for outcome in orchestrate(*sources).stream()]
    assert came == ["off", "quick", "slow"]


async def test_a_stream_that_is_closed_early_cancels_what_is_under_way_and_counts_the_run():
    sources = [scripted("quick", 1), scripted("hung", Hang())]
    orchestrator = orchestrate(*sources)
    outcomes = orchestrator.stream()
    assert (await anext(outcomes)).source == "quick"
    await outcomes.aclose()
    assert script_of(sources[1]).cancelled == 1
    assert orchestrator.get_metrics().total_executions == 1
    assert len(asyncio.all_tasks()) == 1


async def test_cancelling_the_caller_cancels_every_fetcher_and_leaves_nothing():
    sources = [scripted(key, Hang()) for key in ("a", "b")]
    orchestrator = orchestrate(*sources)
    run = asyncio.create_task(orchestrator.fetch_from_all_sources())
    await asyncio.sleep(1)
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run
    assert [script_of(source).cancelled for source in sources] == [1, 1]
    assert asyncio.all_tasks() == {asyncio.current_task()}
    assert orchestrator.coordinator.get_source_stats("a").executions == 0


async def test_A24_a_fetcher_that_swallows_cancellation_is_abandoned_after_the_grace_of_a_second():
    sources = [scripted("stubborn", Hang(stubborn=30), timeout=2), scripted("good", After(1, "data"))]
    orchestrator = orchestrate(*sources)
    result = await orchestrator.fetch_from_all_sources()
    assert result["good"] == "data"
    assert result.metadata.total_duration == pytest.approx(3.0)
    assert orchestrator.coordinator.guard("stubborn").abandoned == 1
    await asyncio.sleep(60)


@pytest.mark.parametrize("ending", [KeyboardInterrupt(), SystemExit(3)])
async def test_A24_a_fetcher_that_ends_the_program_does_so_in_the_callers_task_and_cancels_the_rest(
    ending: BaseException,
):
    sources = [scripted("hung", Hang()), scripted("ending", After(0.1, ending))]
    orchestrator = orchestrate(*sources)
    with pytest.raises(type(ending)):
        await orchestrator.fetch_from_all_sources()
    assert script_of(sources[0]).cancelled == 1
    assert asyncio.all_tasks() == {asyncio.current_task()}


class Odd(BaseException):
    pass


async def test_A24_any_other_base_exception_is_a_bug_and_the_others_data_is_safe():
    result = await orchestrate(
        scripted("odd", Odd("strange")), scripted("uncalled", asyncio.CancelledError()), scripted("good", 1)
    ).fetch_from_all_sources()
    assert result["good"] == 1
    assert {o.kind for o in result.outcomes.values() if isinstance(o, Failure)} == {FailureKind.BUG}


async def test_D05_D07_after_a_run_no_task_no_timer_and_no_thread_is_left():
    threads = threading.active_count()
    sources = [*three(), scripted("hung", Hang(), timeout=1), Source(key="threaded", fetcher=lambda: 1)]
    await orchestrate(*sources).fetch_from_all_sources()
    loop: Any = asyncio.get_running_loop()
    assert asyncio.all_tasks() == {asyncio.current_task()}
    assert [handle for handle in loop._scheduled if not handle.cancelled()] == []
    assert threading.active_count() == threads


async def test_D23_D24_any_number_of_sources_under_any_keys_keep_their_data_apart():
    keys = ["stats", "stats2", "my-stats", "wz", "wz_stats"]
    result = await orchestrate(*(scripted(key, {"from": key}) for key in keys)).fetch_from_all_sources()
    assert {key: result[key] for key in keys} == {key: {"from": key} for key in keys}


async def test_B08_every_setting_of_a_run_acts():
    failing = scripted("failing", SERVER_DOWN, timeout=600)
    constant = RetryConfig(base_delay=2, max_delay=5, exponential_backoff=False, jitter=False)
    await orchestrate(failing, retry=constant, max_retries=2, timeout=600).fetch()
    assert script_of(failing).calls == pytest.approx([0, 2, 4])
    growing = scripted("growing", SERVER_DOWN, timeout=600)
    doubling = RetryConfig(base_delay=2, max_delay=5, jitter=False)
    await orchestrate(growing, retry=doubling, max_retries=3, timeout=600).fetch()
    assert script_of(growing).calls == pytest.approx([4, 6, 10, 15])


async def test_B03_the_waits_before_retries_double_and_end_at_the_cap():
    failing = scripted("failing", SERVER_DOWN, timeout=600, max_retries=6)
    await orchestrate(failing, retry=RetryConfig(jitter=False), timeout=600).fetch()
    assert script_of(failing).calls == pytest.approx([0, 1, 3, 7, 15, 25, 35])
