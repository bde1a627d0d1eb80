"""What a cache policy and a source's members about caching accept, and how they say no."""

import math
from datetime import timedelta
from typing import Any

import pytest

from data_source_orchestrator.core.durations import age
from data_source_orchestrator.core.errors import ConfigurationError
from data_source_orchestrator.core.policies import CachePolicy, OrchestratorConfig
from data_source_orchestrator.core.source import Source


def fetch() -> list[int]:
    return [1]


@pytest.mark.parametrize(
    ("value", "seconds"), [(0, 0), (0.5, 0.5), (timedelta(days=30), 2_592_000), (315_360_000, 315_360_000)]
)
def test_an_age_is_seconds_or_a_timedelta_and_may_be_days(value: Any, seconds: float):
    assert age(value, "cache.ttl") == seconds


@pytest.mark.parametrize(
    "value", [-1, math.nan, math.inf, -math.inf, 10**400, 315_360_001, True, "1h", None, timedelta(-1), timedelta.max]
)
def test_D08_D27_D37_anything_else_is_no_age(value: Any):
    with pytest.raises(ConfigurationError, match=r"^cache\.ttl is .*; give seconds from 0 to 315360000, which is ten"):
        CachePolicy(ttl=value)


def test_ages_are_kept_as_seconds():
    policy = CachePolicy(ttl=timedelta(hours=1), stale_while_revalidate=timedelta(hours=2), stale_if_error=86400)
    assert (policy.ttl, policy.stale_while_revalidate, policy.stale_if_error) == (3600, 7200, 86400)


@pytest.mark.parametrize("name", ["stale_while_revalidate", "stale_if_error"])
@pytest.mark.parametrize("until", [1, 59.9, 60])
def test_a_window_that_ends_before_it_begins_is_refused_with_both_values(name: str, until: Any):
    with pytest.raises(
        ConfigurationError, match=rf"^cache\.{name} is {float(until)} and cache\.ttl 60\.0; .* above ttl"
    ):
        CachePolicy(ttl=60, **{name: until})
    windows: dict[str, Any] = {name: 61}
    assert getattr(CachePolicy(ttl=60, **windows), name) == 61
    windows = {name: 0}
    assert getattr(CachePolicy(ttl=60, **windows), name) == 0


def test_a_policy_that_serves_nothing_is_refused():
    with pytest.raises(ConfigurationError, match="nothing that is kept would ever be served; give one of them more"):
        CachePolicy(ttl=0)
    assert CachePolicy(ttl=0, stale_while_revalidate=1).ttl == 0
    assert CachePolicy(ttl=0, stale_if_error=1).ttl == 0


@pytest.mark.parametrize("entries", [0, -1, 1.5, True])
def test_a_number_of_entries_below_one_is_refused(entries: Any):
    with pytest.raises(ConfigurationError, match=r"cache\.max_entries is .*; give a whole number of 1 or more"):
        CachePolicy(ttl=1, max_entries=entries)


@pytest.mark.parametrize(
    ("members", "told"),
    [
        ({"cache": 60}, r"prices\.cache is 60; give a CachePolicy, or None"),
        ({"payload_type": "list"}, r"prices\.payload_type is 'list'; give the type of its payload, or None"),
        ({"payload_type": [1]}, r"prices\.payload_type is \[1\]; give the type"),
        ({"serve_stale": -1}, r"prices\.serve_stale is -1; give seconds from 0"),
        ({"serve_stale": "1d"}, r"prices\.serve_stale is '1d'; give seconds from 0"),
        ({"serve_stale": 0}, r"prices\.serve_stale is 0; give more than 0 seconds, or None for never"),
        (
            {"serve_stale": 60, "cache": CachePolicy(ttl=60)},
            r"prices\.serve_stale is 60\.0 and prices\.cache\.ttl 60\.0; .* give a serve_stale above ttl",
        ),
        (
            {"serve_stale": 90, "cache": CachePolicy(ttl=60, stale_if_error=80)},
            r"prices\.serve_stale is 90\.0 and prices\.cache\.stale_if_error 80\.0; .* give one of them",
        ),
    ],
)
def test_what_a_source_cannot_mean_is_refused_with_what_to_give(members: dict[str, Any], told: str):
    with pytest.raises(ConfigurationError, match=told):
        Source(key="prices", fetcher=fetch, **members)


@pytest.mark.parametrize("payload_type", [None, int, list[int], int | None, dict[str, float]])
def test_a_payload_type_may_be_any_type(payload_type: Any):
    assert Source(key="prices", fetcher=fetch, payload_type=payload_type).payload_type == payload_type


@pytest.mark.parametrize(
    ("cache", "serve_stale", "policy"),
    [
        (None, None, None),
        (CachePolicy(ttl=60), None, CachePolicy(ttl=60)),
        (CachePolicy(ttl=60, stale_if_error=90), None, CachePolicy(ttl=60, stale_if_error=90)),
        (CachePolicy(ttl=60, stale_if_error=90), 90, CachePolicy(ttl=60, stale_if_error=90)),
        (CachePolicy(ttl=60, max_entries=3), 90, CachePolicy(ttl=60, stale_if_error=90, max_entries=3)),
        (None, timedelta(days=1), CachePolicy(ttl=0, stale_if_error=86400)),
    ],
)
def test_A19_A20_a_source_keeps_nothing_until_it_says_so(
    cache: CachePolicy | None, serve_stale: Any, policy: CachePolicy | None
):
    source = Source(key="prices", fetcher=fetch, cache=cache, serve_stale=serve_stale)
    assert source.cache_policy == policy
    assert source.but(cache=None, serve_stale=None).cache_policy is None


def test_accepting_stale_data_is_off_by_default_and_a_boolean():
    assert OrchestratorConfig().accept_stale is False
    with pytest.raises(ConfigurationError, match="accept_stale is 'yes'; give True or False"):
        OrchestratorConfig(accept_stale="yes")  # type: ignore[arg-type]  # that is the subject
