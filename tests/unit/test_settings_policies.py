"""Limits, hedging, cache, chaos and budgets in the settings file: what is written there acts, and no other."""

import tomllib
from collections.abc import Iterator
from dataclasses import fields
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from data_source_orchestrator.core.errors import ConfigurationError
from data_source_orchestrator.core.policies import (
    BreakerPolicy,
    BudgetPolicy,
    CachePolicy,
    ChaosPolicy,
    ConcurrencyPolicy,
    HedgePolicy,
    LimitPolicy,
    RateLimitPolicy,
)
from data_source_orchestrator.core.source import Source
from data_source_orchestrator.core.verdicts import FailureKind
from data_source_orchestrator.settings import Settings, load

WHOLE_FILE = """
[run.budget]
tokens = 60
retry_cost = 3
charge_refused = true

[limits]
rate = { limit = 100, per = "1m", burst = 5 }
concurrency = { limit = 10 }

[hosts."a.example".limits.rate]
limit = 2
per = 1

[hosts.b.limits.concurrency]
limit = 4
adaptive = true
least = 2
most = 8
decrease = 0.5

[sources.prices]
host = "a.example"

[sources.prices.limits.concurrency]
limit = 3

[sources.prices.budget]
tokens = 20

[sources.prices.hedge]
delay = "200ms"

[sources.prices.cache]
ttl = "90m"
stale_if_error = "2d"

[sources.prices.chaos]
fault_rate = 0.1
faults = ["timeout", "server"]
outcome_rate = 0.1
outcomes = [[], "x"]
seed = 7
"""


def prices(**members: Any) -> Source[Any]:
    return Source(key="prices", fetcher=lambda: None, **members)


def settled(folder: Path, text: str) -> Settings:
    (folder / "dso.toml").write_text(text, encoding="utf-8")
    return load(environ={}, folder=folder)


def laid_over(folder: Path, text: str, **members: Any) -> Source[Any]:
    return settled(folder, text).sources["prices"].apply(prices(**members))


def refusal(folder: Path, text: str, **members: Any) -> str:
    with pytest.raises(ConfigurationError) as told:
        laid_over(folder, text, **members)
    return str(told.value)


def test_every_policy_arrives_from_the_file_by_the_names_that_it_has_in_a_program(tmp_path: Path):
    settings = settled(tmp_path, WHOLE_FILE)
    assert settings.budget == BudgetPolicy(tokens=60, retry_cost=3, charge_refused=True)
    assert settings.limits == LimitPolicy(
        rate=RateLimitPolicy(limit=100, per=timedelta(minutes=1), burst=5), concurrency=ConcurrencyPolicy(limit=10)
    )
    assert settings.hosts == {
        "a.example": LimitPolicy(rate=RateLimitPolicy(limit=2, per=1)),
        "b": LimitPolicy(concurrency=ConcurrencyPolicy(limit=4, adaptive=True, least=2, most=8, decrease=0.5)),
    }


def test_every_policy_of_a_source_is_laid_over_it(tmp_path: Path):
    source = prices()
    assert settled(tmp_path, WHOLE_FILE).sources["prices"].apply(source) == source.but(
        host="a.example",
        limits=LimitPolicy(concurrency=ConcurrencyPolicy(limit=3)),
        budget=BudgetPolicy(tokens=20),
        hedge=HedgePolicy(delay=0.2),
        cache=CachePolicy(ttl=timedelta(minutes=90), stale_if_error=timedelta(days=2)),
        chaos=ChaosPolicy(
            fault_rate=0.1,
            faults=(FailureKind.TIMEOUT, FailureKind.SERVER),
            outcome_rate=0.1,
            outcomes=([], "x"),
            seed=7,
        ),
    )


