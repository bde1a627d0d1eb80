"""The rate limiter beside a bucket of tokens in exact fractions, through any calls, waits and cancellations.

All times are multiples of 1/8 s and all paces powers of two, so that floats are exact and every moment must agree.
"""

import asyncio
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from hypothesis import example, given, settings
from hypothesis import strategies as st

from data_source_orchestrator.core.allowance import Allowance
from data_source_orchestrator.core.clock import ManualClock
from data_source_orchestrator.core.deadline import Deadline
from data_source_orchestrator.core.errors import ConfigurationError
from data_source_orchestrator.core.policies import RateLimitPolicy
from data_source_orchestrator.resilience.rate_limiter import RateLimiter
from data_source_orchestrator.testing import VirtualClock, run_virtual

EIGHTH = Fraction(1, 8)


@dataclass(eq=False)
class Waiting:
    n: int
    deadline: Fraction | None = None
    ended: tuple[str, Fraction] | None = None


@dataclass
class Bucket:
    """What a rate limiter is, said plainly: tokens drip in, and the first in the line takes what it needs."""

    policy: RateLimitPolicy
    now: Fraction = Fraction(0)
    tokens: Fraction = Fraction(0)
    held: Fraction = Fraction(0)
    line: list[Waiting] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.tokens = Fraction(self.policy.at_once)

    @property
    def pace(self) -> Fraction:
        return Fraction(self.policy.limit) / Fraction(float(self.policy.per))  # type: ignore[arg-type]  # seconds, as built

    def after(self, tokens: Fraction, seconds: Fraction) -> Fraction:
        return max(tokens, min(Fraction(self.policy.at_once), tokens + seconds * self.pace))

    def due(self, amounts: Sequence[int]) -> Fraction:
        """Play on until the last of these has been served."""
        now, tokens = self.now, self.tokens
        for n in amounts:
            at = max(now, self.held, now + (n - tokens) / self.pace)
            tokens = self.after(tokens, at - now) - n
            now = at
        return now

    def move_to(self, moment: Fraction) -> None:
        self.serve()
        while self.line and (at := self.due([self.line[0].n])) <= moment:
            self.elapse(at)
            self.serve()
        self.elapse(moment)

    def elapse(self, moment: Fraction) -> None:
        self.tokens = self.after(self.tokens, moment - self.now)
        self.now = moment

    def serve(self) -> None:
        while self.line and self.due([self.line[0].n]) == self.now:
            first = self.line.pop(0)
            self.tokens -= first.n
            first.ended = ("allowed", self.now)

    def ask(self, waiting: Waiting) -> None:
        if waiting.n > self.policy.at_once:
            waiting.ended = ("never", self.now)
            return
        due = self.due([*(other.n for other in self.line), waiting.n])
        if due > self.now and waiting.deadline is not None and due >= waiting.deadline:
            waiting.ended = ("refused", self.now)
            return
        self.line.append(waiting)
        self.serve()

    def cancel(self, waiting: Waiting) -> None:
        if waiting.ended is None:
            self.line.remove(waiting)
            waiting.ended = ("cancelled", self.now)
            self.serve()

    def refund(self, n: int) -> None:
        self.tokens = max(self.tokens, min(Fraction(self.policy.at_once), self.tokens + n))
        self.serve()

    def hold(self, seconds: Fraction) -> None:
        self.held = max(self.held, self.now + seconds)
        self.review()

    def change(self, policy: RateLimitPolicy) -> None:
        missing = self.policy.at_once - self.tokens
        self.policy = policy
        self.tokens = policy.at_once - missing
        self.review()

    def review(self) -> None:
        ahead: list[Waiting] = []
        for waiting in self.line:
            due = self.due([*(other.n for other in ahead), waiting.n])
            if waiting.n > self.policy.at_once:
                waiting.ended = ("never", self.now)
            elif waiting.deadline is not None and due >= waiting.deadline:
                waiting.ended = ("refused", self.now)
            else:
                ahead.append(waiting)
        self.line = ahead
        self.serve()


