"""Since when each call has wanted its turn, where that can be told from outside, and whether another came before it."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from data_source_orchestrator.core.events import Event, RetryScheduled, RunStarted
from data_source_orchestrator.simulation.settings_seen import SettingsSeen
from data_source_orchestrator.simulation.upstreams import ASKED_BY, Call
from data_source_orchestrator.simulation.world import World


@dataclass(frozen=True, slots=True)
class Turn:
    """A call that has wanted its turn at `line` since a moment, and the latest such moment of those before it."""

    call: Call
    line: str
    wanted: float
    latest_before: float


class TurnsSeen:
    """The lines before hosts, and before everything; only of sources that stand in no other line first.

    A run whose sources wait for one another, a hedge and a refresh do not show when they want their turn.
    """

    def __init__(self, world: World, settings: SettingsSeen) -> None:
        self.fresh: list[Turn] = []
        self._world = world
        self._settings = settings
        self._asking: dict[int, float] = {}
        self._again: dict[tuple[int, str, int], float] = {}
        self._latest: dict[str, float] = {}

    def hear(self, event: Event, now: float) -> None:
        """Take in when a run begins, and when an attempt is repeated."""
        match event:
            case RunStarted():
                self._asking[id(ASKED_BY.get())] = now
            case RetryScheduled(source=key, attempt=attempt, delay=delay):
                self._again[id(ASKED_BY.get()), key, attempt] = now + delay
            case _:
                pass

    def look(self, begun: Iterable[Call]) -> None:
        """Take in the calls that have begun since the last step."""
        for call in begun:
            line, wanted = self._line(call), self._wanted(call)
            if line is not None and wanted is not None:
                before = self._latest.get(line, -math.inf)
                self.fresh.append(Turn(call, line, wanted, before))
                self._latest[line] = max(before, wanted)

    def turned(self) -> None:
        """Begin another step."""
        self.fresh.clear()

    def _wanted(self, call: Call) -> float | None:
        if call.attempt > 1:
            return self._again.get((id(call.asked_by), call.source, call.attempt))
        return self._asking.get(id(call.asked_by)) if self._world.parallel else None

    def _line(self, call: Call) -> str | None:
        since = getattr(call.asked_by, "began", call.began)
        sources = [setting.source for setting in self._settings.between(call.source, since, call.began)]
        if call.check or any(source.limits or source.hedge or source.cache for source in sources):
            return None
        hosts = {source.host for source in sources}
        if len(hosts) > 1:
            return None
        return hosts.pop() or ("everything" if self._world.overall is not None else None)
