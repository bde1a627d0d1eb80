from datetime import timedelta

import pytest

from data_source_orchestrator.core.errors import ConfigurationError
from data_source_orchestrator.core.policies import ChaosPolicy, HedgePolicy
from data_source_orchestrator.core.verdicts import FailureKind


def test_a_hedge_waits_for_the_95_percent_quantile_of_at_least_20_successes_and_a_millisecond():
    policy = HedgePolicy()
    assert (policy.quantile, policy.minimum_samples, policy.least, policy.fixed) == (0.95, 20, 0.001, None)


def test_a_hedges_times_may_be_timedeltas():
    policy = HedgePolicy(delay=timedelta(milliseconds=250), least=timedelta(0))
    assert (policy.fixed, policy.least) == (0.25, 0.0)


@pytest.mark.parametrize(
    ("members", "told"),
    [
        ({"quantile": 0}, "hedge.quantile is 0; give a number between 0 and 1, as 0.95"),
        ({"quantile": 1}, "hedge.quantile is 1; give a number between 0 and 1"),
        ({"quantile": float("nan")}, "hedge.quantile is nan; give a number between 0 and 1"),
        ({"quantile": "0.9"}, "hedge.quantile is '0.9'; give a number between 0 and 1"),
        ({"quantile": True}, "hedge.quantile is True; give a number"),
        ({"least": -1}, "hedge.least is -1; give 0 or more and at most 3600 seconds"),
        ({"delay": -0.1}, "hedge.delay is -0.1; give 0 or more and at most 3600 seconds"),
        ({"delay": 5000}, "hedge.delay is 5000 seconds.*did you mean 5?"),
        ({"minimum_samples": 0}, "hedge.minimum_samples is 0; give a whole number of 1 or more"),
        ({"minimum_samples": 101}, "hedge.minimum_samples is 101.*only the last 100.*from 1 to 100"),
    ],
)
def test_an_impossible_hedge_is_refused_with_what_is_accepted(members: dict[str, object], told: str):
    with pytest.raises(ConfigurationError, match=told):
        HedgePolicy(**members)  # type: ignore[arg-type]  # wrong on purpose


def test_chaos_does_nothing_unless_it_is_asked_to():
    policy = ChaosPolicy()
    assert {policy.fault_rate, policy.latency_rate, policy.outcome_rate, policy.behaviour_rate} == {0.0}


def test_a_fault_may_be_named_by_its_word():
    assert ChaosPolicy(faults=("server", TimeoutError)).faults == (FailureKind.SERVER, TimeoutError)


@pytest.mark.parametrize(
    ("members", "told"),
    [
        ({"fault_rate": 1.1}, "chaos.fault_rate is 1.1; give a number from 0 to 1"),
        ({"latency_rate": -0.1}, "chaos.latency_rate is -0.1; give a number from 0 to 1"),
        ({"outcome_rate": float("nan")}, "chaos.outcome_rate is nan; give a number from 0 to 1"),
        ({"behaviour_rate": "1"}, "chaos.behaviour_rate is '1'; give a number from 0 to 1"),
        ({"latency": -1}, "chaos.latency is -1; give 0 or more"),
        ({"faults": ("conection",)}, "chaos.faults holds 'conection'.*did you mean 'connection'?"),
        ({"faults": "connection"}, "chaos.faults is 'connection'; give several, as a list or tuple"),
        ({"fault_rate": 0.5, "faults": ()}, "chaos.fault_rate is 0.5 and chaos.faults is empty; give at least one"),
        ({"outcome_rate": 1, "outcomes": []}, "chaos.outcomes is empty; give at least one outcome"),
        ({"behaviour_rate": 0.1}, "chaos.behaviours is empty; give at least one behaviour"),
        ({"behaviours": (3,)}, "chaos.behaviours holds 3; give functions without arguments"),
        ({"outcomes": 3}, "chaos.outcomes is 3; give several"),
        ({"seed": 1.5}, "chaos.seed is 1.5; give a whole number of up to 64 bits, or None to draw one"),
        ({"seed": True}, "chaos.seed is True; give a whole number"),
    ],
)
def test_impossible_chaos_is_refused_with_what_is_accepted(members: dict[str, object], told: str):
    with pytest.raises(ConfigurationError, match=told):
        ChaosPolicy(**members)  # type: ignore[arg-type]  # wrong on purpose
