"""The breaker beside a model of it in a few lines, through any sequence of calls, delays and restarts."""

import json
from dataclasses import dataclass

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from data_source_orchestrator.core.clock import ManualClock
from data_source_orchestrator.core.policies import BreakerPolicy
from data_source_orchestrator.core.verdicts import Verdict
from data_source_orchestrator.resilience.breaker import CircuitBreaker, Permit

POLICY = BreakerPolicy(failures=2, cool_down=30, max_cool_down=100, spread=0)


class Unused:
    def random(self) -> float:
        return 0.5


@dataclass
class Held:
    """A permit, with the era in which the model gave it."""

    permit: Permit
    era: object
    probe: bool


class Model:
    """What a breaker is, said plainly: an era ends with every change, and permits of an ended era are void."""

    def __init__(self) -> None:
        self.era = object()
        self.failures = 0
        self.trips = 0
        self.cool_down = 0.0
        self.probing = False

    def change(self) -> None:
        self.era = object()
        self.probing = False

    def trip(self) -> None:
        self.trips += 1
        self.failures = 0
        self.cool_down = min(100.0, 30.0 * 2 ** (self.trips - 1))
        self.change()

    def close(self) -> None:
        self.trips = self.failures = 0
        self.cool_down = 0.0
        self.change()

    @property
    def admits(self) -> bool:
        return self.trips == 0 or (self.cool_down <= 0 and not self.probing)

    def admit(self) -> bool:
        if not self.admits:
            return False
        if self.trips:
            self.change()
            self.probing = True
        return True

    def finish(self, held: Held, verdict: Verdict) -> None:
        if held.era is not self.era or not held.probe:
            return
        if verdict is Verdict.SUCCESS:
            self.close()
        elif verdict is Verdict.FAILURE:
            self.trip()
        else:
            self.change()

    def finish_execution(self, held: Held, verdict: Verdict) -> None:
        if held.era is not self.era or held.probe:
            return
        if verdict is Verdict.SUCCESS:
            self.failures = 0
        elif verdict is Verdict.FAILURE:
            self.failures += 1
            if self.failures == 2:
                self.trip()


class BreakerMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.clock = ManualClock()
        self.breaker = CircuitBreaker(POLICY, clock=self.clock, chance=Unused())
        self.model = Model()
        self.held: list[Held] = []

    @rule(seconds=st.sampled_from([0.0, 1.0, 15.0, 30.0, 60.0, 100.0]))
    def time_passes(self, seconds: float) -> None:
        self.clock.advance(seconds)
        self.model.cool_down = max(0.0, self.model.cool_down - seconds)

    @rule()
    def somebody_asks(self) -> None:
        probe = self.model.trips > 0
        admitted = self.model.admit()
        permit = self.breaker.admit()
        assert (permit is not None) is admitted
        if permit is not None:
            assert permit.probe is probe
            self.held.append(Held(permit, self.model.era, probe))

    @precondition(lambda self: self.held)
    @rule(data=st.data(), verdict=st.sampled_from(Verdict), execution=st.booleans(), keep=st.booleans())
    def somebody_ends(self, data: st.DataObject, verdict: Verdict, execution: bool, keep: bool) -> None:
        held = data.draw(st.sampled_from(self.held))
        if not keep:
            self.held.remove(held)
        self.breaker.finish(held.permit, verdict, 0.1)
        self.model.finish(held, verdict)
        if execution:
            self.breaker.finish_execution(held.permit, verdict)
            self.model.finish_execution(held, verdict)

    @rule()
    def the_operator_readmits(self) -> None:
        self.breaker.readmit()
        self.model.close()

    @rule()
    def the_process_restarts(self) -> None:
        kept = json.loads(json.dumps(self.breaker.to_state()))
        self.breaker = CircuitBreaker.from_state(kept, POLICY, clock=self.clock, chance=Unused())
        assert self.breaker.to_state() == kept
        self.model.change()
        self.held.clear()

    @rule()
    def its_own_stored_state_is_taken_over(self) -> None:
        """Unlike a restart this leaves calls under way, whose permits are void from now on."""
        kept = json.loads(json.dumps(self.breaker.to_state()))
        self.breaker.restore(kept)
        assert self.breaker.to_state() == kept
        self.model.change()

    @invariant()
    def they_agree(self) -> None:
        assert self.breaker.admits is self.model.admits
        assert (self.breaker.state == "closed") is (self.model.trips == 0)
        if self.breaker.state == "closed":
            assert self.breaker.to_state()["failures"] == self.model.failures
        if self.breaker.state == "open":
            assert self.breaker.retry_after == self.model.cool_down

    @invariant()
    def at_most_one_probe_is_under_way(self) -> None:
        assert sum(held.probe and held.era is self.model.era and self.model.probing for held in self.held) <= 1


TestBreakerMachine = BreakerMachine.TestCase
TestBreakerMachine.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
