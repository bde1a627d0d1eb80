"""What a scenario comes to in numbers: goodput, wasted calls, age of the data, time to recover. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from data_source_orchestrator.core.events import AttemptFinished, BreakerChanged
from data_source_orchestrator.core.outcome import Outcome, Skipped, Success
from data_source_orchestrator.core.verdicts import Verdict
from data_source_orchestrator.simulation.scenario import Outage, Scenario


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

    `goodput` is the share of syncs in which it gave data; `wasted_calls` are those of its `calls` that brought none.
    The data is as old as the last sync that brought some, and fresh at the start.
    """

    key: str
    title: str
    synced: tuple[Synced, ...]
    successes: int
    failures: int
    skipped: int
    calls: int
    wasted_calls: int
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
    scenario: Scenario,
    titles: Mapping[str, str],
    synced: Sequence[Synced],
    *,
    attempts: Iterable[AttemptFinished],
    trips: Iterable[BreakerChanged],
) -> Forecast:
    """Put together what was seen; `titles` names the sources."""
    tried, tripped = list(attempts), [each.source for each in trips if each.after == "open"]
    return Forecast(
        scenario=scenario,
        syncs=len({each.at for each in synced}),
        sources=tuple(
            _source(
                scenario,
                key,
                title,
                tuple(each for each in synced if each.outcome.source == key),
                [each.verdict for each in tried if each.source == key],
                tripped.count(key),
            )
            for key, title in titles.items()
        ),
    )


def _source(  # noqa: PLR0913, PLR0917 — each is another thing that was seen of it
    scenario: Scenario, key: str, title: str, synced: tuple[Synced, ...], verdicts: list[Verdict], trips: int
) -> SourceForecast:
    good = [each.ended for each in synced if isinstance(each.outcome, Success)]
    skipped = sum(isinstance(each.outcome, Skipped) for each in synced)
    average, oldest = ages(good, scenario.duration)
    return SourceForecast(
        key=key,
        title=title,
        synced=synced,
        successes=len(good),
        failures=len(synced) - len(good) - skipped,
        skipped=skipped,
        calls=len(verdicts),
        wasted_calls=sum(verdict is not Verdict.SUCCESS for verdict in verdicts),
        trips=trips,
        average_age=average,
        oldest=oldest,
        outages=tuple(
            Suffered(outage=outage, recovered_after=_recovery(outage, good))
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
