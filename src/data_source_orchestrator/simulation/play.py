"""Plays a world: the public verbs, called as the world says, on a loop whose time jumps, under the laws' eyes."""

import asyncio
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass
from typing import Any, cast

from data_source_orchestrator.core.clock import system_chance
from data_source_orchestrator.core.errors import ConfigurationError
from data_source_orchestrator.core.policies import BudgetPolicy
from data_source_orchestrator.core.result import FetchResult
from data_source_orchestrator.fanout.coordinator import SourceCoordinator
from data_source_orchestrator.orchestration.orchestrator import META_CAPABILITIES, DataSourceOrchestrator
from data_source_orchestrator.simulation.laws import END_LAWS, RETURN_LAWS, STEP_LAWS
from data_source_orchestrator.simulation.policies import (
    changes_of,
    config_of,
    host_limits_of,
    limits_of,
    retry_of,
    source_of,
    store_of,
)
from data_source_orchestrator.simulation.quotas import Quotas
from data_source_orchestrator.simulation.upstreams import ASKED_BY, Call, upstreams_of
from data_source_orchestrator.simulation.wall_clock import WallClock
from data_source_orchestrator.simulation.witness import Operation, Witness
from data_source_orchestrator.simulation.world import ASKING, Action, SourcePlan, Verb, World
from data_source_orchestrator.testing.virtual_time import DeadWaitError, VirtualTimeLoop