@dataclass(frozen=True)
class Step:
    """After that many eighths of a second somebody does something."""

    eighths: int
    act: str
    amount: int
    choice: int


POLICIES = st.builds(
    RateLimitPolicy,
    limit=st.sampled_from([1, 2, 4]),
    per=st.sampled_from([0.5, 1.0, 2.0]),
    burst=st.sampled_from([None, 1, 2, 4]),
)
STEPS = st.lists(
    st.builds(
        Step,
        eighths=st.sampled_from([0, 0, 0, 1, 2, 4, 9, 40]),
        act=st.sampled_from(["ask", "ask", "ask", "check", "cancel", "cancel", "hold", "refund", "change"]),
        amount=st.integers(1, 4),
        choice=st.integers(0, 7),
    ),
    max_size=30,
)


async def asking(limiter: RateLimiter, waiting: Waiting, clock: VirtualClock) -> None:
    """Wait as the model does, and note how and when that ended."""
    deadline = None if waiting.deadline is None else Deadline(clock, float(waiting.deadline))
    ended = "cancelled"
    try:
        ended = "allowed" if (await limiter.acquire(waiting.n, deadline=deadline)).allowed else "refused"
    except ConfigurationError:
        ended = "never"
    finally:
        waiting.ended = (ended, Fraction(clock.monotonic()))


async def settle() -> None:
    for _ in range(12):
        await asyncio.sleep(0)


async def play(policy: RateLimitPolicy, others: list[RateLimitPolicy], steps: list[Step]) -> None:
    clock = VirtualClock()
    limiter, model = RateLimiter(policy, clock=clock), Bucket(policy)
    asked: list[tuple[Waiting, Waiting, asyncio.Task[None]]] = []
    for step in steps:
        moment = model.now + step.eighths * EIGHTH
        await asyncio.sleep(float(moment) - clock.monotonic())
        await settle()
        model.move_to(moment)
        match step.act:
            case "ask":
                deadline = None if step.choice < 4 else model.now + step.choice * step.amount * EIGHTH
                real, wanted = Waiting(step.amount, deadline), Waiting(step.amount, deadline)
                asked.append((real, wanted, asyncio.create_task(asking(limiter, real, clock))))
                await settle()
                model.ask(wanted)
            case "check" if step.amount <= model.policy.at_once:
                due = model.due([*(other.n for other in model.line), step.amount])
                decision = limiter.check(step.amount)
                assert (decision.allowed, decision.retry_after) == (due == model.now, float(due - model.now))
                if decision.allowed:
                    model.tokens -= step.amount
            case "cancel" if asked:
                _, wanted, task = asked[step.choice % len(asked)]
                task.cancel()
                await settle()
                model.cancel(wanted)
            case "hold":
                limiter.hold(step.choice * 0.25)
                model.hold(step.choice * 2 * EIGHTH)
            case "refund":
                limiter.refund(step.amount)
                model.refund(step.amount)
            case "change" if others:
                limiter.policy = others[step.choice % len(others)]
                model.change(others[step.choice % len(others)])
            case _:
                pass
        await settle()
        for real, wanted, _ in asked:
            assert real.ended == wanted.ended
        free = 0 if model.line or model.now < model.held else max(0, math.floor(model.tokens))
        assert (limiter.waiting, limiter.remaining) == (len(model.line), free)
    model.move_to(model.now + 1000)
    await asyncio.sleep(1000)
    await settle()
    assert [real.ended for real, _, _ in asked] == [wanted.ended for _, wanted, _ in asked]
    assert limiter.waiting == 0
    assert limiter.remaining == model.policy.at_once, "no token is lost or invented"
    assert limiter._timer is None
    await asyncio.gather(*(task for *_, task in asked), return_exceptions=True)


@given(policy=POLICIES, others=st.lists(POLICIES, max_size=2), steps=STEPS)
@example(
    policy=RateLimitPolicy(limit=1, per=1, burst=4),
    others=[],
    steps=[Step(0, "check", 4, 0), Step(0, "ask", 4, 0), Step(0, "ask", 1, 0), Step(9, "cancel", 1, 0)],
)
@settings(max_examples=250, deadline=None)
def test_every_call_ends_as_and_when_a_bucket_of_tokens_says(
    policy: RateLimitPolicy, others: list[RateLimitPolicy], steps: list[Step]
):
    run_virtual(play(policy, others, steps))


