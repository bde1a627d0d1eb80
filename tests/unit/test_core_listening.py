"""A listener in its thread: heard in order, isolated, counted, named, and told once in the log."""

import asyncio
import gc
import logging
import subprocess
import sys
import threading
import weakref
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from data_source_orchestrator import ConfigurationError, ManualClock
from data_source_orchestrator.core.events import Event, SourceForgotten
from data_source_orchestrator.core.listening import LISTENER_THREAD, MOST_WAITING, Listener

pytestmark = pytest.mark.real_time

AT = datetime(2026, 1, 1, tzinfo=UTC)


def event(source: str = "a") -> SourceForgotten:
    return SourceForgotten(at=AT, source=source)


class Scripted:
    """A listener that plays one line for each event: an error to raise, seconds to take of its clock, or nothing."""

    def __init__(self, clock: ManualClock, *lines: BaseException | float | None) -> None:
        self.clock = clock
        self.lines = list(lines)
        self.heard: list[Event] = []

    def __call__(self, event: Event) -> None:
        self.heard.append(event)
        line = self.lines.pop(0) if self.lines else None
        if isinstance(line, BaseException):
            raise line
        if line is not None:
            self.clock.advance(line)


class Hanging:
    """A listener that never returns until it is let go."""

    def __init__(self) -> None:
        self.begun = threading.Event()
        self.let_go = threading.Event()
        self.heard = 0

    def __call__(self, _event: Event) -> None:
        self.begun.set()
        self.let_go.wait()
        self.heard += 1


@pytest.fixture
def hanging() -> Iterator[Hanging]:
    listener = Hanging()
    yield listener
    listener.let_go.set()


async def told(listener: Listener, number: int) -> None:
    for _ in range(number):
        listener(event())
    assert await listener.heard_out(20)


async def test_everything_is_heard_in_order_in_another_thread():
    threads: set[str] = set()
    heard: list[str] = []

    def hear(event: Event) -> None:
        threads.add(threading.current_thread().name)
        heard.append(getattr(event, "source", ""))

    listener = Listener(hear, clock=ManualClock())
    for number in range(2000):
        listener(event(str(number)))
    assert await listener.heard_out(20)
    assert heard == [str(number) for number in range(2000)]
    assert threads == {f"{LISTENER_THREAD}{listener.name}"}
    assert listener.name == "test_everything_is_heard_in_order_in_another_thread.<locals>.hear"


async def test_what_it_raises_is_counted_and_told_once_until_it_has_gone_well_again(caplog: pytest.LogCaptureFixture):
    script = Scripted(ManualClock(), ValueError("odd"), KeyError("odd"), SystemExit(3), None, ValueError("again"))
    listener = Listener(script, clock=script.clock)
    await told(listener, 5)
    assert (listener.fares.errors, len(script.heard)) == (4, 5)
    assert [record.getMessage() for record in caplog.records] == [
        "a listener, Scripted, raised on source_forgotten"
    ] * 2
    assert "ValueError: odd" in caplog.text


async def test_how_long_it_takes_is_told_by_the_clock_that_was_handed_in(caplog: pytest.LogCaptureFixture):
    script = Scripted(ManualClock(), 0.4, 0.6, 3.0, None, 0.7)
    listener = Listener(script, clock=script.clock)
    await told(listener, 5)
    assert (listener.fares.slow, listener.fares.slowest) == (3, 3.0)
    assert [record.getMessage() for record in caplog.records] == [
        "a listener, Scripted, took 0.6 s for source_forgotten, and held up nobody but itself",
        "a listener, Scripted, took 0.7 s for source_forgotten, and held up nobody but itself",
    ]


async def test_one_that_hangs_holds_up_nobody_and_is_named_while_it_hangs(
    hanging: Hanging, caplog: pytest.LogCaptureFixture
):
    clock = ManualClock()
    listener = Listener(hanging, clock=clock)
    listener(event())
    hanging.begun.wait()
    listener(event())
    assert (listener.fares.slow, caplog.records) == (0, [])
    clock.advance(60)
    for _ in range(3):
        listener(event())
    assert (listener.fares.slow, listener.fares.slowest, listener.fares.waiting) == (1, 60.0, 4)
    assert [record.getMessage() for record in caplog.records] == [
        "a listener, Hanging, takes long for an event, and holds up nobody but itself; now for source_forgotten"
    ]
    assert not await listener.heard_out(0.01)
    hanging.let_go.set()
    assert await listener.heard_out(20)
    assert (hanging.heard, listener.fares.slow) == (5, 1)


