"""The live quantile beside the product-limit estimate as the textbook writes it, in exact fractions."""

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from data_source_orchestrator.resilience.latencies import Latencies, product_limit

SECONDS = st.integers(1, 12).map(float)
SHARES = st.sampled_from([0.5, 0.75, 0.9, 0.95])


def textbook(times: list[float], censored: list[float], share: float) -> float:
    """Multiply one factor for each moment at which a call ended, until few enough survive."""
    surviving = Fraction(1)
    for moment in sorted(set(times)):
        at_risk = sum(t >= moment for t in times) + sum(c >= moment for c in censored)
        surviving *= 1 - Fraction(times.count(moment), at_risk)
        if surviving <= 1 - Fraction(str(share)):
            return moment
    return max(times)


@given(st.lists(SECONDS, min_size=1, max_size=30), st.lists(SECONDS, max_size=15), SHARES)
def test_it_is_the_textbooks_estimate(times: list[float], censored: list[float], share: float):
    assert product_limit(sorted(times), sorted(censored), share) == textbook(times, censored, share)


class Remembering(RuleBasedStateMachine):
    """A ring of five beside a list of everything that ever happened."""

    def __init__(self) -> None:
        super().__init__()
        self.latencies = Latencies(5)
        self.times: list[float] = []
        self.censored: list[tuple[float, int]] = []

    @rule(seconds=SECONDS)
    def a_call_succeeds(self, seconds: float) -> None:
        self.latencies.observe(seconds)
        self.times.append(seconds)

    @rule(seconds=SECONDS, share=SHARES)
    def a_call_is_given_up_and_no_quantile_sinks(self, seconds: float, share: float) -> None:
        before = self.latencies.quantile(share)
        self.latencies.censor(seconds)
        alive = sorted([*self.living(), (seconds, len(self.times))])
        self.censored = alive[-5:]
        after = self.latencies.quantile(share)
        assert before is None or (after is not None and after >= before)

    def living(self) -> list[tuple[float, int]]:
        return [(seconds, born) for seconds, born in self.censored if born > len(self.times) - 5]

    @invariant()
    def they_agree(self) -> None:
        last = self.times[-5:]
        censored = [seconds for seconds, _ in self.living()]
        for share in (0.5, 0.95):
            expected = textbook(last, censored, share) if last else None
            assert self.latencies.quantile(share) == expected


TestRemembering = Remembering.TestCase
