"""The circuit breaker: leaves a source alone after repeated failure, and finds out when it has recovered.

A permit carries the generation in which it was given; whatever ends later than its generation changes nothing (after
sony/gobreaker). It must not know what an attempt does, nor why one failed.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from data_source_orchestrator.core.claim import Json
from data_source_orchestrator.core.clock import Chance, Clock
from data_source_orchestrator.core.durations import in_seconds
from data_source_orchestrator.core.policies import BreakerPolicy
from data_source_orchestrator.core.verdicts import Verdict

OnChange = Callable[[str, str, float | None], None]
"""Hears of a change: the state before, the state after, and the seconds until a probe where it is now open."""

_MOST_DOUBLINGS = 32


class BreakerState(StrEnum):
    """What a breaker does with calls: lets all through, none, or one to find out."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


@dataclass(frozen=True, slots=True)
class Permit:
    """Leave to make one attempt; a probe's result decides whether the source is re-admitted."""

    generation: int
    probe: bool


@dataclass(frozen=True, slots=True)
class _Closed:
    failures: int = 0


@dataclass(frozen=True, slots=True)
class _Open:
    trips: int
    until: float  # on the clock's monotonic scale, which this process waits by
    retry_at: datetime  # the same moment on the wall clock, which outlives the process


@dataclass(frozen=True, slots=True)
class _HalfOpen:
    trips: int
    retry_at: datetime
    probing: bool


_Standing = _Closed | _Open | _HalfOpen
_NAMES = {_Closed: BreakerState.CLOSED, _Open: BreakerState.OPEN, _HalfOpen: BreakerState.HALF_OPEN}


