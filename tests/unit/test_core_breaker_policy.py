"""A breaker's policy that cannot be meant is refused, with what was given and what is accepted."""

import math
import re
from typing import Any

import pytest

from data_source_orchestrator.core.errors import ConfigurationError
from data_source_orchestrator.core.policies import BreakerPolicy

WHOLE = "give a whole number of 1 or more"
SHARE = "give a number above 0 and at most 1"


def refusal(members: dict[str, Any]) -> str:
    with pytest.raises(ConfigurationError) as told:
        BreakerPolicy(**members)
    return str(told.value)


def test_nothing_has_to_be_said():
    policy = BreakerPolicy()
    assert (policy.failures, policy.cool_down, policy.max_cool_down, policy.spread) == (5, 30, 600, 0.25)
    assert (policy.probes, policy.success_threshold) == (1, 1)
    assert (policy.attempt_failures, policy.failure_ratio, policy.slow_ratio) == (None, None, None)


@pytest.mark.parametrize("value", [0, -1, 1.5, True, "3", math.nan])
@pytest.mark.parametrize("name", ["failures", "attempt_failures", "minimum_throughput", "probes", "success_threshold"])
def test_a_number_of_things_is_one_or_more(name: str, value: object):
    assert refusal({name: value}) == f"breaker.{name} is {value!r}; {WHOLE}"


@pytest.mark.parametrize("name", ["failures", "minimum_throughput", "probes", "success_threshold"])
def test_what_has_a_default_cannot_be_none(name: str):
    assert refusal({name: None}) == f"breaker.{name} is None; {WHOLE}"


@pytest.mark.parametrize("value", [0, -0.1, 1.01, 50, True, "0.5", math.nan, math.inf])
@pytest.mark.parametrize("name", ["failure_ratio", "slow_ratio"])
def test_a_ratio_is_a_share_above_nothing(name: str, value: object):
    assert refusal({name: value, "window": 20}) == f"breaker.{name} is {value!r}; {SHARE}"


@pytest.mark.parametrize("value", [0, -1, 10_001, 2.0, True, "20"])
def test_a_window_by_count_is_bounded(value: object):
    told = refusal({"failure_ratio": 0.5, "window": value})
    assert told == f"breaker.window is {value!r}; give a whole number from 1 to 10000"


@pytest.mark.parametrize("name", ["cool_down", "max_cool_down", "slow_after", "window_seconds"])
@pytest.mark.parametrize("value", [0, -1, math.nan, "30s", True])
def test_a_duration_is_more_than_nothing(name: str, value: object):
    assert re.match(rf"breaker\.{name} is .*; give ", refusal({name: value}))


@pytest.mark.parametrize("name", ["cool_down", "max_cool_down"])
def test_a_wait_cannot_be_none(name: str):
    assert refusal({name: None}) == f"breaker.{name} is None; give seconds as a number, or a timedelta"


def test_a_window_by_time_is_not_too_short_to_be_divided():
    told = refusal({"failure_ratio": 0.5, "window_seconds": 1e-300})
    assert told == "breaker.window_seconds is 1e-300; give 0.1 or more seconds"


NO_WINDOW = "give a window (attempts) or window_seconds that it is taken over"
NO_RATIO = "give a failure_ratio or a slow_ratio, or no window"
TOO_SMALL = "a window never holds more than its size: lower minimum_throughput or raise window"
CONTRADICTIONS: list[tuple[dict[str, Any], str, str, str]] = [
    (
        {"cool_down": 700},
        "cool_down is 700.0",
        "max_cool_down 600.0",
        "give a max_cool_down that is at least cool_down",
    ),
    ({"failure_ratio": 0.5}, "failure_ratio is 0.5", "window None", NO_WINDOW),
    ({"slow_ratio": 0.5, "slow_after": 2}, "slow_ratio is 0.5", "window None", NO_WINDOW),
    ({"window": 20}, "window is 20", "failure_ratio None", NO_RATIO),
    ({"window_seconds": 60}, "window_seconds is 60.0", "failure_ratio None", NO_RATIO),
    (
        {"failure_ratio": 0.5, "window": 20, "window_seconds": 60},
        "window is 20",
        "window_seconds 60.0",
        "give the one or the other",
    ),
    ({"slow_ratio": 0.5, "window": 20}, "slow_ratio is 0.5", "slow_after None", "give both, or neither"),
    ({"slow_after": 2}, "slow_ratio is None", "slow_after 2.0", "give both, or neither"),
    ({"failure_ratio": 0.5, "window": 5}, "minimum_throughput is 10", "window 5", TOO_SMALL),
]


@pytest.mark.parametrize(("members", "one", "other", "fix"), CONTRADICTIONS)
def test_members_that_contradict_each_other_are_refused_with_both_values(
    members: dict[str, Any], one: str, other: str, fix: str
):
    assert refusal(members) == f"breaker.{one} and breaker.{other}; {fix}"


@pytest.mark.parametrize(
    "members",
    [
        {"attempt_failures": 1},
        {"failure_ratio": 1, "window": 10},
        {"failure_ratio": 0.01, "window": 10_000},
        {"failure_ratio": 0.5, "window_seconds": 0.1},
        {"slow_ratio": 1.0, "slow_after": 0.001, "window_seconds": 3600},
        {"failure_ratio": 0.5, "slow_ratio": 0.5, "slow_after": 5, "window": 1, "minimum_throughput": 1},
        {"failure_ratio": 0.5, "window_seconds": 1, "minimum_throughput": 1_000_000},
        {"probes": 10, "success_threshold": 1},
        {"probes": 1, "success_threshold": 10},
        {"cool_down": 600},
        {"spread": 0},
        {"spread": 1},
    ],
)
def test_what_can_be_meant_is_accepted(members: dict[str, Any]):
    policy = BreakerPolicy(**members)
    assert {name: getattr(policy, name) for name in members} == members
