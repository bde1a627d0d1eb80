"""The result cache (A20, A21): what is served when, with which label, and what is never kept."""

import asyncio
import logging
import math
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from test_result_cache_rig import Broken, Upstream, cached, data_of, executed, nothing_left

from clocks import HandSetVirtualClock
from data_source_orchestrator.core.age import Age
from data_source_orchestrator.core.contract import Contract, Judgement
from data_source_orchestrator.core.errors import ConfigurationError
from data_source_orchestrator.core.outcome import Executed, Failure, Skipped, Success
from data_source_orchestrator.core.policies import CachePolicy
from data_source_orchestrator.core.ports import CacheEntry
from data_source_orchestrator.core.source import Source
from data_source_orchestrator.core.verdicts import FailureKind, SkipReason, Verdict
from data_source_orchestrator.health.record import record
from data_source_orchestrator.health.state import SourceHealth
from data_source_orchestrator.history import SqliteCache
from data_source_orchestrator.resilience.background import Background
from data_source_orchestrator.resilience.cache import COULD_NOT_ASK, OUR_FAULT, ResultCache
from data_source_orchestrator.resilience.memory_cache import MemoryCache
from data_source_orchestrator.testing import VirtualClock

DOWN = FailureKind.CONNECTION


class Weapon(msgspec.Struct):
    name: str
    damage: float


async def test_younger_than_its_ttl_an_answer_is_served_without_a_call(clock: VirtualClock):
    cache, upstream = cached(clock, ttl=60), Upstream("a", "b")
    assert data_of(await cache.execute("", upstream)) == "a"
    await asyncio.sleep(59.9)
    assert data_of(await cache.execute("", upstream)) == "a"
    await asyncio.sleep(0.1)
    assert data_of(await cache.execute("", upstream)) == "b"
    assert upstream.calls == 2


async def test_at_its_ttl_an_answer_is_not_served_while_another_is_fetched_unless_the_policy_says_so(
    clock: VirtualClock,
):
    async with Background() as background:
        cache, upstream = cached(clock, ttl=60, background=background), Upstream("a", "b")
        await cache.execute("", upstream)
        await asyncio.sleep(60)
        assert data_of(await cache.execute("", upstream)) == "b"


async def test_a_hit_is_no_execution_and_says_how_old_it_is_and_why(clock: VirtualClock):
    cache, upstream = cached(clock, ttl=600), Upstream("a")
    first = await cache.execute("", upstream)
    assert first == executed("a"), "what was asked for is handed on as it came"
    kept_at = clock.now()
    await asyncio.sleep(130)
    hit = await cache.execute("", upstream)
    age = Age(checked_at=kept_at, seconds=130, reason="it is asked for at most every 10 min")
    expected = Success(source="prices", data="a", attempts=0, duration=0.0, latency=0.0, age=age)
    assert hit == Executed(outcome=expected, verdict=Verdict.RELEASED)
    assert record(SourceHealth(), hit, clock.now()) == SourceHealth(), "A06: nothing for health, metrics and latency"
    assert str(hit.outcome) == "prices: success from the cache, 2 min old, because it is asked for at most every 10 min"


async def test_C1_a_hundred_callers_at_once_make_one_call_and_the_fallback_fires_when_it_fails(clock: VirtualClock):
    """C1: a cache without single flight whose fallback could never fire."""
    cache, upstream = cached(clock, ttl=60, sie=3600), Upstream("a", DOWN, lasts=1)
    ended = await asyncio.gather(*(cache.execute("", upstream) for _ in range(100)))
    assert {data_of(each) for each in ended} == {"a"}
    assert upstream.calls == 1
    await asyncio.sleep(100)
    ended = await asyncio.gather(*(cache.execute("", upstream) for _ in range(100)))
    outcomes = [each.outcome for each in ended]
    assert all(isinstance(outcome, Failure) and outcome.stale_data == "a" for outcome in outcomes)
    assert upstream.calls == 2
    assert nothing_left()