class CircuitBreaker:
    """One source's breaker, shared by all its calls.

    Every attempt begins with `admit` and ends with `finish`, which alone decides a probe; every execution ends with
    `finish_execution`, which alone counts failures while the breaker is closed. `policy` may be replaced at any time:
    the next trip follows it.
    """

    def __init__(
        self, policy: BreakerPolicy, *, clock: Clock, chance: Chance, on_change: OnChange | None = None
    ) -> None:
        self.policy = policy
        self.on_change = on_change
        self._clock = clock
        self._chance = chance
        self._generation = 0
        self._standing: _Standing = _Closed()

    @property
    def state(self) -> BreakerState:
        """The state; an open breaker stays so until somebody is admitted after its cool-down."""
        return _NAMES[type(self._standing)]

    @property
    def admits(self) -> bool:
        """Whether `admit` would give a permit now."""
        match self._standing:
            case _Closed():
                return True
            case _Open(until=until):
                return self._clock.monotonic() >= until
            case _HalfOpen(probing=probing):
                return not probing

    @property
    def retry_after(self) -> float | None:
        """Seconds until an open breaker lets a probe through; None where it is not open."""
        if isinstance(self._standing, _Open):
            return max(0.0, self._standing.until - self._clock.monotonic())
        return None

    def admit(self) -> Permit | None:
        """Give leave for one attempt, as a probe where the breaker was open; None where it has to wait."""
        if not self.admits:
            return None
        if isinstance(self._standing, _Closed):
            return Permit(self._generation, probe=False)
        self._move(_HalfOpen(self._standing.trips, self._standing.retry_at, probing=True))
        return Permit(self._generation, probe=True)

    def finish(self, permit: Permit, verdict: Verdict, duration: float) -> None:  # noqa: ARG002 — rules over attempts, as slow calls, will read it
        """Take back an attempt's permit; a probe re-admits the source, or trips again, or says nothing."""
        if permit.generation != self._generation or not isinstance(self._standing, _HalfOpen):
            return
        match verdict:
            case Verdict.SUCCESS:
                self._move(_Closed())
            case Verdict.FAILURE:
                self._trip(self._standing.trips + 1)
            case Verdict.RELEASED | Verdict.CENSORED:
                self._move(_HalfOpen(self._standing.trips, self._standing.retry_at, probing=False))

    def finish_execution(self, permit: Permit, verdict: Verdict) -> None:
        """Count an execution, given the permit of its last attempt; enough failures in a row trip the breaker."""
        if permit.generation != self._generation or not isinstance(self._standing, _Closed):
            return
        match verdict:
            case Verdict.SUCCESS:
                self._standing = _Closed()
            case Verdict.FAILURE if self._standing.failures + 1 >= self.policy.failures:
                self._trip(1)
            case Verdict.FAILURE:
                self._standing = _Closed(self._standing.failures + 1)
            case Verdict.RELEASED | Verdict.CENSORED:
                pass

    def readmit(self) -> None:
        """Close by the operator's hand: count and back-off are cleared, and what is under way no longer matters."""
        self._move(_Closed())

    def to_state(self) -> dict[str, Json]:
        """Return what must survive a restart; it only changes when the breaker does.

        Of a probe under way nobody will know how it ended, so a half-open breaker is one that is open and due.
        """
        match self._standing:
            case _Closed(failures=failures):
                return {"state": BreakerState.CLOSED.value, "failures": failures}
            case _Open(trips=trips, retry_at=retry_at) | _HalfOpen(trips=trips, retry_at=retry_at):
                return {"state": BreakerState.OPEN.value, "trips": trips, "retry_at": retry_at.isoformat()}

    def restore(self, state: Json) -> None:
        """Take over a state as `to_state` left it, aged by the wall clock; one that cannot be read is closed.

        What is under way no longer matters. Nobody is told: whatever changed had changed before, or elsewhere.
        """
        self._standing = _standing(state, self.policy, self._clock)
        self._generation += 1

    @classmethod
    def from_state(
        cls,
        state: Json,
        policy: BreakerPolicy,
        *,
        clock: Clock,
        chance: Chance,
        on_change: OnChange | None = None,
    ) -> "CircuitBreaker":
        """Return a new breaker that has taken over a state, as `restore` does."""
        breaker = cls(policy, clock=clock, chance=chance, on_change=on_change)
        breaker.restore(state)
        return breaker

    def _trip(self, trips: int) -> None:
        self._move(_opened(trips, self._cool_down(trips), self._clock))

    def _cool_down(self, trips: int) -> float:
        longest = in_seconds(self.policy.max_cool_down)
        doubled = min(longest, in_seconds(self.policy.cool_down) * 2.0 ** min(trips - 1, _MOST_DOUBLINGS))
        return min(longest, doubled * (1 + self.policy.spread * (2 * self._chance.random() - 1)))

    def _move(self, standing: _Standing) -> None:
        before = self.state
        self._standing = standing
        self._generation += 1
        if self.on_change is not None and self.state is not before:
            self.on_change(before, self.state, self.retry_after)


def _opened(trips: int, wait: float, clock: Clock) -> _Open:
    return _Open(trips, clock.monotonic() + wait, clock.now() + timedelta(seconds=wait))


def _standing(state: Json, policy: BreakerPolicy, clock: Clock) -> _Standing:
    match state:
        case {"state": "closed", "failures": int(failures)} if _is_count(failures, least=0):
            return _Closed(failures)
        case {"state": "open", "trips": int(trips), "retry_at": str(moment)} if _is_count(trips, least=1):
            return _reopened(trips, moment, policy, clock)
        case _:
            return _Closed()


def _reopened(trips: int, moment: str, policy: BreakerPolicy, clock: Clock) -> _Standing:
    try:
        retry_at = datetime.fromisoformat(moment)
        wait = (retry_at - clock.now()).total_seconds()
    except (ValueError, TypeError, OverflowError):  # no date, a date without a zone, a date beyond the calendar
        return _Closed()
    longest = in_seconds(policy.max_cool_down)
    if wait > longest:
        return _opened(trips, longest, clock)  # a wall clock that was set back must not keep a source out for ever
    return _Open(trips, clock.monotonic() + max(0.0, wait), retry_at)


def _is_count(value: int, *, least: int) -> bool:
    return not isinstance(value, bool) and value >= least
