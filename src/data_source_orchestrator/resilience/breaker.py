"""The circuit breaker: leaves a source alone after repeated failure, and finds out when it has recovered.

A permit belongs to the era in which it was given, from one change of the breaker to the next; whatever ends later than
its era changes nothing (the generations of sony/gobreaker). It must not know what an attempt does, nor why one failed.
"""

import math
from collections.abc import Callable, Mapping
from datetime import datetime

from data_source_orchestrator.core.claim import Json
from data_source_orchestrator.core.clock import Chance, Clock, SystemClock, system_chance
from data_source_orchestrator.core.durations import in_seconds
from data_source_orchestrator.core.policies import BreakerPolicy
from data_source_orchestrator.core.verdicts import Verdict
from data_source_orchestrator.resilience.breaker_document import Kept, read, written
from data_source_orchestrator.resilience.breaker_permits import COUNTED, FINISHED, HELD, Era, Permit, refusal
from data_source_orchestrator.resilience.breaker_rules import Consecutive, Ratio, attempt_rules
from data_source_orchestrator.resilience.breaker_standing import (
    BreakerState,
    Closed,
    HalfOpen,
    Moment,
    Open,
    Standing,
    opened,
)
from data_source_orchestrator.resilience.breaker_statistics import BreakerStatistics, Share
from data_source_orchestrator.resilience.steady import Steady

__all__ = ["BreakerState", "BreakerStatistics", "CircuitBreaker", "OnChange", "Permit"]

OnChange = Callable[[str, str, float | None], None]
"""Hears of a change: the state before, the state after, and the seconds until a probe where it is now open."""

_SUCCESS, _FAILURE, _RELEASED = Verdict.SUCCESS, Verdict.FAILURE, Verdict.RELEASED
_STATES = {Closed: BreakerState.CLOSED, Open: BreakerState.OPEN, HalfOpen: BreakerState.HALF_OPEN}


