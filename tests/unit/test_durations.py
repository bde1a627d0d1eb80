import math
from datetime import timedelta

import pytest

from data_source_orchestrator import ConfigurationError, HealthPolicy, OrchestratorConfig
from data_source_orchestrator.core.durations import seconds


@pytest.mark.parametrize("value", [0.001, 30, 3600, timedelta(seconds=5)])
def test_seconds_and_timedeltas_up_to_an_hour_are_durations(value: float | timedelta):
    assert seconds(value, "timeout") == (value.total_seconds() if isinstance(value, timedelta) else value)


@pytest.mark.parametrize("value", [0, -1, math.nan, math.inf, -math.inf, 10**400, True, "10s", None, timedelta(0)])
def test_D08_D27_D37_anything_else_is_refused_with_what_is_accepted(value: object):
    with pytest.raises(ConfigurationError, match=r"^timeout is .*; .*give"):
        seconds(value, "timeout")


def test_a_time_in_milliseconds_is_recognised():
    with pytest.raises(ConfigurationError, match="the unit is seconds; did you mean 30"):
        OrchestratorConfig(timeout=30_000)


def test_a_timedelta_tells_its_own_unit_and_is_only_told_the_limit():
    with pytest.raises(ConfigurationError) as told:
        seconds(timedelta(hours=2), "timeout")
    assert str(told.value) == "timeout is 7200 seconds, and at most 3600 are accepted; give a shorter time"


@pytest.mark.parametrize("factor", [1, 0.5, math.nan, math.inf, "2"])
def test_a_factor_that_is_not_above_one_is_refused(factor: float):
    with pytest.raises(ConfigurationError, match=r"health\.slow_factor is .*; give a number above 1"):
        HealthPolicy(slow_factor=factor)
