"""How fresh what is served is: each source and each capability against the objective, and the gate before them all."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from data_source_orchestrator.core.claim import EXPIRED_AFTER
from data_source_orchestrator.core.durations import in_seconds
from data_source_orchestrator.core.held import Gate
from data_source_orchestrator.core.policies import FreshnessPolicy
from data_source_orchestrator.health.freshness import Freshness, freshness_of_several
from data_source_orchestrator.health.timeliness import Objective, Timeliness, objective_of
from data_source_orchestrator.orchestration.content import Contents, went_back
from data_source_orchestrator.orchestration.views import SourceView

COUNTING = frozenset({Freshness.FRESH, Freshness.LATE, Freshness.STALE})
"""The words for data that still counts."""


class Remembered(Protocol):
    """What is remembered between runs, as far as a status needs it."""

    @property
    def contents(self) -> Mapping[str, Contents]:
        """What each source has said last."""
        ...

    @property
    def timeliness(self) -> Mapping[str, Timeliness]:
        """When each source was not fresh."""
        ...

    @property
    def gate(self) -> Gate:
        """The gate as it stands."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceStatus:
    """How fresh a source is.

    `unchanged_since` is since when it has said what it says; `flaw` what is wrong with that age: it is above what the
    source declares, or it ran backwards. `objective` is None before the first answer.
    """

    view: SourceView
    expires_at: datetime | None
    unchanged_since: datetime | None
    flaw: str | None
    objective: Objective | None

    @property
    def key(self) -> str:
        """The source's key."""
        return self.view.source.key

    @property
    def freshness(self) -> Freshness:
        """How far the source is behind its own rhythm."""
        return self.view.freshness


@dataclass(frozen=True, slots=True, kw_only=True)
class CapabilityStatus:
    """How fresh a capability is: as the least fresh of its `sources` that still count.

    `without` are those that count no longer, or never did. `published` False says that no source that declares it has
    ever carried it: then it has no freshness. `watched` False says that only disabled sources give it.
    """

    name: str
    published: bool
    watched: bool
    freshness: Freshness
    sources: tuple[str, ...]
    without: tuple[str, ...]
    checked_at: datetime | None
    unchanged_since: datetime | None
    expires_at: datetime | None
    objective: Objective | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """How fresh everything is at one moment, measured by a policy, and how the gate stands."""

    at: datetime
    sources: tuple[SourceStatus, ...]
    capabilities: tuple[CapabilityStatus, ...]
    gate: Gate
    policy: FreshnessPolicy

    @property
    def watched(self) -> tuple[SourceStatus, ...]:
        """The sources that are enabled: what an operator has disabled enters no verdict."""
        return tuple(each for each in self.sources if each.view.source.enabled)

    @property
    def good(self) -> bool:
        """Whether nobody has to do anything: nothing is held, stale, expired, never read or older than declared.

        What is late has missed one turn, and may still come by itself.
        """
        return (
            self.gate.held is None
            and bool(self.watched)
            and all(each.freshness in {Freshness.FRESH, Freshness.LATE} and not each.flaw for each in self.watched)
        )


def status_of(views: Iterable[SourceView], remembered: Remembered, policy: FreshnessPolicy, now: datetime) -> Status:
    """Return the status at a moment."""
    sources = tuple(_source(view, remembered, policy, now) for view in views)
    names = dict.fromkeys(word for each in sources for word in each.view.source.provides)
    return Status(
        at=now,
        sources=sources,
        capabilities=tuple(_capability(name, sources) for name in names),
        gate=remembered.gate,
        policy=policy,
    )


def _source(view: SourceView, remembered: Remembered, policy: FreshnessPolicy, now: datetime) -> SourceStatus:
    key, interval = view.source.key, view.source.update_interval
    contents = remembered.contents.get(key, ())
    record = remembered.timeliness.get(key)
    lasts = timedelta(seconds=EXPIRED_AFTER * interval)
    return SourceStatus(
        view=view,
        expires_at=view.checked_at + lasts if view.checked_at else None,
        unchanged_since=contents[-1].since if contents else None,
        flaw=_flaw(view, contents, now) if contents else None,
        objective=objective_of(record, interval, policy, now) if record else None,
    )


def _flaw(view: SourceView, contents: Contents, now: datetime) -> str | None:
    """Return what is wrong with the age of what a source says; of most, no age is wrong."""
    if went_back(contents):
        return "it says again what it had said before something newer"
    most = view.source.max_data_age
    if most is not None and (now - contents[-1].since).total_seconds() > in_seconds(most):
        return "it has said the same for longer than it declares"
    return None


def _capability(name: str, sources: Iterable[SourceStatus]) -> CapabilityStatus:
    declaring = [each for each in sources if name in each.view.source.provides]
    enabled = [each for each in declaring if each.view.source.enabled]
    giving = [each for each in enabled or declaring if name not in each.view.not_published]
    counting = [each for each in giving if each.freshness in COUNTING]
    last = counting or giving
    return CapabilityStatus(
        name=name,
        published=bool(giving),
        watched=bool(enabled),
        freshness=freshness_of_several(each.freshness for each in giving),
        sources=tuple(each.key for each in counting),
        without=tuple(each.key for each in giving if each not in counting),
        checked_at=_first(min, [each.view.checked_at for each in last]),
        unchanged_since=_first(max, [each.unchanged_since for each in last]),
        expires_at=_first(min if counting else max, [each.expires_at for each in last]),
        objective=_worst([each.objective for each in giving]),
    )


def _first(pick: Callable[[list[datetime]], datetime], moments: Iterable[datetime | None]) -> datetime | None:
    known = [moment for moment in moments if moment is not None]
    return pick(known) if known else None


def _worst(objectives: Iterable[Objective | None]) -> Objective | None:
    return max((each for each in objectives if each is not None), key=lambda each: each.used, default=None)
