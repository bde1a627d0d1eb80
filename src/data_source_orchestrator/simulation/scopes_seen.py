"""What the limits of each scope came to, as the modelled upstreams saw it: which calls came, and under which rules.

A scope is a source, a host, or everything. A call whose settings were changed while it was on its way may belong to one
or the other: what is `sure` is counted where too many would be wrong, what is `possible` where too few would. It judges
nothing.
"""

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from data_source_orchestrator.core.policies import LimitPolicy
from data_source_orchestrator.core.source import Source
from data_source_orchestrator.fanout.coordinator import SourceCoordinator
from data_source_orchestrator.resilience.limits import Scope
from data_source_orchestrator.simulation import inside
from data_source_orchestrator.simulation.pace import Pace
from data_source_orchestrator.simulation.policies import limits_of
from data_source_orchestrator.simulation.settings_seen import Setting, SettingsSeen
from data_source_orchestrator.simulation.upstreams import Call
from data_source_orchestrator.simulation.wall_clock import TICK
from data_source_orchestrator.simulation.world import World

ALL = "all sources"


@dataclass(frozen=True, slots=True)
class Entered:
    """A call that came to a scope, how many were under way there with it, and from when on it might come."""

    call: Call
    scope: str
    at_once: int
    most: int | None
    due: float
    held_until: float


@dataclass(slots=True, eq=False)
class ScopeSeen:
    """One scope: its limits as they are set, what its upstream has seen, and what the engine holds for it.

    `most` is the highest number of calls at once that was in force since the last step, None where any number was, and
    `learnt` the highest to which an adaptive limit was moved since then. It is limited since `limited_since`, and to be
    left alone until `held_until`, or perhaps for longer. It `had_other_limits` where they were changed, or taken away
    in between.
    """

    name: str
    policy: LimitPolicy
    limited_since: float
    most: int | None = None
    sure: Pace = field(default_factory=lambda: Pace(None))
    possible: Pace = field(default_factory=lambda: Pace(None))
    held_until: float = -math.inf
    perhaps_held_until: float = -math.inf
    had_other_limits: bool = False
    learnt: int = 0
    engines: list[Scope] = field(default_factory=list)

    def change(self, policy: LimitPolicy, now: float) -> None:
        """Take over other limits."""
        for pace in (self.sure, self.possible):
            if pace.policy != policy.rate:
                pace.change(policy.rate, now)
        if policy.concurrency is None:
            self.limited_since = math.inf
        elif self.policy.concurrency is None:
            self.limited_since = now
        self.policy = policy
        self.most = self.highest

    def turned(self) -> None:
        """Begin another step."""
        self.most = self._limit
        self.learnt = 0

    def follow(self, engine: Scope) -> None:
        """Look at what the engine holds for it, and hear what an adaptive limit learns."""
        self.engines.append(engine)
        if engine.concurrency is not None:
            engine.concurrency.on_limit = self._moved

    @property
    def highest(self) -> int | None:
        """The highest number of calls at once that was in force since the last step, that of now included."""
        limit = self._limit
        return None if self.most is None or limit is None else max(self.most, limit, self.learnt)

    @property
    def _limit(self) -> int | None:
        """How many calls may be under way now."""
        calls = self.policy.concurrency
        if calls is None or not calls.adaptive:
            return None if calls is None else calls.limit
        learnt = [scope.concurrency.limit for scope in self.engines if scope.concurrency is not None]
        return min(calls.ceiling, max(learnt, default=calls.limit))

    def _moved(self, before: int, after: int) -> None:
        self.learnt = max(self.learnt, before, after)


