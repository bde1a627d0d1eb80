"""What retries, hedges, probes and refreshes pay, from one budget or two."""

import pytest

from data_source_orchestrator.core.errors import ConfigurationError
from data_source_orchestrator.core.policies import BudgetPolicy, Purpose
from data_source_orchestrator.core.verdicts import FailureKind
from data_source_orchestrator.resilience.budget import JointBudget, RetryBudget


def test_a_hedge_costs_what_a_retry_costs():
    budget = RetryBudget(BudgetPolicy())
    assert budget.spend_hedge()
    assert budget.tokens == 495
    assert budget.spend_hedge()
    assert budget.tokens == 490


@pytest.mark.parametrize("purpose", [Purpose.PROBE, Purpose.REFRESH])
def test_a_healthy_sources_probes_and_refreshes_pay_for_themselves(purpose: Purpose):
    budget = RetryBudget(BudgetPolicy(tokens=1))
    for _ in range(10):
        assert budget.pay(purpose)
        budget.refund()
    assert budget.tokens == 1


def test_a_failing_sources_probes_and_refreshes_end_with_the_tokens():
    budget = RetryBudget(BudgetPolicy(tokens=3))
    assert [budget.spend_probe(), budget.spend_refresh(), budget.spend_probe(), budget.spend_refresh()] == [
        True,
        True,
        True,
        False,
    ]
    assert not budget.spend_probe()


def test_refusals_are_counted_by_purpose_and_told():
    told: list[Purpose] = []
    budget = RetryBudget(BudgetPolicy(tokens=0), on_refusal=told.append)
    assert not budget.spend(FailureKind.SERVER)
    assert not budget.spend_hedge()
    assert not budget.spend_hedge()
    assert told == [Purpose.RETRY, Purpose.HEDGE, Purpose.HEDGE]
    assert [budget.refused(purpose) for purpose in Purpose] == [1, 2, 0, 0]
    assert budget.refusals == 3


def test_two_budgets_pay_together():
    source, run = RetryBudget(BudgetPolicy(tokens=10)), RetryBudget(BudgetPolicy(tokens=100, retry_cost=7))
    both = JointBudget(source, run)
    assert both.spend(FailureKind.SERVER)
    assert (source.tokens, run.tokens) == (5, 93)
    both.refund()
    assert (source.tokens, run.tokens) == (6, 94)


@pytest.mark.parametrize("rich_first", [True, False])
def test_where_one_of_two_budgets_is_short_neither_pays_and_only_that_one_refuses(rich_first: bool):
    rich, poor = RetryBudget(BudgetPolicy()), RetryBudget(BudgetPolicy(tokens=4))
    both = JointBudget(rich, poor) if rich_first else JointBudget(poor, rich)
    assert not both.spend(FailureKind.SERVER)
    assert (rich.tokens, poor.tokens) == (500, 4)
    assert (rich.refusals, poor.refusals) == (0, 1)


def test_nothing_is_paid_that_would_touch_the_reserve():
    budget = RetryBudget(BudgetPolicy(tokens=20, reserve=10))
    assert budget.spend(FailureKind.SERVER)
    assert budget.spend(FailureKind.SERVER)
    assert not budget.spend(FailureKind.SERVER)
    assert budget.tokens == 10


def test_grpcs_throttling_allows_four_retries_in_a_row_and_then_wants_half_its_tokens_back():
    budget = RetryBudget(BudgetPolicy.grpc())
    assert [budget.spend(FailureKind.SERVER) for _ in range(5)] == [True, True, True, True, False]
    assert budget.tokens == 50
    assert not budget.spend_hedge()
    for _ in range(10):
        budget.refund()
    assert budget.spend_hedge()
    assert not budget.spend(FailureKind.SERVER)
    assert budget.tokens == 50


def test_grpcs_throttling_charges_for_failures_that_are_not_tried_again_down_to_nothing():
    budget = RetryBudget(BudgetPolicy.grpc())
    for _ in range(20):
        budget.spend(FailureKind.TIMEOUT)
    assert budget.tokens == 0
    for _ in range(61):
        assert not budget.covers(10)
        budget.refund()
    assert budget.spend(FailureKind.SERVER)


def test_a_budget_outlives_its_process():
    budget = RetryBudget(BudgetPolicy())
    budget.spend(FailureKind.SERVER)
    again = RetryBudget(BudgetPolicy())
    again.restore(budget.to_state())
    assert again.tokens == 495


@pytest.mark.parametrize(
    ("state", "tokens"),
    [({"tokens": 9000}, 500), ({"tokens": -4}, 0), ({"tokens": True}, 500), ({"tokens": "7"}, 500), (None, 500)],
)
def test_a_state_is_kept_within_the_whole_and_one_that_cannot_be_read_changes_nothing(state: object, tokens: int):
    budget = RetryBudget(BudgetPolicy())
    budget.restore(state)  # type: ignore[arg-type]  # a store may hold anything
    assert budget.tokens == tokens


@pytest.mark.parametrize("name", ["hedge_cost", "probe_cost", "refresh_cost", "reserve"])
@pytest.mark.parametrize("value", [-1, 0.5, True, None])
def test_an_impossible_budget_is_refused_by_name(name: str, value: object):
    with pytest.raises(ConfigurationError, match=f"budget.{name} is {value!r}; give a whole number of 0 or more"):
        BudgetPolicy(**{name: value})  # type: ignore[arg-type]  # wrong on purpose


def test_a_reserve_above_the_whole_is_refused():
    with pytest.raises(ConfigurationError, match=r"budget.reserve is 501 and budget.tokens 500.*from 0 to 500"):
        BudgetPolicy(reserve=501)
    with pytest.raises(ConfigurationError, match=r"budget.charge_refused is 1; give True or False"):
        BudgetPolicy(charge_refused=1)  # type: ignore[arg-type]  # wrong on purpose
