from data_source_orchestrator.core.policies import BudgetPolicy
from data_source_orchestrator.core.verdicts import FailureKind
from data_source_orchestrator.resilience.budget import RetryBudget


def test_a_retry_costs_five_tokens_and_ten_after_a_timeout_a19():
    budget = RetryBudget(BudgetPolicy())
    assert budget.tokens == 500
    assert budget.spend(FailureKind.SERVER)
    assert budget.tokens == 495
    assert budget.spend(FailureKind.TIMEOUT)
    assert budget.tokens == 485


def test_a_hundred_retries_are_paid_for_and_the_next_is_refused_and_counted():
    budget = RetryBudget(BudgetPolicy())
    assert all(budget.spend(FailureKind.CONNECTION) for _ in range(100))
    assert not budget.spend(FailureKind.CONNECTION)
    assert (budget.tokens, budget.refusals) == (0, 1)


def test_a_success_gives_back_one_token_and_never_more_than_there_were():
    budget = RetryBudget(BudgetPolicy())
    budget.refund()
    assert budget.tokens == 500
    budget.spend(FailureKind.UNKNOWN)
    budget.refund()
    assert budget.tokens == 496


def test_what_a_retry_costs_can_be_set():
    budget = RetryBudget(BudgetPolicy(tokens=3, retry_cost=1, timeout_cost=3, refund=2))
    assert budget.spend(FailureKind.SERVER)
    assert not budget.spend(FailureKind.TIMEOUT)
    budget.refund()
    assert budget.spend(FailureKind.TIMEOUT)
