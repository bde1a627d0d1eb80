"""The concurrency limiter: so many calls at one time, first come, first served, and fewer while the upstream suffers.

AIMD, additive increase and multiplicative decrease (Chiu and Jain, 1989), with TCP's two cautions: one decrease per
round trip (RFC 6582) and no increase of a limit that is not used (RFC 7661). It must not know what is called.
"""

import asyncio
from collections.abc import Callable
from functools import partial

from data_source_orchestrator.core.clock import Clock, SystemClock
from data_source_orchestrator.core.deadline import Deadline
from data_source_orchestrator.core.errors import ConfigurationError
from data_source_orchestrator.core.policies import ConcurrencyPolicy
from data_source_orchestrator.resilience.line import Line, Waiter

OnLimit = Callable[[int, int], None]
"""Hears of a change of an adaptive limit: the limit before and after."""


class Slot:
    """A place among the calls under way; only the limiter that gave it knows more of it."""

    __slots__ = ()


class ConcurrencyLimiter:
    """The calls under way in one scope, all from one event loop at a time.

    Every slot that is given is brought back by `leave`, once. A lowered limit ends no call: nobody enters until enough
    have left. `policy` may be replaced at any time; what an adaptive limit has learnt is kept, unless the new policy
    begins at another limit.
    """

    def __init__(
        self, policy: ConcurrencyPolicy, *, clock: Clock | None = None, on_limit: OnLimit | None = None
    ) -> None:
        self.on_limit = on_limit
        self._policy = policy
        self._clock = SystemClock() if clock is None else clock
        self._learnt = float(policy.limit)
        self._limit = policy.limit
        self._held: dict[Slot, int] = {}  # with how often the limit had been lowered when each call began
        self._line: Line[Slot | None] = Line()
        self._lowered = 0
        self._successes = 0
        self._used = False

    @property
    def policy(self) -> ConcurrencyPolicy:
        """How many calls may be under way."""
        return self._policy

    @policy.setter
    def policy(self, policy: ConcurrencyPolicy) -> None:
        self._follow(policy)

    @property
    def limit(self) -> int:
        """How many calls may be under way now."""
        return self._limit

    @property
    def in_flight(self) -> int:
        """How many are under way; more than `limit` for a while after it was lowered."""
        return len(self._held)

    @property
    def waiting(self) -> int:
        """How many wait for a slot."""
        return len(self._line)

    def try_enter(self) -> Slot | None:
        """Return a slot if one is free; never wait. While anybody waits, none is free."""
        return None if len(self._held) >= self._limit else self._enter()

    async def enter(self, *, deadline: Deadline | None = None) -> Slot | None:
        """Return a slot as soon as it is this caller's turn, None where the deadline comes first."""
        slot = self.try_enter()
        if slot is not None or (deadline is not None and deadline.passed):
            return slot
        waiter = self._line.join(1, deadline)
        self._set_alarm(waiter)
        try:
            return await waiter.answer
        except (asyncio.CancelledError, GeneratorExit):
            self._gone(waiter)
            raise
        finally:
            if waiter.alarm is not None:
                waiter.alarm.cancel()

    def leave(self, slot: Slot, *, overloaded: bool | None = None) -> None:
        """Bring a slot back, with what its call says of the upstream's load.

        `overloaded` True is a timeout or a 429, False an answer in time, None says nothing: our own refusal, a
        cancelled call, any other failure. Raises `ConfigurationError` for a slot that is not held here.
        """
        began = self._held.pop(slot, None)
        if began is None:
            raise ConfigurationError(
                "this slot is not held here; leave each slot once, at the limiter that has given it"
            )
        if overloaded is not None and self._policy.adaptive and began == self._lowered:
            self._learn(overloaded=overloaded)
        if self._line.amount:
            self._serve()

    def _follow(self, policy: ConcurrencyPolicy) -> None:
        before, self._policy = self._policy, policy
        keeps = before.adaptive and policy.adaptive and before.limit == policy.limit
        self._move(self._learnt if keeps else policy.limit)

    def _enter(self) -> Slot:
        slot = Slot()
        self._held[slot] = self._lowered
        if len(self._held) >= self._limit:
            self._used = True
        return slot

    def _learn(self, *, overloaded: bool) -> None:
        if overloaded:
            self._lowered += 1
            self._begin_window()
            self._move(self._learnt * self._policy.decrease)
            return
        self._successes += 1
        if self._successes < self._limit:
            return
        grown = self._learnt + 1 if self._used else self._learnt
        self._begin_window()
        self._move(grown)

    def _begin_window(self) -> None:
        self._successes = 0
        self._used = False

    def _move(self, to: float) -> None:
        """Set the limit within its bounds, tell of it, and let in whoever has room now."""
        if self._policy.adaptive:
            to = max(float(self._policy.least), min(float(self._policy.ceiling), to))
        before, self._learnt, self._limit = self._limit, float(to), int(to)
        self._serve()
        if self.on_limit is not None and self._limit != before:
            self.on_limit(before, self._limit)

    def _serve(self) -> None:
        """Give free slots to those who wait, in order; whose deadline has passed goes without."""
        while len(self._held) < self._limit and (waiter := self._line.first()) is not None:
            passed = waiter.deadline is not None and waiter.deadline.passed
            self._line.answer(waiter, None if passed else self._enter())

    def _set_alarm(self, waiter: Waiter[Slot | None]) -> None:
        """Wake a waiter at its deadline; one that was put off meanwhile is looked at again then."""
        if waiter.deadline is not None:
            waiter.alarm = self._clock.call_later(waiter.deadline.remaining, partial(self._rung, waiter))

    def _rung(self, waiter: Waiter[Slot | None]) -> None:
        if waiter.gone:
            return
        if waiter.deadline is None or waiter.deadline.passed:
            self._line.answer(waiter, None)
        else:
            self._set_alarm(waiter)

    def _gone(self, waiter: Waiter[Slot | None]) -> None:
        """Give a cancelled waiter's place, or the slot that it never came to use, to those behind."""
        slot = waiter.answered
        if slot is not None:
            self.leave(slot)
        else:
            self._line.leave(waiter)