async def test_A20_older_data_stands_beside_a_failure_labelled_with_age_and_reason_and_is_no_success(
    clock: VirtualClock,
):
    cache, upstream = cached(clock, ttl=60, sie=2 * 86400), Upstream("a", DOWN)
    await cache.execute("", upstream)
    kept_at = clock.now()
    await asyncio.sleep(3 * 3600)
    ended = await cache.execute("", upstream)
    failure = executed(DOWN).outcome
    assert isinstance(failure, Failure)
    assert isinstance(ended.outcome, Failure)
    assert ended.verdict is Verdict.FAILURE
    assert (ended.outcome.kind, ended.outcome.attempts, ended.outcome.duration) == (DOWN, 2, 1.5)
    assert ended.outcome.stale_data == "a"
    told = ended.outcome.age
    assert told == Age(checked_at=kept_at, seconds=10800, reason="its source failed (connection): it is down")
    assert str(told) == "3 h old, because its source failed (connection): it is down"
    assert str(ended.outcome) == (
        "prices: connection failure after 2 attempts in 1.50 s: it is down; data 3 h old is served beside it"
    )
    health = record(SourceHealth(), ended, clock.now())
    assert (health.failures, health.successes, health.consecutive_failures) == (1, 0, 1)


async def test_A20_beyond_its_bound_older_data_is_not_served(clock: VirtualClock):
    cache, upstream = cached(clock, ttl=60, sie=600), Upstream("a", DOWN)
    await cache.execute("", upstream)
    await asyncio.sleep(600)
    at_the_bound = await cache.execute("", upstream)
    await asyncio.sleep(0.1)
    beyond = await cache.execute("", upstream)
    assert isinstance(at_the_bound.outcome, Failure)
    assert at_the_bound.outcome.stale_data == "a"
    assert beyond == executed(DOWN)


async def test_A20_without_a_bound_a_failure_is_all_there_is(clock: VirtualClock):
    cache, upstream = cached(clock, ttl=60, swr=600), Upstream("a", DOWN)
    await cache.execute("", upstream)
    assert await cache.refresh("", upstream) == executed(DOWN)
    await asyncio.sleep(61)
    assert await cache.execute("", upstream) == executed(DOWN)


@pytest.mark.parametrize("kind", FailureKind)
async def test_A20_a_failure_that_is_ours_is_not_covered_up_by_older_data(clock: VirtualClock, kind: FailureKind):
    cache, upstream = cached(clock, ttl=0, sie=600), Upstream("a", kind)
    await cache.execute("", upstream)
    outcome = (await cache.execute("", upstream)).outcome
    assert isinstance(outcome, Failure)
    assert (outcome.stale_data is None) is (kind in {"client", "bug"})
    assert {"client", "bug"} == OUR_FAULT


@pytest.mark.parametrize("reason", SkipReason)
async def test_A17_A20_a_source_that_could_not_be_asked_stays_skipped_with_older_data_beside_it(
    clock: VirtualClock, reason: SkipReason
):
    cache, upstream = cached(clock, ttl=0, sie=600), Upstream("a", reason)
    await cache.execute("", upstream)
    ended = await cache.execute("", upstream)
    assert isinstance(ended.outcome, Skipped)
    assert (ended.outcome.reason, ended.verdict) == (reason, Verdict.RELEASED)
    if reason in COULD_NOT_ASK:
        assert ended.outcome.stale_data == "a"
        assert str(ended.outcome) == f"prices: skipped, {reason}; data 0 s old is served beside it"
        assert str(ended.outcome.age) == f"0 s old, because it was not asked ({reason})"
    else:
        assert ended == executed(reason)


def test_the_reasons_for_which_older_data_stands_in_are_those_of_circumstance():
    assert {"circuit_open", "rate_limit", "budget", "retry_not_feasible", "offline"} == COULD_NOT_ASK


async def test_an_open_breakers_own_words_are_the_reason(clock: VirtualClock):
    cache = cached(clock, ttl=0, sie=600)
    await cache.settle("", executed("a"))
    skipped = Skipped(source="prices", reason=SkipReason.CIRCUIT_OPEN, detail="its circuit breaker is open")
    ended = await cache.settle("", Executed(outcome=skipped, verdict=Verdict.RELEASED))
    assert str(ended.outcome.age) == "0 s old, because its circuit breaker is open"


