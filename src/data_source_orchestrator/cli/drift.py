"""`dso drift`: what has changed in how sources' documents are made, since when, and the operator's word on it."""

from collections.abc import Iterator, Mapping
from datetime import datetime

from rich.console import Console
from rich.text import Text

from data_source_orchestrator.assemble import Whole
from data_source_orchestrator.cli.documents import document, moment
from data_source_orchestrator.cli.failures import SUFFICIENT
from data_source_orchestrator.cli.layout import marked, paragraph, say
from data_source_orchestrator.cli.options import DriftOptions
from data_source_orchestrator.cli.performing import look, perform, tell_unkept
from data_source_orchestrator.cli.screen import Screen
from data_source_orchestrator.cli.words import DOUBTFUL, GOOD, WAITING, Mark, ago, counted, on
from data_source_orchestrator.core.claim import Json
from data_source_orchestrator.core.errors import ConfigurationError, UnknownSourceError
from data_source_orchestrator.drift.paths import shown
from data_source_orchestrator.drift.watch import ENOUGH, Finding, Standing
from data_source_orchestrator.drift.wording import sentence
from data_source_orchestrator.orchestration.orchestrator import DataSourceOrchestrator
from data_source_orchestrator.orchestration.showing import Standings


def run(options: DriftOptions) -> int:
    """Tell what is open, of one source or of all, after accepting it where that was typed."""
    if not options.accept:
        return look(options, _tell)
    if options.key is None:
        raise ConfigurationError("flag --accept needs the source whose documents are as they should be; give its KEY")
    return perform(options, _accept)


async def _accept(options: DriftOptions, whole: Whole, screen: Screen) -> int:
    key = options.key or ""
    if not await whole.orchestrator.accept_drift(key):
        raise UnknownSourceError(key, _titles(whole.orchestrator))
    return await _tell(options, whole, screen)


async def _tell(options: DriftOptions, whole: Whole, screen: Screen) -> int:
    tell_unkept(whole, screen)
    orchestrator = whole.orchestrator
    titles = _titles(orchestrator)
    if options.key is not None and options.key not in titles:
        raise UnknownSourceError(options.key, titles)
    standings = orchestrator.get_drift()
    of = {key: standings.get(key, {}) for key in titles if options.key in {None, key}}
    screen.document(document("drift", sources={key: _as_json(named) for key, named in of.items()}))
    screen.show(_told(of, titles, orchestrator.coordinator.clock.now(), screen.out))
    return SUFFICIENT


def _titles(orchestrator: DataSourceOrchestrator) -> dict[str, str]:
    return {source.key: source.title for source in orchestrator.coordinator.get_all_sources()}


def _as_json(standings: Mapping[str, Standing]) -> Json:
    return {
        name: {
            "sightings": standing.sightings,
            "judged": standing.judged,
            "findings": [_finding_as_json(name, finding) for finding in standing.findings],
        }
        for name, standing in standings.items()
    }


def _finding_as_json(name: str, finding: Finding) -> Json:
    return {
        "change": str(finding.change),
        "path": shown(finding.path),
        "before": finding.before,
        "after": finding.after,
        "since": moment(finding.since),
        "told": sentence(name, finding),
    }


def _told(of: Standings, titles: Mapping[str, str], now: datetime, console: Console) -> Iterator[Text]:
    if not of:
        yield say("no source is registered; install a plug-in, or name it in the setting `plugins`")
    for key, standings in of.items():
        mark, stands = _summary(standings)
        yield from paragraph(marked(mark, f"{titles[key]}: {stands}", console), console, rest="  ")
        for name, standing in standings.items():
            for finding in standing.findings:
                since = f"since {on(finding.since)}, {ago(finding.since, now)}"
                yield from paragraph(say(f"{sentence(name, finding)}; {since}"), console, first="  ", rest="    ")
    if drifted := [key for key, standings in of.items() if any(each.findings for each in standings.values())]:
        yield Text()
        told = (
            f"If that is as it should be: `dso drift {drifted[0]} --accept`. What is served so for a week becomes usual"
        )
        yield from paragraph(say(told), console, rest="  ")


def _summary(standings: Mapping[str, Standing]) -> tuple[Mark, str]:
    """Return how a source's documents stand together."""
    if not standings:
        return WAITING, "no sync has been shown a document of it yet"
    findings = sum(len(standing.findings) for standing in standings.values())
    documents = counted(len(standings), "document")
    if findings:
        return DOUBTFUL, f"{counted(findings, 'change')} in {documents}"
    fewest = min(standing.sightings for standing in standings.values())
    if fewest < ENOUGH:
        return WAITING, f"{documents}, seen in {counted(fewest, 'sync')}; they are judged from {ENOUGH} on"
    return GOOD, f"{documents}, made as usual"
