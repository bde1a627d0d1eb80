"""The rate limiter: lets calls through at an even pace, first come, first served, and as the upstream allows.

GCRA, the generic cell rate algorithm (ITU-T I.371; Brandur Leach, "Rate Limiting, Cells, and GCRA"). Its theoretical
arrival time is kept as a moment and a whole number of calls since, so that no rounding adds up. It must not know what
is called.
"""

import asyncio
import math
from dataclasses import dataclass

from data_source_orchestrator.core.allowance import Allowance
from data_source_orchestrator.core.claim import Json
from data_source_orchestrator.core.clock import Clock, SystemClock, Timer
from data_source_orchestrator.core.deadline import Deadline
from data_source_orchestrator.core.durations import count, in_seconds
from data_source_orchestrator.core.errors import ConfigurationError
from data_source_orchestrator.core.policies import RateLimitPolicy
from data_source_orchestrator.resilience.line import Line, Waiter
from data_source_orchestrator.resilience.rate_document import Kept, read, written
from data_source_orchestrator.resilience.rate_quota import Quota

_UNBOUNDED = 2**53
"""Calls at once where no policy says how many: whole numbers up to here are exact as floats."""

SAME_MOMENT = 1e-5
"""Seconds by which two tellings of one moment may differ: documents tell microseconds, rounded up."""


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether a call may be made now, and if not, after how many seconds it could be, were nobody else to come.

    `remaining` is how many more could have been let through at that moment.
    """

    allowed: bool
    retry_after: float = 0.0
    remaining: int = 0


class RateLimiter:
    """The pace of one scope, shared by all its calls; its calls must all come from one event loop at a time.

    Without a policy it sets no pace of its own, and only keeps what the upstream asks for. `policy` may be replaced at
    any time: what was taken stays taken, and comes back at the new pace. A clock that steps back makes waits longer,
    never shorter.
    """

    def __init__(self, policy: RateLimitPolicy | None, *, clock: Clock | None = None) -> None:
        self._clock = clock = SystemClock() if clock is None else clock
        self._monotonic = clock.monotonic
        self._policy = policy
        self._per, self._limit, self._burst = _terms(policy)
        # All that was taken is back at `_start + _taken · per / limit`, GCRA's theoretical arrival time.
        self._start = -math.inf
        self._taken = 0
        self._held_until = -math.inf
        self._quota: Quota | None = None
        self._line: Line[Decision] = Line()
        self._timer: Timer | None = None
        self._opens = -math.inf  # from here on `check` need not look at holds, quota and line

    @property
    def policy(self) -> RateLimitPolicy | None:
        """The pace; None sets none."""
        return self._policy

    @policy.setter
    def policy(self, policy: RateLimitPolicy | None) -> None:
        self._follow(policy)

    @property
    def waiting(self) -> int:
        """How many wait."""
        return len(self._line)

    @property
    def remaining(self) -> int:
        """How many could be let through at this moment."""
        return self._remaining(self._monotonic())

    def check(self, n: int = 1) -> Decision:
        """Take `n` if they may be had now and nobody waits; never wait. Raises `ConfigurationError` where none can be.

        Whoever needs `n` at once can never have more than the policy's burst.
        """
        now = self._monotonic()
        wait = self._take_or_wait(n, now)
        return Decision(allowed=not wait, retry_after=wait, remaining=self._remaining(now))

    def take(self, n: int = 1) -> bool:
        """Take `n` as `check` does, and return only whether they could be had."""
        now = self._monotonic()
        if now >= self._opens and n > 0:
            start, taken = self._start, self._taken
            if start + taken * self._per / self._limit < now:
                start, taken = now, 0
            taken += n
            if start + (taken - self._burst) * self._per / self._limit <= now:
                self._start, self._taken = start, taken
                return True
        return not self._take_or_wait(n, now)

    async def acquire(self, n: int = 1, *, deadline: Deadline | None = None) -> Decision:
        """Take `n` as soon as it is this caller's turn, in the order of calling and whatever the amounts.

        A wait that cannot end inside the deadline is not begun, and one that no longer can is ended: what comes back
        is then not allowed. Raises `ConfigurationError` where `n` can never be had.
        """
        decision = self.check(n)
        if decision.allowed:
            return decision
        if deadline is not None and self._monotonic() + decision.retry_after >= deadline.at:
            return decision
        waiter = self._line.join(n, deadline)
        self._serve()
        try:
            return await waiter.answer
        except (asyncio.CancelledError, GeneratorExit):
            self._gone(waiter)
            raise

    def wait_for(self, n: int = 1) -> float:
        """Return the seconds until `n` more, one by one, could have been let through behind all who wait."""
        now = self._monotonic()
        return self._due(now, self._line.amount + n) - now

    def refund(self, n: int = 1) -> None:
        """Give back what was taken and turned out not to be needed, never above the burst.

        Do so at once: by the time that it would have come back anyway, giving it back changes nothing.
        """
        count(n, "n", least=1)
        self._taken = max(0, self._taken - n)
        if self._quota is not None:
            self._quota.give_back(n)
        if self._line:
            self._serve()

    def hold(self, seconds: float) -> None:
        """Let nothing through for that many seconds; a hold that ends earlier than one in force changes nothing.

        What is not a time (negative, NaN or infinite: "do not retry") is no hold.
        """
        if not 0 < seconds < math.inf:
            return
        until = self._monotonic() + seconds
        if until > self._held_until:
            self._held_until = until
            self._changed()

    def lift(self) -> None:
        """End a hold, and forget what the upstream told, by the operator's hand."""
        self._held_until = -math.inf
        self._quota = None
        self._changed()

    def observe(self, allowance: Allowance) -> None:
        """Believe the upstream where it leaves fewer calls than this limiter would let through until its reset.

        Within one window only a lower word counts; a later window's takes the place of it.
        """
        now = self._monotonic()
        until = now + allowance.reset_after
        quota = self._quota
        if quota is not None and now < quota.until and quota.tells_of(until):
            if not quota.lower(allowance):
                return
        elif allowance.remaining < self._expected(now, allowance.reset_after):
            self._quota = Quota(allowance.remaining, allowance.remaining, until)
        elif quota is None:
            return
        else:
            self._quota = None
        self._changed()

    @property
    def held_for(self) -> float:
        """Seconds for which nothing is let through because the upstream asked for that; 0 where it did not."""
        return max(0.0, self._kept(self._monotonic()).held_for)

    def to_state(self) -> dict[str, Json]:
        """Return what must survive a restart, in wall-clock time: what was taken, and until when all is held."""
        return written(self._kept(self._monotonic()), self._clock.now())

    def restore(self, state: Json) -> None:
        """Take over a state as `to_state` left it, aged by the wall clock; one that cannot be read is fresh.

        A wall clock that was set back lengthens nothing beyond what it was when kept.
        """
        now, kept = self._monotonic(), read(state, self._clock.now())
        longest = self._burst * self._per / self._limit
        self._start, self._taken = now + min(kept.back_in, longest), 0
        self._held_until = now + kept.held_for
        self._quota = None
        self._changed()

    def catch_up(self, state: Json) -> None:
        """Take over from a state what lasts longer than what is known here, as another process has learnt it."""
        now, told = self._monotonic(), read(state, self._clock.now())
        known = self._kept(now)
        back_in = min(told.back_in, self._burst * self._per / self._limit)
        if back_in > known.back_in + SAME_MOMENT:
            self._start, self._taken = now + back_in, 0
        if told.held_for > known.held_for + SAME_MOMENT:
            self._held_until = now + told.held_for
        self._changed()

    @classmethod
    def from_state(cls, state: Json, policy: RateLimitPolicy | None, *, clock: Clock | None = None) -> "RateLimiter":
        """Return a new limiter that has taken over a state, as `restore` does."""
        limiter = cls(policy, clock=clock)
        limiter.restore(state)
        return limiter

    def _kept(self, now: float) -> Kept:
        told = self._quota
        spent_until = told.until if told is not None and told.left <= 0 else -math.inf
        return Kept(back_in=self._back_at() - now, held_for=max(self._held_until, spent_until) - now)

    def _follow(self, policy: RateLimitPolicy | None) -> None:
        now = self._monotonic()
        used = self._used(now)
        self._policy = policy
        self._per, self._limit, self._burst = _terms(policy)
        self._taken = math.ceil(used)
        self._start = now - (self._taken - used) * self._per / self._limit
        self._changed()

    def _take_or_wait(self, n: int, now: float) -> float:
        """Take `n` and return 0, or return the seconds after which they could be had; everything is looked at."""
        count(n, "n", least=1)
        if n > self._burst:
            raise self._never(n)
        if self._opens == math.inf:
            self._serve()  # whoever waits and is due comes first
        due = self._due(now, self._line.amount + n)
        if due > now:
            return due - now
        self._take(now, n)
        return 0.0

    def _remaining(self, now: float) -> int:
        if self._line.first() is not None or now < self._held_until:
            return 0
        most = self._burst if self._quota is None or now >= self._quota.until else min(self._burst, self._quota.left)
        free = max(0, min(most, math.floor(self._burst - self._used(now))))
        if free < most and self._due(now, free + 1) <= now:  # the floor of a float may be one off
            return free + 1
        return free - 1 if free and self._due(now, free) > now else free

    def _due(self, now: float, total: int) -> float:
        """Return the moment at which the last of `total` calls, made in order from now on, may be let through."""
        opens, within = max(now, self._held_until), 0
        if self._quota is not None and total > self._quota.left and opens < self._quota.until:
            opens, within = self._quota.until, self._quota.left
        owed = self._start + (self._taken + total - self._burst) * self._per / self._limit
        anew = opens + (total - within - self._burst) * self._per / self._limit
        return max(opens, owed, anew)

    def _take(self, now: float, n: int) -> None:
        if self._back_at() < now:
            self._start, self._taken = now, 0
        self._taken += n
        if self._quota is not None:
            self._quota.take(n)

    def _back_at(self) -> float:
        return self._start + self._taken * self._per / self._limit

    def _used(self, now: float) -> float:
        """Return how many calls have been taken and are not back yet."""
        ahead = self._back_at() - now
        return ahead * self._limit / self._per if ahead > 0 and self._per else 0.0

    def _expected(self, now: float, seconds: float) -> float:
        """Return how many calls would be let through in that time, were they wanted."""
        coming = seconds * self._limit / self._per if self._per else math.inf
        return self._burst - self._used(now) + coming

    def _changed(self) -> None:
        """Let go of all whose wait has become too long by a change, then serve."""
        self._review()
        self._serve()

    def _review(self) -> None:
        now, ahead = self._monotonic(), 0
        for waiter in self._line.present():
            if waiter.amount > self._burst:
                self._line.fail(waiter, self._never(waiter.amount))
            elif not self._refused(waiter, now, self._due(now, ahead + waiter.amount)):
                ahead += waiter.amount

    def _serve(self) -> None:
        """Let through all whose turn has come, and set the one timer for the next."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        now = self._monotonic()
        if self._quota is not None and self._quota.until <= now:
            self._quota = None
            self._review()
        while (waiter := self._line.first()) is not None:
            due = self._due(now, waiter.amount)
            if self._refused(waiter, now, due):
                continue
            if due > now:
                self._timer = self._clock.call_later(due - now, self._serve)
                break
            self._take(now, waiter.amount)
            self._answer(waiter, now, allowed=True)
        self._opens = math.inf if self._line or self._quota is not None else self._held_until

    def _refused(self, waiter: Waiter[Decision], now: float, due: float) -> bool:
        """Let somebody go whose turn cannot come inside their deadline."""
        if waiter.deadline is None or due < waiter.deadline.at:
            return False
        self._answer(waiter, now, allowed=False, retry_after=due - now)
        return True

    def _answer(self, waiter: Waiter[Decision], now: float, *, allowed: bool, retry_after: float = 0.0) -> None:
        self._line.leave(waiter)  # first, for while anybody waits nothing remains
        self._line.answer(waiter, Decision(allowed, retry_after, self._remaining(now)))

    def _gone(self, waiter: Waiter[Decision]) -> None:
        """Give a cancelled waiter's place, or what it was given and never came to use, to those behind."""
        if self._line.leave(waiter):
            self._serve()
        elif (answered := waiter.answered) is not None and answered.allowed:
            self.refund(waiter.amount)

    def _never(self, n: int) -> ConfigurationError:
        return ConfigurationError(
            f"n is {n}, and rate_limit.burst lets at most {self._burst} through at once;"
            f" give 1 to {self._burst}, or the policy a larger burst"
        )


def _terms(policy: RateLimitPolicy | None) -> tuple[float, int, int]:
    if policy is None:
        return 0.0, 1, _UNBOUNDED
    return in_seconds(policy.per), policy.limit, policy.at_once