@pytest.mark.parametrize("line", [*FailureKind, *SkipReason, None])
async def test_X1_failures_breaches_and_nothing_are_never_kept(clock: VirtualClock, line: Any):
    cache, upstream = cached(clock, ttl=7200, sie=86400), Upstream(line, "data")
    await cache.execute("", upstream)
    assert data_of(await cache.execute("", upstream)) == "data"
    assert upstream.calls == 2


async def test_a_success_with_nothing_takes_nothing_from_what_is_kept(clock: VirtualClock):
    cache, upstream = cached(clock, ttl=0, sie=600), Upstream("a", None, DOWN)
    for _ in range(2):
        await cache.execute("", upstream)
    outcome = (await cache.execute("", upstream)).outcome
    assert isinstance(outcome, Failure)
    assert outcome.stale_data == "a"


async def test_a_failure_takes_nothing_from_what_is_kept(clock: VirtualClock):
    cache, upstream = cached(clock, ttl=60), Upstream("a", DOWN)
    await cache.execute("", upstream)
    await asyncio.sleep(30)
    await cache.refresh("", upstream)
    hit = await cache.execute("", upstream)
    assert data_of(hit) == "a"
    assert hit.outcome.age is not None
    assert hit.outcome.age.seconds == 30


@pytest.mark.parametrize("data", [0, "", False, [], {}])
async def test_A09_values_that_are_falsy_are_data(clock: VirtualClock, data: Any):
    cache, upstream = cached(clock), Upstream(data)
    await cache.execute("", upstream)
    assert data_of(await cache.execute("", upstream)) == data
    assert upstream.calls == 1


async def test_an_answer_out_of_another_cache_is_not_made_younger_by_being_kept(clock: VirtualClock):
    inner, outer, upstream = cached(clock, ttl=60), cached(clock, ttl=60), Upstream("a", "b")
    await inner.execute("", upstream)
    await asyncio.sleep(50)
    await outer.execute("", lambda: inner.execute("", upstream))
    await asyncio.sleep(50)
    assert data_of(await outer.execute("", lambda: inner.execute("", upstream))) == "b"


async def test_A23_a_refresh_asks_whatever_is_kept_and_keeps_what_comes(clock: VirtualClock):
    cache, upstream = cached(clock), Upstream("a", "b")
    await cache.execute("", upstream)
    assert data_of(await cache.refresh("", upstream)) == "b"
    assert data_of(await cache.execute("", upstream)) == "b"
    assert upstream.calls == 2


async def test_keys_are_kept_apart_and_the_oldest_makes_room(clock: VirtualClock):
    policy = CachePolicy(ttl=60, max_entries=2)
    cache: ResultCache[Any] = ResultCache(policy, source="prices", clock=clock)
    upstream = Upstream("a", "b", "c", "d")
    for key, data in ("EUR", "a"), ("USD", "b"), ("CHF", "c"), ("EUR", "d"), ("CHF", "c"):
        assert data_of(await cache.execute(key, upstream)) == data


async def test_what_was_forgotten_is_asked_for_again_and_other_sources_keep_theirs(clock: VirtualClock):
    store = MemoryCache()
    cache, upstream = cached(clock, store=store), Upstream("a", "b")
    other: ResultCache[Any] = ResultCache(CachePolicy(ttl=60), source="stock", clock=clock, store=store)
    await cache.execute("", upstream)
    await other.execute("", Upstream("mine"))
    await cache.forget()
    assert data_of(await cache.execute("", upstream)) == "b"
    assert data_of(await other.execute("", Upstream("yours"))) == "mine"