class ScopesSeen:
    """All scopes of a play; `fresh` are the calls that have come since the last step, once for each of their scopes."""

    def __init__(self, world: World, coordinator: SourceCoordinator, settings: SettingsSeen, calls: list[Call]) -> None:
        self.fresh: list[Entered] = []
        self.held: dict[int, float] = {}
        """Until when the calls of an execution, by its identity, are to be left alone by its own upstream's word."""
        self._coordinator = coordinator
        self._settings = settings
        self._calls = calls
        self._seen = 0
        self._open: list[Call] = []
        self._places: dict[int, tuple[frozenset[str], frozenset[str]]] = {}
        self._overall = limits_of(world.overall)
        self._hosts: Mapping[str, LimitPolicy | None] = {host.name: limits_of(host.limits) for host in world.hosts}
        self._scopes: dict[str, ScopeSeen] = {}

    def changed(self, source: Source[object], now: float) -> None:
        """Take over a source's settings of now."""
        setting = self._settings.last(source.key)
        for name, policy in self._policies(setting):
            if name not in self._scopes:
                self._scopes[name] = scope = _begun(name, policy, now)
                scope.had_other_limits = name == _own(setting) and setting.scope > 1
            elif name == _own(setting) and policy != self._scopes[name].policy:
                self._scopes[name].change(policy, now)
                self._scopes[name].had_other_limits = True

    def look(self) -> None:
        """Take in what has happened at this moment."""
        self._find_engines()
        self._take_in_answers()

    def turned(self) -> None:
        """Begin another step."""
        self.fresh.clear()
        for scope in self._scopes.values():
            scope.turned()

    def __iter__(self) -> Iterator[ScopeSeen]:
        yield from self._scopes.values()

    def passed_by(self, key: str) -> list[ScopeSeen]:
        """Return the scopes that a source's calls pass as it is set now."""
        return [self._scopes[name] for name, _ in self._policies(self._settings.last(key))]

    def in_force(self, keys: Iterable[str]) -> list[ScopeSeen]:
        """Return the scopes that these sources pass, each once; limits that were taken away are not among them."""
        names = {name: None for key in keys for name, _ in self._policies(self._settings.last(key))}
        return [self._scopes[name] for name in names]

    def under_way(self, scope: ScopeSeen, now: float) -> tuple[int, int]:
        """Return how many calls are surely in a scope now, and how many may be."""
        sure = [call for call in self._open if scope.name in self._places[call.number][0]]
        possible = [call for call in self._open if scope.name in self._places[call.number][1]]
        return (
            sum(_is_counted(call, scope) and _is_waited_for(call, now + TICK) for call in sure),
            sum(_is_waited_for(call, now - TICK) for call in possible),
        )

    def lifted(self, key: str) -> None:
        """Note that the operator lets a source be asked again, whatever its upstream has said until now."""
        self._take_in_answers()
        name = self._paced(self._settings.last(key))
        if name is not None:
            self._scopes[name].held_until = -math.inf

    def take_in_calls(self) -> None:
        """Take in the calls that have come since this was done last, and the answers that came before each of them."""
        for call in self._calls[self._seen :]:
            self._seen += 1
            if not call.check:
                self._take_in_ended(other for other in self._open if other not in call.beside)
                self._open.append(call)
                self._enter(call)

    def _take_in_answers(self) -> None:
        self.take_in_calls()
        self._take_in_ended(self._open)

    def _take_in_ended(self, calls: Iterable[Call]) -> None:
        for call in [call for call in calls if call.ended is not None]:
            self._open.remove(call)
            self._hear(call, call.ended or 0.0)

    def _enter(self, call: Call) -> None:
        settings = list(self._settings.between(call.source, _since(call), call.began))
        chains = [{name for name, _ in self._policies(setting)} for setting in settings]
        sure, possible = frozenset(set.intersection(*chains)), frozenset(set.union(*chains))
        self._places[call.number] = sure, possible
        for name in possible:
            scope = self._scopes[name]
            if name in sure:
                self.fresh.append(self._entered(call, scope))
                scope.sure.take(call.began)
            scope.possible.take(call.began)

    def _entered(self, call: Call, scope: ScopeSeen) -> Entered:
        beside = [
            other
            for other in call.beside
            if _is_counted(other, scope)
            and scope.name in self._places.get(other.number, ((), ()))[0]
            and _is_waited_for(other, call.began + TICK)
        ]
        most = scope.highest if _is_counted(call, scope) else None
        return Entered(call, scope.name, len(beside) + 1, most, scope.sure.due(), scope.held_until)

    def _hear(self, call: Call, now: float) -> None:
        """Take in what an answer says about being asked again; of a call that was given up nobody hears it."""
        if call.wait is None or not math.isfinite(call.wait) or call.cancelled_at is not None:
            return
        until, key = now + call.wait, id(call.execution)
        self.held[key] = max(until, self.held.get(key, until))
        told = {self._paced(setting) for setting in self._settings.between(call.source, _since(call), now)}
        for scope in [self._scopes[name] for name in told if name is not None]:
            scope.perhaps_held_until = max(scope.perhaps_held_until, until)
            if len(told) == 1 and not self._is_hedged_with_one_that_was_told_to_end(call, now):
                scope.held_until = max(scope.held_until, until)

    def _is_hedged_with_one_that_was_told_to_end(self, call: Call, now: float) -> bool:
        """Return whether a call may have been given up with its first, without having been told so yet."""
        ended = (each.cancelled_at for each in self._calls if each.execution is call.execution and each is not call)
        return any(at is not None and at < now - TICK for at in ended)

    def _paced(self, setting: Setting) -> str | None:
        """Return the scope that an upstream's own wait holds: the host, or the source where none is named."""
        if setting.source.host is not None:
            return _host(setting.source.host)
        return None if setting.source.limits is None else _own(setting)

    def _policies(self, setting: Setting) -> Iterator[tuple[str, LimitPolicy]]:
        """Yield the scopes that calls under a setting pass, from the narrowest to the widest, with their limits."""
        if setting.source.limits is not None:
            yield _own(setting), setting.source.limits
        if setting.source.host is not None:
            yield _host(setting.source.host), self._hosts.get(setting.source.host) or LimitPolicy()
        if self._overall is not None:
            yield ALL, self._overall

    def _find_engines(self) -> None:
        for source in self._coordinator.get_all_sources():
            names = [name for name, _ in self._policies(self._settings.last(source.key))]
            for name, scope in zip(names, inside.scopes(self._coordinator, source.key), strict=True):
                if scope not in self._scopes[name].engines:
                    self._scopes[name].follow(scope)


def _begun(name: str, policy: LimitPolicy, now: float) -> ScopeSeen:
    scope = ScopeSeen(name, LimitPolicy(), math.inf)
    scope.change(policy, now)
    scope.turned()
    scope.limited_since = math.inf if policy.concurrency is None else -math.inf
    return scope


def _own(setting: Setting) -> str:
    return f"{setting.source.key} alone, scope {setting.scope}"


def _host(name: str) -> str:
    return f"host {name}"


def _since(call: Call) -> float:
    """Return since when a call may have been on its way."""
    return float(getattr(call.asked_by, "began", call.began))


def _is_counted(call: Call, scope: ScopeSeen) -> bool:
    """Return whether the scope's calls at once were limited already when a call can have come to it."""
    return _since(call) > scope.limited_since + TICK


def _is_waited_for(call: Call, now: float) -> bool:
    """Return whether somebody still waits for a call: one told to end is waited for until its grace is over."""
    return call.cancelled_at is None or call.cancelled_at + inside.GRACE > now
