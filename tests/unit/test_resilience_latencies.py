import pytest

from data_source_orchestrator.resilience.latencies import Latencies, product_limit


def ring(*seconds: float, kept: int = 100) -> Latencies:
    latencies = Latencies(kept)
    for each in seconds:
        latencies.observe(each)
    return latencies


def test_there_is_no_estimate_below_the_least_number_of_successes():
    latencies = ring(*(0.1 for _ in range(19)))
    assert latencies.quantile(0.95, least=20) is None
    latencies.observe(0.1)
    assert latencies.quantile(0.95, least=20) == 0.1
    assert Latencies().quantile(0.5, least=0) is None


def test_of_a_hundred_the_95th_is_the_95_percent_quantile():
    latencies = ring(*(number / 100 for number in range(100, 0, -1)))
    assert latencies.quantile(0.95) == 0.95
    assert latencies.quantile(0.5) == 0.5
    assert latencies.quantile(0.55) == 0.55


def test_only_the_last_hundred_are_remembered():
    latencies = ring(*(9.0 for _ in range(100)), *(0.1 for _ in range(100)))
    assert len(latencies) == 100
    assert latencies.quantile(0.99) == 0.1


def test_a_small_ring_lets_go_of_the_oldest_first():
    latencies = ring(5, 1, 2, 3, kept=3)
    assert latencies.quantile(0.99) == 3
    latencies.observe(1)
    assert [latencies.quantile(share) for share in (0.3, 0.6, 0.9)] == [1, 2, 3]


def test_a_new_sample_is_seen_at_once():
    latencies = ring(1, 1, 1)
    assert latencies.quantile(0.95) == 1
    latencies.observe(2)
    assert latencies.quantile(0.95) == 2
    latencies.censor(1.5)
    assert latencies.quantile(0.5) == 1


def test_kaplan_and_meiers_textbook_example():
    """Freireich and others, 1963: weeks in remission under 6-mercaptopurine; the estimated median is 23 weeks."""
    times = [6, 6, 6, 7, 10, 13, 16, 22, 23]
    censored = [6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35]
    assert product_limit(times, censored, 0.5) == 23
    assert product_limit(times, censored, 0.25) == 13
    assert product_limit(times, censored, 0.31) == 16


def test_a_censored_latency_counts_as_still_under_way():
    assert product_limit([1, 2, 3, 4], [], 0.5) == 2
    assert product_limit([1, 2, 3, 4], [1.5, 1.5], 0.5) == 3


def test_where_censored_ones_hide_the_quantile_it_is_the_longest_that_was_seen():
    assert product_limit([1, 2, 3], [9, 9, 9], 0.95) == 3
    assert product_limit([1], [0.5], 0.95) == 1


def test_a_censored_latency_is_forgotten_with_the_success_before_it():
    latencies = ring(1, 2, 3, 4, kept=4)
    assert latencies.quantile(0.5) == 2
    for _ in range(4):
        latencies.censor(1.5)
    assert latencies.quantile(0.5) == 3
    for each in (1, 2, 3):
        latencies.observe(each)
    assert latencies.quantile(0.5) == 3
    latencies.observe(4)
    assert latencies.quantile(0.5) == 2


@pytest.mark.parametrize("order", [(3.0, 0.1), (0.1, 3.0)])
def test_of_too_many_censored_ones_the_shortest_is_let_go(order: tuple[float, float]):
    latencies = ring(1, 2, kept=2)
    for each in (*order, 3.0):
        latencies.censor(each)
    assert [seconds for seconds, _ in latencies._censored] == [3.0, 3.0]
