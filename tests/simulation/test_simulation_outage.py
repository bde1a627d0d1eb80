"""A described outage, played against sources: every figure worked out by hand."""

from dataclasses import replace
from typing import Any

import pytest

from data_source_orchestrator.core.errors import ConfigurationError
from data_source_orchestrator.core.policies import (
    BreakerPolicy,
    BudgetPolicy,
    CachePolicy,
    HedgePolicy,
    LimitPolicy,
    RateLimitPolicy,
    RetryConfig,
)
from data_source_orchestrator.core.source import Source
from data_source_orchestrator.simulation import report
from data_source_orchestrator.simulation.forecast import Forecast, ages
from data_source_orchestrator.simulation.outage import Policies, play_outage
from data_source_orchestrator.simulation.scenario import Outage, Scenario, check_sources, read_scenario

PLAIN = RetryConfig(max_retries=0, jitter=False)
DOWN = Outage(source="a", begins=60, ends=240)


async def unasked() -> Any:
    raise AssertionError("no upstream is asked in a simulation")


def source(key: str = "a", **members: Any) -> Source[Any]:
    return Source(key=key, fetcher=unasked, **members)


def played(
    *outages: Outage, retry: RetryConfig = PLAIN, latency: float = 0.0, asks: str = "sync", **members: Any
) -> Forecast:
    scenario = Scenario(duration=600, interval=60, latency=latency, asks=asks, outages=outages)
    return play_outage(scenario, [source(**members)], Policies(retry=retry))


def test_without_an_outage_every_sync_gives_data():
    forecast = played()
    [a] = forecast.sources
    assert (forecast.syncs, forecast.goodput, a.goodput) == (10, 1.0, 1.0)
    assert (a.calls, a.wasted_calls, a.skipped, a.trips) == (10, 0, 0, 0)
    assert a.oldest == pytest.approx(60)
    assert a.average_age == pytest.approx(30)


def test_a_source_that_is_down_wastes_a_call_in_each_sync_until_it_is_back():
    [a] = played(DOWN).sources
    assert (a.successes, a.failures, a.skipped) == (7, 3, 0)
    assert (a.calls, a.wasted_calls) == (10, 3)
    assert a.oldest == pytest.approx(240)
    assert a.outages[0].recovered_after == pytest.approx(0)


def test_retries_are_wasted_calls_too():
    [a] = played(DOWN, retry=RetryConfig(max_retries=2, jitter=False)).sources
    assert (a.calls, a.wasted_calls) == (7 + 3 * 3, 9)


def test_a_breaker_saves_calls_and_recovers_with_its_cool_down():
    breaker = BreakerPolicy(failures=1, cool_down=150, spread=0.0)
    [a] = played(DOWN, breaker=breaker).sources
    assert (a.failures, a.skipped, a.trips) == (1, 2, 1)
    assert a.outages[0].recovered_after == pytest.approx(0)
    assert report.cells(a, 600, 10) == ["success", "failure", "skipped", "skipped", *["success"] * 6]
    assert report.under_outage(a, 600, 10) == [False, True, True, True, *[False] * 6]


def test_a_source_that_is_not_back_by_the_end_has_never_recovered():
    [a] = played(Outage(source="a", begins=60, ends=590)).sources
    assert a.outages[0].recovered_after is None


def test_a_hang_lasts_as_long_as_the_source_may():
    [a] = played(Outage(source="a", begins=60, ends=120, kind="hang"), timeout=5).sources
    [hung] = [each for each in a.synced if report.word(each) == "failure"]
    assert hung.ended - hung.at == pytest.approx(5)
    assert hung.outcome.duration == pytest.approx(5)


def test_a_slow_source_is_slow_and_an_error_rate_is_a_share():
    slow = played(Outage(source="a", begins=0, ends=600, latency=7, error_rate=0.0)).sources[0]
    assert [each.ended - each.at for each in slow.synced] == pytest.approx([7] * 10)
    scenario = Scenario(duration=60_000, interval=60, outages=(Outage(source="a", begins=0, ends=1e9, error_rate=0.3),))
    [a] = play_outage(scenario, [source(breaker=BreakerPolicy(failures=100))], Policies(retry=PLAIN)).sources
    assert a.goodput == pytest.approx(0.7, abs=0.06)


