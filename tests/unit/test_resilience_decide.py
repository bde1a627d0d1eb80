import math

import pytest

from data_source_orchestrator.core.errors import FetchError
from data_source_orchestrator.core.verdicts import FailureKind
from data_source_orchestrator.resilience.classify import Failed
from data_source_orchestrator.resilience.retry import Stop, Wait, decide


def failed(*, retryable: bool = True, retry_after: float | None = None) -> Failed:
    return Failed(kind=FailureKind.SERVER, error=FetchError("server"), retryable=retryable, retry_after=retry_after)


def test_a_failure_worth_a_retry_waits_for_our_own_delay():
    assert decide(failed(), retries_left=1, delay=2.0, remaining=10.0) == Wait(2.0)


def test_a_wait_that_fits_into_the_last_moment_is_worth_it():
    assert decide(failed(), retries_left=1, delay=0.1, remaining=0.5) == Wait(0.1)


def test_with_no_retry_left_it_stops_without_a_word_b04():
    assert decide(failed(), retries_left=0, delay=2.0, remaining=10.0) == Stop()


def test_a_failure_not_worth_a_retry_stops_d42():
    assert decide(failed(retryable=False), retries_left=3, delay=2.0, remaining=10.0) == Stop()


def test_the_upstream_s_wait_replaces_ours_whether_longer_or_shorter_d42():
    assert decide(failed(retry_after=60.0), retries_left=1, delay=2.0, remaining=90.0) == Wait(60.0)
    assert decide(failed(retry_after=0.0), retries_left=1, delay=2.0, remaining=90.0) == Wait(0.0)


def test_a_wait_that_cannot_end_inside_the_deadline_is_not_begun_and_says_so_a02():
    assert decide(failed(retry_after=60.0), retries_left=1, delay=2.0, remaining=12.0) == Stop(
        "not tried again: the upstream asked to wait 60 s, and 12 s were left"
    )
    assert decide(failed(), retries_left=1, delay=4.0, remaining=1.5) == Stop(
        "not tried again: the next attempt was due in 4 s, and 1.5 s were left"
    )


def test_a_wait_that_would_end_with_the_deadline_leaves_no_time_and_is_not_begun():
    assert isinstance(decide(failed(), retries_left=1, delay=4.0, remaining=4.0), Stop)
    assert decide(failed(), retries_left=1, delay=4.0, remaining=4.01) == Wait(4.0)


@pytest.mark.parametrize("delay", [0.0, 1.0])
def test_when_no_time_is_left_nothing_needs_to_be_said(delay: float):
    assert decide(failed(), retries_left=1, delay=delay, remaining=0.0) == Stop()


def test_an_endless_wait_is_never_begun():
    decision = decide(failed(retry_after=math.inf), retries_left=1, delay=1.0, remaining=3600.0)
    assert isinstance(decision, Stop)