async def test_while_it_is_stale_an_answer_is_served_at_once_and_one_refresh_is_made_behind(clock: VirtualClock):
    async with Background() as background:
        cache = cached(clock, ttl=60, swr=600, background=background)
        upstream = Upstream("a", "b", lasts=5)
        await cache.execute("", upstream)
        await asyncio.sleep(100)
        began = clock.monotonic()
        hits = await asyncio.gather(*(cache.execute("", upstream) for _ in range(50)))
        assert clock.monotonic() == began
        assert len(background._tasks) == 1
        assert {data_of(hit) for hit in hits} == {"a"}
        assert str(hits[0].outcome.age) == "100 s old, because a new answer is still being fetched"
        assert all(hit.verdict is Verdict.RELEASED for hit in hits)
        await asyncio.sleep(2)
        assert data_of(await cache.execute("", upstream)) == "a"
        await asyncio.sleep(4)
        fresh = await cache.execute("", upstream)
        assert data_of(fresh) == "b"
        assert fresh.outcome.age is not None
        assert fresh.outcome.age.seconds == 1
        assert upstream.calls == 2
    assert nothing_left()


async def test_of_each_key_one_refresh_is_made_behind(clock: VirtualClock):
    async with Background() as background:
        cache = cached(clock, ttl=60, swr=600, background=background)
        upstream = Upstream("a", "b", "c", "d", lasts=5)
        for key in ("one", "two"):
            await cache.execute(key, upstream)
        await asyncio.sleep(100)
        assert [data_of(await cache.execute(key, upstream)) for key in ("one", "two")] == ["a", "b"]
        await asyncio.sleep(6)
        assert [data_of(await cache.execute(key, upstream)) for key in ("one", "two")] == ["c", "d"]


async def test_calls_of_different_keys_are_not_shared(clock: VirtualClock):
    cache, upstream = cached(clock), Upstream("a", "b", lasts=5)
    ended = await asyncio.gather(*(cache.execute(key, upstream) for key in ("one", "two")))
    assert [data_of(each) for each in ended] == ["a", "b"]


async def test_a_refresh_that_fails_changes_nothing_and_the_next_caller_begins_another(clock: VirtualClock):
    async with Background() as background:
        cache = cached(clock, ttl=60, swr=600, sie=900, background=background)
        upstream = Upstream("a", DOWN, DOWN, "b", lasts=1)
        await cache.execute("", upstream)
        await asyncio.sleep(100)
        for calls in (2, 3, 4):
            assert data_of(await cache.execute("", upstream)) == "a"
            await asyncio.sleep(10)
            assert upstream.calls == calls
        assert data_of(await cache.execute("", upstream)) == "b"


async def test_beyond_the_time_of_revalidation_whoever_asks_waits(clock: VirtualClock):
    async with Background() as background:
        cache = cached(clock, ttl=60, swr=600, background=background)
        upstream = Upstream("a", "b", "c")
        await cache.execute("", upstream)
        await asyncio.sleep(600)
        assert data_of(await cache.execute("", upstream)) == "a"
        await asyncio.sleep(601)
        assert data_of(await cache.execute("", upstream)) == "c"


@pytest.mark.parametrize("owner", [None, Background()])
async def test_without_an_owner_nothing_is_done_in_the_background(clock: VirtualClock, owner: Background | None):
    """Design decision 7: the refresh is made in the foreground, and its answer is the caller's."""
    cache = cached(clock, ttl=60, swr=600, background=owner)
    upstream = Upstream("a", "b", DOWN, lasts=1)
    await cache.execute("", upstream)
    await asyncio.sleep(100)
    assert await cache.execute("", upstream) == executed("b")
    await asyncio.sleep(100)
    assert await cache.execute("", upstream) == executed(DOWN)
    assert nothing_left()


async def test_an_owner_who_leaves_ends_the_refresh_that_nobody_else_waits_for(clock: VirtualClock):
    background = Background()
    cache = cached(clock, ttl=60, swr=600, background=background)
    upstream = Upstream("a", "b", lasts=5)
    await cache.execute("", upstream)
    await asyncio.sleep(100)
    async with background:
        await cache.execute("", upstream)
        await asyncio.sleep(1)
        assert upstream.running == 1
    assert (upstream.running, upstream.cancelled) == (0, 1)
    assert nothing_left()