def test_a_sync_that_takes_longer_than_the_interval_skips_a_turn():
    scenario = Scenario(
        duration=100, interval=10, outages=(Outage(source="a", begins=0, ends=100, latency=14, error_rate=0),)
    )
    [a] = play_outage(scenario, [source()], Policies(retry=PLAIN)).sources
    assert [each.at for each in a.synced] == pytest.approx([0, 20, 40, 60, 80])


def test_a_disabled_source_is_skipped_and_the_same_scenario_plays_the_same():
    scenario = Scenario(duration=600, interval=60, outages=(Outage(source="b", begins=0, ends=600, error_rate=0.5),))
    sources = [source("a", enabled=False), source("b")]
    forecast = play_outage(scenario, sources)
    assert report.of_forecast(forecast) == report.of_forecast(play_outage(scenario, sources))
    assert report.cells(forecast.sources[0], 600, 3) == ["skipped"] * 3
    assert forecast.goodput == forecast.sources[1].goodput / 2


def test_a_wait_that_an_upstream_asks_for_turns_later_syncs_away_where_there_are_limits():
    down = Outage(source="a", begins=60, ends=240, kind="rate_limited", retry_after=150)
    [a] = played(down, limits=LimitPolicy()).sources
    assert (a.failures, a.turned_away, a.skipped, a.calls) == (1, 2, 2, 8)
    assert a.outages[0].recovered_after == pytest.approx(0)


def test_a_share_of_slow_calls_is_joined_by_others_where_the_source_is_hedged():
    slow = Outage(source="a", begins=0, ends=600, latency=7, slow_rate=1.0, error_rate=0.0)
    [a] = played(slow, hedge=HedgePolicy(delay=2)).sources
    assert (a.successes, a.calls, a.hedges, a.wasted_calls) == (10, 20, 10, 10)
    some = Outage(source="a", begins=0, ends=600, latency=7, slow_rate=0.5, error_rate=0.0)
    [a] = played(some, hedge=HedgePolicy(delay=2)).sources
    assert 0 < a.hedges == a.wasted_calls < 10


@pytest.mark.parametrize(("asks", "calls", "oldest"), [("fetch", 4, 180), ("sync", 10, 60)])
def test_only_a_fetch_is_answered_from_a_cache_and_that_makes_data_no_younger(asks: str, calls: int, oldest: float):
    [a] = played(asks=asks, cache=CachePolicy(ttl=150)).sources
    assert (a.successes, a.calls, a.from_cache) == (10, calls, 10 - calls)
    assert a.oldest == pytest.approx(oldest)


def test_the_limits_of_all_and_of_hosts_and_the_budget_of_runs_are_those_of_the_settings():
    scenario = Scenario(duration=600, interval=60, latency=0, outages=(DOWN,))
    slow = LimitPolicy(rate=RateLimitPolicy(limit=1, per=120))
    for policies in (Policies(retry=PLAIN, limits=slow), Policies(retry=PLAIN, hosts={"h": slow})):
        [a] = play_outage(replace(scenario, outages=()), [source(host="h")], policies).sources
        assert (a.calls, a.turned_away) == (5, 5)
    policies = Policies(retry=RetryConfig(max_retries=2, jitter=False), budget=BudgetPolicy(tokens=0))
    [a] = play_outage(scenario, [source()], policies).sources
    assert (a.calls, a.wasted_calls) == (10, 3)


def test_the_changes_tell_each_turn_of_events_once():
    told: Any = report.of_forecast(played(DOWN))
    assert told["sources"]["a"]["changes"] == [
        {"at_s": 0.0, "status": "success", "reason": None},
        {"at_s": pytest.approx(60), "status": "failure", "reason": "server"},
        {"at_s": pytest.approx(240), "status": "success", "reason": None},
    ]