def test_what_is_not_written_stays_the_sources_own(tmp_path: Path):
    concurrency = ConcurrencyPolicy(limit=9)
    changed = laid_over(
        tmp_path,
        "[sources.prices]\nhedge = {least = 1}\ncache = {ttl = 30}\nlimits = {rate = {burst = 3}}",
        limits=LimitPolicy(rate=RateLimitPolicy(limit=1, per=1), concurrency=concurrency),
        hedge=HedgePolicy(quantile=0.9),
        cache=CachePolicy(ttl=5, stale_if_error=60),
    )
    assert changed.limits == LimitPolicy(rate=RateLimitPolicy(limit=1, per=1, burst=3), concurrency=concurrency)
    assert changed.hedge == HedgePolicy(quantile=0.9, least=1)
    assert changed.cache == CachePolicy(ttl=30, stale_if_error=60)


def test_nothing_is_switched_on_that_nobody_has_written(tmp_path: Path):
    settings = settled(tmp_path, "[sources.prices]\npriority = 1\n[run]\ntimeout = 5")
    source = settings.sources["prices"].apply(prices())
    assert (source.limits, source.host, source.budget, source.hedge, source.cache, source.chaos) == (None,) * 6
    assert (settings.limits, settings.budget) == (None, BudgetPolicy())


def test_an_empty_table_switches_on_what_has_defaults(tmp_path: Path):
    source = laid_over(tmp_path, "[sources.prices.hedge]\n[sources.prices.chaos]\n[sources.prices.budget]")
    assert (source.hedge, source.chaos, source.budget) == (HedgePolicy(), ChaosPolicy(), BudgetPolicy())


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "[sources.prices.cache]",
            "[sources.prices]: cache.ttl is not given, and has no default; give ttl in this table",
        ),
        (
            "[sources.prices.cache]\nttl = 60\nstale_if_error = 30",
            (
                "[sources.prices]: cache.stale_if_error is 30.0 and cache.ttl 60.0; both are ages in seconds, and data"
                " is stale only from ttl on: give a stale_if_error above ttl, or 0 for none"
            ),
        ),
        (
            "[sources.prices.cache]\nttl = true",
            '[sources.prices.cache] ttl is true; give seconds as a number, or text such as "90s", "6h" or "2d"',
        ),
        (
            "[sources.prices.cache]\nttl = '4000d'",
            "[sources.prices.cache] ttl is '4000d'; give 0 or more and at most 3650 days",
        ),
        (
            "[sources.prices.limits.rate]\nlimit = 5",
            "[sources.prices]: limits.rate.per is not given, and has no default; give limit and per in this table",
        ),
        (
            "[sources.prices.limits.concurrency]\nlimit = 5\nleast = 9",
            (
                "[sources.prices]: concurrency.limit is 5, concurrency.least 9 and concurrency.most None; give a limit"
                " from least to most"
            ),
        ),
        ("[sources.prices.limits]\nrate = 5", "[sources.prices.limits] rate is 5; give a table"),
        (
            "[sources.prices.limits.rate]\nper = 0",
            "[sources.prices.limits.rate] per is 0; give more than 0 and at most 3600 seconds",
        ),
        (
            "[limits.rate]\nper = 1",
            "[limits]: limits.rate.limit is not given, and has no default; give limit and per in this table",
        ),
        (
            '[hosts."a.b".limits.concurrency]\nmost = 3',
            '[hosts."a.b".limits]: limits.concurrency.limit is not given, and has no default; give limit in this table',
        ),
        (
            "[sources.prices.hedge]\nquantile = 95",
            "[sources.prices.hedge] quantile is 95; give a number above 0 and below 1",
        ),
        (
            "[sources.prices.hedge]\nminimum_samples = 101",
            "[sources.prices.hedge] minimum_samples is 101; give a whole number from 1 to 100",
        ),
        (
            "[sources.prices.chaos]\nfaults = ['conection']",
            (
                "[sources.prices.chaos] faults holds 'conection'; give some of timeout, connection, server,"
                " rate_limited, blocked, client, content, empty, bug, unknown; did you mean 'connection'?"
            ),
        ),
        (
            "[sources.prices.chaos]\nfault_rate = 0.5\nfaults = []",
            "[sources.prices]: chaos.fault_rate is 0.5 and chaos.faults is empty; give at least one fault",
        ),
        (
            "[run.budget]\nreserve = 600",
            (
                "[run.budget] reserve: budget.reserve is 600 and budget.tokens 500, so nothing could ever be paid; give"
                " a reserve from 0 to 500"
            ),
        ),
        ("[run.budget]\ntoken = 5", "[run.budget] token (= 5) is not a known setting; did you mean 'tokens'?"),
        ("[hosts.x]\nlimit = 5", "[hosts.x] limit (= 5) is not a known setting; did you mean 'limits'?"),
        ("[hosts]\nx = 5", "[hosts] x is 5; give a table"),
        ("[sources.prices.hedging]", "[sources.prices.hedging] is not a known table; did you mean 'hedge'?"),
        ("[sources.prices]\nhost = ''", "[sources.prices] host is ''; give a name, as text in one line"),
    ],
)
def test_what_cannot_be_meant_is_told_with_its_place_and_what_is_accepted(tmp_path: Path, text: str, told: str):
    assert refusal(tmp_path, text) == f"file dso.toml {told}"


