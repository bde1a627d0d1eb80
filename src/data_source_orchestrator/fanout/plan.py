"""Who is asked in a run, in which order, and who is not: decided purely."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from data_source_orchestrator.core.errors import UnknownSourceError
from data_source_orchestrator.core.outcome import Skipped
from data_source_orchestrator.core.source import Source
from data_source_orchestrator.core.verdicts import SkipReason


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """What a caller wants: these keys, or sources with any of these capabilities, or everything."""

    keys: tuple[str, ...] = ()
    capabilities: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The sources that a run is about, by ascending priority."""

    sources: tuple[Source[Any], ...]

    @property
    def asked(self) -> tuple[Source[Any], ...]:
        """The sources that are enabled."""
        return tuple(source for source in self.sources if source.enabled)

    @property
    def skipped(self) -> tuple[Skipped, ...]:
        """What became of those that are not."""
        return tuple(_disabled(source) for source in self.sources if not source.enabled)

    @property
    def by_key(self) -> dict[str, Source[Any]]:
        """Every source that will have an outcome, by its key."""
        return {source.key: source for source in self.sources}


def make_plan(query: Query, sources: Iterable[Source[Any]]) -> Plan:
    """Return the plan for a query over sources in the order of their registration, which breaks ties."""
    return Plan(sources=tuple(sorted(_wanted(query, tuple(sources)), key=lambda source: source.priority)))


def _wanted(query: Query, sources: tuple[Source[Any], ...]) -> list[Source[Any]]:
    known = {source.key: source for source in sources}
    for key in query.keys:
        if key not in known:
            raise UnknownSourceError(key, known)
    chosen = [source for source in sources if not query.keys or source.key in query.keys]
    if not query.capabilities:
        return chosen
    return [source for source in chosen if query.capabilities.intersection(source.provides)]


def _disabled(source: Source[Any]) -> Skipped:
    by = f" by {source.switched_off_by}" if source.switched_off_by else " by the operator"
    return Skipped(source=source.key, reason=SkipReason.DISABLED, detail=f"disabled{by}")
