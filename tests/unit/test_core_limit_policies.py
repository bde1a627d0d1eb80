from datetime import timedelta
from typing import Any

import pytest

from data_source_orchestrator.core.errors import ConfigurationError
from data_source_orchestrator.core.policies import ConcurrencyPolicy, RateLimitPolicy


def test_a_pace_takes_seconds_or_a_timedelta_and_lets_one_come_at_a_time():
    assert RateLimitPolicy(limit=60, per=timedelta(minutes=1)).per == 60.0
    assert RateLimitPolicy(limit=60, per=60).at_once == 1
    assert RateLimitPolicy(limit=60, per=60, burst=7).at_once == 7


@pytest.mark.parametrize(
    ("members", "told"),
    [
        ({"limit": 0, "per": 1}, "rate_limit.limit is 0; give a whole number of 1 or more"),
        ({"limit": 1.5, "per": 1}, "rate_limit.limit is 1.5"),
        ({"limit": 1, "per": 0}, "rate_limit.per is 0; give more than 0"),
        ({"limit": 1, "per": float("nan")}, "rate_limit.per is nan"),
        ({"limit": 1, "per": 60_000}, "did you mean 60"),
        ({"limit": 1, "per": 1, "burst": 0}, "rate_limit.burst is 0; give a whole number of 1 or more"),
    ],
)
def test_a_pace_that_cannot_be_meant_is_refused(members: dict[str, Any], told: str):
    with pytest.raises(ConfigurationError, match=told):
        RateLimitPolicy(**members)


def test_an_adaptive_limit_grows_to_five_times_its_first_unless_told_otherwise():
    assert ConcurrencyPolicy(limit=4).ceiling == 20
    assert ConcurrencyPolicy(limit=4, most=6).ceiling == 6


@pytest.mark.parametrize(
    ("members", "told"),
    [
        ({"limit": 0}, "concurrency.limit is 0; give a whole number of 1 or more"),
        ({"limit": 1, "adaptive": 1}, "concurrency.adaptive is 1; give True or False"),
        ({"limit": 1, "least": 0}, "concurrency.least is 0"),
        ({"limit": 1, "most": 0}, "concurrency.most is 0"),
        ({"limit": 1, "least": 2}, "concurrency.least 2 .* give a limit from least to most"),
        ({"limit": 3, "most": 2}, "concurrency.most 2; give a limit from least to most"),
        ({"limit": 1, "decrease": 1}, "concurrency.decrease is 1; give a number above 0 and below 1"),
        ({"limit": 1, "decrease": 0.0}, "concurrency.decrease is 0.0"),
        ({"limit": 1, "decrease": True}, "concurrency.decrease is True"),
        ({"limit": 1, "decrease": "0.9"}, "concurrency.decrease is '0.9'"),
    ],
)
def test_a_limit_that_cannot_be_meant_is_refused(members: dict[str, Any], told: str):
    with pytest.raises(ConfigurationError, match=told):
        ConcurrencyPolicy(**members)
