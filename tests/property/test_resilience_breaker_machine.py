"""The breaker against a model that keeps plain lists, over every rule, clock jumps, restarts and forced states."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from clocks import HandSetClock
from data_source_orchestrator.core.errors import PermitError
from data_source_orchestrator.core.policies import BreakerPolicy
from data_source_orchestrator.core.verdicts import Verdict
from data_source_orchestrator.resilience.breaker import CircuitBreaker, Permit

PLAIN = BreakerPolicy(failures=2, cool_down=30, max_cool_down=100, spread=0)
SLOW = 1.0
POLICIES = [
    PLAIN,
    BreakerPolicy(failures=3, cool_down=10, max_cool_down=600, spread=0, success_threshold=2),
    BreakerPolicy(failures=9, attempt_failures=2, cool_down=30, max_cool_down=40, spread=0, probes=2),
    BreakerPolicy(failures=3, failure_ratio=0.5, window=4, minimum_throughput=3, spread=0, success_threshold=2),
    BreakerPolicy(
        failures=9,
        failure_ratio=0.5,
        slow_ratio=0.75,
        slow_after=SLOW,
        window_seconds=60,
        minimum_throughput=3,
        spread=0,
        probes=3,
        success_threshold=2,
    ),
    BreakerPolicy(
        failures=4,
        attempt_failures=3,
        failure_ratio=0.7,
        slow_ratio=0.5,
        slow_after=SLOW,
        window=3,
        minimum_throughput=2,
        spread=0,
        probes=2,
        success_threshold=3,
    ),
    BreakerPolicy(failures=9, failure_ratio=0.6, window_seconds=20, minimum_throughput=2, spread=0),
]


class Unused:
    def random(self) -> float:
        return 0.5


class Held:
    """A permit, with the era in which the model gave it; what was done with it so far is in `stage`."""

    def __init__(self, permit: Permit, era: object) -> None:
        self.permit = permit
        self.era = era
        self.stage = "under way"


@dataclass
class Heard:
    """What one attempt said: whether it was bad, and in which tenth of the window it ended."""

    bad: bool
    slot: int


class Model:
    """What a breaker is, said plainly: an era ends with every change, and permits of an ended era are void."""

    def __init__(self, policy: BreakerPolicy, clock: HandSetClock) -> None:
        self.policy = policy
        self.clock = clock
        self.forced: str | None = None
        self.standing = "closed"
        self.trips_in_a_row = self.under_way = self.probe_successes = 0
        self.left = self.cool_down = 0.0
        self.retry_at = clock.now()
        self.tripped_by: str | None = None
        self.process_begins()
        self.forget()

    def process_begins(self) -> None:
        self.counts = dict.fromkeys([*Verdict, "late", "refused", "trips"], 0)
        self.epoch = self.clock.now().timestamp()
        self.era = object()

    def forget(self) -> None:
        self.failures = self.attempt_failures = 0
        self.heard: dict[str, list[Heard]] = {"failure_ratio": [], "slow_ratio": []}

    def time_passes(self, seconds: float) -> None:
        self.epoch += seconds
        self.left = max(0.0, self.left - seconds)

    @property
    def state(self) -> str:
        return self.forced or self.standing

    @property
    def admits(self) -> bool:
        return {
            "closed": True,
            "forced_closed": True,
            "forced_open": False,
            "open": self.left <= 0,
            "half_open": self.under_way < self.policy.probes,
        }[self.state]

    def admit(self) -> bool:
        if not self.admits:
            self.counts["refused"] += 1
            return False
        if self.state == "open":
            self.standing, self.under_way, self.probe_successes, self.era = "half_open", 0, 0, object()
        if self.state == "half_open":
            self.under_way += 1
        return True

    def finish(self, held: Held, verdict: Verdict, duration: float) -> None:
        held.stage = "finished"
        if held.era is not self.era:
            self.counts["late"] += 1
            return
        self.counts[verdict] += 1
        if self.state == "half_open":
            self.probe_ended(verdict, duration)
        elif self.state == "closed":
            self.hear(verdict, duration)
            met = next(self.rules_met(verdict, duration), None)
            if met is not None:
                self.trip(1, met)

    def probe_ended(self, verdict: Verdict, duration: float) -> None:
        self.under_way -= 1
        slow = self.policy.slow_after is not None and duration > SLOW
        if verdict is Verdict.FAILURE or (verdict is Verdict.SUCCESS and slow):
            self.trip(self.trips_in_a_row + 1, "probe")
        elif verdict is Verdict.SUCCESS:
            self.probe_successes += 1
            if self.probe_successes >= self.policy.success_threshold:
                self.close()

    def hear(self, verdict: Verdict, duration: float) -> None:
        judged = verdict in (Verdict.SUCCESS, Verdict.FAILURE)
        slow = duration > SLOW
        if judged and self.policy.attempt_failures is not None:
            self.attempt_failures = self.attempt_failures + 1 if verdict is Verdict.FAILURE else 0
        if judged and self.policy.failure_ratio is not None:
            self.heard["failure_ratio"].append(Heard(verdict is Verdict.FAILURE, self.slot()))
        if (judged or (slow and verdict is Verdict.CENSORED)) and self.policy.slow_ratio is not None:
            self.heard["slow_ratio"].append(Heard(slow, self.slot()))

    def rules_met(self, verdict: Verdict, duration: float) -> Iterator[str]:
        failed = verdict is Verdict.FAILURE
        if (
            failed
            and self.policy.attempt_failures is not None
            and self.attempt_failures >= self.policy.attempt_failures
        ):
            yield "attempt_failures"
        if failed and self.reached("failure_ratio"):
            yield "failure_ratio"
        if duration > SLOW and verdict is not Verdict.RELEASED and self.reached("slow_ratio"):
            yield "slow_ratio"

    def reached(self, name: str) -> bool:
        share = getattr(self.policy, name)
        held = self.in_window(name)
        enough = len(held) >= self.policy.minimum_throughput
        return share is not None and enough and sum(each.bad for each in held) / len(held) >= share

    def in_window(self, name: str) -> list[Heard]:
        if self.policy.window is not None:
            return self.heard[name][-self.policy.window :]
        return [each for each in self.heard[name] if each.slot > self.slot() - 10]

    def slot(self) -> int:
        width = self.policy.window_seconds
        return 0 if width is None else int(self.epoch // (width / 10))  # type: ignore[operator]  # made of a number above

    def finish_execution(self, held: Held, verdict: Verdict) -> None:
        held.stage = "counted"
        if held.era is not self.era or self.state != "closed":
            return
        if verdict is Verdict.SUCCESS:
            self.failures = 0
        elif verdict is Verdict.FAILURE:
            self.failures += 1
            if self.failures >= self.policy.failures:
                self.trip(1, "failures")

    def trip(self, trips: int, by: str) -> None:
        self.forget()
        self.counts["trips"] += 1
        self.standing, self.trips_in_a_row, self.tripped_by, self.era = "open", trips, by, object()
        self.waits(min(float(self.policy.max_cool_down), float(self.policy.cool_down) * 2 ** (trips - 1)))  # type: ignore[arg-type]  # made of numbers above

    def waits(self, seconds: float) -> None:
        self.left = self.cool_down = seconds
        self.retry_at = self.clock.now() + timedelta(seconds=seconds)

    def close(self) -> None:
        self.forget()
        self.standing, self.tripped_by, self.era = "closed", None, object()

    def force(self, forced: str | None) -> None:
        if forced == self.forced:
            return
        self.forced, self.era = forced, object()
        self.no_probe_is_known_of()

    def no_probe_is_known_of(self) -> None:
        if self.standing == "half_open":
            self.standing, self.left = "open", 0.0

    def follow(self, policy: BreakerPolicy) -> None:
        if (policy.window, policy.window_seconds) != (self.policy.window, self.policy.window_seconds):
            self.heard = {"failure_ratio": [], "slow_ratio": []}
        for name, heard in self.heard.items():
            if getattr(policy, name) is None:
                heard.clear()
        if policy.attempt_failures is None:
            self.attempt_failures = 0
        self.policy = policy

    def taken_over(self) -> None:
        """Age by the wall clock, as whatever is read from a store does."""
        self.era = object()
        self.no_probe_is_known_of()
        if self.standing == "open":
            wait = (self.retry_at - self.clock.now()).total_seconds()
            longest = min(float(self.policy.max_cool_down), self.cool_down)  # type: ignore[arg-type]  # as above
            if wait > longest:
                self.waits(longest)
            else:
                self.left = max(0.0, wait)
        for heard in self.heard.values():
            ahead = max([0, *(each.slot - self.slot() for each in heard)])
            for each in heard:
                each.slot -= ahead


SECONDS = st.sampled_from([0.0, 0.5, 3.0, 7.0, 15.0, 30.0, 60.0, 100.0])
DURATIONS = st.sampled_from([0.1, SLOW, 2.0])
JUMPS = [-86400.0, -50.0, -7.0, 7.0, 50.0, 86400.0]
ACTS = ["readmit", "readmit", "stop", "force open", "force closed"]
FORCED_ACTS = ["stop", "stop", "stop", "readmit", "force open", "force closed"]


class BreakerMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.clock = HandSetClock()
        self.held: list[Held] = []
        self.foreign: list[Held] = []

    @initialize(policy=st.sampled_from(POLICIES))
    def it_is_made(self, policy: BreakerPolicy) -> None:
        self.breaker = CircuitBreaker(policy, clock=self.clock, chance=Unused())
        self.model = Model(policy, self.clock)

    @rule(seconds=SECONDS | st.sampled_from(["almost due", "due", "due"]))
    def time_passes(self, seconds: float | str) -> None:
        if isinstance(seconds, str):
            seconds = max(0.0, self.model.left - (0.5 if seconds == "almost due" else 0.0))
        self.clock.advance(seconds)
        self.model.time_passes(seconds)

    @rule(
        data=st.data(),
        number=st.integers(1, 6),
        ends=st.sampled_from(["later", "somehow", "failure", "failure", "success", "success"]),
        duration=DURATIONS,
        executions=st.sampled_from([True, True, False]),
    )
    def some_ask(self, data: st.DataObject, number: int, ends: str, duration: float, executions: bool) -> None:
        """One after another; each has ended before the next, or all are still under way."""
        for _ in range(number):
            held = self.asked()
            if held is not None and ends != "later":
                verdict = data.draw(st.sampled_from(Verdict)) if ends == "somehow" else Verdict(ends)
                self.ended(held, verdict, duration, execution=executions)

    @precondition(lambda self: not self.model.forced)
    @rule(probes=st.lists(st.tuples(st.sampled_from(Verdict), DURATIONS), max_size=4))
    def it_trips_and_the_wait_is_over_and_probes_end(self, probes: list[tuple[Verdict, float]]) -> None:
        for _ in range(self.model.policy.failures):
            if (held := self.asked()) is not None:
                self.ended(held, Verdict.FAILURE, 0.1, execution=True)
        self.time_passes("due")
        for verdict, duration in probes:
            if (held := self.asked()) is not None:
                self.ended(held, verdict, duration, execution=True)

    def asked(self) -> Held | None:
        admitted = self.model.admit()
        permit = self.breaker.admit()
        assert (permit is not None) is admitted
        if permit is None:
            return None
        probe = self.model.state == "half_open"
        assert permit.probe is probe
        held = Held(permit, self.model.era)
        self.held.append(held)
        return held

    def ended(self, held: Held, verdict: Verdict, duration: float, *, execution: bool) -> None:
        self.breaker.finish(held.permit, verdict, duration)
        self.model.finish(held, verdict, duration)
        if execution:
            self.breaker.finish_execution(held.permit, verdict)
            self.model.finish_execution(held, verdict)

    @precondition(lambda self: self.held)
    @rule(data=st.data(), verdict=st.sampled_from(Verdict), duration=DURATIONS, execution=st.booleans())
    def somebody_ends(self, data: st.DataObject, verdict: Verdict, duration: float, execution: bool) -> None:
        """An attempt or its execution, whoever has held a permit for how long ever, and perhaps a second time."""
        held = data.draw(st.sampled_from(self.held))
        if execution and held.stage == "finished":
            self.breaker.finish_execution(held.permit, verdict)
            self.model.finish_execution(held, verdict)
        elif not execution and held.stage == "under way":
            self.ended(held, verdict, duration, execution=False)
        elif execution:
            self.refused(lambda: self.breaker.finish_execution(held.permit, verdict))
        else:
            self.refused(lambda: self.breaker.finish(held.permit, verdict, duration))

    @rule(data=st.data(), what=st.sampled_from(["clock", "operator", "operator", "policy", "store", "permit"]))
    def something_else_happens(self, data: st.DataObject, what: str) -> None:
        """One rule for what is rare, or the sequences that matter would be."""
        match what:
            case "clock":
                self.a_clock_jumps(data.draw(st.sampled_from(JUMPS)), wall=data.draw(st.booleans()))
            case "operator":
                self.the_operator_acts(data.draw(st.sampled_from(FORCED_ACTS if self.model.forced else ACTS)))
            case "policy":
                self.breaker.policy = data.draw(st.sampled_from(POLICIES))
                self.model.follow(self.breaker.policy)
            case "store":
                self.what_it_keeps_is_taken_over(in_place=data.draw(st.booleans()))
            case _ if self.foreign:
                self.a_permit_of_another_breaker_comes_back(data.draw(st.sampled_from(self.foreign)))

    def a_clock_jumps(self, seconds: float, *, wall: bool) -> None:
        """The wall clock either way, the monotonic one backwards: neither makes anything due sooner or later."""
        if wall:
            self.clock.set_wall(seconds)
        else:
            self.clock.step(-abs(seconds))

    def the_operator_acts(self, act: str) -> None:
        acts: dict[str, tuple[Callable[[], None], Callable[[], None]]] = {
            "readmit": (self.breaker.readmit, self.model.close),
            "stop": (self.breaker.stop_forcing, lambda: self.model.force(None)),
            "force open": (self.breaker.force_open, lambda: self.model.force("forced_open")),
            "force closed": (self.breaker.force_closed, lambda: self.model.force("forced_closed")),
        }
        for each in acts[act]:
            each()

    def what_it_keeps_is_taken_over(self, *, in_place: bool) -> None:
        """In place, or after a restart; calls that are under way meanwhile have void permits from now on."""
        kept = json.loads(json.dumps(self.breaker.to_state()))
        if in_place:
            self.breaker.restore(kept)
        else:
            self.breaker = CircuitBreaker.from_state(kept, self.model.policy, clock=self.clock, chance=Unused())
            self.model.process_begins()
            self.foreign += self.held
            self.held.clear()
        self.model.taken_over()

    def a_permit_of_another_breaker_comes_back(self, held: Held) -> None:
        self.refused(lambda: self.breaker.finish(held.permit, Verdict.SUCCESS, 0.1))
        self.refused(lambda: self.breaker.finish_execution(held.permit, Verdict.FAILURE))

    @invariant()
    def they_agree(self) -> None:
        breaker, model = self.breaker, self.model
        breaker._steady.now()  # every step of the clock is seen, so that the model need not know who looks when
        assert breaker.state == model.state
        assert breaker.admits is model.admits
        assert breaker.retry_after == (model.left if model.state == "open" else None)

    @invariant()
    def their_statistics_agree(self) -> None:
        told, model = self.breaker.statistics, self.model
        verdicts = [told.successes, told.failures, told.released, told.censored]
        assert verdicts == [model.counts[verdict] for verdict in Verdict]
        assert (told.late, told.refused, told.trips) == tuple(model.counts[n] for n in ("late", "refused", "trips"))
        assert (told.consecutive_failures, told.rule) == (model.failures, model.tripped_by)
        counts_attempts = model.policy.attempt_failures is not None
        assert told.consecutive_failed_attempts == (model.attempt_failures if counts_attempts else None)
        for name, share in (("failure_ratio", told.failure_ratio), ("slow_ratio", told.slow_ratio)):
            held = model.in_window(name)
            assert (share is None) is (getattr(model.policy, name) is None)
            if share is not None:
                bad = sum(each.bad for each in held)
                assert (share.throughput, share.ratio) == (len(held), bad / len(held) if held else None)

    @invariant()
    def what_is_kept_is_kept_again_by_who_takes_it_over(self) -> None:
        """Or every process would offer the store another document of the same breaker."""
        kept = self.breaker.to_state()
        behind = self.model.standing != "closed" and self.model.retry_at > self.clock.now() + timedelta(
            seconds=self.model.cool_down
        )
        lower = self.model.standing != "closed" and self.model.cool_down > float(self.model.policy.max_cool_down)  # type: ignore[arg-type]  # as above
        ahead = any(each.slot > self.model.slot() for heard in self.model.heard.values() for each in heard)
        wall_was_set = self.clock.now().timestamp() != self.model.epoch
        if not (behind or lower or ahead or wall_was_set):
            again = CircuitBreaker.from_state(kept, self.model.policy, clock=self.clock, chance=Unused())
            assert again.to_state() == kept

    def refused(self, act: Callable[[], None]) -> None:
        state, statistics = self.breaker.to_state(), self.breaker.statistics
        with pytest.raises(PermitError):
            act()
        assert (self.breaker.to_state(), self.breaker.statistics) == (state, statistics)


TestBreakerMachine = BreakerMachine.TestCase
TestBreakerMachine.settings = settings(max_examples=300, stateful_step_count=50, deadline=None)
