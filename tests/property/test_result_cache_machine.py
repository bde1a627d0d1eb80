"""The result cache beside models of it in a few lines: one caller with restarts and clocks that jump, then many."""

import asyncio
import contextlib
import tempfile
from collections.abc import Coroutine
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from clocks import HandSetVirtualClock
from data_source_orchestrator.core.errors import FetchError
from data_source_orchestrator.core.outcome import Executed, Failure, Success
from data_source_orchestrator.core.policies import CachePolicy
from data_source_orchestrator.core.ports import CacheStore
from data_source_orchestrator.core.verdicts import FailureKind, Verdict
from data_source_orchestrator.history import SqliteCache
from data_source_orchestrator.resilience.background import Background
from data_source_orchestrator.resilience.cache import ResultCache
from data_source_orchestrator.resilience.memory_cache import MemoryCache
from data_source_orchestrator.testing import VirtualClock, run_virtual

Told = tuple[str, int | None, float | None]
"""How a caller fared: a word, the data that he has, and how old it is said to be."""


def answered(data: int | None) -> Executed[int]:
    """Return a success with this data, or a failure for None."""
    if data is None:
        error = FetchError(FailureKind.SERVER, "down")
        failure = Failure(source="s", kind=FailureKind.SERVER, error=error, attempts=1, duration=0.1)
        return Executed(outcome=failure, verdict=Verdict.FAILURE)
    success = Success(source="s", data=data, attempts=1, duration=0.1, latency=0.1)
    return Executed(outcome=success, verdict=Verdict.SUCCESS)


def told(executed: Executed[int]) -> Told:
    outcome = executed.outcome
    age = outcome.age.seconds if outcome.age else None
    match outcome:
        case Success(data=data):
            return ("new" if age is None else "hit"), data, age
        case Failure(stale_data=int(data)):
            return "failed", data, age
        case _:
            return "failed", None, age


class SetClock(VirtualClock):
    """A calendar that says what it is told to."""

    at = 0.0

    def now(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=self.at)


class CacheMachine(RuleBasedStateMachine):
    """One caller at a time, of three keys of which two have room; the order of `kept` is that of leaving."""

    policy = CachePolicy(ttl=10, stale_while_revalidate=20, stale_if_error=40, max_entries=2)
    reading_keeps = True
    restart_loses = True

    def __init__(self) -> None:
        super().__init__()
        self.clock = SetClock()
        self.kept: dict[str, tuple[float, int]] = {}
        self.number = 0
        self.calls = 0
        self.open()

    def open(self) -> None:
        self.store: CacheStore = MemoryCache()
        self.cache = self.made()

    def made(self) -> ResultCache[int]:
        return ResultCache(self.policy, source="s", clock=self.clock, store=self.store, payload_type=int)

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return run_virtual(work)

    def touch(self, key: str) -> float | None:
        """Return the age of what is kept there, None where that is nothing, or from the future."""
        if key not in self.kept:
            return None
        if self.reading_keeps:
            self.kept[key] = self.kept.pop(key)
        age = self.clock.at - self.kept[key][0]
        return age if age >= 0 else None

    def expected(self, key: str, line: int | None) -> Told:
        if line is not None:
            self.kept.pop(key, None)
            self.kept[key] = (self.clock.at, line)
            while len(self.kept) > 2:
                del self.kept[next(iter(self.kept))]
            return "new", line, None
        age = self.touch(key)
        return ("failed", None, None) if age is None or age > 40 else ("failed", self.kept[key][1], age)

    def line(self, *, fails: bool) -> int | None:
        self.number += 1
        return None if fails else self.number

    async def call(self, line: int | None) -> Executed[int]:
        self.calls += 1
        return answered(line)

    @rule(key=st.sampled_from("abc"), fails=st.booleans())
    def somebody_asks(self, key: str, *, fails: bool) -> None:
        line, before, age = self.line(fails=fails), self.calls, self.touch(key)
        found = told(self.run(self.cache.execute(key, lambda: self.call(line))))
        if age is not None and age < 10:
            assert found == ("hit", self.kept[key][1], age)
            assert self.calls == before
        else:
            assert found == self.expected(key, line)
            assert self.calls == before + 1

    @rule(key=st.sampled_from("abc"), fails=st.booleans())
    def somebody_wants_a_new_answer(self, key: str, *, fails: bool) -> None:
        line = self.line(fails=fails)
        assert told(self.run(self.cache.refresh(key, lambda: self.call(line)))) == self.expected(key, line)

    @rule(key=st.sampled_from("abc"))
    def somebody_looks(self, key: str) -> None:
        age = self.touch(key)
        hit = self.run(self.cache.look(key))
        if age is None or age > 20:
            assert hit is None
        else:
            assert hit.stale is (age >= 10)
            assert told(hit.executed) == ("hit", self.kept[key][1], age)

    @rule(seconds=st.sampled_from([1, 9, 10, 11, 20, 30, 40, 41]))
    def time_passes(self, seconds: float) -> None:
        self.clock.at += seconds

    @rule(seconds=st.sampled_from([-1000, -15, -1, 500]))
    def the_clock_is_set(self, seconds: float) -> None:
        self.clock.at += seconds

    @rule()
    def everything_is_forgotten(self) -> None:
        self.run(self.cache.forget())
        self.kept.clear()

    @rule()
    def the_process_restarts(self) -> None:
        self.open()
        if self.restart_loses:
            self.kept.clear()