PATIENCE = 7200.0
"""Virtual seconds after the last action in which everything must have ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """A law that was broken, the sentence of it, and the virtual second."""

    law: str
    sentence: str
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """What came of a play: the first breach of each law, how much was played, and what happened line by line."""

    violations: tuple[Violation, ...]
    runs: int
    calls: int
    seconds: float
    trace: tuple[str, ...]

    def breaks(self, law: str) -> bool:
        """Return whether that law was broken."""
        return any(violation.law == law for violation in self.violations)


def play(world: World) -> Played:
    """Play a world from its beginning until nothing of it is left, and return which laws were broken."""
    loop = VirtualTimeLoop()
    stage = _Stage(world, loop)
    try:
        with asyncio.Runner(loop_factory=lambda: loop) as runner:
            stage.play_on(runner)
    except DeadWaitError as error:
        stage.broken("nobody_waits_for_ever", str(error))
    played = stage.played()
    stage.forget()
    return played


class _Stage:
    """The engine, its upstreams and the witness of one play."""

    def __init__(self, world: World, loop: VirtualTimeLoop) -> None:
        self._world = world
        self._loop = loop
        self._plans = {plan.key: plan for plan in world.sources}
        self._violations: dict[str, Violation] = {}
        self._ended = False
        self._calls: list[Call] = []
        self._clock = WallClock(loop)
        self._quotas = Quotas(world)
        self._coordinator = SourceCoordinator(
            [],
            budget=BudgetPolicy(tokens=world.tokens),
            limits=limits_of(world.overall),
            host_limits=host_limits_of(world),
            clock=self._clock,
            chance=system_chance(world.seed),
        )
        self._seen = Witness(world, loop, self._coordinator, self._calls, store_of(world))
        self._orchestrator = self._seen.orchestrator = DataSourceOrchestrator(
            self._coordinator,
            config_of(world),
            retry_of(world),
            store=self._seen.store,
            budget=BudgetPolicy(tokens=world.run_tokens),
        )

    def played(self) -> Played:
        return Played(
            violations=tuple(self._violations.values()),
            runs=len(self._seen.begun),
            calls=len(self._calls),
            seconds=self._loop.time(),
            trace=tuple(self._seen.trace),
        )

    def forget(self) -> None:
        """Let go of the tasks, which in circles would be kept long after their loop."""
        self._seen.operations.clear()
        self._calls.clear()

    def broken(self, law: str, sentence: str | None) -> None:
        """Note the first breach of a law."""
        if sentence is not None and law not in self._violations and not self._ended:
            self._violations[law] = Violation(law=law, sentence=sentence, at=self._loop.time())
            self._seen.trace.append(f"{self._loop.time():10.3f}  BROKEN {law}: {sentence}")

    def play_on(self, runner: asyncio.Runner) -> None:
        """Play; what a fetcher that asks the program to end leaves behind, where nobody waits for it, is not judged."""
        try:
            runner.run(self._run())
        except SystemExit:
            self._ended, self._loop.on_quiet = True, None

    async def _run(self) -> None:
        self._seen.main = asyncio.current_task()
        self._loop.set_exception_handler(self._complained)
        self._coordinator.hub.follow(self._seen.hear)
        for plan in self._world.sources:
            self._register(plan)
        async with AsyncExitStack() as stack:
            if self._seen.store is not None:
                await stack.enter_async_context(self._orchestrator)
            self._loop.on_quiet = self._step
            asked = [await self._at_its_time(action) for action in self._world.actions]
            await self._returned([operation for operation in asked if operation is not None])
            if self._world.stays_open:
                await self._lingerers()
            self._step()
            self._loop.on_quiet = None
        self._closed()
        await self._lingerers()
        self._step()

    def _complained(self, _loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        self._seen.complaints.append(f"{context.get('message')}: {context.get('exception')!r}")

    def _step(self) -> None:
        """Hold what has happened against the laws."""
        self._seen.look()
        for law in STEP_LAWS:
            if law.__name__ not in self._violations:
                self.broken(law.__name__, law(self._seen))
        self._seen.turned()

    def _closed(self) -> None:
        """Hold what is left when all is closed against the laws."""
        for law in END_LAWS:
            self.broken(law.__name__, law(self._seen))

    async def _at_its_time(self, action: Action) -> Operation | None:
        if action.at > self._loop.time():
            await asyncio.sleep(action.at - self._loop.time())
        self._seen.trace.append(f"{self._loop.time():10.3f}  * {_told(action)}")
        if action.verb in ASKING:
            return self._begin(action)
        self._do(action)
        return None

    async def _returned(self, asked: list[Operation]) -> None:
        """Wait for every call that has not returned; a law that itself has failed is raised."""
        tasks = [operation.task for operation in asked if operation.task is not None]
        if not tasks:
            return
        done, pending = await asyncio.wait(tasks, timeout=PATIENCE)
        self.broken("every_call_returns", f"{len(pending)} calls never returned" if pending else None)
        for task in done:
            if not task.cancelled() and (error := task.exception()):
                raise error

    async def _lingerers(self) -> None:
        """Wait for the fetchers that go on after their end."""
        longest = max((fault.seconds for fault in self._world.faults), default=0.0)
        await asyncio.sleep(longest + 1)

    def _begin(self, action: Action) -> Operation:
        """Begin to ask in a task of its own."""
        operation = Operation(action=action, began=self._loop.time())
        self._seen.operations.append(operation)
        operation.task = self._loop.create_task(self._operate(operation), name=f"play-{action.verb}")
        if action.cancel_after is not None:
            timer = self._loop.call_later(action.cancel_after, self._cancel, operation)
            operation.task.add_done_callback(lambda _task: timer.cancel())
        return operation

    def _cancel(self, operation: Operation) -> None:
        if operation.ended is None and operation.task is not None:
            operation.cancelled_at = self._loop.time()
            operation.task.cancel()

    async def _operate(self, operation: Operation) -> None:
        """Ask, and hold the return against the laws; what is no longer registered is not asked."""
        ASKED_BY.set(operation)
        wanted = operation.action.sources
        keys = tuple(key for key in self._seen.registered() if key in wanted)
        operation.asked = self._about(operation.action, keys)
        try:
            if keys or not wanted:
                await self._ask(operation, keys)
            else:
                operation.asked = {}
        except BaseException as error:  # noqa: BLE001 — whatever comes out is what a law is about
            operation.error = error
        self._seen.trace.append(f"{self._loop.time():10.3f}  = {operation}: {operation.came_to}")
        for law in RETURN_LAWS:
            self.broken(law.__name__, law(self._seen, operation))
        operation.ended = self._loop.time()

    def _about(self, action: Action, keys: tuple[str, ...]) -> dict[str, bool]:
        sources = [source for source in self._coordinator.get_all_sources() if not keys or source.key in keys]
        if action.verb == "meta":
            sources = [source for source in sources if META_CAPABILITIES.intersection(source.provides)]
        return {source.key: source.enabled for source in sources}

    async def _ask(self, operation: Operation, keys: tuple[str, ...]) -> None:
        match operation.action.verb:
            case "stream":
                await self._stream(operation, keys)
            case "check":
                await self._orchestrator.check_source_health(*keys)
            case verb:
                result = await self._result(verb, keys)
                operation.outcomes, operation.metadata = list(result.outcomes.values()), result.metadata

    async def _result(self, verb: Verb, keys: tuple[str, ...]) -> FetchResult:
        match verb:
            case "meta":
                return (await self._orchestrator.fetch_meta_only()).result
            case "sync" if self._seen.store is not None:
                return (await self._orchestrator.sync(*keys)).result
            case _:
                return await self._orchestrator.fetch(*keys)

    async def _stream(self, operation: Operation, keys: tuple[str, ...]) -> None:
        async with aclosing(self._orchestrator.stream(*keys)) as outcomes:
            async for outcome in outcomes:
                operation.outcomes.append(outcome)
                if len(operation.outcomes) == operation.action.take:
                    return

    def _do(self, action: Action) -> None:
        """Do what needs no waiting; of a source that is not there, or that refuses, nothing comes."""
        key = action.sources[0] if action.sources else ""
        there = self._coordinator.get_source(key) is not None
        match action.verb:
            case "jump":
                self._clock.set_by(action.value)
                self._seen.clock_set(action.value)
            case "register" if not there and key in self._plans:
                self._register(self._plans[key])
            case "unregister":
                self._coordinator.unregister_source(key)
            case "enable":
                self._coordinator.enable_source(key)
            case "disable":
                self._coordinator.disable_source(key)
            case "priority":
                self._coordinator.update_priority(key, int(action.value))
            case "reset" if there:
                self._coordinator.reset(key)
                source = self._coordinator.update_source(key)
                self._seen.added(source, cast("float", source.timeout), anew=True)
                self._seen.new_budget(key)
            case "update" if there:
                self._update(key, action)
            case _:
                pass

    def _register(self, plan: SourcePlan) -> None:
        fetcher, check = upstreams_of(
            self._world,
            plan,
            self._calls,
            lambda: self._seen.sources[plan.key].period,
            self._quotas,
            self._coordinator.observe,
        )
        source = source_of(plan, fetcher, check)
        self._coordinator.register_source(source)
        self._seen.added(source, plan.timeout, anew=True)
        self._seen.new_budget(plan.key)

    def _update(self, key: str, action: Action) -> None:
        source = self._coordinator.update_source(key)
        try:
            changed = self._coordinator.update_source(key, **changes_of(source, action))
        except ConfigurationError:
            return  # a limit for an attempt that is longer than its source's
        self._seen.added(changed, cast("float", changed.timeout), anew=False)


def _told(action: Action) -> str:
    told = [action.verb, *action.sources]
    if action.member:
        told.append(action.member)
    if action.verb in {"update", "priority", "jump"}:
        told.append(f"{action.value:g}")
    if action.cancel_after is not None:
        told.append(f"cancelled after {action.cancel_after:g} s")
    if action.take is not None:
        told.append(f"left after {action.take}")
    return " ".join(told)
