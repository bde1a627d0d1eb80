"""`dso gate`: what is held back because it has lost too much, and an operator's word on it."""

from collections.abc import Mapping
from datetime import datetime

from rich.console import Console
from rich.text import Text

from data_source_orchestrator.assemble import Whole
from data_source_orchestrator.cli.documents import of_gate
from data_source_orchestrator.cli.failures import INSUFFICIENT, SUFFICIENT
from data_source_orchestrator.cli.layout import Column, Row, marked, paragraph, say, table
from data_source_orchestrator.cli.options import GateOptions
from data_source_orchestrator.cli.performing import look, perform, tell_unkept
from data_source_orchestrator.cli.screen import Screen
from data_source_orchestrator.cli.words import BAD, DOUBTFUL, GOOD, ago, counted, joined, on, percent
from data_source_orchestrator.core.errors import ConfigurationError
from data_source_orchestrator.core.held import Gate, GateDecision, Held, Loss
from data_source_orchestrator.core.snapshot import SnapshotChange
from data_source_orchestrator.core.telling import did_you_mean, told

ACTIONS = ("accept", "reject")

COLUMNS = (
    Column(heading="Missing"),
    Column(heading="Lost", figures=True),
    Column(heading="Of", figures=True),
    Column(heading="Share", figures=True),
    Column(heading="Said by"),
    Column(heading="Such as"),
)

NAMED = 2
"""Lost entities that are named here."""

SHOWN = 3
"""Decisions that are told; `--json` tells all that are remembered."""

Titles = Mapping[str, str]


def run(options: GateOptions) -> int:
    """Tell what is held, or decide what becomes of it."""
    if options.action is None:
        if options.why is not None:
            raise ConfigurationError("--why is the reason of a decision; give `accept` or `reject` before it")
        return look(options, _show)
    if options.action not in ACTIONS:
        hint = did_you_mean(options.action, ACTIONS)
        raise ConfigurationError(
            f"`dso gate` cannot do {told(options.action)}; give accept or reject, or nothing{hint}"
        )
    return perform(options, _decide)


async def _show(_: GateOptions, whole: Whole, screen: Screen) -> int:
    tell_unkept(whole, screen)
    gate = whole.orchestrator.get_gate()
    screen.document(of_gate(gate))
    screen.show(_told(gate, _titles(whole), whole.orchestrator.coordinator.clock.now(), screen.out))
    return SUFFICIENT if gate.held is None else INSUFFICIENT


async def _decide(options: GateOptions, whole: Whole, screen: Screen) -> int:
    orchestrator, why, snapshot = whole.orchestrator, options.why or "", options.snapshot or ""
    before = orchestrator.get_gate()
    if options.action == "accept":
        done = _accepted(await orchestrator.accept_held(why=why, snapshot=snapshot), before, _titles(whole))
    else:
        await orchestrator.reject_held(why=why, snapshot=snapshot)
        done = _rejected(before, orchestrator.get_gate(), _titles(whole))
    screen.document(of_gate(orchestrator.get_gate()))
    screen.show(paragraph(say(done), screen.out, rest="  "))
    return SUFFICIENT


def _accepted(change: SnapshotChange | None, before: Gate, titles: Titles) -> str:
    if change is None:
        who = joined(titles.get(source, source) for source, _ in before.rejected)
        return f"What was rejected of {who} is taken again, from the next `dso sync` on, and judged anew"
    if change.id is None:
        return f"Accepted: nothing is published any longer, {counted(change.gone, 'entity', 'entities')} gone"
    counts = f"{change.new} new, {change.changed} changed, {change.unchanged} unchanged, {change.gone} gone"
    entities = counted(change.entities, "entity", "entities")
    return f"Accepted: snapshot {change.id[:12]} is published with {entities}: {counts}; it is the measure from now on"


def _rejected(before: Gate, after: Gate, titles: Titles) -> str:
    earlier = dict(before.rejected)
    new = [titles.get(source, source) for source, at in after.rejected if earlier.get(source) != at]
    if not new:
        return "Rejected: nothing is held any longer, and readers keep what is published"
    again = f"what {joined(new)} said before it counts again, and the same is not taken a second time"
    return f"Rejected: {again}; the next `dso sync` publishes what the others have said since"


def _told(gate: Gate, titles: Titles, now: datetime, console: Console) -> list[Text]:
    if gate.held is None:
        lines = paragraph(
            marked(GOOD, "Nothing is held: readers get what was merged last", console), console, rest="  "
        )
    else:
        lines = _held(gate.held, titles, now, console)
    for source, at in gate.rejected:
        sentence = (
            f"What {titles.get(source, source)} said was rejected {ago(at, now)}, and is not taken while it says the"
            " same; `dso gate accept` takes it again, where nothing is held"
        )
        lines += paragraph(marked(DOUBTFUL, sentence, console), console, rest="  ")
    if gate.decisions:
        lines += [Text(), Text("Decisions", "bold")]
    for decision in reversed(gate.decisions[-SHOWN:]):
        lines += paragraph(say(_decision(decision)), console, first="  ", rest="    ")
    return lines


def _held(held: Held, titles: Titles, now: datetime, console: Console) -> list[Text]:
    short = held.snapshot_id[:12] if held.snapshot_id else ""
    what = f"snapshot {short} with {counted(held.entities, 'entity', 'entities')}" if short else "a snapshot of nothing"
    since = f"Since {on(held.since)}, {ago(held.since, now)}, {what} is stored and not published"
    first, rest = held.sentence[:1].upper(), held.sentence[1:]
    accept, reject = (" ".join(["dso gate", action, *([short] if short else [])]) for action in ACTIONS)
    whose = joined(dict.fromkeys(titles.get(source, source) for loss in held.losses for source in loss.sources))
    return [
        *paragraph(marked(BAD, f"{first}{rest}", console), console, rest="  "),
        *paragraph(say(f"{since}; readers keep the one before"), console, first="  ", rest="  "),
        Text(),
        *table(COLUMNS, [_row(loss, titles) for loss in held.losses], console),
        Text(),
        *paragraph(say(f"`{accept}` publishes it, and it is the measure from then on"), console, rest="  "),
        *paragraph(say(f"`{reject}` forgets it: what {whose} said before counts again"), console, rest="  "),
    ]


def _row(loss: Loss, titles: Titles) -> Row:
    what = loss.field or "whole entities"
    if loss.value is not None:
        what = f"{loss.field} {loss.value}"
    return Row(
        [
            say(what),
            say(str(loss.lost)),
            say(str(loss.of)),
            say(percent(loss.share)),
            say(", ".join(titles.get(source, source) for source in loss.sources)),
            say(", ".join(loss.examples[:NAMED])),
        ]
    )


def _decision(decision: GateDecision) -> str:
    because = f", because {decision.why}" if decision.why else ""
    return f"{on(decision.at)} {decision.verdict}{because}: {decision.sentence}"


def _titles(whole: Whole) -> dict[str, str]:
    return {source.key: source.title for source in whole.orchestrator.coordinator.get_all_sources()}
