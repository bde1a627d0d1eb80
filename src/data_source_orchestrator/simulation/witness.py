"""What was seen of a play: events, calls of upstreams and returns, kept as the facts that laws are about.

It judges nothing.
"""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from data_source_orchestrator.core.durations import in_seconds
from data_source_orchestrator.core.events import (
    AttemptFinished,
    AttemptStarted,
    BreakerChanged,
    CallHedged,
    Event,
    MonitorOffline,
    RetryScheduled,
    RunFinished,
    RunStarted,
    SourceFinished,
    SourceForgotten,
    SourceSwitched,
    SourceUnreached,
)
from data_source_orchestrator.core.outcome import Executed, Failure, Outcome, Success
from data_source_orchestrator.core.result import Metadata
from data_source_orchestrator.core.source import Source
from data_source_orchestrator.core.verdicts import FailureKind, Verdict
from data_source_orchestrator.fanout.coordinator import SourceCoordinator
from data_source_orchestrator.health.record import readmitted, record
from data_source_orchestrator.health.state import SourceHealth
from data_source_orchestrator.orchestration.orchestrator import DataSourceOrchestrator
from data_source_orchestrator.resilience.cache import OUR_FAULT
from data_source_orchestrator.simulation import inside
from data_source_orchestrator.simulation.extras_seen import ExtrasSeen
from data_source_orchestrator.simulation.keeping import ModelledStore
from data_source_orchestrator.simulation.scopes_seen import ScopesSeen
from data_source_orchestrator.simulation.settings_seen import SettingsSeen
from data_source_orchestrator.simulation.turns_seen import TurnsSeen
from data_source_orchestrator.simulation.upstreams import Call
from data_source_orchestrator.simulation.wall_clock import TICK
from data_source_orchestrator.simulation.world import Action, World
from data_source_orchestrator.testing.virtual_time import VirtualTimeLoop


@dataclass(slots=True, eq=False)
class Operation:
    """One asking, from its call to its return. `asked` tells of each source in it whether it was enabled then."""

    action: Action
    began: float
    task: asyncio.Task[None] | None = None
    asked: dict[str, bool] = field(default_factory=dict)
    outcomes: list[Outcome[Any]] = field(default_factory=list)
    metadata: Metadata | None = None
    error: BaseException | None = None
    cancelled_at: float | None = None
    ended: float | None = None

    @property
    def came_to(self) -> str:
        """What it raised, or the outcomes that it gave, in words."""
        if self.error is not None:
            return repr(self.error)
        return "; ".join(str(outcome) for outcome in self.outcomes) or "no outcome"

    def __str__(self) -> str:
        return f"the {self.action.verb} begun at {self.began:g} s"


@dataclass(slots=True)
class Seen:
    """What events told of one source; `mixed` while an execution from before it was forgotten may still speak.

    `unreached` are the outcomes of executions that have ended, and are not counted yet; `last` is the last one counted.
    `tokens` is what its budgets held when they were new, and `granted` that with what successes gave back.
    """

    breaker: str = "closed"
    period: int = 0
    mixed: bool = False
    health: SourceHealth = field(default_factory=SourceHealth)
    unreached: list[Outcome[object]] = field(default_factory=list)
    last: Executed[object] | None = None
    tripped_at: float = -1.0
    attempts: int = 0
    spent: float = 0.0
    granted: float = 0.0
    tokens: float = 0.0
    timeouts: list[tuple[float, float]] = field(default_factory=list)
    most_retries: int = 0
    acted_at: float = -1.0


@dataclass(frozen=True, slots=True)
class Started:
    """An attempt that began, and the state of its source's breaker as told until then, None where that is not sure."""

    source: str
    breaker: str | None


@dataclass(frozen=True, slots=True)
class Ended:
    """An execution that ended at a moment; whoever wanted it did so, with the settings of then, from `planned` on."""

    at: float
    planned: float
    executed: Executed[object]


