"""Two budgets that pay alone and together, beside the book that an accountant would keep of each."""

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from data_source_orchestrator.core.policies import BudgetPolicy, Purpose
from data_source_orchestrator.core.verdicts import FailureKind
from data_source_orchestrator.resilience.budget import Budget, JointBudget, RetryBudget

SMALL = st.integers(0, 6)
AFTER = st.sampled_from([None, FailureKind.SERVER, FailureKind.TIMEOUT])


@st.composite
def policies(draw: st.DrawFn) -> BudgetPolicy:
    tokens = draw(st.integers(0, 30))
    return BudgetPolicy(
        tokens=tokens,
        retry_cost=draw(SMALL),
        timeout_cost=draw(SMALL),
        refund=draw(SMALL),
        hedge_cost=draw(SMALL),
        probe_cost=draw(SMALL),
        refresh_cost=draw(SMALL),
        reserve=draw(st.integers(0, tokens)),
        charge_refused=draw(st.booleans()),
    )


class Book:
    """Everything that ever went in or out, and what was turned away."""

    def __init__(self, policy: BudgetPolicy) -> None:
        self.policy = policy
        self.paid = self.given_back = 0
        self.refused: list[Purpose] = []

    @property
    def balance(self) -> int:
        return self.policy.tokens - self.paid + self.given_back

    def price(self, purpose: Purpose, after: FailureKind | None) -> int:
        if purpose is Purpose.RETRY and after is FailureKind.TIMEOUT:
            return self.policy.timeout_cost
        return int(getattr(self.policy, f"{purpose}_cost"))

    def refund(self) -> None:
        self.given_back += min(self.policy.refund, self.policy.tokens - self.balance)


def pay(books: list[Book], purpose: Purpose, after: FailureKind | None) -> bool:
    short = [book for book in books if book.balance - book.price(purpose, after) < book.policy.reserve]
    for book in short:
        book.refused.append(purpose)
    for book in books:
        if not short or book.policy.charge_refused:
            book.paid += min(book.balance, book.price(purpose, after))
    return not short


class Paying(RuleBasedStateMachine):
    @initialize(source=policies(), run=policies())
    def both_begin_full(self, source: BudgetPolicy, run: BudgetPolicy) -> None:
        self.told: list[Purpose] = []
        self.books = [Book(source), Book(run)]
        self.budgets = [RetryBudget(policy, on_refusal=self.told.append) for policy in (source, run)]

    def payer(self, who: int) -> tuple[Budget, list[Book]]:
        if who < len(self.budgets):
            return self.budgets[who], [self.books[who]]
        return JointBudget(*self.budgets), self.books

    @rule(who=st.integers(0, 2), purpose=st.sampled_from(Purpose), after=AFTER)
    def somebody_pays(self, who: int, purpose: Purpose, after: FailureKind | None) -> None:
        budget, books = self.payer(who)
        assert budget.pay(purpose, after) is pay(books, purpose, after)

    @rule(who=st.integers(0, 2))
    def somebody_succeeds(self, who: int) -> None:
        budget, books = self.payer(who)
        budget.refund()
        for book in books:
            book.refund()

    @rule(who=st.integers(0, 1))
    def the_process_restarts(self, who: int) -> None:
        again = RetryBudget(self.books[who].policy)
        again.restore(self.budgets[who].to_state())
        assert again.tokens == self.budgets[who].tokens

    @invariant()
    def nothing_is_lost_or_made(self) -> None:
        for budget, book in zip(self.budgets, self.books, strict=True):
            assert budget.tokens == book.balance
            assert 0 <= budget.tokens <= book.policy.tokens

    @invariant()
    def every_refusal_is_counted_and_told(self) -> None:
        for budget, book in zip(self.budgets, self.books, strict=True):
            assert {purpose: budget.refused(purpose) for purpose in Purpose} == {
                purpose: book.refused.count(purpose) for purpose in Purpose
            }
        assert len(self.told) == sum(budget.refusals for budget in self.budgets)


TestPaying = Paying.TestCase