class FileMachine(CacheMachine):
    """The same over a file, which outlives the process, and in which reading saves nobody from leaving."""

    reading_keeps = False
    restart_loses = False

    def __init__(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.loop = asyncio.Runner()
        self.opened: SqliteCache | None = None
        super().__init__()

    def open(self) -> None:
        self.close()
        self.store = self.opened = self.run(SqliteCache.open(Path(self.folder.name) / "dso.db"))
        self.cache = self.made()

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.loop.run(work)

    def close(self) -> None:
        if self.opened is not None:
            self.run(self.opened.close())

    def teardown(self) -> None:
        self.close()
        self.loop.close()
        self.folder.cleanup()


TestCacheMachine = CacheMachine.TestCase
TestCacheMachine.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)
TestFileMachine = FileMachine.TestCase
TestFileMachine.settings = settings(max_examples=20, stateful_step_count=30, deadline=None)


@dataclass
class Flight:
    lands: float
    line: int | None
    background: bool = False
    waiters: set[int] = field(default_factory=set)


@dataclass(frozen=True)
class Scene:
    """Who comes when and stays for how long, what the upstream gives after how long, and when the calendar is set."""

    ttl: int
    swr: int
    sie: int
    owned: bool
    script: list[int | None]
    lasts: float
    arrivals: list[tuple[int, int | None]]
    jumps: list[tuple[int, int]]

    @property
    def policy(self) -> CachePolicy:
        return CachePolicy(ttl=self.ttl, stale_while_revalidate=self.swr, stale_if_error=self.sie)

    def line(self, number: int) -> int | None:
        return self.script[min(number, len(self.script) - 1)]


@st.composite
def scenes(draw: st.DrawFn) -> Scene:
    ttl = draw(st.integers(1, 6))
    return Scene(
        ttl=ttl,
        swr=draw(st.just(0) | st.integers(ttl + 1, ttl + 8)),
        sie=draw(st.just(0) | st.integers(ttl + 1, ttl + 20)),
        owned=draw(st.booleans()),
        script=draw(st.lists(st.none() | st.integers(1, 99), min_size=1, max_size=8)),
        lasts=draw(st.integers(0, 4)) + 0.5,
        arrivals=draw(st.lists(st.tuples(st.integers(0, 30), st.none() | st.integers(0, 5)), min_size=1, max_size=14)),
        jumps=draw(st.lists(st.tuples(st.integers(0, 30), st.integers(-12, 12)), max_size=2)),
    )


