"""A permit is good for one attempt at one breaker; whoever gives it back otherwise is told, and changes nothing."""

from typing import Any

import pytest
from test_resilience_breaker import Bench

from data_source_orchestrator.core.errors import DsoError, PermitError
from data_source_orchestrator.core.policies import BreakerPolicy
from data_source_orchestrator.core.verdicts import Verdict

F = Verdict.FAILURE


def snapshot(bench: Bench) -> tuple[Any, ...]:
    return bench.breaker.to_state(), bench.statistics, bench.breaker.admits


@pytest.mark.parametrize("verdict", list(Verdict))
def test_a_permit_given_back_twice_is_an_error_and_changes_nothing(verdict: Verdict):
    bench = Bench(BreakerPolicy(attempt_failures=2))
    permit = bench.permit()
    bench.breaker.finish(permit, F, 0.1)
    before = snapshot(bench)
    with pytest.raises(PermitError, match=r"given back already; each is good for one attempt: call finish\(\) once"):
        bench.breaker.finish(permit, verdict, 0.1)
    assert snapshot(bench) == before


def test_a_permit_of_an_earlier_era_is_taken_once_and_says_nothing():
    bench = Bench()
    early = bench.permit()
    bench.breaker.readmit()
    bench.breaker.finish(early, F, 0.1)
    bench.breaker.finish_execution(early, F)
    assert bench.statistics.consecutive_failures == 0
    before = snapshot(bench)
    with pytest.raises(PermitError, match="given back already"):
        bench.breaker.finish(early, F, 0.1)
    with pytest.raises(PermitError, match="given back already"):
        bench.breaker.finish_execution(early, F)
    assert snapshot(bench) == before


@pytest.mark.parametrize("stage", ["under way", "finished", "of an earlier era"])
def test_a_permit_of_another_breaker_is_an_error_and_changes_neither(stage: str):
    bench, other = Bench(BreakerPolicy(failures=1)), Bench(BreakerPolicy(failures=1))
    permit = other.permit()
    if stage == "finished":
        other.breaker.finish(permit, F, 0.1)
    elif stage == "of an earlier era":
        other.breaker.readmit()
    before = snapshot(bench), snapshot(other), permit.stage
    told = r"^this permit is another breaker's; give it back to the one whose admit\(\) gave it$"
    with pytest.raises(PermitError, match=told):
        bench.breaker.finish(permit, F, 0.1)
    with pytest.raises(PermitError, match=told):
        bench.breaker.finish_execution(permit, F)
    assert (snapshot(bench), snapshot(other), permit.stage) == before


def test_an_execution_is_counted_once():
    bench = Bench(BreakerPolicy(failures=2))
    permit = bench.permit()
    bench.breaker.finish(permit, F, 0.1)
    bench.breaker.finish_execution(permit, F)
    with pytest.raises(PermitError, match="given back already"):
        bench.breaker.finish_execution(permit, F)
    assert bench.breaker.to_state() == {"state": "closed", "failures": 1}


def test_an_execution_ends_after_its_last_attempt():
    bench = Bench(BreakerPolicy(failures=1))
    permit = bench.permit()
    with pytest.raises(
        PermitError, match=r"^this permit's attempt is still under way; call finish\(\) before finish_execution\(\)$"
    ):
        bench.breaker.finish_execution(permit, F)
    assert bench.breaker.state == "closed"
    bench.breaker.finish(permit, F, 0.1)
    bench.breaker.finish_execution(permit, F)
    assert bench.breaker.state == "open"


def test_the_error_is_one_of_the_house_and_a_runtime_error():
    assert issubclass(PermitError, DsoError)
    assert issubclass(PermitError, RuntimeError)


def test_a_permit_tells_its_generation():
    bench = Bench()
    first, same = bench.permit(), bench.permit()
    bench.breaker.readmit()
    assert (first.generation, same.generation, bench.permit().generation) == (0, 0, 1)
    assert first is not same
