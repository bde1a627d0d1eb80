"""Which settings each source has had, and since when: a call may have been planned by those of a while ago."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from data_source_orchestrator.core.source import Source
from data_source_orchestrator.simulation.wall_clock import TICK


@dataclass(frozen=True, slots=True)
class Setting:
    """A source as it was from a moment on; `scope` tells apart its own limits that began anew one after another."""

    since: float
    scope: int
    source: Source[Any]


class SettingsSeen:
    """The settings of all sources over time."""

    def __init__(self) -> None:
        self._of: defaultdict[str, list[Setting]] = defaultdict(list)

    def note(self, now: float, source: Source[Any], *, anew: bool) -> None:
        """Note a source that was registered, reset or changed now; `anew` it remembers nothing of its limits."""
        known = self._of[source.key]
        scope = known[-1].scope if known else 0
        begun = anew or (known and known[-1].source.limits is None and source.limits is not None)
        known.append(Setting(now, scope + bool(begun), source))

    def between(self, key: str, since: float, until: float) -> Iterator[Setting]:
        """Yield the settings that were in force at some moment of a time, its ends included."""
        settings = self._of[key]
        for place, setting in enumerate(settings):
            ends = settings[place + 1].since if place + 1 < len(settings) else until
            if setting.since <= until + TICK and ends >= since - TICK:
                yield setting

    def changed(self, key: str) -> bool:
        """Return whether a source was ever changed, or registered anew."""
        return len(self._of[key]) > 1

    def cached(self, key: str) -> bool:
        """Return whether a source's answers were ever to be kept."""
        return any(setting.source.cache is not None for setting in self._of[key])

    def refreshed(self, key: str) -> bool:
        """Return whether a source's answers were ever to be fetched anew in the background."""
        policies = (setting.source.cache_policy for setting in self._of[key])
        return any(policy is not None and policy.stale_while_revalidate for policy in policies)

    def hedged(self, key: str) -> bool:
        """Return whether a source's calls were ever to be hedged."""
        return any(setting.source.hedge is not None for setting in self._of[key])

    def last(self, key: str) -> Setting:
        """Return what is in force now."""
        return self._of[key][-1]
