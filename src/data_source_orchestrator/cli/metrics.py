"""`dso metrics`: all runs, and each source's executions, in numbers."""

from datetime import datetime

from rich.console import Console
from rich.text import Text

from data_source_orchestrator.assemble import Whole
from data_source_orchestrator.cli.documents import of_metrics
from data_source_orchestrator.cli.failures import SUFFICIENT
from data_source_orchestrator.cli.layout import Column, Row, paragraph, say, table
from data_source_orchestrator.cli.options import Common
from data_source_orchestrator.cli.performing import look, tell_unkept
from data_source_orchestrator.cli.screen import Screen
from data_source_orchestrator.cli.words import NONE, ago, counted, percent, span
from data_source_orchestrator.health.metrics import Metrics, SourceMetrics

COLUMNS = (
    Column(heading="Source"),
    Column(heading="Executions", figures=True),
    Column(heading="Succeeded", figures=True),
    Column(heading="Rate", figures=True),
    Column(heading="Average", figures=True),
    Column(heading="Last success"),
    Column(heading="Last failure"),
)


def run(options: Common) -> int:
    """Tell the numbers."""
    return look(options, _metrics)


async def _metrics(_: Common, whole: Whole, screen: Screen) -> int:
    tell_unkept(whole, screen)
    metrics = whole.orchestrator.get_metrics()
    titles = {source.key: source.title for source in whole.orchestrator.coordinator.get_all_sources()}
    screen.document(of_metrics(metrics))
    screen.show(_told(metrics, titles, whole.orchestrator.coordinator.clock.now(), screen.out))
    return SUFFICIENT


def _told(metrics: Metrics, titles: dict[str, str], now: datetime, console: Console) -> list[Text]:
    rows = [Row([say(titles[key]), *_row(each, now)]) for key, each in metrics.source_metrics.items()]
    lines = table(COLUMNS, rows, console) if rows else [say("no source is registered")]
    return [*lines, Text(), *paragraph(say(_runs(metrics, now)), console, rest="  ")]


def _row(each: SourceMetrics, now: datetime) -> list[Text]:
    return [
        say(str(each.executions)),
        say(str(each.successes)),
        say(percent(each.success_rate)),
        say(NONE if each.average_duration is None else span(each.average_duration)),
        say(ago(each.last_success, now) if each.last_success else "never"),
        say(ago(each.last_failure, now) if each.last_failure else "never"),
    ]


def _runs(metrics: Metrics, now: datetime) -> str:
    if metrics.average_duration is None or metrics.last_execution is None:
        return "No run yet: `dso sync` makes one"
    return (
        f"{counted(metrics.total_executions, 'run')}, {percent(metrics.success_rate)} of them sufficient,"
        f" {span(metrics.average_duration)} on average, the last {ago(metrics.last_execution, now)}"
    )
