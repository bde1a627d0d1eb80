from dataclasses import replace
from itertools import islice

import pytest

from data_source_orchestrator.core.policies import Jitter, RetryConfig
from data_source_orchestrator.resilience.backoff import Backoff


class Given:
    """Chance that gives these numbers in turn."""

    def __init__(self, *numbers: float) -> None:
        self._numbers = list(numbers)

    def random(self) -> float:
        return self._numbers.pop(0)


class Always:
    def __init__(self, number: float) -> None:
        self._number = number

    def random(self) -> float:
        return self._number


def first(count: int, retry: RetryConfig, chance: float = 0.5) -> list[float]:
    return list(islice(Backoff(retry, chance=Always(chance)), count))


def test_delays_double_from_the_base_up_to_the_cap_b03():
    assert first(6, RetryConfig(jitter=False)) == [1, 2, 4, 8, 10, 10]


def test_without_exponential_backoff_every_delay_is_the_base():
    assert first(4, RetryConfig(jitter=False, exponential_backoff=False, base_delay=3)) == [3, 3, 3, 3]


def test_jitter_is_on_by_default_and_spreads_by_a_quarter_b03_a11():
    assert first(3, RetryConfig(), 0.0) == [0.75, 1.5, 3.0]
    assert first(3, RetryConfig(), 0.5) == [1, 2, 4]
    assert first(3, RetryConfig(), 0.999999) == pytest.approx([1.25, 2.5, 5.0], rel=1e-5)


def test_jitter_never_goes_beyond_the_cap_d41():
    assert first(6, RetryConfig(), 0.999999)[-1] == 10


def test_full_jitter_is_anything_from_nothing_to_the_delay():
    assert first(3, RetryConfig(jitter="full"), 0.0) == [0, 0, 0]
    assert first(3, RetryConfig(jitter="full"), 0.5) == [0.5, 1, 2]


def test_decorrelated_jitter_follows_polly_s_second_formula():
    retry = RetryConfig(jitter="decorrelated", max_delay=3600)
    # 2^t · tanh(√(4t)) for t = 0.5, 1.25, 2.0, each less the one before, by 1.4
    waits = iter(Backoff(retry, chance=Given(0.5, 0.25, 0.0)))
    assert list(islice(waits, 3)) == pytest.approx([0.89740, 0.76309, 1.17676], rel=1e-4)


def test_decorrelated_jitter_grows_with_the_base():
    retry = RetryConfig(jitter="decorrelated", max_delay=3600)
    by_one, by_three = (first(3, replace(retry, base_delay=base)) for base in (1, 3))
    assert by_three == pytest.approx([3 * wait for wait in by_one])


def test_decorrelated_jitter_around_a_constant_delay_is_a_quarter():
    retry = RetryConfig(jitter="decorrelated", exponential_backoff=False)
    assert first(3, retry, 0.0) == [0.75, 0.75, 0.75]


def test_each_iteration_begins_anew():
    backoff = Backoff(RetryConfig(jitter=False))
    assert [list(islice(backoff, 3)) for _ in range(2)] == [[1, 2, 4]] * 2


def test_by_itself_it_doubles_from_a_second_with_the_machine_s_own_chance():
    assert all(0.75 * usual <= wait <= 1.25 * usual for wait, usual in zip(Backoff(), (1, 2, 4), strict=False))


@pytest.mark.parametrize("jitter", ["none", "quarter", "full", "decorrelated"])
def test_the_thousandth_delay_still_is_a_number_within_the_cap(jitter: Jitter):
    assert all(0 <= delay <= 10 for delay in first(1000, RetryConfig(jitter=jitter), 0.999))
