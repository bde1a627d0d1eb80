"""A line of waiters: first come, first served, and whoever goes away leaves no trace.

It must not know what they wait for.
"""

import asyncio
from collections import OrderedDict
from dataclasses import dataclass
from typing import Generic, TypeVar

from data_source_orchestrator.core.clock import Timer
from data_source_orchestrator.core.deadline import Deadline

T = TypeVar("T")


@dataclass(eq=False, slots=True)
class Waiter(Generic[T]):
    """Somebody who waits for `amount` of something, until the deadline if there is one."""

    amount: int
    deadline: Deadline | None
    answer: asyncio.Future[T]
    alarm: Timer | None = None

    @property
    def gone(self) -> bool:
        """Whether nobody can hear an answer any more: cancelled, or left behind in a loop that was closed."""
        return self.answer.done() or self.answer.get_loop().is_closed()

    @property
    def answered(self) -> T | None:
        """The answer that was given, which a cancelled waiter may never have come to read; None without one."""
        return _result_of(self.answer)


class Line(Generic[T]):
    """Those who wait, in the order in which they came; everything takes the same time however long it is."""

    def __init__(self) -> None:
        self.amount = 0
        """What all of them together wait for."""
        self._waiting: OrderedDict[Waiter[T], None] = OrderedDict()

    def __len__(self) -> int:
        return len(self._waiting)

    def join(self, amount: int, deadline: Deadline | None) -> Waiter[T]:
        """Go to the end of the line, and wait for `answer` there."""
        waiter: Waiter[T] = Waiter(amount, deadline, asyncio.get_running_loop().create_future())
        self._waiting[waiter] = None
        self.amount += amount
        return waiter

    def first(self) -> Waiter[T] | None:
        """Return whose turn it is, None where nobody waits."""
        while self._waiting:
            waiter = next(iter(self._waiting))
            if not waiter.gone:
                return waiter
            self.leave(waiter)
        return None

    def present(self) -> list[Waiter[T]]:
        """Return all who wait now, in order."""
        return [waiter for waiter in self._waiting if not waiter.gone]

    def leave(self, waiter: Waiter[T]) -> bool:
        """Take somebody out of the line; False where they were not in it any more."""
        if waiter not in self._waiting:
            return False
        del self._waiting[waiter]
        self.amount -= waiter.amount
        return True

    def answer(self, waiter: Waiter[T], answer: T) -> None:
        """Let somebody go with an answer."""
        self.leave(waiter)
        waiter.answer.set_result(answer)

    def fail(self, waiter: Waiter[T], error: Exception) -> None:
        """Let somebody go with an error."""
        self.leave(waiter)
        waiter.answer.set_exception(error)


def _result_of(answer: asyncio.Future[T]) -> T | None:
    given = answer.done() and not answer.cancelled() and answer.exception() is None
    return answer.result() if given else None