class Witness:
    """Everything that a law may look at. `fresh_…` holds what has come since the last step."""

    def __init__(
        self,
        world: World,
        loop: VirtualTimeLoop,
        coordinator: SourceCoordinator,
        calls: list[Call],
        store: ModelledStore | None,
    ) -> None:
        self.store = store
        self.world = world
        self.loop = loop
        self.coordinator = coordinator
        self.orchestrator: DataSourceOrchestrator
        self.calls = calls
        self.sources: defaultdict[str, Seen] = defaultdict(Seen)
        self.operations: list[Operation] = []
        self.begun: dict[str, tuple[str, ...]] = {}
        self.finished: dict[str, RunFinished] = {}
        self.fresh_executions: list[Ended] = []
        self.fresh_attempts: list[Started] = []
        self.fresh_runs: list[RunFinished] = []
        self.offline: list[tuple[float, tuple[str, ...]]] = []
        self.fresh_calls: list[Call] = []
        self.settings = SettingsSeen()
        self.scopes = ScopesSeen(world, coordinator, self.settings, calls)
        self.extras = ExtrasSeen(self.settings)
        self.turns = TurnsSeen(world, self.settings)
        self.complaints: list[str] = []
        self.main: asyncio.Task[Any] | None = None
        self.trace: list[str] = []
        self._asking: list[Operation] = []
        self._heard_of = 0
        self._still: list[Call] = []
        self._looked_at = 0
        self.accepted: dict[str, float] = {}
        """When each source's last answer was accepted that is surely kept as its settings of now say."""
        self.alone: list[Failure] = []
        """The failures that ended without older data beside them, although some is surely kept that is not too old."""
        self._set_by: list[tuple[float, float]] = []
        self._open: list[Call] = []
        self._counted = 0

    @property
    def now(self) -> float:
        """The play's virtual seconds."""
        return self.loop.time()

    @property
    def active(self) -> list[Operation]:
        """The askings that have not returned."""
        self._asking = [each for each in (*self._asking, *self.operations[self._heard_of :]) if each.ended is None]
        self._heard_of = len(self.operations)
        return self._asking

    @property
    def refreshing(self) -> bool:
        """Whether an answer is being fetched in the background, which may outlast whoever was given the one before."""
        return inside.refreshing(self.orchestrator)

    @property
    def idle(self) -> bool:
        """Whether nobody is asking anything."""
        return not self.active and not self.refreshing

    def under_way(self) -> Iterator[Call]:
        """Yield the calls that have not ended."""
        self._still = [call for call in (*self._still, *self.calls[self._looked_at :]) if call.ended is None]
        self._looked_at = len(self.calls)
        yield from self._still

    def first_of(self, call: Call) -> Call:
        """Return the first call of the execution that a call belongs to."""
        return next((each for each in self.calls if each.execution is call.execution), call)

    def registered(self) -> list[str]:
        """Return the keys of the sources that there are."""
        return [source.key for source in self.coordinator.get_all_sources()]

    def strays(self) -> list[str]:
        """Return the names of the tasks that belong neither to the play nor to a fetcher that swallows its end."""
        ours = {operation.task for operation in self.active} | {self.main, asyncio.current_task(self.loop)}
        strays = Counter(task.get_name() for task in asyncio.all_tasks(self.loop) - ours)
        strays -= Counter(inside.left_to_itself(call.source) for call in self.under_way() if call.lingers)
        return sorted(strays.elements())

    def longest_timeout(self, key: str, since: float) -> float:
        """Return the longest timeout that a source has had from a moment on."""
        changes = self.sources[key].timeouts
        before = [timeout for at, timeout in changes if at <= since][-1:]
        return max([*before, *(timeout for at, timeout in changes if at > since)], default=0.0)

    def clock_set(self, by: float) -> None:
        """Note that somebody has set the wall clock forward, or back: then ages are no longer what they seem."""
        self.accepted.clear()
        self._set_by.append((self.now, by))

    @property
    def clock_was_set_back(self) -> bool:
        """Whether the wall clock was ever set back."""
        return any(by < 0 for _, by in self._set_by)

    def youngest_age(self, since: float, within: float) -> float:
        """Return the seconds from a moment, or a little later, until now by the wall clock, the least that may be.

        Of what the clock was set by at either moment nobody knows how much came in between.
        """
        first, last = since + within + TICK, self.now - TICK
        sets = [by for at, by in self._set_by if first < at < last]
        at_first = [by for at, by in self._set_by if since - TICK <= at <= first]
        at_last = [by for at, by in self._set_by if at > first and at >= last]
        after = min(sum(at_first[place:]) for place in range(len(at_first) + 1))
        before = min(sum(at_last[:place]) for place in range(len(at_last) + 1))
        return self.now - since + sum(sets) + after + before

    def untidy(self, since: float, key: str | None = None) -> bool:
        """Return whether a fetcher went on after its cancellation at or after a moment."""
        return any(
            call.cancelled_at is not None and (call.ended is None or call.ended > call.cancelled_at)
            for call in self.calls
            if (key is None or call.source == key) and (call.ended is None or call.ended >= since)
        )

    def added(self, source: Source[Any], timeout: float, *, anew: bool) -> None:
        """Note a source's settings, as registered or changed now."""
        seen, retries = self.sources[source.key], source.max_retries
        seen.timeouts.append((self.now, timeout))
        seen.most_retries = max(seen.most_retries, self.world.max_retries if retries is None else retries)
        self.accepted.pop(source.key, None)
        self.scopes.take_in_calls()  # under the settings before
        self.settings.note(self.now, source, anew=anew)
        self.scopes.changed(source, self.now)

    def new_budget(self, key: str) -> None:
        """Note that a source has a retry budget of its own from now on, and that it is full."""
        _, whole = inside.tokens(self.coordinator, key)
        self.sources[key].granted += whole
        self.sources[key].tokens += whole

    def look(self) -> None:
        """Take in what the upstreams have seen since the last step."""
        self.fresh_calls = self.calls[self._counted :]
        self._counted = len(self.calls)
        self._open += self.fresh_calls
        ended = [call for call in self._open if call.ended is not None]
        self._open = [call for call in self._open if call.ended is None]
        self.scopes.look()
        self.extras.look(self.fresh_calls, ended)
        self.turns.look(self.fresh_calls)

    def turned(self) -> None:
        """Note that a step is over."""
        self.scopes.turned()
        self.extras.turned()
        self.turns.turned()
        self.fresh_executions.clear()
        self.fresh_attempts.clear()
        self.fresh_runs.clear()
        if self.idle:
            self._look_again()

    def _look_again(self) -> None:
        """Take a forgotten source's breaker as it is, now that nobody from before can speak of it."""
        for key, seen in self.sources.items():
            if seen.mixed and self.coordinator.get_source(key) is not None:
                seen.breaker, seen.mixed = inside.breaker_state(self.coordinator, key), False

    def hear(self, event: Event) -> None:
        """Take in an event."""
        self.trace.append(f"{self.now:10.3f}  {_told(event)}")
        self.extras.hear(event, self.now)
        self.turns.hear(event, self.now)
        match event:
            case RunStarted():
                self.begun[event.run_id] = event.sources
            case MonitorOffline(sources=sources):
                self.offline.append((self.now, sources))
            case RunFinished():
                self.finished[event.run_id] = event
                self.fresh_runs.append(event)
            case SourceUnreached(executed=executed):
                self.sources[executed.outcome.source].unreached.append(executed.outcome)
                self.fresh_executions.append(Ended(self.now, self._planned(executed), executed))
            case SourceFinished(executed=executed, at=at):
                seen = self.sources[executed.outcome.source]
                seen.health = record(seen.health, executed, at)
                seen.last = executed
                if executed.outcome in seen.unreached:
                    seen.unreached.remove(executed.outcome)
                else:
                    ended = Ended(self.now, self._planned(executed), executed)
                    self.fresh_executions.append(ended)
                    self._accept(ended)
            case _:
                key = getattr(event, "source", None)
                if isinstance(key, str):
                    self._of_source(self.sources[key], key, event)

    def _of_source(self, seen: Seen, key: str, event: Event) -> None:
        match event:
            case AttemptStarted():
                seen.attempts += 1
                self.fresh_attempts.append(Started(key, None if seen.mixed else seen.breaker))
            case AttemptFinished(verdict=verdict):
                seen.attempts -= 1
                if verdict is Verdict.SUCCESS:
                    seen.granted += self._price(inside.refund, key)
            case RetryScheduled(kind=kind):
                seen.spent += self._price(inside.retry_cost, key, after_timeout=kind is FailureKind.TIMEOUT)
            case CallHedged():
                seen.spent += self._price(inside.hedge_cost, key)
            case BreakerChanged(after=after):
                seen.breaker, seen.period = after, seen.period + 1
                seen.tripped_at = self.now if after == "open" else seen.tripped_at
            case SourceForgotten():
                self.accepted.pop(key, None)
                seen.health, seen.breaker, seen.period = SourceHealth(), "closed", seen.period + 1
                seen.unreached.clear()
                seen.mixed = not self.idle
                seen.acted_at = self.now
            case SourceSwitched(readmitted=True):
                self.scopes.lifted(key)
                seen.acted_at = self.now
                seen.health = readmitted(seen.health)
            case _:
                pass

    def _accept(self, ended: Ended) -> None:
        """Note a new answer, or what is kept beside a failure; of a source that was changed meanwhile nobody knows."""
        outcome = ended.executed.outcome
        settings = list(self.settings.between(outcome.source, ended.planned, self.now))
        policy = settings[0].source.cache_policy if len(settings) == 1 else None
        if policy is None:
            return
        match outcome:
            case Success(age=None):
                self.accepted[outcome.source] = self.now
            case Failure(stale_data=None, kind=kind) if kind not in OUR_FAULT and outcome.source in self.accepted:
                if self.now - self.accepted[outcome.source] < in_seconds(policy.stale_if_error) - TICK:
                    self.alone.append(outcome)
            case _:
                pass

    def _planned(self, executed: Executed[object]) -> float:
        """Return since when the settings of an execution may hold: the first call's begin that can have wanted it."""
        began = self.now - executed.outcome.duration
        wanting = (each.began for each in self.operations if each.ended is None or each.ended >= began)
        return min(wanting, default=began)

    def _price(self, of: Callable[..., float], key: str, **more: bool) -> float:
        """Return what something costs or gives a source, nothing where it is registered no longer."""
        return of(self.coordinator, key, **more) if self.coordinator.get_source(key) is not None else 0.0


def _told(event: Event) -> str:
    shown = {
        name: getattr(event, name)
        for name in (
            "source",
            "purpose",
            "attempt",
            "verdict",
            "kind",
            "delay",
            "before",
            "after",
            "enabled",
            "priority",
        )
        if getattr(event, name, None) is not None
    }
    if isinstance(event, SourceFinished | SourceUnreached):
        shown = {"outcome": str(event.executed.outcome)}
    if isinstance(event, MonitorOffline):
        shown = {"sources": " ".join(event.sources)}
    if isinstance(event, RunFinished):
        shown = {"success": event.success_count, "failure": event.failure_count, "skipped": event.skipped_count}
    return f"{event.type} {', '.join(f'{name}={value}' for name, value in shown.items())}".rstrip()
