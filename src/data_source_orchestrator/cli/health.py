"""`dso health`: how each source is doing by what happened, and, with `--probe`, by what it answers now."""

from collections.abc import Iterable
from datetime import datetime

from rich.console import Console
from rich.text import Text

from data_source_orchestrator.assemble import Whole
from data_source_orchestrator.cli import offline
from data_source_orchestrator.cli.documents import of_health
from data_source_orchestrator.cli.failures import SUFFICIENT
from data_source_orchestrator.cli.layout import Column, Row, marked, paragraph, say, table
from data_source_orchestrator.cli.options import HealthOptions
from data_source_orchestrator.cli.performing import look, tell_unkept
from data_source_orchestrator.cli.probing import probe
from data_source_orchestrator.cli.screen import Screen
from data_source_orchestrator.cli.words import DOUBTFUL, HELD, NONE, OF_STATUS, ago, breaker, percent, span
from data_source_orchestrator.health.reports import HealthReport
from data_source_orchestrator.health.state import Check
from data_source_orchestrator.health.status import HealthStatus
from data_source_orchestrator.orchestration.views import SourceView

COLUMNS = (
    Column(heading="Source"),
    Column(heading="Status"),
    Column(heading="Uptime", figures=True),
    Column(heading="Latency", figures=True),
    Column(heading="Failures", figures=True),
    Column(heading="Last success"),
    Column(heading="Last check"),
)


def run(options: HealthOptions) -> int:
    """Tell how the sources are doing."""
    return look(options, _health)


async def _health(options: HealthOptions, whole: Whole, screen: Screen) -> int:
    orchestrator = whole.orchestrator
    if options.probe:
        await probe(orchestrator, screen)  # what it finds cannot be kept either, and the log tells that
    else:
        tell_unkept(whole, screen)
    reports, overall = orchestrator.get_health_reports(), orchestrator.get_overall_health()
    views = {view.source.key: view for view in orchestrator.get_source_views()}
    screen.document(of_health(overall, reports, views))
    now = orchestrator.coordinator.clock.now()
    rows = [_row(report, views[report.key], now, screen.out) for report in reports]
    verdict = marked(OF_STATUS[overall.status], f"Overall {overall.status}: {overall.message}", screen.out)
    screen.show([*table(COLUMNS, rows, screen.out), Text()] if rows else [])
    screen.show(paragraph(verdict, screen.out, rest="  "))
    screen.show(_offline([report for report in reports if views[report.key].source.enabled], now, screen.out))
    return SUFFICIENT


def _offline(reports: Iterable[HealthReport], now: datetime, console: Console) -> list[Text]:
    """Tell of our own network, where that is the last that was heard of any source."""
    found = {report.source_name: report.offline_at for report in reports if report.offline_at}
    if not found:
        return []
    sentence = f"Offline: {offline.earlier(found, ago(max(found.values()), now))}"
    return paragraph(marked(DOUBTFUL, sentence, console), console, rest="  ")


def _row(report: HealthReport, view: SourceView, now: datetime, console: Console) -> Row:
    status = str(report.status) if view.source.enabled else "disabled"
    cells = [
        marked(OF_STATUS[status], report.source_name, console),
        say(status),
        say(percent(None if report.uptime is None else report.uptime / 100)),
        say(NONE if report.average_latency is None else span(report.average_latency)),
        say(f"{report.consecutive_failures} in a row" if report.consecutive_failures else "0"),
        say(ago(report.last_successful_fetch, now) if report.last_successful_fetch else "never"),
        say(_check(report.last_check, now) if report.last_check else "never"),
    ]
    return Row(cells, _because(report, view))


def _check(check: Check, now: datetime) -> str:
    found = "ok" if check.ok else "offline" if check.offline else "failed"
    return f"{found} {ago(check.at, now)}"


def _because(report: HealthReport, view: SourceView) -> str:
    """Say why a source is not well; of one that is, its figures say enough."""
    unwell = report.status in {HealthStatus.DEGRADED, HealthStatus.DOWN}
    told = [report.message] if unwell or report.cut_short or report.offline else []
    if report.last_check and not (report.last_check.ok or report.last_check.offline):
        told.append(f"its check failed ({report.last_check.message})")
    if view.source.enabled and view.breaker in HELD:
        told.append(f"its circuit breaker is {breaker(view.breaker)}: {HELD[view.breaker]}")
    elif view.source.enabled and not view.admitted:
        wait = "" if view.retry_after is None else f", and is tried again in {span(view.retry_after)}"
        told.append(f"it is left alone for now{wait}")
    return "; ".join(told)