class Model:
    """Many callers at once, event by event; callers come at whole seconds, and nothing else happens then."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.jumped = 0.0
        self.kept: tuple[float, int] | None = None
        self.flight: Flight | None = None
        self.calls = 0
        self.fared: dict[int, Told] = {}

    def land_until(self, now: float) -> None:
        flight = self.flight
        if flight is None or flight.lands > now:
            return
        self.flight = None
        wall, line = flight.lands + self.jumped, flight.line
        if line is not None:
            self.kept = (wall, line)
        for caller in flight.waiters:
            self.fared[caller] = ("new", line, None) if line is not None else self.beside(wall)

    def beside(self, wall: float) -> Told:
        if self.kept is None or not 0 <= wall - self.kept[0] <= self.scene.sie or not self.scene.sie:
            return "failed", None, None
        return "failed", self.kept[1], wall - self.kept[0]

    def under_way(self, now: float) -> Flight:
        if self.flight is None:
            self.flight = Flight(now + self.scene.lasts, self.scene.line(self.calls))
            self.calls += 1
        return self.flight

    def arrives(self, now: float, caller: int) -> None:
        if self.kept is not None and (age := now + self.jumped - self.kept[0]) >= 0:
            stale = self.scene.ttl <= age <= self.scene.swr
            if age < self.scene.ttl or (stale and self.scene.owned):
                self.fared[caller] = "hit", self.kept[1], age
                if stale:
                    self.under_way(now).background = True
                return
        self.under_way(now).waiters.add(caller)

    def leaves(self, caller: int) -> None:
        if self.flight is None or caller not in self.flight.waiters:
            return
        self.flight.waiters.remove(caller)
        self.fared[caller] = "cancelled", None, None
        if not self.flight.waiters and not self.flight.background:
            self.flight = None

    def plays(self) -> None:
        events: list[tuple[float, str, int]] = [(at + 0.75, "jump", by) for at, by in self.scene.jumps]
        for caller, (at, patience) in enumerate(self.scene.arrivals):
            events.append((float(at), "arrives", caller))
            if patience is not None:
                events.append((at + patience + 0.25, "leaves", caller))
        for now, what, number in sorted(events):
            self.land_until(now)
            if what == "jump":
                self.jumped += number
            elif what == "arrives":
                self.arrives(now, number)
            else:
                self.leaves(number)
        self.land_until(float("inf"))


@settings(max_examples=300, deadline=None)
@given(scenes())
def test_A15_A20_however_many_come_and_leave_everybody_fares_as_in_the_model(scene: Scene):
    model = Model(scene)
    model.plays()
    assert played(scene) == (model.fared, model.calls)


def played(scene: Scene) -> tuple[dict[int, Told], int]:
    """Play a scene with the cache itself; return how everybody fared, and how many calls were made."""
    calls = running = 0
    fared: dict[int, Told] = {}

    async def call() -> Executed[int]:
        nonlocal calls, running
        line = scene.line(calls)
        calls += 1
        running += 1
        assert running == 1
        try:
            await asyncio.sleep(scene.lasts)
        finally:
            running -= 1
        return answered(line)

    async def simulate() -> None:
        clock, background = HandSetVirtualClock(), Background()
        cache: ResultCache[int] = ResultCache(scene.policy, source="s", clock=clock, background=background)
        loop = asyncio.get_running_loop()
        for at, by in scene.jumps:
            loop.call_at(at + 0.75, clock.set_wall, by)

        async def caller(number: int, at: int, patience: int | None) -> None:
            await asyncio.sleep(at - loop.time())
            asking = asyncio.create_task(cache.execute("", call))
            if patience is not None:
                loop.call_later(patience + 0.25, asking.cancel)
            await asyncio.wait([asking])
            fared[number] = ("cancelled", None, None) if asking.cancelled() else told(asking.result())

        async with background if scene.owned else contextlib.nullcontext():
            await asyncio.gather(*(caller(number, *each) for number, each in enumerate(scene.arrivals)))
            await asyncio.sleep(100)
        assert running == 0
        assert asyncio.all_tasks() == {asyncio.current_task()}

    run_virtual(simulate())
    return fared, calls
