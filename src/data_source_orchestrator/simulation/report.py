"""What a play comes to as plain text and plain values: timelines, and the story of a world that broke a law. Pure."""

import json
from collections.abc import Iterator, Sequence
from itertools import pairwise

from data_source_orchestrator.core.claim import Json
from data_source_orchestrator.core.outcome import Failure, Skipped, Success
from data_source_orchestrator.simulation.forecast import Forecast, SourceForecast, Synced
from data_source_orchestrator.simulation.sweep import Finding, Swept
from data_source_orchestrator.simulation.world import to_json

SUCCESS, FAILURE, SKIPPED, MIXED, NONE = "success", "failure", "skipped", "mixed", ""
"""What a cell of a timeline says of the syncs in it; mixed is where some gave data and some did not."""

LAST_LINES = 30
"""Lines of a failing play that are told."""


def cells(source: SourceForecast, duration: float, width: int) -> list[str]:
    """Return what became of a source's syncs in each of `width` equal parts of the time."""
    parts: list[set[str]] = [set() for _ in range(width)]
    for each in source.synced:
        parts[_part(each.at, duration, width)].add(word(each))
    return [_cell(part) for part in parts]


def under_outage(source: SourceForecast, duration: float, width: int) -> list[bool]:
    """Return in which of `width` equal parts of the time the source's upstream was in an outage."""
    step = duration / width
    spans = [(suffered.outage.begins, suffered.outage.ends) for suffered in source.outages]
    return [any(begins < (n + 1) * step and ends > n * step for begins, ends in spans) for n in range(width)]


def word(each: Synced) -> str:
    """Return the word for how a source's part in a sync ended."""
    match each.outcome:
        case Success():
            return SUCCESS
        case Failure():
            return FAILURE
        case Skipped():
            return SKIPPED


def of_forecast(forecast: Forecast) -> dict[str, Json]:
    """Return a forecast as plain values."""
    scenario = forecast.scenario
    return {
        "duration_s": scenario.duration,
        "interval_s": scenario.interval,
        "latency_s": scenario.latency,
        "seed": scenario.seed,
        "asks": scenario.asks,
        "syncs": forecast.syncs,
        "goodput": forecast.goodput,
        "sources": {source.key: _of_source(source) for source in forecast.sources},
    }


def _of_source(source: SourceForecast) -> dict[str, Json]:
    return {
        "title": source.title,
        "syncs": len(source.synced),
        "successes": source.successes,
        "from_cache": source.from_cache,
        "failures": source.failures,
        "skipped": source.skipped,
        "turned_away": source.turned_away,
        "goodput": source.goodput,
        "calls": source.calls,
        "wasted_calls": source.wasted_calls,
        "hedges": source.hedges,
        "trips": source.trips,
        "average_age_s": source.average_age,
        "oldest_data_s": source.oldest,
        "outages": [
            {
                "from_s": suffered.outage.begins,
                "until_s": suffered.outage.ends,
                "latency_s": suffered.outage.latency,
                "slow_rate": suffered.outage.slow_rate,
                "error_rate": suffered.outage.error_rate,
                "kind": suffered.outage.kind,
                "retry_after_s": suffered.outage.retry_after,
                "recovered_after_s": suffered.recovered_after,
            }
            for suffered in source.outages
        ],
        "changes": [
            {"at_s": each.at, "status": word(each), "reason": _reason(each)} for each in changes(source.synced)
        ],
    }


def changes(synced: Sequence[Synced]) -> Iterator[Synced]:
    """Yield the first sync, and each that ended otherwise than the one before."""
    yield from synced[:1]
    for before, after in pairwise(synced):
        if (word(before), _reason(before)) != (word(after), _reason(after)):
            yield after


def of_sweep(start: int, swept: Swept, found: Finding | None) -> dict[str, Json]:
    """Return what many worlds came to as plain values."""
    return {
        "start": start,
        "worlds": swept.worlds,
        "runs": swept.runs,
        "calls": swept.calls,
        "virtual_s": swept.seconds,
        "broken": None
        if found is None
        else {
            "seed": found.seed,
            "law": found.violation.law,
            "told": found.violation.sentence,
            "at_s": found.violation.at,
            "world": json.loads(to_json(found.world)),
            "trace": list(found.played.trace),
        },
    }


def story(found: Finding) -> list[str]:
    """Return the lines that tell of a world that broke a law, cut down, and how to play it again."""
    law = found.violation.law.replace("_", " ")
    return [
        f"seed {found.seed} broke a law: {law}",
        f"  {found.violation.sentence}, at {found.violation.at:.3f} s",
        "",
        f"What happened, cut down to {_parts(found)}:",
        *(f"  {line}" for line in found.played.trace[-LAST_LINES:]),
        "",
        "The world, for a regression file:",
        *to_json(found.world).splitlines(),
        "",
        f"Play it again with `dso simulate --seeds 1 --start {found.seed}`.",
    ]


def _parts(found: Finding) -> str:
    world = found.world
    parts = {"source": world.sources, "host": world.hosts, "fault": world.faults, "action": world.actions}
    return ", ".join(f"{len(held)} {name}(s)" for name, held in parts.items() if held)


def _reason(each: Synced) -> str | None:
    match each.outcome:
        case Success():
            return None
        case Failure(kind=kind):
            return str(kind)
        case Skipped(reason=reason):
            return str(reason)


def _cell(words: set[str]) -> str:
    if len(words) == 1:
        return next(iter(words))
    return MIXED if SUCCESS in words else FAILURE if words else NONE


def _part(at: float, duration: float, width: int) -> int:
    return min(width - 1, int(at / duration * width))
