"""What a guard tells of its calls: each event says whose it is, when it was, and what happened."""

import asyncio

from test_resilience_rig import Rig, lasting, swallowing

from data_source_orchestrator.core.clock import ManualClock
from data_source_orchestrator.core.events import (
    AttemptFinished,
    AttemptStarted,
    BreakerChanged,
    BudgetRefused,
    CallHedged,
    ChaosInjected,
    Event,
    FetcherAbandoned,
    LoopBlocked,
    RetryScheduled,
)
from data_source_orchestrator.core.policies import BreakerPolicy, BudgetPolicy, ChaosPolicy, HedgePolicy
from data_source_orchestrator.core.verdicts import Verdict

DOWN = ConnectionError("down")


def whose_and_when(rig: Rig, kind: type[Event]) -> list[tuple[str, float]]:
    """Return each event's source, and how many seconds after the rig's beginning it was."""
    return [(event.source, (event.at - rig.began).total_seconds()) for event in rig.told(kind)]  # type: ignore[attr-defined]  # all of these have one


async def test_an_attempt_that_fails_is_told_with_the_retry_that_follows_it():
    rig = Rig()
    await rig.execute(rig.script(lasting(2, DOWN), "data"))
    assert whose_and_when(rig, AttemptStarted) == [("prices", 0), ("prices", 3)]
    assert whose_and_when(rig, AttemptFinished) == [("prices", 2), ("prices", 3)]
    assert [(event.attempt, event.kind, event.duration) for event in rig.told(AttemptFinished)] == [
        (1, "connection", 2),
        (2, None, 0),
    ]
    assert whose_and_when(rig, RetryScheduled) == [("prices", 2)]
    assert [(event.attempt, event.delay, event.kind) for event in rig.told(RetryScheduled)] == [(2, 1, "connection")]


async def test_a_retry_that_is_not_paid_for_is_told():
    rig = Rig(budget=BudgetPolicy(tokens=0))
    await rig.execute(rig.script(lasting(2, DOWN)))
    assert whose_and_when(rig, BudgetRefused) == [("prices", 2)]


async def test_a_second_call_is_told():
    rig = Rig(hedge=HedgePolicy(delay=1))
    await rig.execute(rig.script(lasting(9), "data"))
    assert whose_and_when(rig, CallHedged) == [("prices", 1)]


async def test_what_chaos_does_is_told_with_the_number_of_the_call():
    rig = Rig(chaos=ChaosPolicy(latency_rate=1, latency=2, seed=1))
    await rig.execute(rig.script("data"))
    assert whose_and_when(rig, ChaosInjected) == [("prices", 0)]
    assert [(event.what, event.call) for event in rig.told(ChaosInjected)] == [("latency", 1)]


async def test_a_change_of_the_breaker_is_told():
    rig = Rig(breaker=BreakerPolicy(failures=1))
    await rig.execute(rig.script(lasting(2, DOWN)), retries=0)
    assert whose_and_when(rig, BreakerChanged) == [("prices", 2)]


async def test_a_fetcher_that_is_left_to_itself_is_told():
    rig = Rig()
    await rig.execute(rig.script(swallowing), retries=0, timeout=5)
    assert whose_and_when(rig, FetcherAbandoned) == [("prices", 6)]
    assert [(event.after, event.thread) for event in rig.told(FetcherAbandoned)] == [(1, False)]


async def test_a_fetcher_that_holds_up_the_loop_is_told():
    clock = ManualClock()
    clock.advance(100)
    rig = Rig(clock)

    async def busy() -> str:
        clock.advance(2)
        return "data"

    await rig.execute(busy)
    assert whose_and_when(rig, LoopBlocked) == [("prices", 2)]
    assert [event.seconds for event in rig.told(LoopBlocked)] == [2]


async def test_an_attempt_that_is_cancelled_is_told_and_says_nothing():
    rig = Rig()
    running = asyncio.ensure_future(rig.execute(rig.script(lasting(9))))
    await asyncio.sleep(1)
    running.cancel()
    await asyncio.wait([running])
    assert whose_and_when(rig, AttemptFinished) == [("prices", 1)]
    assert [(event.verdict, event.kind) for event in rig.told(AttemptFinished)] == [(Verdict.RELEASED, None)]
