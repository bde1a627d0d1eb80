"""A played outage for people: a table of what it came to, and a timeline of each source."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from rich.cells import set_cell_size
from rich.console import Console
from rich.text import Text

from data_source_orchestrator.cli.layout import Column, Row, paragraph, say, table
from data_source_orchestrator.cli.screen import ascii_only, columns
from data_source_orchestrator.cli.words import BAD, DOUBTFUL, GOOD, NEITHER, NONE, Mark, counted, joined, percent, span
from data_source_orchestrator.simulation import report
from data_source_orchestrator.simulation.forecast import Forecast, SourceForecast, Suffered

COLUMNS = (
    Column(heading="Source"),
    Column(heading="Goodput", figures=True),
    Column(heading="Calls", figures=True),
    Column(heading="Wasted", figures=True),
    Column(heading="Left alone", figures=True),
    Column(heading="Oldest data", figures=True),
    Column(heading="Back after", figures=True),
)

WIDEST = 72
"""Cells of a timeline at most."""

TITLE = 24
"""Columns for a title at most."""

MARKS: Mapping[str, Mark] = MappingProxyType(
    {
        report.SUCCESS: GOOD,
        report.FAILURE: BAD,
        report.SKIPPED: NEITHER,
        report.MIXED: DOUBTFUL,
        report.NONE: Mark(" ", " ", ""),
    }
)


def of_forecast(forecast: Forecast, console: Console) -> list[Text]:
    """Tell what would have happened."""
    scenario = forecast.scenario
    told = (
        f"{counted(forecast.syncs, 'sync', 'syncs')} in {span(scenario.duration)}, one every {span(scenario.interval)}:"
        f" {percent(forecast.goodput)} of what was asked gave data"
    )
    rows = [Row(_cells(source), _note(source)) for source in forecast.sources]
    return [
        *paragraph(say(told), console, rest="  "),
        Text(),
        *table(COLUMNS, rows, console),
        Text(),
        *_timelines(forecast, console),
    ]


def _cells(source: SourceForecast) -> list[Text]:
    return [
        say(source.title),
        say(percent(source.goodput)),
        say(str(source.calls)),
        say(str(source.wasted_calls)),
        say(counted(source.skipped, "sync", "syncs")),
        say(span(source.oldest)),
        say(joined(_back(each) for each in source.outages) if source.outages else NONE),
    ]


def _back(suffered: Suffered) -> str:
    return "never" if suffered.recovered_after is None else span(suffered.recovered_after)


def _note(source: SourceForecast) -> str:
    times = {
        "its circuit breaker opened {}": source.trips,
        "there was no time for it {}": source.turned_away,
        "a slow call was joined by another {}": source.hedges,
        "the cache answered in its place {}": source.from_cache,
    }
    return "; ".join(told.format(counted(number, "time")) for told, number in times.items() if number)


def _timelines(forecast: Forecast, console: Console) -> Iterator[Text]:
    duration, plain = forecast.scenario.duration, ascii_only(console)
    title = min(TITLE, max((len(source.title) for source in forecast.sources), default=0))
    width = max(10, min(WIDEST, (columns(console) or 100) - title - 2, forecast.syncs))
    for source in forecast.sources:
        line = Text(f"{set_cell_size(source.title, title)}  ", no_wrap=True)
        for cell in report.cells(source, duration, width):
            mark = MARKS[cell]
            line.append(mark.ascii if plain else mark.shape, mark.style)
        yield line
        if source.outages:
            yield _ruler("outage", report.under_outage(source, duration, width), title, plain=plain)
    ends = span(duration)
    yield Text(f"{' ' * title}  0{ends:>{width - 1}}", "dim")
    yield from _legend(console, plain=plain)


def _ruler(name: str, marked: list[bool], title: int, *, plain: bool) -> Text:
    drawn = "".join(("=" if plain else "▔") if each else " " for each in marked).rstrip()
    return Text(f"{name:>{title}}  {drawn}", "dim", no_wrap=True)


def _legend(console: Console, *, plain: bool) -> list[Text]:
    words = {GOOD: "data", BAD: "failed", NEITHER: "left alone or disabled", DOUBTFUL: "some syncs with data"}
    told = ", ".join(f"{mark.ascii if plain else mark.shape} {meaning}" for mark, meaning in words.items())
    return paragraph(say(told, "dim"), console, rest="  ")