async def test_more_than_may_wait_is_dropped_and_counted_and_told_once(
    hanging: Hanging, caplog: pytest.LogCaptureFixture
):
    listener = Listener(hanging, clock=ManualClock())
    listener(event())
    hanging.begun.wait()
    for _ in range(MOST_WAITING + 5):
        listener(event())
    assert (listener.fares.waiting, listener.fares.dropped) == (MOST_WAITING, 5)
    hanging.let_go.set()
    assert await listener.heard_out(20)
    assert hanging.heard == MOST_WAITING + 1
    assert (listener.fares.waiting, listener.fares.dropped) == (0, 5)
    assert [record.getMessage() for record in caplog.records] == [
        "a listener, Hanging, has 10000 events still to hear, and misses those that come"
    ]


async def test_it_tells_again_that_it_misses_events_only_after_it_had_heard_them_all(
    hanging: Hanging, caplog: pytest.LogCaptureFixture
):
    listener = Listener(hanging, clock=ManualClock())
    for _ in range(2):
        hanging.begun.clear()
        hanging.let_go.clear()
        listener(event())
        hanging.begun.wait()
        for _ in range(MOST_WAITING + 2):
            listener(event())
        hanging.let_go.set()
        assert await listener.heard_out(20)
    assert (listener.fares.dropped, len(caplog.records)) == (4, 2)


def test_a_clock_that_runs_backwards_makes_nobody_slow_and_no_time_negative():
    clock = ManualClock()
    clock.advance(100)
    heard = threading.Event()

    def hear(_event: Event) -> None:
        clock._elapsed = 5.0
        heard.set()

    listener = Listener(hear, clock=clock)
    listener(event())
    assert heard.wait(20)
    assert asyncio.run(listener.heard_out(20))
    assert (listener.fares.slow, listener.fares.slowest) == (0, 0.0)


def test_an_async_function_is_refused_by_name():
    async def hear(_event: Event) -> None: ...

    with pytest.raises(ConfigurationError, match=r"hear is an async function, and listeners are called in a thread"):
        Listener(hear, clock=ManualClock())  # type: ignore[arg-type]  # the wrong type is the subject


async def test_its_thread_ends_when_nothing_comes_for_a_while_and_another_begins_with_the_next_event(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr("data_source_orchestrator.core.listening.PATIENCE", 0.01)
    script = Scripted(ManualClock())
    listener = Listener(script, clock=script.clock)
    for number in range(1, 4):
        await told(listener, 1)
        for thread in threading.enumerate():
            if thread.name.endswith(listener.name):
                thread.join(20)
        assert (listener._threads, len(script.heard)) == ([], number)


def test_nothing_is_left_of_a_listener_that_nobody_holds_any_longer(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("data_source_orchestrator.core.listening.PATIENCE", 0.01)
    listener = Listener(Scripted(ManualClock()))
    asyncio.run(told(listener, 1))
    gone, name = weakref.ref(listener), listener.name
    del listener
    for thread in threading.enumerate():
        if thread.name.endswith(name):
            thread.join(20)
    gc.collect()
    assert gone() is None


PROGRAM = """
import sys, threading
from data_source_orchestrator.core.events import SourceForgotten
from data_source_orchestrator.core.listening import Listener
from datetime import UTC, datetime

def hear(event):
    if event.source == "hang":
        threading.Event().wait()
    sys.stdout.write(event.source + "\\n")

listener = Listener(hear)
for source in {sources!r}:
    listener(SourceForgotten(at=datetime.now(UTC), source=source))
"""


@pytest.mark.parametrize(
    ("sources", "heard"), [(["a"] * 100, ["a"] * 100), (["a", "hang", "b"], ["a"])], ids=["all", "hanging"]
)
def test_a_program_that_ends_lets_a_listener_hear_the_rest_unless_it_hangs(sources: list[str], heard: list[str]):
    program = PROGRAM.format(sources=sources)
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)  # noqa: S603 — our own program
    assert (ended.stdout.split(), ended.stderr) == (heard, "")


def test_where_there_can_be_no_thread_nothing_is_raised_and_nothing_is_lost(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    script = Scripted(ManualClock())
    listener = Listener(script, clock=script.clock)

    def refuse(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", refuse)
        listener(event("first"))
    caplog.set_level(logging.WARNING)
    listener(event("second"))
    assert asyncio.run(listener.heard_out(20))
    assert [getattr(heard, "source", "") for heard in script.heard] == ["first", "second"]
