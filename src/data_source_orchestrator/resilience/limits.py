"""Several limiters taken together, all or nothing: per source, per host, over all; pace and concurrency.

Whoever has to wait holds nothing that somebody else could use. Scopes lie within each other, and are passed from the
narrowest to the widest: whoever waits for a wide scope may well keep others out of the narrow one, for they would only
come to stand behind. It must not know what is called.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from msgspec import Struct

from data_source_orchestrator.core.clock import Clock
from data_source_orchestrator.core.deadline import Deadline
from data_source_orchestrator.core.errors import ConfigurationError
from data_source_orchestrator.core.policies import ConcurrencyPolicy, LimitPolicy
from data_source_orchestrator.core.verdicts import SkipReason
from data_source_orchestrator.resilience.concurrency import ConcurrencyLimiter, Slot
from data_source_orchestrator.resilience.rate_limiter import RateLimiter

_ANY_NUMBER = ConcurrencyPolicy(limit=1_000_000_000)


class Scope:
    """What is limited together: a source, a host, or everything. Shared by all the `Limits` that it is part of.

    Its door lets one caller at a time wait for its pace, for a slot, and for all wider scopes; those behind stand at
    the door, in order.
    """

    def __init__(
        self,
        name: str,
        *,
        rate: RateLimiter | None = None,
        concurrency: ConcurrencyLimiter | None = None,
        door: ConcurrencyLimiter | None = None,
        clock: Clock,
    ) -> None:
        self.name = name
        self.rate = rate
        self.concurrency = concurrency
        self.door = ConcurrencyLimiter(ConcurrencyPolicy(limit=1), clock=clock) if door is None else door
        self.queue = 0
        """How many stand at the door or have gone through it and wait further on."""

    def wait_ahead(self) -> float:
        """Return the seconds that a new caller would wait for this scope's pace, at the least."""
        if self.rate is None:
            return 0.0
        counted = 1 if self.queue and self.rate.waiting else 0  # whoever waits for the pace stands there too
        return self.rate.wait_for(self.queue - counted + 1)


def scope_of(name: str, policy: LimitPolicy, clock: Clock) -> Scope:
    """Return a scope with these limits; its pace can be held by an upstream's own wait even where none is set."""
    rate = RateLimiter(policy.rate, clock=clock)
    return Scope(name, rate=rate, concurrency=_limiter(policy.concurrency, clock), clock=clock)


def changed_scope(scope: Scope, policy: LimitPolicy, clock: Clock) -> Scope:
    """Return what takes a scope's place under another policy: its pace stays, with what was taken of it and its line.

    That is the scope itself, unless a limit of calls at once is set where there was none, or no longer: then nobody
    knows of those who are under way.
    """
    if scope.rate is not None:
        scope.rate.policy = policy.rate
    if scope.concurrency is not None:
        scope.concurrency.policy = policy.concurrency or _ANY_NUMBER  # whoever waits for a slot of it is let in
    if (scope.concurrency is None) == (policy.concurrency is None):
        return scope
    calls = _limiter(policy.concurrency, clock)
    return Scope(scope.name, rate=scope.rate, concurrency=calls, door=scope.door, clock=clock)


def _limiter(policy: ConcurrencyPolicy | None, clock: Clock) -> ConcurrencyLimiter | None:
    return None if policy is None else ConcurrencyLimiter(policy, clock=clock)


