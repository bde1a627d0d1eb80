"""What nobody holds any longer is let go, whoever held what."""

import gc
import weakref
from collections.abc import Iterator
from typing import Any

import pytest

from data_source_orchestrator import BreakerPolicy, CircuitBreaker, Deadline, HedgePolicy, ManualClock, guard
from data_source_orchestrator.testing import VirtualClock


class Payload:
    """An answer that can be watched."""


@pytest.fixture
def _uncollected() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def test_whoever_holds_a_permit_and_hears_of_its_breaker_is_let_go_with_both():
    class Client:
        def __init__(self) -> None:
            self.breaker = CircuitBreaker(BreakerPolicy(), on_change=self.changed)
            self.permit = self.breaker.admit()

        def changed(self, *_: Any) -> None: ...

    known = weakref.ref(Client())
    gc.collect()
    assert known() is None


def test_whoever_holds_a_deadline_and_is_known_to_its_clock_is_let_go_with_both():
    class Job:
        def __init__(self) -> None:
            self.deadline = Deadline.after(ManualClock(), 5)
            self.timer = self.deadline.call_when_due(self.due)

        def due(self) -> None: ...

    known = weakref.ref(Job())
    gc.collect()
    assert known() is None


@pytest.mark.usefixtures("_uncollected")
@pytest.mark.parametrize("hedge", [None, HedgePolicy(delay=1)])
async def test_an_answer_is_let_go_at_once_without_the_garbage_collector(hedge: HedgePolicy | None):
    async def fetch() -> Payload:
        return Payload()

    known = weakref.ref(await guard(hedge=hedge, clock=VirtualClock())(fetch)())
    assert known() is None
