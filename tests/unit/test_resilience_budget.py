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


def test_another_policy_is_followed_and_what_was_spent_stays_spent():
    budget = RetryBudget(BudgetPolicy(tokens=100))
    budget.spend(FailureKind.TIMEOUT)
    budget.follow(BudgetPolicy(tokens=50, retry_cost=7))
    assert budget.tokens == 40
    budget.spend(FailureKind.SERVER)
    assert budget.tokens == 33
    budget.follow(BudgetPolicy(tokens=10))
    assert budget.tokens == 0
    budget.follow(BudgetPolicy(tokens=500))
    assert budget.tokens == 490
