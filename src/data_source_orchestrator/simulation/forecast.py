"""What a scenario comes to in numbers: goodput, wasted calls, age of the data, time to recover. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from data_source_orchestrator.core.events import AttemptFinished, BreakerChanged, CallHedged, Event
from data_source_orchestrator.core.outcome import Outcome, Skipped, Success
from data_source_orchestrator.core.verdicts import SkipReason, Verdict
from data_source_orchestrator.simulation.scenario import Outage, Scenario

TURNED_AWAY = frozenset({SkipReason.RATE_LIMIT, SkipReason.DEADLINE})
"""Why a source was not asked that nothing but its limits, and the time that there was, stood in the way of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Synced:
    """A source's part in the sync that began at `at` and ended at `ended`, in seconds from the start."""

    at: float
    ended: float
    outcome: Outcome[Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Suffered:
    """An outage, and the seconds from its end until the source gave data again; None where it never did."""

    outage: Outage
    recovered_after: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceForecast:
    """One source in numbers; ages and times are seconds.

    `goodput` is the share of syncs in which it gave data, of which it gave some `from_cache`; `turned_away` are those
    for which its limits, or the run itself, left no time. Of its `calls` the `wasted_calls` brought none, and `hedges`
    joined another. The data is as old as its source last gave it, and fresh at the start.
    """

    key: str
    title: str
    synced: tuple[Synced, ...]
    successes: int
    from_cache: int
    failures: int
    skipped: int
    turned_away: int
    calls: int
    wasted_calls: int
    hedges: int
    trips: int
    average_age: float
    oldest: float
    outages: tuple[Suffered, ...]

    @property
    def goodput(self) -> float:
        """The share of syncs in which it gave data."""
        return self.successes / len(self.synced) if self.synced else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """What would have happened."""

    scenario: Scenario
    syncs: int
    sources: tuple[SourceForecast, ...]

    @property
    def goodput(self) -> float:
        """The share of all that was asked that gave data."""
        asked = sum(len(each.synced) for each in self.sources)
        return sum(each.successes for each in self.sources) / asked if asked else 0.0


def forecast_of(
    scenario: Scenario, titles: Mapping[str, str], synced: Sequence[Synced], events: Iterable[Event]
) -> Forecast:
    """Put together what was seen; `titles` names the sources."""
    told = list(events)
    return Forecast(
        scenario=scenario,
        syncs=len({each.at for each in synced}),
        sources=tuple(
            _source(
                scenario,
                key,
                title,
                tuple(each for each in synced if each.outcome.source == key),
                [event for event in told if getattr(event, "source", None) == key],
            )
            for key, title in titles.items()
        ),
    )


def _source(
    scenario: Scenario, key: str, title: str, synced: tuple[Synced, ...], events: Sequence[Event]
) -> SourceForecast:
    verdicts = [event.verdict for event in events if isinstance(event, AttemptFinished)]
    good = [(each.ended, each.outcome.age) for each in synced if isinstance(each.outcome, Success)]
    renewed = sorted({ended - (0.0 if age is None else age.seconds) for ended, age in good})
    skips = [each.outcome.reason for each in synced if isinstance(each.outcome, Skipped)]
    average, oldest = ages(renewed, scenario.duration)
    return SourceForecast(
        key=key,
        title=title,
        synced=synced,
        successes=len(good),
        from_cache=sum(age is not None for _, age in good),
        failures=len(synced) - len(good) - len(skips),
        skipped=len(skips),
        turned_away=sum(reason in TURNED_AWAY for reason in skips),
        calls=len(verdicts),
        wasted_calls=sum(verdict is not Verdict.SUCCESS for verdict in verdicts),
        hedges=sum(isinstance(event, CallHedged) for event in events),
        trips=sum(isinstance(event, BreakerChanged) and event.after == "open" for event in events),
        average_age=average,
        oldest=oldest,
        outages=tuple(
            Suffered(outage=outage, recovered_after=_recovery(outage, renewed))
            for outage in scenario.outages
            if outage.source == key
        ),
    )


def ages(good: Sequence[float], duration: float) -> tuple[float, float]:
    """Return the average age of the data over a time, and the greatest, given the moments at which it was renewed."""
    moments = [0.0, *(moment for moment in good if moment < duration), duration]
    gaps = [later - earlier for earlier, later in pairwise(moments)]
    return sum(gap * gap for gap in gaps) / (2 * duration), max(gaps)


def _recovery(outage: Outage, good: Sequence[float]) -> float | None:
    return next((moment - outage.ends for moment in good if moment >= outage.ends), None)
