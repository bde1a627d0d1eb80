"""`dso contract`: what a payload has to be, what the last good ones were like, and what was kept of breaches."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from data_source_orchestrator.assemble import Whole
from data_source_orchestrator.cli.documents import document
from data_source_orchestrator.cli.failures import SUFFICIENT
from data_source_orchestrator.cli.layout import Column, Row, paragraph, say, table
from data_source_orchestrator.cli.options import ContractOptions
from data_source_orchestrator.cli.performing import look, perform, tell_unkept
from data_source_orchestrator.cli.screen import Screen
from data_source_orchestrator.cli.words import NONE, counted, joined
from data_source_orchestrator.core.claim import Json
from data_source_orchestrator.core.contract import Baseline, Contract, Field
from data_source_orchestrator.core.errors import UnknownSourceError
from data_source_orchestrator.core.source import Source
from data_source_orchestrator.history.inspection import message_of

COLUMNS = (
    Column(heading="Field"),
    Column(heading="Carried by"),
    Column(heading="Accepted"),
    Column(heading="Known"),
)


def run(options: ContractOptions) -> int:
    """Tell a source's contract, or accept that the source has shrunk."""
    return perform(options, _accept) if options.accept else look(options, _contract)


async def _accept(options: ContractOptions, whole: Whole, screen: Screen) -> int:
    source = _source(options, whole)
    await whole.orchestrator.forget_baseline(source.key)
    screen.document(document("contract", **_document(source, whole)))
    screen.show([say(f"{source.title}'s next payload is compared with none before it")])
    return SUFFICIENT


async def _contract(options: ContractOptions, whole: Whole, screen: Screen) -> int:
    tell_unkept(whole, screen)
    source = _source(options, whole)
    screen.document(document("contract", **_document(source, whole)))
    screen.show(_told(source, whole, screen.out))
    return SUFFICIENT


def _source(options: ContractOptions, whole: Whole) -> Source[Any]:
    coordinator = whole.orchestrator.coordinator
    source = coordinator.get_source(options.key)
    if source is None:
        raise UnknownSourceError(options.key, [known.key for known in coordinator.get_all_sources()])
    return source


def _document(source: Source[Any], whole: Whole) -> dict[str, Json]:
    contract = source.contract
    baseline = whole.orchestrator.coordinator.baseline(source.key)
    return {
        "source": source.key,
        "mode": str(contract.mode),
        "minimum_rows": contract.minimum_rows,
        "maximum_rows": contract.maximum_rows,
        "largest_shrink": contract.largest_shrink,
        "largest_quarantine": contract.largest_quarantine,
        "unique": [list(key) for key in contract.keys],
        "rules": list(contract.rule_names),
        "fields": {one.name: _field(one) for one in contract.fields},
        "good_payloads": [tally.rows for tally in baseline.tallies],
        "median_rows": baseline.rows,
        "breaches": [str(folder) for folder in whole.inspection.kept(source.key)],
    }


def _field(field: Field) -> dict[str, Json]:
    return {
        "required": field.required,
        "coverage": field.coverage,
        "steady": field.steady,
        "accepted": field.accepted,
        "known": None if field.known is None else list(field.known),
    }


def _told(source: Source[Any], whole: Whole, console: Console) -> Iterator[Text]:
    contract = source.contract
    for sentence in (*_of_rows(contract), _of_baseline(whole.orchestrator.coordinator.baseline(source.key))):
        yield from paragraph(say(sentence), console, rest="  ")
    if contract.fields:
        yield Text()
        yield from table(COLUMNS, [_row(one) for one in contract.fields], console)
    yield Text()
    yield from _of_breaches(whole.inspection.kept(source.key), console)


def _of_rows(contract: Contract) -> Iterator[str]:
    at_most = "" if contract.maximum_rows is None else f" and at most {contract.maximum_rows}"
    yield f"Mode {contract.mode}; at least {contract.minimum_rows} rows{at_most}"
    if contract.largest_shrink < 1:
        yield f"Up to {contract.largest_shrink:.0%} fewer rows than the median of the last good payloads"
    if contract.keys:
        yield f"Unique: {joined(' with '.join(key) for key in contract.keys)}"
    if contract.rules:
        yield f"Rules: {joined(contract.rule_names)}"


def _of_baseline(baseline: Baseline) -> str:
    if not baseline.tallies:
        return "No good payload yet to compare the next one with"
    rows = ", ".join(str(tally.rows) for tally in baseline.tallies)
    return f"Rows of the last {counted(len(baseline.tallies), 'good payload')}: {rows}"


def _row(field: Field) -> Row:
    carried = "every row" if field.required else f"{field.coverage:.0%} or more" if field.coverage else "any"
    carried += ", steady" if field.steady else ""
    known = NONE if field.known is None else ", ".join(field.known) or "whatever was seen"
    return Row([say(field.name), say(carried), say(field.accepted), say(known)])


def _of_breaches(folders: Sequence[Path], console: Console) -> Iterable[Text]:
    if not folders:
        yield say("Nothing that it served was kept for inspection")
        return
    yield say("Kept for inspection, the newest first", "bold")
    for folder in folders:
        yield from paragraph(say(f"{folder}: {message_of(folder)}"), console, first="  ", rest="    ")