async def test_an_owner_who_leaves_does_not_end_a_refresh_that_somebody_waits_for(clock: VirtualClock):
    background = Background()
    cache = cached(clock, ttl=60, swr=600, background=background)
    upstream = Upstream("a", "b", lasts=5)
    await cache.execute("", upstream)
    await asyncio.sleep(100)
    async with background:
        await cache.execute("", upstream)
        await asyncio.sleep(1)
        waiter = asyncio.create_task(cache.refresh("", upstream))
        await asyncio.sleep(1)
    assert data_of(await waiter) == "b"
    assert (upstream.calls, upstream.cancelled) == (2, 0)
    assert nothing_left()


async def test_a_refresh_under_way_in_the_foreground_is_not_made_twice(clock: VirtualClock):
    async with Background() as background:
        cache = cached(clock, ttl=60, swr=600, background=background)
        upstream = Upstream("a", "b", lasts=5)
        await cache.execute("", upstream)
        await asyncio.sleep(100)
        waiter = asyncio.create_task(cache.refresh("", upstream))
        await asyncio.sleep(1)
        assert data_of(await cache.execute("", upstream)) == "a"
        waiter.cancel()
        await asyncio.sleep(10)
        assert data_of(await cache.execute("", upstream)) == "b", "it went on for whoever was served meanwhile"
        assert upstream.calls == 2


async def test_A15_a_call_ends_with_its_last_waiter_and_nothing_is_left_running(clock: VirtualClock):
    cache, upstream = cached(clock), Upstream("a", lasts=5)
    waiters = [asyncio.create_task(cache.execute("", upstream)) for _ in range(3)]
    await asyncio.sleep(1)
    for waiter in waiters:
        assert upstream.cancelled == 0
        waiter.cancel()
        await asyncio.wait([waiter])
    assert (upstream.cancelled, upstream.running) == (1, 0)
    assert nothing_left()
    assert data_of(await cache.execute("", upstream)) == "a"


async def test_what_a_call_raises_is_raised_for_all_who_wait_and_kept_by_nobody(clock: VirtualClock):
    cache, upstream = cached(clock, sie=600), Upstream(KeyError("left"), "a", lasts=1)
    ended = await asyncio.gather(*(cache.execute("", upstream) for _ in range(3)), return_exceptions=True)
    assert [repr(each) for each in ended] == ["KeyError('left')"] * 3
    assert data_of(await cache.execute("", upstream)) == "a"


async def test_an_entry_from_the_future_is_not_fresh_for_ever_and_counts_again_when_the_clock_is_right():
    clock = HandSetVirtualClock()
    cache, upstream = cached(clock, ttl=60, sie=600), Upstream("a", DOWN)
    await cache.execute("", upstream)
    clock.set_wall(-3600)
    assert await cache.execute("", upstream) == executed(DOWN), "nobody knows how old it is"
    clock.set_wall(3600)
    assert data_of(await cache.execute("", upstream)) == "a"


async def test_a_clock_that_was_set_on_makes_answers_old():
    clock = HandSetVirtualClock()
    cache, upstream = cached(clock, ttl=60, sie=600), Upstream("a", DOWN, "b")
    await cache.execute("", upstream)
    clock.set_wall(86400)
    assert await cache.execute("", upstream) == executed(DOWN)
    assert data_of(await cache.execute("", upstream)) == "b"


async def test_without_a_payload_type_everybody_gets_the_very_same_object(clock: VirtualClock):
    payload = [object()]
    cache, upstream = cached(clock), Upstream(payload)
    await cache.execute("", upstream)
    assert data_of(await cache.execute("", upstream)) is payload


async def test_with_a_payload_type_everybody_gets_an_equal_object_of_his_own(clock: VirtualClock):
    payload = [Weapon("M4", math.inf), Weapon("FR 5.56", 0.1)]
    cache = cached(clock, payload_type=list[Weapon])
    await cache.execute("", Upstream(payload))
    first, second = [data_of(await cache.execute("", Upstream(DOWN))) for _ in range(2)]
    assert first == second == payload
    assert first is not second
    first.clear()
    assert data_of(await cache.execute("", Upstream(DOWN))) == payload


