"""What a run came to, for people: the sources, what that did to the snapshot, what is missing and why, and warnings."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from rich.console import Console
from rich.text import Text

from data_source_orchestrator.cli import offline
from data_source_orchestrator.cli.layout import Column, Row, marked, paragraph, say, table
from data_source_orchestrator.cli.live import ending
from data_source_orchestrator.cli.words import BAD, DOUBTFUL, GOOD, ago, counted, joined, on, span
from data_source_orchestrator.core.age import Age
from data_source_orchestrator.core.outcome import Failure, Outcome, Skipped, Success
from data_source_orchestrator.core.result import FetchResult, Metadata
from data_source_orchestrator.core.snapshot import SnapshotChange
from data_source_orchestrator.orchestration.sync import Missing, SyncReport

MOST_WARNINGS = 6
"""Warnings that are told one by one; the rest is counted."""

COLUMNS = (
    Column(heading="Source"),
    Column(heading="Result"),
    Column(heading="Rows", figures=True),
    Column(heading="Attempts", figures=True),
    Column(heading="Time", figures=True),
)

Titles = Mapping[str, str]
"""What people call the sources, by key."""


def of_sync(report: SyncReport, titles: Titles, now: datetime, console: Console) -> list[Text]:
    """Tell a synchronisation."""
    outcomes = report.result.outcomes
    lines = [*_sources(outcomes, report.records, titles, console), Text()]
    lines += _snapshot(report.snapshot, titles, console)
    if report.missing:
        lines += [Text(), Text("Missing", "bold")]
    for each in report.missing:
        told = f"{_gap(each, outcomes[each.source], titles)}: {_standing(each, now)}"
        lines += paragraph(say(told), console, first="  ", rest="    ")
    lines += [*_warnings(outcomes, titles, console), Text(), *_verdict(report.result.metadata, titles, console)]
    return [*lines, *_drift(report.drift, titles, console)]


def of_fetch(result: FetchResult, records: Mapping[str, int], titles: Titles, console: Console) -> list[Text]:
    """Tell a fetch, of which nothing was merged or stored."""
    lines = _sources(result.outcomes, records, titles, console)
    return [*lines, *_warnings(result.outcomes, titles, console), Text(), *_verdict(result.metadata, titles, console)]


def _sources(
    outcomes: Mapping[str, Outcome[object]], records: Mapping[str, int], titles: Titles, console: Console
) -> list[Text]:
    if not outcomes:
        return [say("no source is registered")]
    return table(COLUMNS, [_row(outcome, records, titles, console) for outcome in outcomes.values()], console)


def _row(outcome: Outcome[object], records: Mapping[str, int], titles: Titles, console: Console) -> Row:
    mark, words = ending(outcome)
    asked = outcome.attempts > 0
    cells = [
        marked(mark, titles[outcome.source], console),
        say(words),
        say(str(records.get(outcome.source, ""))),
        say(str(outcome.attempts) if asked else ""),
        say(span(outcome.duration) if asked else ""),
    ]
    return Row(cells, _why(outcome))


def _why(outcome: Outcome[object]) -> str:
    """Say why a source's data is missing or old."""
    match outcome:
        case Success(age=age):
            return age.reason if age else ""
        case Failure():
            return "; ".join((outcome.message, *_to_look_at(outcome), *outcome.warnings, *_beside(outcome.age)))
        case Skipped(detail=detail):
            return "; ".join((detail, *_beside(outcome.age)))


def _to_look_at(failure: Failure) -> tuple[str, ...]:
    """Tell where somebody finds what was served that is no data."""
    return (f"`dso contract {failure.source}` tells where what it served is kept",) if failure.served else ()


def _beside(age: Age | None) -> tuple[str, ...]:
    return (f"what it said {span(age.seconds)} ago stands beside it",) if age else ()


def _snapshot(change: SnapshotChange, titles: Titles, console: Console) -> list[Text]:
    """Tell what became of the snapshot, and whose rejected word came again."""
    if change.held is not None:
        lines = paragraph(marked(BAD, _capital(change.held.sentence), console), console, rest="  ")
        kept = f"snapshot {change.id[:12] if change.id else 'without any entity'} is stored, and not published"
        told = (
            f"{kept}; readers keep the one before. `dso gate` tells more, `dso gate accept` publishes it all the same"
        )
        lines += paragraph(say(told), console, first="  ", rest="  ")
    else:
        lines = paragraph(say(_stored(change)), console, rest="  ")
    for source in change.refused:
        who = titles.get(source, source)
        told = f"{who} says again what was rejected: what it said before that counts until it expires"
        lines += paragraph(marked(DOUBTFUL, told, console), console, rest="  ")
    return lines