class CircuitBreaker:
    """One source's breaker, shared by all its calls.

    Every attempt begins with `admit` and ends with `finish`, whatever comes of it: that decides a probe, and is what
    the rules over attempts hear. Every execution ends with `finish_execution`, which alone counts failed executions.
    `policy` may be replaced at any time: the next trip follows it.
    """

    def __init__(
        self,
        policy: BreakerPolicy,
        *,
        clock: Clock | None = None,
        chance: Chance | None = None,
        on_change: OnChange | None = None,
    ) -> None:
        self.on_change = on_change
        self._seal = object()
        self._policy = policy
        self._clock = SystemClock() if clock is None else clock
        self._chance = system_chance() if chance is None else chance
        self._steady = Steady(self._clock)
        self._rules = attempt_rules(policy)
        self._standing: Standing = Closed()
        self._forced: BreakerState | None = None
        self._state, self._since = BreakerState.CLOSED, self._clock.now()
        self._failed_executions = 0
        self._generation = -1
        self._successes = self._failures = self._released = self._censored = 0
        self._late = self._refused = self._trips = 0
        self._begin_era()

    @property
    def policy(self) -> BreakerPolicy:
        """When it trips and how it lets a source in again."""
        return self._policy

    @policy.setter
    def policy(self, policy: BreakerPolicy) -> None:
        """Follow another policy; what has been counted stays, but for a window of another shape, which begins empty."""
        if policy != self._policy:
            self._follow(policy)

    @property
    def state(self) -> BreakerState:
        """The state; an open breaker stays so until somebody is admitted after its cool-down."""
        return self._state

    @property
    def admits(self) -> bool:
        """Whether `admit` would give a permit now."""
        return self._passes or self._has_place()

    @property
    def retry_after(self) -> float | None:
        """Seconds until an open breaker lets a probe through; None where it is not open."""
        return self._next_probe_in()

    @property
    def successes(self) -> int:
        """How many attempts have ended well in time to count."""
        return self._successes

    @property
    def statistics(self) -> BreakerStatistics:
        """What it has seen, and how it stands now."""
        return self._seen()

    def admit(self) -> Permit | None:
        """Give leave for one attempt, as a probe where the breaker is not closed; None where it has to wait."""
        if self._passes:
            return Permit(self._era, self._era.probe)
        if not self._has_place():
            self._refused += 1
            return None
        return self._admit_probe()

    def finish(self, permit: Permit, verdict: Verdict, duration: float) -> None:
        """Take back an attempt's permit, with what the attempt said and the seconds that it took.

        Raises `PermitError`, and changes nothing, where the permit was given back already or by another breaker.
        """
        if permit.stage or permit.era is not self._era:
            self._finish_late(permit)
            return
        permit.stage = FINISHED
        if verdict is _SUCCESS:
            self._successes += 1
        elif verdict is _FAILURE:
            self._failures += 1
        elif verdict is _RELEASED:
            self._released += 1
        else:
            self._censored += 1
        if self._judges:
            self._judge(verdict, duration)

    def finish_execution(self, permit: Permit, verdict: Verdict) -> None:
        """Count an execution, given the finished permit of its last attempt; enough failures in a row trip the breaker.

        Raises `PermitError`, and changes nothing, where that attempt is not finished, was counted already, or was let
        through by another breaker.
        """
        if permit.stage != FINISHED or permit.era.seal is not self._seal:
            raise refusal(permit, self._seal)
        permit.stage = COUNTED
        if permit.era is not self._era or self._state is not BreakerState.CLOSED:
            return
        if verdict is _SUCCESS:
            self._failed_executions = 0
        elif verdict is _FAILURE:
            self._failed_executions += 1
            if self._failed_executions >= self._policy.failures:
                self._trip(1, "failures")

    def readmit(self) -> None:
        """Close by the operator's hand: counts and back-off are cleared, and what is under way no longer matters.

        A forced state stays, and ends in a closed breaker.
        """
        self._move(Closed())

    def force_open(self) -> None:
        """Let nobody through, not even a probe, until `stop_forcing`; what is under way no longer matters."""
        self._force(BreakerState.FORCED_OPEN)

    def force_closed(self) -> None:
        """Let everybody through, whatever comes of it, until `stop_forcing`; attempts are counted and not judged."""
        self._force(BreakerState.FORCED_CLOSED)

    def stop_forcing(self) -> None:
        """Go on as it stood before it was forced; the wait of an open breaker has run on meanwhile."""
        self._force(None)

    def to_state(self) -> dict[str, Json]:
        """Return what must survive a restart; it only changes when the breaker does."""
        kept = Kept(
            standing=self._standing,
            failures=self._failed_executions,
            rules={rule.name: rule.to_state() for rule in self._rules},
            forced=self._forced,
            since=self._since,
        )
        return written(kept)

    def restore(self, state: Json) -> None:
        """Take over a state as `to_state` left it, aged by the wall clock; one that cannot be read is closed.

        What is under way no longer matters. Nobody is told: whatever changed had changed before, or elsewhere.
        """
        kept = read(state, self._policy, self._moment())
        self._standing = kept.standing
        self._forced = kept.forced
        self._failed_executions = kept.failures
        self._restore_rules(kept.rules)
        self._begin_era(kept.since)

    @classmethod
    def from_state(
        cls,
        state: Json,
        policy: BreakerPolicy,
        *,
        clock: Clock | None = None,
        chance: Chance | None = None,
        on_change: OnChange | None = None,
    ) -> "CircuitBreaker":
        """Return a new breaker that has taken over a state, as `restore` does."""
        breaker = cls(policy, clock=clock, chance=chance, on_change=on_change)
        breaker.restore(state)
        return breaker

    def _follow(self, policy: BreakerPolicy) -> None:
        kept = {rule.name: rule.to_state() for rule in self._rules}
        self._policy = policy
        self._rules = attempt_rules(policy)
        self._restore_rules(kept)
        self._judges = self._has_to_judge()

    def _admit_probe(self) -> Permit:
        """Take one of the places of a half-open breaker, which this makes of an open one."""
        standing = self._standing
        if isinstance(standing, HalfOpen):
            standing.under_way += 1
            return Permit(self._era, self._era.probe)
        before = self._state
        if isinstance(standing, Open):
            self._standing = HalfOpen(standing, under_way=1)
        self._begin_era()
        permit = Permit(self._era, self._era.probe)
        self._tell(before)
        return permit

    def _has_place(self) -> bool:
        """Return whether a probe may be let through now."""
        if isinstance(self._standing, HalfOpen):
            return self._standing.under_way < self._policy.probes
        return self._steady.now() >= self._shut_until

    def _judge(self, verdict: Verdict, duration: float) -> None:
        if isinstance(self._standing, HalfOpen):
            self._judge_probe(self._standing, verdict, duration)
            return
        now = 0.0 if self._policy.window_seconds is None else self._steady.wall()  # nothing else reads it
        for rule in self._rules:
            if rule.note(verdict, duration, now):
                self._trip(1, rule.name)
                return

    def _judge_probe(self, standing: HalfOpen, verdict: Verdict, duration: float) -> None:
        """Let enough successes close it and a single failure open it; what says nothing gives its place back."""
        standing.under_way -= 1
        if verdict is _FAILURE or (verdict is _SUCCESS and self._too_slow(duration)):
            self._trip(standing.opened.trips + 1, "probe")
        elif verdict is _SUCCESS:
            standing.successes += 1
            if standing.successes >= self._policy.success_threshold:
                self._move(Closed())

    def _too_slow(self, duration: float) -> bool:
        return self._policy.slow_after is not None and duration > in_seconds(self._policy.slow_after)

    def _finish_late(self, permit: Permit) -> None:
        """Take back a permit of an earlier era, of which nothing follows."""
        if permit.stage != HELD or permit.era.seal is not self._seal:
            raise refusal(permit, self._seal)
        permit.stage = FINISHED
        self._late += 1

    def _trip(self, trips: int, rule: str) -> None:
        self._trips += 1
        self._move(opened(self._policy, trips, rule, chance=self._chance, now=self._moment()))

    def _move(self, standing: Closed | Open) -> None:
        """Stand otherwise from now on, with nothing counted."""
        before = self._state
        self._standing = standing
        self._failed_executions = 0
        for rule in self._rules:
            rule.clear()
        self._begin_era()
        self._tell(before)

    def _force(self, forced: BreakerState | None) -> None:
        """Lay a state over what stands, or take it off; of probes under way nobody will know how they ended."""
        if forced is self._forced:
            return
        before, self._forced = self._state, forced
        if isinstance(self._standing, HalfOpen):
            self._standing = self._standing.opened
        self._begin_era()
        self._tell(before)

    def _begin_era(self, since: datetime | None = None) -> None:
        """Make what stands take effect; permits of before are void."""
        state = self._forced or _STATES[type(self._standing)]
        if since is not None or state is not self._state:
            self._since = since or self._clock.now()
        self._state = state
        self._passes = state in {BreakerState.CLOSED, BreakerState.FORCED_CLOSED}
        self._shut_until = self._standing.until if isinstance(self._standing, Open) else -math.inf
        if state is BreakerState.FORCED_OPEN:
            self._shut_until = math.inf
        self._judges = self._has_to_judge()
        self._generation += 1
        self._era = Era(self._seal, self._generation, probe=state is BreakerState.HALF_OPEN)

    def _has_to_judge(self) -> bool:
        """Whether a finished attempt can change anything but a counter."""
        return self._state is BreakerState.HALF_OPEN or (self._state is BreakerState.CLOSED and bool(self._rules))

    def _tell(self, before: BreakerState) -> None:
        if self.on_change is not None and self._state is not before:
            self.on_change(before, self._state, self.retry_after)

    def _restore_rules(self, kept: Mapping[str, Json]) -> None:
        now = self._steady.wall()
        for rule in self._rules:
            rule.restore(kept.get(rule.name), now)

    def _moment(self) -> Moment:
        return Moment(steady=self._steady.now(), wall=self._clock.now())

    def _next_probe_in(self) -> float | None:
        if self._state is not BreakerState.OPEN:
            return None
        return max(0.0, self._shut_until - self._steady.now())

    def _seen(self) -> BreakerStatistics:
        shares = {rule.name: self._share(rule) for rule in self._rules if isinstance(rule, Ratio)}
        counts = (rule.count for rule in self._rules if isinstance(rule, Consecutive))
        return BreakerStatistics(
            state=self._state,
            since=self._since,
            successes=self._successes,
            failures=self._failures,
            released=self._released,
            censored=self._censored,
            late=self._late,
            refused=self._refused,
            trips=self._trips,
            rule=self._rule(),
            consecutive_failures=self._failed_executions,
            consecutive_failed_attempts=next(counts, None),
            failure_ratio=shares.get("failure_ratio"),
            slow_ratio=shares.get("slow_ratio"),
            next_probe_in=self._next_probe_in(),
        )

    def _rule(self) -> str | None:
        standing = self._standing.opened if isinstance(self._standing, HalfOpen) else self._standing
        return standing.rule if isinstance(standing, Open) else None

    def _share(self, rule: Ratio) -> Share:
        total, bad = rule.window.tally(self._steady.wall())
        return Share(throughput=total, ratio=bad / total if total else None)