def test_the_age_of_data_is_the_area_under_its_saw():
    assert ages([], 10) == (5.0, 10.0)
    assert ages([0, 4], 10) == pytest.approx(((16 + 36) / 20, 6))
    assert ages([0, 4, 99], 10) == pytest.approx(((16 + 36) / 20, 6))


def test_a_scenario_is_read_with_its_units_and_defaults():
    read = read_scenario(
        '[scenario]\nduration = "2h"\ninterval = 30\nasks = "fetch"\n'
        '[[outage]]\nsource = "a"\nfrom = 0\nuntil = "90m"\n'
        'latency = "500ms"\nslow_rate = 0.2\n'
        '[[outage]]\nsource = "b"\nfrom = "1m"\nuntil = "1d"\nkind = "hang"\nlatency = 1\n',
        "x.toml",
    )
    assert read == Scenario(
        duration=7200,
        interval=30,
        asks="fetch",
        outages=(
            Outage(source="a", begins=0, ends=5400, latency=0.5, slow_rate=0.2, error_rate=0.0),
            Outage(source="b", begins=60, ends=86400, latency=1, error_rate=1.0, kind="hang"),
        ),
    )
    assert read_scenario("", "x.toml") == Scenario()


OUTAGE = '[[outage]]\nsource = "a"\nfrom = 0\nuntil = 9\n'


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("x", "file x.toml is no TOML"),
        ("[scenari]", "unknown key 'scenari'; did you mean 'scenario'"),
        ("scenario = 1", "give one table [scenario]"),
        ("outage = [1]", "give one table [scenario]"),
        ("[scenario]\ndurations = 1", "unknown key 'durations'; did you mean 'duration'"),
        ('[scenario]\nduration = "six"', "'six'; give seconds as a number, or text such as"),
        ("[scenario]\nduration = true", "duration is True; give seconds"),
        ("[scenario]\nduration = 0", 'more than 0 and at most "31d"'),
        ("[scenario]\nduration = inf", "at most"),
        ("[scenario]\nduration = nan", "at most"),
        ('[scenario]\ninterval = "40d"', "at most"),
        ('[scenario]\nduration = "31d"\ninterval = 1', "2678400 syncs are too many"),
        ('[scenario]\nseed = "x"', "seed is 'x'; give a whole number"),
        ('[[outage]]\nsource = "a"', "has no 'from'"),
        (OUTAGE.replace("until = 9", "until = 0.0"), "more than 0"),
        (OUTAGE.replace("from = 0", "from = 9"), "give a later until"),
        (OUTAGE + "error_rate = 2", "error_rate is 2; give a number from 0 to 1"),
        (OUTAGE + 'kind = "sever"', "did you mean 'server'"),
        ('[scenario]\nasks = "fetches"', "give one of sync, fetch; did you mean 'fetch'"),
        (OUTAGE + "slow_rate = 0.5", "has a slow_rate and no latency"),
        (OUTAGE + "latency = 1\nslow_rate = 2", "slow_rate is 2; give a number from 0 to 1"),
        (OUTAGE + "retry_after = 0", "retry_after is 0; give more than 0"),
        (OUTAGE + 'kind = "hang"\nretry_after = 9', "what never answers tells nothing"),
        (OUTAGE + "error = 1", "unknown key 'error'; did you mean 'error_rate'"),
    ],
)
def test_a_mistake_in_a_scenario_is_told_in_one_sentence(text: str, told: str):
    with pytest.raises(ConfigurationError) as error:
        read_scenario(text, "x.toml")
    assert told in str(error.value)
    assert str(error.value).startswith("file x.toml")
    assert "\n" not in str(error.value)


def test_an_outage_of_an_unknown_source_is_told_with_the_nearest():
    scenario = Scenario(outages=(Outage(source="pries", begins=0, ends=1),))
    with pytest.raises(ConfigurationError, match="no source is called 'pries'; did you mean 'prices'"):
        check_sources(scenario, ["prices", "stock"], "x.toml")