def _capital(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]


def _stored(change: SnapshotChange) -> str:
    if change.id is None:
        return f"Nothing is stored: {change.reason}"
    counts = {"new": change.new, "changed": change.changed, "unchanged": change.unchanged, "gone": change.gone}
    told = ", ".join(f"{count} {word}" for word, count in counts.items() if count or word != "gone")
    instead = ", in place of the one that was held" if change.superseded else ""
    return f"Stored {counted(change.entities, 'entity', 'entities')}: {told}; snapshot {change.id[:12]}{instead}"


def _gap(missing: Missing, outcome: Outcome[object], titles: Titles) -> str:
    """Tell what a run has nothing new of, and why; of a source that was never read nobody knows what it would give."""
    who = f"{titles[missing.source]} ({ending(outcome)[1]})"
    known = missing.checked_at is not None and missing.provides
    return f"{', '.join(missing.provides)} from {who}" if known else who


def _standing(missing: Missing, now: datetime) -> str:
    """Tell what of a source still counts."""
    if missing.checked_at is None or missing.expires_at is None:
        declared = f"; it declares {', '.join(missing.provides)}" if missing.provides else ""
        return f"it was never read, so nothing of it is known{declared}"
    if missing.expires_at <= now:
        return f"what it said {ago(missing.checked_at, now)} expired on {on(missing.expires_at)}, and counts no longer"
    return f"what it said {ago(missing.checked_at, now)} still counts, until {on(missing.expires_at)}"


def _warnings(outcomes: Mapping[str, Outcome[object]], titles: Titles, console: Console) -> Iterator[Text]:
    """Tell what is worth telling about data that is still good; of a failure it stands beside the failure."""
    good = [outcome for outcome in outcomes.values() if not isinstance(outcome, Failure)]
    told = [f"{titles[outcome.source]}: {warning}" for outcome in good for warning in outcome.warnings]
    if told:
        yield from (Text(), Text("Warnings", "bold"))
    for sentence in told[:MOST_WARNINGS]:
        yield from paragraph(say(sentence), console, first="  ", rest="    ")
    if len(told) > MOST_WARNINGS:
        yield say(f"  and {len(told) - MOST_WARNINGS} more; --json tells them all")


def _verdict(told: Metadata, titles: Titles, console: Console) -> list[Text]:
    asked = told.success_count + told.failure_count + told.skipped_count
    succeeded = f"{told.success_count} of {counted(asked, 'source')} succeeded in {span(told.total_duration)}"
    if told.stale:
        succeeded += f", {counted(len(told.stale), 'other')} with older data"
    line = marked(GOOD, f"Sufficient: {succeeded}", console)
    if not told.sufficient:
        line = marked(BAD, f"Insufficient: {succeeded}, and {told.required} must", console)
    lines = paragraph(line, console, rest="  ")
    if told.offline:
        sentence = f"Offline: {offline.now(titles[key] for key in told.offline)}"
        lines += paragraph(marked(DOUBTFUL, sentence, console), console, rest="  ")
    return lines


def _drift(drift: Mapping[str, int], titles: Titles, console: Console) -> list[Text]:
    if not drift:
        return []
    told = joined(f"{titles.get(key, key)} ({counted(count, 'change')})" for key, count in drift.items())
    return paragraph(
        marked(DOUBTFUL, f"Drift: documents of {told} are not made as usual; `dso drift` tells", console),
        console,
        rest="  ",
    )


def interrupted(finished: Iterable[Outcome[object]], titles: Titles) -> str:
    """Tell what of an interrupted run is stored."""
    good = [titles[outcome.source] for outcome in finished if isinstance(outcome, Success)]
    if not good:
        return "no source had succeeded yet: the stored data is as it was"
    return f"{joined(good)} had succeeded, and what {'it' if len(good) == 1 else 'they'} gave is stored"
