"""When our own network is down: one event, nobody tripped, uptime unknown; and the first answer blames as ever."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, asynccontextmanager, closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from data_source_orchestrator import (
    BreakerPolicy,
    BudgetPolicy,
    CachePolicy,
    DataSourceOrchestrator,
    Failure,
    FailureKind,
    FetchError,
    HedgePolicy,
    OrchestratorConfig,
    RetryConfig,
    Source,
    SourceCoordinator,
    SqliteStore,
    guard,
)
from data_source_orchestrator.core.events import (
    HealthChanged,
    MonitorOffline,
    SourceChecked,
    SourceFinished,
    SourceUnreached,
)
from data_source_orchestrator.core.verdicts import Verdict
from data_source_orchestrator.health.state import SourceHealth
from data_source_orchestrator.testing import After, Hang, Recorder, VirtualClock, scripted

BROKEN = ConnectionError("no route to host")
SERVER_DOWN = FetchError("server", "the server is down")
TRIPS_AT_ONCE = BreakerPolicy(failures=1, spread=0)


class Whole:
    """An orchestrator over these sources, and everything that was heard of it."""

    def __init__(self, *sources: Source[Any], retries: int = 0, **config: Any) -> None:
        self.coordinator = SourceCoordinator(sources, clock=VirtualClock())
        retry = RetryConfig(max_retries=retries, jitter=False)
        self.orchestrator = DataSourceOrchestrator(self.coordinator, OrchestratorConfig(**config), retry)
        self.heard = Recorder()
        self.coordinator.hub.follow(self.heard)
        self.fetch = self.orchestrator.fetch

    @property
    def offline(self) -> list[tuple[str, ...]]:
        """The sources that were excused together, each time."""
        return [event.sources for event in self.heard.of(MonitorOffline)]

    @property
    def failures(self) -> dict[str, int]:
        """How many failed executions each source has, those left out that have none."""
        counts = {s.key: self.coordinator.get_health(s.key).failures for s in self.coordinator.get_all_sources()}
        return {key: count for key, count in counts.items() if count}

    def state(self, key: str) -> str:
        return self.coordinator.guard(key).breaker.state

    def consecutive(self, key: str) -> int:
        return self.coordinator.guard(key).breaker.statistics.consecutive_failures

    def finished(self) -> list[tuple[str, Verdict]]:
        return [(e.executed.outcome.source, e.executed.verdict) for e in self.heard.of(SourceFinished)]

    async def trip(self, *keys: str) -> None:
        """Let each source fail alone, which tells about itself, until its breaker has opened and its wait is over."""
        for key in keys:
            while self.state(key) == "closed":
                await self.fetch(key)
        await asyncio.sleep(30)
        self.heard.forget()


def broken(key: str, after: float = 0.1, **members: Any) -> Source[Any]:
    return scripted(key, After(after, BROKEN), **members)


def answering(key: str, after: float, step: Any = "data", **members: Any) -> Source[Any]:
    return scripted(key, After(after, step), **members)


@pytest.mark.pair("common cause", "breaker")
@pytest.mark.parametrize("parallel", [True, False])
async def test_when_every_source_breaks_off_nobody_is_tripped_and_one_event_tells_of_it(parallel: bool):
    whole = Whole(*(broken(key, breaker=TRIPS_AT_ONCE) for key in "abc"), parallel_execution=parallel)
    result = await whole.fetch()
    assert [type(outcome) for outcome in result.outcomes.values()] == [Failure] * 3
    assert (result.metadata.failure_count, result.metadata.offline) == (3, ("a", "b", "c"))
    assert whole.offline == [("a", "b", "c")]
    assert {whole.state(key) for key in "abc"} == {"closed"}
    assert whole.finished() == [(key, Verdict.RELEASED) for key in "abc"]
    assert all(event.executed.offline for event in whole.heard.of(SourceFinished))


async def test_uptime_is_unknown_while_we_are_offline_and_moves_neither_up_nor_down():
    sources = [scripted(key, *["data"] * 3, BROKEN, BROKEN, SERVER_DOWN) for key in "ab"]
    whole = Whole(*sources)
    assert whole.coordinator.get_health_report("a").uptime is None
    for _ in range(3):
        await whole.fetch()
    before = {key: whole.coordinator.get_health_report(key) for key in "ab"}
    whole.heard.forget()
    for _ in range(2):
        await whole.fetch()
    for key, report in before.items():
        now = whole.coordinator.get_health_report(key)
        assert (now.uptime, now.status) == (report.uptime, report.status) == (100, "healthy")
        assert now.consecutive_failures == 0
        assert now.last_failure is None
        assert now.last_successful_fetch == report.last_successful_fetch
        assert len(whole.coordinator.get_execution_history(key)) == 3
    assert whole.heard.of(HealthChanged) == []
    await whole.fetch()
    assert whole.coordinator.get_health_report("a").uptime == 75


async def test_the_first_answer_blames_those_who_had_failed_as_they_had_and_when_they_had():
    whole = Whole(broken("a", 0.1, breaker=TRIPS_AT_ONCE), broken("b", 0.2), answering("c", 5), broken("d", 7))
    began = whole.coordinator.clock.now()
    await whole.fetch()
    assert whole.finished() == [
        ("a", Verdict.FAILURE),
        ("b", Verdict.FAILURE),
        ("c", Verdict.SUCCESS),
        ("d", Verdict.FAILURE),
    ]
    ended = [(event.at - began).total_seconds() for event in whole.heard.of(SourceFinished)]
    assert ended == pytest.approx([0.1, 0.2, 5, 7])
    assert (whole.offline, whole.state("a"), whole.failures) == ([], "open", {"a": 1, "b": 1, "d": 1})


async def test_what_is_judged_together_still_says_why_it_was_not_tried_again():
    poor = BudgetPolicy(tokens=0)
    whole = Whole(*(broken(key, budget=poor) for key in "ab"), retries=3)
    outcomes = (await whole.fetch()).outcomes.values()
    told = "not tried again: this source's retry budget is spent, and only successes refill it"
    assert [outcome.warnings for outcome in outcomes if isinstance(outcome, Failure)] == [(told,)] * 2


async def test_an_attempt_that_is_blamed_late_counts_as_long_as_it_took():
    slow = BreakerPolicy(slow_ratio=1, slow_after=2, window=1, minimum_throughput=1)
    whole = Whole(broken("a", 3, breaker=slow), broken("b", 1, breaker=slow), answering("c", 5))
    await asyncio.sleep(100)
    await whole.fetch()
    assert (whole.state("a"), whole.state("b")) == ("open", "closed")


@pytest.mark.parametrize("kind", ["server", "rate_limited", "blocked", "client", "content", "empty"])
async def test_an_error_that_somebody_sent_is_an_answer_too(kind: str):
    whole = Whole(broken("a"), broken("b"), answering("c", 1, FetchError(kind, "sent")))
    await whole.fetch()
    assert (whole.offline, whole.failures) == ([], {"a": 1, "b": 1, "c": 1})


@pytest.mark.parametrize("error", [TypeError("a bug"), RuntimeError("whatever")])
async def test_a_bug_and_an_unknown_error_tell_nothing_and_are_counted_as_they_are(error: Exception):
    whole = Whole(broken("a"), answering("b", 0.2, error), broken("c"))
    await whole.fetch()
    assert (whole.offline, whole.failures) == ([("a", "c")], {"b": 1})


@pytest.mark.usefixtures("unlogged")
@pytest.mark.parametrize("others", [1, 2])
async def test_a_source_whose_last_word_tells_nothing_counts_no_longer_as_not_reached(others: int):
    whole = Whole(scripted("a", BROKEN, TypeError("a bug")), *(broken(key) for key in "bc"[:others]), retries=1)
    await whole.fetch()
    assert whole.offline == ([] if others == 1 else [("b", "c")])
    assert whole.failures == ({"a": 1, "b": 1} if others == 1 else {"a": 1})


async def test_timeouts_alone_are_not_our_network():
    whole = Whole(*(scripted(key, Hang(), timeout=1) for key in "abc"))
    result = await whole.fetch()
    assert (whole.offline, result.metadata.offline) == ([], ())
    assert whole.failures == {"a": 1, "b": 1, "c": 1}


async def test_one_source_alone_tells_about_itself():
    whole = Whole(broken("a", breaker=TRIPS_AT_ONCE), broken("b", enabled=False))
    await whole.fetch()
    assert (whole.offline, whole.state("a")) == ([], "open")
    assert whole.heard.of(SourceUnreached) == []


async def test_a_guard_by_itself_holds_nothing():
    async def fail() -> None:
        raise BROKEN

    calls = guard("alone", max_retries=0, breaker=TRIPS_AT_ONCE, clock=VirtualClock())
    await calls.call(fail)
    assert calls.breaker.state == "open"


async def test_that_an_execution_has_ended_is_told_before_it_is_known_whose_fault_it_was():
    whole = Whole(broken("a", 0.1), answering("b", 5))
    run = asyncio.create_task(whole.fetch())
    unreached = await whole.heard.next(SourceUnreached)
    assert asyncio.get_running_loop().time() == pytest.approx(0.1)
    assert unreached.executed.outcome.source == "a"
    assert whole.finished() == []
    await run
    assert len(whole.heard.of(SourceUnreached)) == 1


async def test_half_open_breakers_stay_half_open_through_an_offline_run_and_probe_again_in_the_next():
    whole = Whole(*(scripted(key, BROKEN, After(0.1, BROKEN), "data", breaker=TRIPS_AT_ONCE) for key in "ab"))
    await whole.trip("a", "b")
    await whole.fetch()
    assert whole.offline == [("a", "b")]
    for key in "ab":
        assert whole.state(key) == "half_open"
        assert whole.coordinator.admits(key)
        assert whole.coordinator.guard(key).breaker.statistics.trips == 1
    await whole.fetch()
    assert {whole.state(key) for key in "ab"} == {"closed"}


async def test_a_probe_that_nobody_answered_keeps_its_permit_until_it_is_known_whose_fault_that_was():
    whole = Whole(broken("a", breaker=TRIPS_AT_ONCE), answering("b", 5))
    await whole.trip("a")
    run = asyncio.create_task(whole.fetch())
    await whole.heard.next(SourceUnreached)
    assert (whole.state("a"), whole.coordinator.admits("a")) == ("half_open", False)
    await run
    assert (whole.state("a"), whole.coordinator.admits("a")) == ("open", False)


@pytest.mark.pair("common cause", "breaker")
async def test_rules_over_attempts_hear_nothing_of_an_offline_run():
    policy = BreakerPolicy(attempt_failures=2, failure_ratio=0.5, minimum_throughput=2, window=10)
    whole = Whole(*(broken(key, breaker=policy) for key in "ab"), retries=3)
    await whole.fetch()
    assert {whole.state(key) for key in "ab"} == {"closed"}
    for key in "ab":
        statistics = whole.coordinator.guard(key).breaker.statistics
        assert (statistics.released, statistics.failures) == (4, 0)
        assert (statistics.consecutive_failed_attempts, statistics.failure_ratio) == (0, statistics.failure_ratio)
        assert statistics.failure_ratio is not None
        assert statistics.failure_ratio.throughput == 0


async def test_rules_over_attempts_hear_of_every_attempt_in_order_once_somebody_has_answered():
    policy = BreakerPolicy(attempt_failures=3)
    whole = Whole(scripted("a", After(0.1, BROKEN), After(0.1, BROKEN), "data", breaker=policy), broken("b"), retries=2)
    await whole.fetch()
    statistics = whole.coordinator.guard("a").breaker.statistics
    assert (statistics.failures, statistics.successes) == (2, 1)
    assert statistics.consecutive_failed_attempts == 0, "the success came last, and counts last"
    assert (whole.offline, whole.failures) == ([], {"b": 1})


@pytest.mark.pair("common cause", "retry")
async def test_a_source_that_answers_after_it_was_not_reached_is_an_answer_at_its_attempt():
    answers_late = scripted("a", BROKEN, After(1, SERVER_DOWN), After(9, SERVER_DOWN))
    whole = Whole(answers_late, broken("b", max_retries=0), retries=2)
    run = asyncio.create_task(whole.fetch())
    await asyncio.sleep(1.5)  # the second attempt is under way
    assert whole.finished() == []
    await asyncio.sleep(1)  # it was answered, and the third has not begun
    assert whole.finished() == [("b", Verdict.FAILURE)]
    await run


@pytest.mark.pair("common cause", "hedge")
async def test_two_calls_of_a_hedged_attempt_are_withheld_and_excused_together():
    policy = BreakerPolicy(attempt_failures=1)
    whole = Whole(*(broken(key, 0.5, hedge=HedgePolicy(delay=0.1), breaker=policy) for key in "ab"))
    await whole.fetch()
    assert whole.offline == [("a", "b")]
    for key in "ab":
        assert whole.state(key) == "closed"
        assert whole.coordinator.guard(key).breaker.statistics.released == 2


async def test_fail_fast_ends_the_run_before_anybody_else_could_fail():
    whole = Whole(broken("a", 0.1), broken("b", 0.2), fail_fast=True)
    await whole.fetch()
    assert (whole.offline, whole.failures) == ([], {"a": 1})


async def test_a_run_that_is_cancelled_midway_excuses_what_failed_together_but_tells_of_nothing():
    whole = Whole(
        broken("a", breaker=TRIPS_AT_ONCE), broken("b", breaker=TRIPS_AT_ONCE), scripted("c", Hang()), timeout=60
    )
    run = asyncio.create_task(whole.fetch())
    await asyncio.sleep(1)
    run.cancel()
    await asyncio.wait([run])
    assert run.cancelled()
    assert (whole.offline, whole.failures) == ([], {})
    assert {whole.state(key) for key in "abc"} == {"closed"}


async def test_a_run_that_is_cancelled_midway_blames_the_only_one_that_failed():
    whole = Whole(broken("a", breaker=TRIPS_AT_ONCE), scripted("c", Hang()))
    run = asyncio.create_task(whole.fetch())
    await asyncio.sleep(1)
    run.cancel()
    await asyncio.wait([run])
    assert (whole.offline, whole.failures, whole.state("a")) == ([], {"a": 1}, "open")


async def test_sources_cancelled_between_two_attempts_count_as_not_reached():
    policy = BreakerPolicy(attempt_failures=1)
    whole = Whole(*(broken(key, breaker=policy) for key in "ab"), retries=5)
    run = asyncio.create_task(whole.fetch())
    await asyncio.sleep(0.5)
    run.cancel()
    await asyncio.wait([run])
    assert (whole.offline, whole.failures) == ([], {})
    assert {whole.state(key) for key in "ab"} == {"closed"}


async def test_a_run_that_ends_with_its_first_failure_tells_of_nothing_while_others_might_still_answer():
    whole = Whole(broken("a"), broken("b"), answering("c", 1), fail_fast=True)
    result = await whole.fetch()
    assert (result.metadata.offline, whole.offline, whole.failures) == ((), [], {})


async def test_what_is_reported_late_is_held_against_no_source_that_has_answered_meanwhile():
    down = [ConnectionError("down")] * 2
    whole = Whole(
        scripted("x", *down, "data", breaker=BreakerPolicy(failures=2), max_retries=0),
        scripted("h", After(10, FetchError("server", "down")), max_retries=0),
    )
    async with asyncio.TaskGroup() as runs:
        runs.create_task(whole.orchestrator.fetch("x", "h"))
        await asyncio.sleep(1)
        runs.create_task(whole.orchestrator.fetch("x", "h"))
        await asyncio.sleep(1)
        assert (await whole.orchestrator.fetch("x"))["x"] == "data"
    assert whole.state("x") == "closed"


@pytest.mark.pair("deadline", "common cause")
async def test_a_run_that_its_limit_ends_excuses_those_that_hung_beside_those_that_broke_off():
    whole = Whole(broken("a"), scripted("b", Hang()), timeout=2)
    result = await whole.fetch()
    assert result.metadata.offline == ("a", "b")
    assert whole.coordinator.get_health("b").cuts == ()


async def test_the_run_is_judged_before_its_last_outcome_is_given_however_long_that_is_looked_at():
    whole = Whole(broken("a", 0.1), broken("b", 0.2))
    async with aclosing(whole.orchestrator.stream()) as outcomes:
        assert (await anext(outcomes)).source == "a"
        assert whole.finished() == []
        assert (await anext(outcomes)).source == "b"
        assert len(whole.finished()) == 2
        assert whole.offline == [("a", "b")]


async def test_an_answer_counts_at_once_even_while_nobody_takes_the_outcomes():
    whole = Whole(broken("a", 0.1), answering("b", 1), answering("c", 5))
    async with aclosing(whole.orchestrator.stream()) as outcomes:
        await anext(outcomes)
        await asyncio.sleep(2)
        assert whole.failures == {"a": 1}


async def test_a_guard_that_was_reset_while_a_report_was_withheld_hears_nothing_of_it():
    whole = Whole(broken("a", breaker=TRIPS_AT_ONCE), answering("b", 5))
    run = asyncio.create_task(whole.fetch())
    await whole.heard.next(SourceUnreached)
    whole.coordinator.reset("a")
    await run
    assert (whole.state("a"), whole.coordinator.get_health("a")) == ("closed", SourceHealth())
    assert [key for key, _ in whole.finished()] == ["b"]


async def test_a_source_that_was_readmitted_while_its_probe_was_withheld_stays_readmitted():
    whole = Whole(broken("a", breaker=TRIPS_AT_ONCE), answering("b", 5))
    await whole.trip("a")
    run = asyncio.create_task(whole.fetch())
    await whole.heard.next(SourceUnreached)
    whole.coordinator.readmit("a")
    await run
    assert whole.state("a") == "closed"
    assert whole.coordinator.guard("a").breaker.statistics.late == 1


@pytest.mark.pair("common cause", "single flight")
async def test_a_shared_flight_is_counted_once_where_one_of_its_runs_hears_an_answer():
    whole = Whole(broken("a", 1), broken("b", 1), answering("c", 3))
    first, second = await asyncio.gather(whole.fetch("a", "b"), whole.fetch("a", "c"))
    assert (first.metadata.offline, second.metadata.offline) == (("a", "b"), ())
    assert sorted(whole.finished()) == [
        ("a", Verdict.FAILURE),
        ("b", Verdict.RELEASED),
        ("c", Verdict.SUCCESS),
    ]
    assert whole.consecutive("a") == 1


async def test_an_answer_in_one_run_blames_what_another_that_shares_a_flight_still_doubts():
    whole = Whole(broken("a", 1), broken("b", 1), answering("c", 3), scripted("d", Hang(), timeout=10))
    await asyncio.gather(whole.fetch("a", "b", "d"), whole.fetch("a", "c"))
    assert whole.offline == []
    assert whole.failures == {"a": 1, "b": 1, "d": 1}


async def test_a_flight_that_fails_after_one_of_its_runs_has_heard_an_answer_blames_in_the_other_too():
    whole = Whole(broken("a", 3), broken("b", 1), answering("c", 2))
    await asyncio.gather(whole.fetch("a", "b"), whole.fetch("a", "c"))
    assert (whole.offline, whole.failures) == ([], {"a": 1, "b": 1})


async def test_two_runs_over_the_same_broken_sources_excuse_each_execution_once():
    whole = Whole(broken("a", breaker=TRIPS_AT_ONCE), broken("b", breaker=TRIPS_AT_ONCE))
    await asyncio.gather(whole.fetch(), whole.fetch())
    assert whole.offline == [("a", "b")] * 2
    assert whole.finished() == [("a", Verdict.RELEASED), ("b", Verdict.RELEASED)]
    assert {whole.state(key) for key in "ab"} == {"closed"}


async def test_a_run_that_joins_a_flight_between_two_attempts_has_its_say_in_those_before():
    policy = BreakerPolicy(attempt_failures=3)
    whole = Whole(broken("a", breaker=policy), broken("b", breaker=policy), answering("c", 5), retries=2)
    first = asyncio.create_task(whole.fetch("a", "b"))
    await asyncio.sleep(1.5)
    second = asyncio.create_task(whole.fetch("a", "c"))
    await asyncio.sleep(0.1)
    first.cancel()
    await asyncio.wait([first])
    assert (whole.offline, whole.state("a"), whole.state("b")) == ([], "closed", "closed")
    await second
    assert whole.state("a") == "open"


async def test_runs_that_share_nothing_are_judged_apart():
    whole = Whole(broken("a"), broken("b"), broken("c"), answering("d", 1))
    await asyncio.gather(whole.fetch("a", "b"), whole.fetch("c", "d"))
    assert (whole.offline, whole.failures) == ([("a", "b")], {"c": 1})


async def test_what_is_stored_of_an_offline_run_says_so_and_is_what_is_known(tmp_path: Path):
    store = await SqliteStore.open(tmp_path / "dso.db")
    sources = [scripted(key, "data", After(1, BROKEN)) for key in "ab"]
    coordinator = SourceCoordinator(sources, clock=VirtualClock())
    orchestrator = DataSourceOrchestrator(coordinator, retry=RetryConfig(max_retries=0), store=store)
    await orchestrator.fetch()
    await orchestrator.fetch()
    later = SourceCoordinator(sources, clock=VirtualClock())
    await DataSourceOrchestrator(later, store=store).check_source_health("a")
    await store.close()
    assert len(coordinator.get_health("b").offline) == 1
    assert later.get_health("b") == coordinator.get_health("b")
    assert later.get_health_report("b").uptime == 100
    with closing(sqlite3.connect(tmp_path / "dso.db")) as connection:
        kept = connection.execute(
            "SELECT source, status, offline FROM outcomes JOIN runs ON run_id = id ORDER BY started_at, source"
        )
        assert sorted(kept) == [("a", "failure", 1), ("a", "success", 0), ("b", "failure", 1), ("b", "success", 0)]


async def test_checks_that_nobody_answers_are_judged_together_and_say_nothing():
    whole = Whole(broken("a"), broken("b", 2))
    reports = await whole.orchestrator.check_source_health()
    assert whole.offline == [("a", "b")]
    checks = [report.last_check for report in reports if report.last_check]
    assert [(check.ok, check.offline) for check in checks] == [(False, True)] * 2
    assert (checks[1].at - checks[0].at).total_seconds() == pytest.approx(1.9)
    assert [report.status for report in reports] == ["unknown"] * 2


async def test_a_check_that_is_answered_blames_the_others():
    whole = Whole(broken("a"), answering("b", 2))
    checked = asyncio.create_task(whole.orchestrator.check_source_health())
    first = await whole.heard.next(SourceChecked)
    assert (first.source, first.ok) == ("a", False)
    assert whole.coordinator.get_health("a").last_check is None
    found = {report.key: report.last_check for report in await checked}
    assert {key: (check.ok, check.offline) for key, check in found.items() if check} == {
        "a": (False, False),
        "b": (True, False),
    }


async def test_a_single_check_that_is_not_answered_tells_about_its_source():
    whole = Whole(broken("a"), broken("b"))
    [report] = await whole.orchestrator.check_source_health("a")
    assert report.last_check is not None
    assert (report.last_check.ok, report.last_check.offline, whole.offline) == (False, False, [])


async def test_checks_that_are_cancelled_keep_what_had_ended():
    whole = Whole(broken("a"), scripted("b", Hang()))
    checked = asyncio.create_task(whole.orchestrator.check_source_health())
    await asyncio.sleep(1)
    checked.cancel()
    await asyncio.wait([checked])
    check = whole.coordinator.get_health("a").last_check
    assert check is not None
    assert not check.offline


@asynccontextmanager
async def filled(whole: Whole) -> AsyncIterator[None]:
    """Fill the caches, let them get stale, and forget what was heard."""
    async with whole.orchestrator:
        await whole.fetch()
        await asyncio.sleep(20)
        whole.heard.forget()
        yield


CACHE = CachePolicy(ttl=10, stale_while_revalidate=1000, stale_if_error=1000)


def cached(key: str, **members: Any) -> Source[Any]:
    return scripted(key, "data", After(1, BROKEN), cache=CACHE, breaker=TRIPS_AT_ONCE, **members)


@pytest.mark.pair("common cause", "cache")
async def test_what_a_cache_gives_is_no_answer():
    whole = Whole(cached("hit"), broken("a"), broken("b"))
    async with filled(whole):
        result = await whole.fetch()
    assert result["hit"] == "data"
    assert result.metadata.offline == ("a", "b")


async def test_the_refreshes_of_one_run_are_judged_together_after_it():
    whole = Whole(*(cached(key) for key in "abc"))
    async with filled(whole):
        result = await whole.fetch()
        assert (result.metadata.success_count, whole.offline) == (3, [])
        await asyncio.sleep(2)
        assert [sorted(sources) for sources in whole.offline] == [["a", "b", "c"]]
        assert {whole.state(key) for key in "abc"} == {"closed"}
        assert whole.failures == {}


async def test_a_refresh_that_is_answered_blames_the_others():
    answered = scripted("c", "data", After(3, "newer"), cache=CACHE)
    whole = Whole(cached("a"), cached("b"), answered)
    async with filled(whole):
        await whole.fetch()
        await asyncio.sleep(4)
        assert (whole.offline, whole.failures) == ([], {"a": 1, "b": 1})


async def test_refreshes_that_the_end_of_the_context_cancels_leave_nothing_withheld():
    hanging = scripted("c", "data", Hang(), cache=CACHE)
    whole = Whole(cached("a"), cached("b"), hanging)
    async with filled(whole):
        await whole.fetch()
        await asyncio.sleep(2)
        assert whole.offline == []
    assert [sorted(sources) for sources in whole.offline] == [["a", "b"]]
    assert {whole.state(key) for key in "abc"} == {"closed"}


@contextmanager
def _nothing_is_left(whole: Whole) -> Iterator[None]:
    yield
    assert whole.orchestrator._flights._doubting == set()  # nobody outside can see a leak
    for source in whole.coordinator.get_all_sources():
        assert whole.coordinator.admits(source.key) or whole.state(source.key) == "open"


@pytest.mark.parametrize("seconds", [0.0, 0.05, 0.15, 0.9, 1.25, 2.0, 3.05, 10.0])
@pytest.mark.parametrize("parallel", [True, False])
async def test_whenever_a_run_is_cancelled_no_permit_leaks(seconds: float, parallel: bool):
    sources = [broken("a", breaker=TRIPS_AT_ONCE), broken("b", 3, breaker=TRIPS_AT_ONCE), scripted("c", Hang())]
    whole = Whole(*sources, retries=2, parallel_execution=parallel, timeout=20)
    await whole.trip("a", "b")
    with _nothing_is_left(whole):
        run = asyncio.create_task(whole.fetch())
        await asyncio.sleep(seconds)
        run.cancel()
        await asyncio.wait([run])


async def test_failures_that_share_no_cause_still_trip_on_the_fifth_run():
    whole = Whole(broken("a"), answering("b", 1))
    for _ in range(5):
        await whole.fetch()
    assert whole.state("a") == "open"
    assert [e.executed.outcome.source for e in whole.heard.of(SourceUnreached)] == ["a"] * 5
    kinds = {
        e.executed.outcome.kind for e in whole.heard.of(SourceUnreached) if isinstance(e.executed.outcome, Failure)
    }
    assert kinds == {FailureKind.CONNECTION}