async def test_an_entry_that_no_longer_decodes_into_its_type_is_a_miss_and_is_removed(clock: VirtualClock):
    store = MemoryCache()
    await cached(clock, store=store, payload_type=list[int]).execute("", Upstream([1]))
    changed = cached(clock, store=store, payload_type=list[Weapon], sie=600)
    assert await changed.execute("", Upstream(DOWN)) == executed(DOWN)
    assert await store.get("prices", "") is None


@pytest.mark.parametrize(("before", "after"), [(None, list[int]), (list[int], None)])
async def test_an_entry_that_was_kept_before_its_type_was_told_or_after_is_a_miss(
    clock: VirtualClock, before: Any, after: Any
):
    store = MemoryCache()
    await cached(clock, store=store, payload_type=before).execute("", Upstream([1]))
    changed = cached(clock, store=store, payload_type=after)
    assert await changed.look("") is None
    assert data_of(await changed.execute("", Upstream([2]))) == [2]


async def test_X1_an_entry_that_breaks_todays_contract_is_a_miss_and_is_removed(clock: VirtualClock):
    """X1: a scraper swallowed an outage as `[]`, and it was served as healthy for two hours."""
    store, contract = MemoryCache(), Contract(minimum_rows=1)
    await cached(clock, store=store, payload_type=list[int], ttl=7200).execute("", Upstream([]))
    strict = cached(clock, store=store, payload_type=list[int], ttl=7200, judge=contract.judge)
    assert data_of(await strict.execute("", Upstream([1]))) == [1]
    assert data_of(await strict.execute("", Upstream([2]))) == [1]


async def test_a_contract_that_itself_raises_makes_a_miss(clock: VirtualClock):
    def broken(_: object) -> Judgement:
        raise AttributeError("rows")

    cache = cached(clock, judge=broken)
    await cache.execute("", Upstream("a"))
    assert data_of(await cache.execute("", Upstream("b"))) == "b"


async def test_a_payload_that_cannot_be_kept_is_told_once_and_handed_on(clock: VirtualClock):
    told: list[str] = []
    cache = cached(clock, payload_type=list[int], warn=told.append)
    for _ in range(3):
        assert isinstance(data_of(await cache.execute("", Upstream(object()))), object)
    assert told == [
        "prices: its cache cannot be written and is passed over: Encoding objects of type object is unsupported"
    ]


async def test_a_store_that_fails_fails_no_fetch_and_is_told_once_until_it_works_again(clock: VirtualClock):
    store, told = Broken(), list[str]()
    cache, upstream = cached(clock, store=store, sie=600, warn=told.append), Upstream("a", "b", DOWN, "c", "d")
    store.reads = store.writes = False
    assert data_of(await cache.execute("", upstream)) == "a"
    assert data_of(await cache.execute("", upstream)) == "b"
    assert await cache.execute("", upstream) == executed(DOWN)
    assert told == [
        "prices: its cache cannot be read and is passed over: it cannot be read",
        "prices: its cache cannot be written and is passed over: it cannot be written",
    ]
    store.reads = store.writes = True
    assert data_of(await cache.execute("", upstream)) == "c"
    assert data_of(await cache.execute("", upstream)) == "c"
    store.reads = False
    assert data_of(await cache.execute("", upstream)) == "d"
    assert told[2:] == ["prices: its cache cannot be read and is passed over: it cannot be read"]


async def test_by_default_a_store_that_fails_is_told_in_the_log(clock: VirtualClock, caplog: pytest.LogCaptureFixture):
    store = Broken()
    store.writes = False
    with caplog.at_level(logging.WARNING):
        await cached(clock, store=store).execute("", Upstream("a"))
    assert caplog.messages == ["prices: its cache cannot be written and is passed over: it cannot be written"]


