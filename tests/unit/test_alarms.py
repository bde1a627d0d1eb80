"""One timer for many alarms, against the plainest model: a list of moments."""

import asyncio
from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from data_source_orchestrator.core.clock import ManualClock
from data_source_orchestrator.resilience.alarms import Alarms, LoopAlarms
from data_source_orchestrator.testing import VirtualClock, run_virtual


class Ringing:
    """Makes a call when it is rung."""

    def __init__(self, call: Callable[[], object]) -> None:
        self._call = call

    def ring(self) -> None:
        self._call()


MOMENTS = st.lists(st.tuples(st.integers(0, 20), st.booleans()), max_size=30)


@given(MOMENTS)
def test_every_alarm_that_is_not_called_off_rings_at_its_moment_in_order(wanted: list[tuple[int, bool]]):
    async def main() -> list[tuple[int, float]]:
        clock = VirtualClock()
        alarms = Alarms(clock).here()
        rung: list[tuple[int, float]] = []

        def ringing(number: int):
            return lambda: rung.append((number, clock.monotonic()))

        held = [alarms.set(float(at), Ringing(ringing(number))) for number, (at, _) in enumerate(wanted)]
        for alarm, (_, called_off) in zip(held, wanted, strict=True):
            if called_off:
                alarms.call_off(alarm)
        await asyncio.sleep(30)
        return rung

    kept = [(at, number) for number, (at, called_off) in enumerate(wanted) if not called_off]
    assert run_virtual(main()) == [(number, at) for at, number in sorted(kept)]


async def test_an_alarm_that_is_set_while_another_rings_holds_up_none_that_comes_before_it():
    clock = VirtualClock()
    alarms = Alarms(clock).here()
    rung: list[float] = []
    later = Ringing(lambda: rung.append(clock.monotonic()))
    alarms.set(0.25, Ringing(lambda: alarms.set(0.75, later)))
    alarms.set(0.5, later)
    await asyncio.sleep(1)
    assert rung == [0.5, 0.75]


def test_each_event_loop_has_its_own_and_those_of_a_closed_one_are_let_go():
    alarms = Alarms(ManualClock())

    async def here() -> LoopAlarms:
        return alarms.here()

    one, two, three = (asyncio.new_event_loop() for _ in range(3))
    first, second = one.run_until_complete(here()), two.run_until_complete(here())
    assert second is not first
    assert one.run_until_complete(here()) is first
    one.close()
    three.run_until_complete(here())
    assert set(alarms._of_loops) == {two, three}
    two.close()
    three.close()


async def test_no_timer_is_left_when_no_alarm_is_set():
    clock = ManualClock()
    alarms = Alarms(clock).here()
    held = [alarms.set(5.0, Ringing(lambda: None)) for _ in range(3)]
    alarms.set(7.0, Ringing(lambda: None))
    clock.advance(6)
    for alarm in held:
        alarms.call_off(alarm)  # it has rung, and that changes nothing
    assert [timer.at for timer in clock._timers if timer.call] == [7.0]
    clock.advance(1)
    assert [timer for timer in clock._timers if timer.call] == []


async def test_alarms_that_are_called_off_are_not_kept_for_ever():
    alarms = Alarms(ManualClock()).here()
    alarms.set(1000.0, Ringing(lambda: None))
    for _ in range(10_000):
        alarms.call_off(alarms.set(900.0, Ringing(lambda: None)))
    assert len(alarms._queue) < 200


async def test_whoever_is_rung_may_set_and_call_off_others():
    clock = ManualClock()
    alarms = Alarms(clock).here()
    rung: list[str] = []
    second = alarms.set(1.0, Ringing(lambda: rung.append("second")))

    def first() -> None:
        rung.append("first")
        alarms.call_off(second)
        alarms.set(2.0, Ringing(lambda: rung.append("third")))

    alarms.set(0.5, Ringing(first))
    clock.advance(3)
    assert rung == ["first", "third"]
