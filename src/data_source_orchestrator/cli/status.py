"""`dso status`: how fresh what is served is, in one sentence, and then by source and by capability."""

from datetime import datetime

from rich.console import Console
from rich.text import Text

from data_source_orchestrator.assemble import Whole
from data_source_orchestrator.cli.documents import NOT_PUBLISHED, of_status
from data_source_orchestrator.cli.failures import INSUFFICIENT, SUFFICIENT
from data_source_orchestrator.cli.layout import Column, Row, marked, paragraph, say, table
from data_source_orchestrator.cli.options import Common
from data_source_orchestrator.cli.performing import look, tell_unkept
from data_source_orchestrator.cli.screen import Screen
from data_source_orchestrator.cli.status_sentence import sentence
from data_source_orchestrator.cli.words import BAD, DOUBTFUL, GOOD, NEITHER, NONE, OF_STATUS, Mark, age, joined
from data_source_orchestrator.health.freshness import Freshness
from data_source_orchestrator.health.timeliness import Objective
from data_source_orchestrator.orchestration.status import CapabilityStatus, SourceStatus, Status

SOURCES = (
    Column(heading="Source"),
    Column(heading="Freshness"),
    Column(heading="Checked", figures=True),
    Column(heading="Unchanged", figures=True),
    Column(heading="Expires", figures=True),
    Column(heading="In time", figures=True),
    Column(heading="Budget", figures=True),
    Column(heading="Burn", figures=True),
)

CAPABILITIES = (
    Column(heading="Capability"),
    Column(heading="Freshness"),
    Column(heading="Checked", figures=True),
    Column(heading="Unchanged", figures=True),
    Column(heading="Expires", figures=True),
    Column(heading="Budget", figures=True),
    Column(heading="From"),
)


def run(options: Common) -> int:
    """Tell how fresh everything is."""
    return look(options, _status)


async def _status(_: Common, whole: Whole, screen: Screen) -> int:
    tell_unkept(whole, screen)
    status = whole.orchestrator.get_status()
    told = sentence(status)
    screen.document(of_status(status, told))
    screen.show(_told(status, told, screen.out))
    return SUFFICIENT if status.good else INSUFFICIENT


def _told(status: Status, told: str, console: Console) -> list[Text]:
    late = any(each.freshness is Freshness.LATE for each in status.watched)
    mark = BAD if not status.good else DOUBTFUL if late else GOOD
    lines = paragraph(marked(mark, told, console), console, rest="  ")
    if status.sources:
        lines += [Text(), *table(SOURCES, [_source(each, status.at, console) for each in status.sources], console)]
    titles = {each.key: each.view.source.title for each in status.sources}
    rows = [_capability(each, titles, status.at, console) for each in status.capabilities if each.published]
    lines += [Text(), *table(CAPABILITIES, rows, console)] if rows else []
    if never := [each.name for each in status.capabilities if not each.published]:
        told_so = f"{joined(never)}: {NOT_PUBLISHED}, and never late"
        lines += [Text(), *paragraph(marked(NEITHER, told_so, console), console, rest="  ")]
    return [*lines, Text(), *paragraph(say(_objective(status)), console, rest="  "), *_gate(status, console)]


def _source(each: SourceStatus, now: datetime, console: Console) -> Row:
    enabled = each.view.source.enabled
    mark = _mark(each.freshness) if enabled else NEITHER
    cells = [
        marked(mark, each.view.source.title, console),
        say(str(each.freshness)),
        *_ages(each.view.checked_at, each.unchanged_since, each.expires_at, now),
        *_figures(each.objective),
    ]
    notes = [] if enabled else ["disabled: it enters no verdict"]
    return Row(cells, "; ".join([*notes, *([each.flaw] if each.flaw else [])]))


def _capability(each: CapabilityStatus, titles: dict[str, str], now: datetime, console: Console) -> Row:
    given = ", ".join(titles[key] for key in each.sources or each.without)
    missing = f", without {', '.join(titles[key] for key in each.without)}" if each.sources and each.without else ""
    cells = [
        marked(_mark(each.freshness) if each.watched else NEITHER, each.name, console),
        say(str(each.freshness)),
        *_ages(each.checked_at, each.unchanged_since, each.expires_at, now),
        say(_share(each.objective.used if each.objective else None)),
        say(f"{given}{missing}"),
    ]
    return Row(cells)


def _mark(freshness: Freshness) -> Mark:
    return OF_STATUS[str(freshness)]


def _ages(
    checked_at: datetime | None, unchanged_since: datetime | None, expires_at: datetime | None, now: datetime
) -> list[Text]:
    left = None if expires_at is None else (expires_at - now).total_seconds()
    return [
        say(_since(checked_at, now)),
        say(_since(unchanged_since, now)),
        say(NONE if left is None else age(left) if left > 0 else "over"),
    ]


def _since(moment: datetime | None, now: datetime) -> str:
    return NONE if moment is None else age(max(0.0, (now - moment).total_seconds()))


def _figures(objective: Objective | None) -> list[Text]:
    if objective is None:
        return [say(NONE)] * 3
    burn = f"{objective.burn:.1f}" if objective.burn else "0"
    return [say(_share(objective.achieved)), say(_share(objective.used)), say(burn)]


def _share(share: float | None) -> str:
    """Return a share as a percentage, with a figure after the point: 99.9 % and 100 % are not the same."""
    return NONE if share is None else f"{share * 100:.1f} %".replace(".0 %", " %")


def _objective(status: Status) -> str:
    policy = status.policy
    return (
        f"Objective: in time for {_share(policy.objective)} of the last {policy.days} days. Budget tells how much of"
        " the rest is used, and burn how fast, by the last day: at 1 it lasts just as long"
    )


def _gate(status: Status, console: Console) -> list[Text]:
    if status.gate.held is not None:
        return paragraph(say("Gate: a snapshot is held; `dso gate` tells what it lacks"), console, rest="  ")
    if status.gate.rejected:
        return paragraph(say("Gate: open, but for what was rejected; `dso gate` tells whose"), console, rest="  ")
    return [say("Gate: open, nothing is held")]