class Passage(Struct, eq=False, gc=False):  # limits know no passage, so no circle can come of one
    """Leave to make one call: a token of every pace and a slot of every concurrency limiter, until `Limits.leave`.

    `limits` is where it is to be brought back; None once it has been.
    """

    limits: "Limits | None"
    slots: tuple[Slot, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """No passage: which scope refused, why, and the seconds after which it might not, None where nobody can know."""

    reason: SkipReason
    scope: str
    retry_after: float | None = None


class Limits:
    """The scopes that one source's calls pass, from the narrowest to the widest."""

    def __init__(self, scopes: Sequence[Scope]) -> None:
        self.scopes = tuple(scopes)
        self._rates = tuple(scope.rate for scope in self.scopes if scope.rate is not None)
        self._concurrency = tuple(scope.concurrency for scope in self.scopes if scope.concurrency is not None)
        self._inwards = self._concurrency[::-1]

    def try_enter(self) -> Passage | None:
        """Return a passage if nothing stands in the way and nobody waits; never wait."""
        for scope in self.scopes:
            if scope.queue:
                return None
        if self.take_tokens() is not None:
            return None
        return self._with_slots() if self._concurrency else Passage(self, ())

    async def enter(self, deadline: Deadline | None = None) -> Passage | Refusal:
        """Return a passage as soon as it is this caller's turn, or why there is none inside the deadline."""
        passage = self.try_enter()
        if passage is not None:
            return passage
        way = _Way(self, deadline)
        try:
            return await way.go()
        finally:
            way.end()

    def leave(self, passage: Passage, *, used: bool = True, overloaded: bool | None = None) -> None:
        """Bring a passage back, once.

        `used` False says that no call was made: what the pace had counted is given back, so do it at once.
        `overloaded` is what the call says of the upstream's load, as in `ConcurrencyLimiter.leave`.
        """
        if passage.limits is not self:
            raise ConfigurationError(
                "this passage is not held here; leave each passage once, at the limits that have given it"
            )
        passage.limits = None
        if not used:
            self._give_back(passage.slots)
            return
        if passage.slots:
            for limiter, slot in zip(self._inwards, reversed(passage.slots), strict=True):
                limiter.leave(slot, overloaded=overloaded)

    def take_tokens(self) -> RateLimiter | None:
        """Take a token of every pace, or none and return the one that refuses."""
        for rate in self._rates:
            if not rate.take():
                for taken in self._rates[: self._rates.index(rate)]:
                    taken.refund()
                return rate
        return None

    def _with_slots(self) -> Passage | None:
        """Return a passage with a slot of every concurrency limiter; where one has none, all is given back."""
        slots: list[Slot] = []
        for limiter in self._concurrency:
            slot = limiter.try_enter()
            if slot is None:
                self._give_back(slots)
                return None
            slots.append(slot)
        return Passage(self, tuple(slots))

    def _give_back(self, slots: Sequence[Slot]) -> None:
        for limiter, slot in zip(self._concurrency, slots, strict=False):
            limiter.leave(slot)
        for rate in self._rates:
            rate.refund()


class _Step:
    """One scope on a caller's way: its place in the queue, and the door and a slot as soon as they are had."""

    __slots__ = ("door", "scope", "slot")

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.door: Slot | None = None
        self.slot: Slot | None = None
        scope.queue += 1

    def end(self) -> None:
        self.scope.queue -= 1
        if self.slot is not None and self.scope.concurrency is not None:
            self.scope.concurrency.leave(self.slot)
        if self.door is not None:
            self.scope.door.leave(self.door)


class _Way:
    """One caller's way through all scopes, when it has to wait.

    In each scope it waits at the door, then until the pace would let it through, then for a slot. It takes the tokens
    when all else is done, in one go: a token taken earlier would be an old one when the call begins, and many of them
    a burst that the policy forbids.
    """

    def __init__(self, limits: Limits, deadline: Deadline | None) -> None:
        self._limits = limits
        self._deadline = deadline
        self._steps: list[_Step] = []

    async def go(self) -> Passage | Refusal:
        scopes = self._limits.scopes
        while True:
            while len(self._steps) < len(scopes):
                refusal = await self._pass(scopes[len(self._steps)])
                if refusal is not None:
                    return refusal
            closed = self._limits.take_tokens()
            if closed is None:
                return self._passage()
            refusal = await self._wait_again(closed)
            if refusal is not None:
                return refusal

    def end(self) -> None:
        """Give back all that is held, the widest first."""
        while self._steps:
            self._steps.pop().end()

    async def _pass(self, scope: Scope) -> Refusal | None:
        wait = scope.wait_ahead()
        if self._too_long(wait):
            return Refusal(reason=SkipReason.RATE_LIMIT, scope=scope.name, retry_after=wait)
        step = _Step(scope)
        self._steps.append(step)
        step.door = await scope.door.enter(deadline=self._deadline)
        if step.door is None:
            return Refusal(reason=SkipReason.DEADLINE, scope=scope.name)
        refusal = await self._until_open(scope)
        if refusal is None and scope.concurrency is not None:
            step.slot = await scope.concurrency.enter(deadline=self._deadline)
            if step.slot is None:
                return Refusal(reason=SkipReason.DEADLINE, scope=scope.name)
        return refusal

    async def _until_open(self, scope: Scope) -> Refusal | None:
        """Wait until the pace would let one through, and leave it there: nobody overtakes who stands in the door."""
        if scope.rate is None:
            return None
        decision = await scope.rate.acquire(deadline=self._deadline)
        if not decision.allowed:
            return Refusal(reason=SkipReason.RATE_LIMIT, scope=scope.name, retry_after=decision.retry_after)
        scope.rate.refund()
        return None

    async def _wait_again(self, closed: RateLimiter) -> Refusal | None:
        """Go back to a scope that closed meanwhile, as by a Retry-After, and give back all wider ones."""
        while self._steps[-1].scope.rate is not closed:
            self._steps.pop().end()
        return await self._until_open(self._steps[-1].scope)

    def _passage(self) -> Passage:
        slots = tuple(step.slot for step in self._steps if step.slot is not None)
        for step in self._steps:
            step.slot = None
        return Passage(self._limits, slots)

    def _too_long(self, wait: float) -> bool:
        return wait > 0 and self._deadline is not None and wait >= self._deadline.remaining