def test_two_settings_that_say_the_same_thing_are_told_with_their_table(tmp_path: Path):
    told = refusal(tmp_path, "[sources.prices]\nserve_stale = '1d'\ncache = {ttl = 0, stale_if_error = '2d'}")
    assert told.startswith(
        "file dso.toml [sources.prices]: prices.serve_stale is 86400.0 and prices.cache.stale_if_error"
    )


TABLES: dict[str, tuple[type, dict[str, Any]]] = {
    "breaker": (BreakerPolicy, {}),
    "limits.rate": (RateLimitPolicy, {"limit": 1, "per": 1}),
    "limits.concurrency": (ConcurrencyPolicy, {"limit": 1}),
    "budget": (BudgetPolicy, {}),
    "hedge": (HedgePolicy, {}),
    "cache": (CachePolicy, {"ttl": 10}),
    "chaos": (ChaosPolicy, {}),
}

VALUES = [
    "0",
    "1",
    "2",
    "7",
    "100",
    "101",
    "3600",
    "3601",
    "10_000",
    "10_001",
    "1_000_000_000",
    "1_000_000_001",
    "315_360_000",
    "315_360_001",
    "-1",
    "0.0",
    "0.5",
    "1.0",
    "1.5",
    "-0.5",
    "nan",
    "inf",
    "true",
    "false",
    "[]",
    "{}",
    "18446744073709551615",
    "18446744073709551616",
]


def members() -> Iterator[Any]:
    for table, (kind, needed) in TABLES.items():
        for member in fields(kind):
            if member.name not in {"behaviours", "behaviour_rate"}:
                yield pytest.param(table, kind, needed, member.name, id=f"{table}.{member.name}")


@pytest.mark.parametrize(("table", "kind", "needed", "name"), list(members()))
def test_the_file_accepts_of_a_policy_just_what_the_policy_accepts(
    tmp_path: Path, table: str, kind: type, needed: dict[str, Any], name: str
):
    for value in VALUES:
        given = {**needed, name: tomllib.loads(f"x = {value}")["x"]}
        text = "\n".join(f"{key} = {value if key == name else held}" for key, held in given.items())
        by_policy = accepted(partial(kind, **given))
        by_file = accepted(partial(laid_over, tmp_path, f"[sources.prices.{table}]\n{text}"))
        assert by_file == by_policy, value


def accepted(build: Any) -> bool:
    try:
        build()
    except ConfigurationError:
        return False
    return True


@pytest.mark.parametrize(
    ("value", "seconds"), [("1.5", 1.5), ("'90s'", 90), ("'6h'", 21600), ("'2D'", 172800), ("'3650d'", 315360000)]
)
def test_an_age_may_be_days(tmp_path: Path, value: str, seconds: float):
    source = laid_over(tmp_path, f"[sources.prices.cache]\nttl = {value}")
    assert source.cache == CachePolicy(ttl=seconds)
