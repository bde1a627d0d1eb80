"""`dso sources`: what there is to ask, who may be asked now, how old what it said is; or what was asked of whom."""

from datetime import datetime

from rich.console import Console
from rich.text import Text

from data_source_orchestrator.assemble import Whole
from data_source_orchestrator.cli.documents import document, of_source
from data_source_orchestrator.cli.failures import SUFFICIENT
from data_source_orchestrator.cli.layout import Column, Row, marked, paragraph, say, table
from data_source_orchestrator.cli.options import Common, SourcesOptions
from data_source_orchestrator.cli.performing import look, tell_unkept
from data_source_orchestrator.cli.politeness import report
from data_source_orchestrator.cli.screen import Screen
from data_source_orchestrator.cli.words import (
    BAD,
    DOUBTFUL,
    GOOD,
    HELD,
    NEITHER,
    PAUSED,
    Mark,
    ago,
    breaker,
    percent,
    span,
)
from data_source_orchestrator.core.durations import in_seconds
from data_source_orchestrator.orchestration.views import SourceView

COLUMNS = (
    Column(heading="Source"),
    Column(heading="Key"),
    Column(heading="Priority", figures=True),
    Column(heading="State"),
    Column(heading="Freshness"),
    Column(heading="Updates"),
    Column(heading="Reliability", figures=True),
    Column(heading="Timeout", figures=True),
)


def run(options: SourcesOptions) -> int:
    """List the sources, or tell what they asked of whom."""
    return look(options, report if options.politeness else _sources)


async def _sources(_: Common, whole: Whole, screen: Screen) -> int:
    tell_unkept(whole, screen)
    views = whole.orchestrator.get_source_views()
    now = whole.orchestrator.coordinator.clock.now()
    screen.document(document("sources", sources={view.source.key: of_source(view, now) for view in views}))
    screen.show(_told(views, now, screen.out))
    return SUFFICIENT


def _told(views: list[SourceView], now: datetime, console: Console) -> list[Text]:
    if not views:
        return [say("no source is registered; install a plug-in, or name it in the setting `plugins`")]
    lines = table(COLUMNS, [_row(view, now, console) for view in views], console)
    lines += [Text(), Text("Provides", "bold")]
    for view in views:
        lines += paragraph(say(f"{view.source.title}: {_provides(view)}"), console, first="  ", rest="    ")
    return lines


def _row(view: SourceView, now: datetime, console: Console) -> Row:
    source = view.source
    mark, state, why = _state(view)
    cells = [
        marked(mark, source.title, console),
        say(source.key),
        say(str(source.priority)),
        say(state),
        say(_freshness(view, now)),
        say(source.update_frequency),
        say(percent(source.reliability)),
        say(f"{in_seconds(source.timeout):g} s"),
    ]
    return Row(cells, why)


def _state(view: SourceView) -> tuple[Mark, str, str]:
    """Return a source's mark and state, and why it is not asked, or is asked whatever happens."""
    if not view.source.enabled:
        return NEITHER, "disabled", f"disabled by {view.source.switched_off_by or 'the operator'}"
    held = HELD.get(view.breaker)
    stands = f"its circuit breaker is {breaker(view.breaker)}"
    if view.admitted and view.held_for is not None:
        asked = f"its upstream asked to be left alone for another {span(view.held_for)}"
        return PAUSED, "left alone", f"{asked}; `dso enable {view.source.key}` asks it all the same"
    if view.admitted:
        return (DOUBTFUL, "enabled", f"{stands}: {held}") if held else (GOOD, "enabled", "")
    when = "an attempt is under way" if view.retry_after is None else f"tried again in {span(view.retry_after)}"
    return BAD, "left alone", f"{stands}: {held or when}"


def _freshness(view: SourceView, now: datetime) -> str:
    return "never read" if view.checked_at is None else f"{view.freshness}, checked {ago(view.checked_at, now)}"


def _provides(view: SourceView) -> str:
    if not view.source.provides:
        return "nothing that it declares"
    return ", ".join(
        f"{word} (not published by the source)" if word in view.not_published else word for word in view.source.provides
    )