async def test_a_store_whose_moments_have_no_zone_is_passed_over(clock: VirtualClock):
    class Zoneless(MemoryCache):
        async def get(self, source: str, key: str) -> CacheEntry | None:
            await super().get(source, key)
            return CacheEntry(stored_at=clock.now().replace(tzinfo=None), payload=b"")

    cache = cached(clock, store=Zoneless(), warn=lambda _: None)
    assert data_of(await cache.execute("", Upstream("a"))) == "a"


async def test_a_cold_start_has_yesterdays_data_beside_the_failure(clock: VirtualClock, tmp_path: Path):
    before = await SqliteCache.open(tmp_path / "dso.db")
    cache = cached(clock, ttl=60, sie=2 * 86400, store=before, payload_type=list[Weapon])
    await cache.execute("", Upstream([Weapon("M4", 30)]))
    await before.close()
    await asyncio.sleep(86400)
    after = await SqliteCache.open(tmp_path / "dso.db")
    cache = cached(clock, ttl=60, sie=2 * 86400, store=after, payload_type=list[Weapon])
    outcome = (await cache.execute("", Upstream(DOWN))).outcome
    await after.close()
    assert isinstance(outcome, Failure)
    assert outcome.stale_data == [Weapon("M4", 30)]
    assert str(outcome.age) == "24 h old, because its source failed (connection): it is down"


async def test_C1_a_herd_over_a_file_makes_one_call_however_it_arrives(clock: VirtualClock, tmp_path: Path):
    store = await SqliteCache.open(tmp_path / "dso.db")
    cache, upstream = cached(clock, store=store, payload_type=str), Upstream("a", lasts=0.01)

    async def arrive(number: int) -> Any:
        await asyncio.sleep(number * 0.0003)
        return data_of(await cache.execute("", upstream))

    assert await asyncio.gather(*(arrive(number) for number in range(100))) == ["a"] * 100
    assert upstream.calls == 1
    await store.close()


async def test_a_file_that_was_closed_or_damaged_fails_no_fetch(clock: VirtualClock, tmp_path: Path):
    store, told = await SqliteCache.open(tmp_path / "dso.db"), list[str]()
    cache = cached(clock, store=store, payload_type=str, warn=told.append)
    await store.close()
    assert data_of(await cache.execute("", Upstream("a"))) == "a"
    assert [line.split(":")[0:2] for line in told] == [
        ["prices", " its cache cannot be read and is passed over"],
        ["prices", " its cache cannot be written and is passed over"],
    ]


async def test_a_cache_that_outlasts_the_process_needs_a_payload_type(clock: VirtualClock, tmp_path: Path):
    store = await SqliteCache.open(tmp_path / "dso.db")
    with pytest.raises(
        ConfigurationError,
        match=r"prices has a cache that outlasts the process, and no payload_type.* or keep it in memory$",
    ):
        cached(clock, store=store)
    await store.close()


def test_a_payload_type_that_cannot_be_decoded_is_refused(clock: VirtualClock):
    with pytest.raises(ConfigurationError, match=r"prices\.payload_type is .*, which msgspec refuses"):
        cached(clock, payload_type=list[int] | list[str])


def test_a_payload_type_without_msgspec_is_refused_with_what_to_install(
    clock: VirtualClock, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setitem(__import__("sys").modules, "msgspec", None)
    with pytest.raises(ConfigurationError, match=r"needs the package msgspec, .* pip install"):
        cached(clock, payload_type=list[int])
    cached(clock)


async def test_the_policy_of_a_source_that_only_serves_stale_asks_every_time(clock: VirtualClock):
    policy = Source(key="prices", fetcher=list, serve_stale=timedelta(days=1)).cache_policy
    assert policy is not None
    cache: ResultCache[Any] = ResultCache(policy, source="prices", clock=clock)
    upstream = Upstream("a", "b", DOWN)
    assert [data_of(await cache.execute("", upstream)) for _ in range(2)] == ["a", "b"]
    outcome = (await cache.execute("", upstream)).outcome
    assert isinstance(outcome, Failure)
    assert outcome.stale_data == "b"
