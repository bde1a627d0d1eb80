"""`dso doctor`: works through the troubleshooting list, each line with its finding and the next command to type."""

import shlex
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from rich.console import Console
from rich.text import Text

from data_source_orchestrator.assemble import Whole, store_or_trouble
from data_source_orchestrator.cli.diagnosis import CHECKLIST, Facts, Finding
from data_source_orchestrator.cli.documents import document
from data_source_orchestrator.cli.failures import INSUFFICIENT, SUFFICIENT
from data_source_orchestrator.cli.layout import marked, paragraph, say
from data_source_orchestrator.cli.options import Common
from data_source_orchestrator.cli.performing import perform
from data_source_orchestrator.cli.probing import probe
from data_source_orchestrator.cli.screen import Screen, printable
from data_source_orchestrator.cli.words import OF_STATUS
from data_source_orchestrator.core.claim import Json
from data_source_orchestrator.health.reports import HealthReport
from data_source_orchestrator.orchestration.drifting import open_findings
from data_source_orchestrator.settings import CONFIG, VARIABLES
from data_source_orchestrator.web.redaction import shown

WIDEST = len("look here")
INDENT = " " * 6

ELSEWHERE = '--data-dir "$HOME/dso-data"'
"""A data folder that most people can have."""

Findings = list[tuple[str, list[tuple[str, Finding]]]]


def run(options: Common) -> int:
    """Work through the list, whatever cannot be used, and return whether a run could succeed now."""
    return perform(options, _doctor, open_store=store_or_trouble)


async def _doctor(options: Common, whole: Whole, screen: Screen) -> int:
    left_alone = [view.source.key for view in whole.orchestrator.get_source_views() if not view.admitted]
    began = whole.orchestrator.coordinator.clock.now()
    await probe(whole.orchestrator, screen)
    facts = _facts(options, whole, left_alone, began)
    findings = [(part.complaint, [(check.title, check.look(facts)) for check in part.checks]) for part in CHECKLIST]
    screen.document(document("doctor", sections=_as_json(findings)))
    screen.show(_told(findings, screen.out))
    return SUFFICIENT if facts.promising else INSUFFICIENT


def _facts(options: Common, whole: Whole, left_alone: list[str], began: datetime) -> Facts:
    orchestrator, settings = whole.orchestrator, whole.settings
    coordinator = orchestrator.coordinator
    keys = [source.key for source in coordinator.get_all_sources()]
    views = {view.source.key: view for view in orchestrator.get_source_views()}
    return Facts(
        views=views,
        readmitted=tuple(key for key in left_alone if views[key].admitted),
        reports={report.key: _of_today(report, began) for report in orchestrator.get_health_reports()},
        recent={key: coordinator.get_execution_history(key, settings.health.recent_window) for key in keys},
        overall=orchestrator.get_overall_health(),
        run=settings.run,
        retries=settings.run.max_retries if settings.retry.max_retries is None else settings.retry.max_retries,
        health=settings.health,
        variables=_variables(whole),
        origins=settings.origins,
        file=(options.config or settings.environment.get(CONFIG.variable or "") or "dso.toml"),
        dso=lambda verb: " ".join(["dso", verb if whole.trouble is None else "doctor", *_where(options)]),
        elsewhere=" ".join(["dso doctor", *_where(replace(options, data_dir=None)), ELSEWHERE]),
        store=whole.store,
        breaches={key: whole.inspection.kept(key) for key in keys},
        files=tuple(path for path in _files(whole.store) if path.exists()),
        trouble=whole.trouble,
        drift=open_findings(orchestrator.get_drift()),
    )


def _files(store: Path) -> list[Path]:
    """Return where SQLite keeps a store: the database, its log, and the log's index."""
    return [store, *(store.with_name(f"{store.name}{ending}") for ending in ("-wal", "-shm"))]


def _of_today(report: HealthReport, began: datetime) -> HealthReport:
    """Leave out a check from before this visit: the one that was to follow it did not come to an end."""
    stale = report.last_check is not None and report.last_check.at < began
    return replace(report, last_check=None) if stale else report


def _variables(whole: Whole) -> dict[str, str]:
    known = [*VARIABLES, *(variable.name for plugin in whole.plugins for variable in plugin.variables)]
    given = whole.settings.environment
    return {name: shown(given[name]) if "://" in given[name] else given[name] for name in known if given.get(name)}


def _where(options: Common) -> Iterator[str]:
    """Yield the flags by which the next command meets the same set-up."""
    if options.config:
        yield f"--config {shlex.quote(options.config)}"
    if options.data_dir:
        yield f"--data-dir {shlex.quote(options.data_dir)}"
    if options.sandbox:
        yield "--sandbox"


def _told(findings: Findings, console: Console) -> Iterator[Text]:
    for number, (complaint, checks) in enumerate(findings):
        yield from [Text()] if number else []
        yield Text(complaint, "bold")
        for title, finding in checks:
            line = marked(OF_STATUS[finding.verdict], finding.verdict, console)
            line.append(f"{' ' * (WIDEST - len(finding.verdict))}  {title}: {printable(finding.told)}")
            yield from paragraph(line, console, first="  ", rest=INDENT)
            yield from paragraph(say(f"$ {finding.next}", "dim"), console, first=INDENT, rest=f"{INDENT}  ")


def _as_json(findings: Findings) -> list[Json]:
    return [
        {
            "complaint": complaint,
            "checks": [
                {"check": title, "finding": finding.verdict, "told": finding.told, "next": finding.next}
                for title, finding in checks
            ],
        }
        for complaint, checks in findings
    ]