@given(
    policy=st.builds(
        RateLimitPolicy,
        limit=st.integers(1, 1000),
        per=st.floats(0.001, 3600),
        burst=st.none() | st.integers(1, 50),
    ),
    waits=st.lists(st.floats(0, 3), max_size=60),
    start=st.floats(0, 1e7),
)
@settings(max_examples=150, deadline=None)
def test_in_no_span_are_more_let_through_than_the_burst_and_the_pace_allow(
    policy: RateLimitPolicy, waits: list[float], start: float
):
    clock = ManualClock()
    clock.advance(start)
    limiter = RateLimiter(policy, clock=clock)
    granted: list[float] = []
    interval = float(policy.per) / policy.limit  # type: ignore[arg-type]  # seconds, as built
    for wait in waits:
        clock.advance(wait * interval)
        granted += [clock.monotonic() for _ in range(4) if limiter.check().allowed]
    for first, begin in enumerate(granted):
        for last in range(first, len(granted)):
            most = policy.at_once + (granted[last] - begin) / interval
            assert last - first + 1 <= most + 1e-6 + 1e-8 / interval  # what a float's own grain may hide at that hour


@given(limit=st.integers(1, 60), per=st.floats(0.01, 3600), start=st.floats(0, 1e6))
def test_without_a_burst_no_span_of_per_seconds_holds_more_than_limit_calls(limit: int, per: float, start: float):
    clock = ManualClock()
    clock.advance(start)
    limiter = RateLimiter(RateLimitPolicy(limit=limit, per=per), clock=clock)
    began, number = clock.monotonic(), 0
    while clock.monotonic() < began + per * (1 - 1e-6):
        decision = limiter.check()
        number += decision.allowed
        clock.advance(decision.retry_after)
        if decision.allowed:
            clock.advance(limiter.wait_for())
    assert number == limit


@given(
    holds=st.lists(st.tuples(st.floats(0, 5), st.floats(-5, 100) | st.just(math.nan)), max_size=10),
    steps=st.lists(st.floats(-20, 20), max_size=30),
)
def test_nothing_is_let_through_before_a_hold_has_ended_whatever_the_clock_does(
    holds: list[tuple[float, float]], steps: list[float]
):
    clock = ManualClock()
    clock.advance(1000)
    limiter = RateLimiter(RateLimitPolicy(limit=10, per=1, burst=5), clock=clock)
    until = -math.inf
    for after, seconds in holds:
        clock.advance(after)
        limiter.hold(seconds)
        if seconds > 0:
            until = max(until, clock.monotonic() + seconds)
    for step in steps:
        clock._elapsed = max(0.0, clock._elapsed + step)
        decision = limiter.check()
        assert decision.retry_after >= 0
        assert not decision.allowed or clock.monotonic() >= until
        assert decision.allowed or clock.monotonic() + decision.retry_after >= until
    clock._elapsed = max(until, 2000.0)
    assert limiter.check().allowed


@given(
    told=st.lists(st.tuples(st.integers(0, 6), st.integers(0, 60), st.integers(0, 6)), max_size=12),
    burst=st.integers(1, 8),
)
def test_no_more_are_let_through_than_any_word_of_the_upstream_or_the_policy_leaves(
    told: list[tuple[int, int, int]], burst: int
):
    clock = ManualClock()
    policy = RateLimitPolicy(limit=1, per=1, burst=burst)
    limiter, alone = RateLimiter(policy, clock=clock), RateLimiter(policy, clock=clock)
    for remaining, reset, wait in told:
        limiter.observe(Allowance(remaining=remaining, reset_after=reset))
        assert limiter.remaining <= alone.remaining
        granted = 0
        while limiter.check().allowed:
            granted += 1
            assert alone.check().allowed, "never looser than the policy by itself"
        assert reset == 0 or granted <= remaining
        clock.advance(wait)
