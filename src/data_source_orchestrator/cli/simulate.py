"""`dso simulate`: many made-up worlds against the engine's laws, or one described outage against these settings."""

import os
from pathlib import Path

from rich.text import Text

from data_source_orchestrator.assemble import configured_sources, hosts_of
from data_source_orchestrator.cli.counting import Count, counting
from data_source_orchestrator.cli.documents import document
from data_source_orchestrator.cli.failures import INSUFFICIENT, SUFFICIENT
from data_source_orchestrator.cli.options import SimulateOptions, number
from data_source_orchestrator.cli.outage import of_forecast
from data_source_orchestrator.cli.running import run as run_until_ended
from data_source_orchestrator.cli.screen import Screen, screen_of_process
from data_source_orchestrator.cli.settled import settled
from data_source_orchestrator.cli.words import counted, span
from data_source_orchestrator.core.durations import WholeNumber
from data_source_orchestrator.core.errors import ConfigurationError
from data_source_orchestrator.settings import Settings
from data_source_orchestrator.simulation import report
from data_source_orchestrator.simulation.outage import Policies, play_outage
from data_source_orchestrator.simulation.scenario import check_sources, read_scenario
from data_source_orchestrator.simulation.sweep import Swept, cut_down, sweep


def run(options: SimulateOptions) -> int:
    """Play what was asked for."""
    screen = screen_of_process(as_json=options.json)
    if (options.seeds is None) == (options.scenario is None):
        raise ConfigurationError("give either --seeds N, to try made-up worlds, or --scenario FILE, to play an outage")
    if options.scenario is not None:
        return _play(Path(options.scenario), settled(options), screen)
    jobs = str(os.cpu_count() or 1) if options.jobs is None else options.jobs
    start, seeds = _whole(options.start, "--start", least=0), _whole(options.seeds, "--seeds", least=1)
    return run_until_ended(_sweep(start, seeds, _whole(jobs, "--jobs", least=1), screen))


async def _sweep(start: int, seeds: int, jobs: int, screen: Screen) -> int:
    count = Count(of=seeds, what="worlds")

    def told(swept: Swept) -> None:
        count.reached = swept.worlds

    with counting(screen, count):
        swept = await sweep(start, seeds, jobs=jobs, told=told)
        found = None if swept.failing is None else await cut_down(swept.failing)
    screen.document(document("simulate", seeds=report.of_sweep(start, swept, found), scenario=None))
    screen.show(Text(line) for line in ([_came_to(start, swept)] if found is None else report.story(found)))
    return SUFFICIENT if swept.failing is None else INSUFFICIENT


def _came_to(start: int, swept: Swept) -> str:
    return (
        f"{counted(swept.worlds, 'world')} from seed {start}: {counted(swept.runs, 'run')},"
        f" {counted(swept.calls, 'call')}, {span(swept.seconds)} of virtual time; every law held"
    )


def _play(path: Path, settings: Settings, screen: Screen) -> int:
    scenario = read_scenario(_text(path), str(path))
    sources = configured_sources(settings)
    check_sources(scenario, [source.key for source in sources], str(path))
    policies = Policies(
        run=settings.run,
        retry=settings.retry,
        health=settings.health,
        budget=settings.budget,
        limits=settings.limits,
        hosts=hosts_of(sources, settings),
    )
    played = play_outage(scenario, sources, policies)
    screen.document(document("simulate", seeds=None, scenario=report.of_forecast(played)))
    screen.show(of_forecast(played, screen.out))
    return SUFFICIENT


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise ConfigurationError(f"file {path} is not UTF-8 text; save it in that encoding") from None
    except OSError as error:
        told = (error.strerror or str(error)).lower()
        raise ConfigurationError(
            f"file {path}, given by --scenario, cannot be read: {told}; give the path of a scenario (TOML)"
        ) from None


def _whole(text: str | None, flag: str, *, least: int) -> int:
    value, accepted = number(text), WholeNumber(least)
    if not accepted.holds(value):
        raise ConfigurationError(f"flag {flag} is {text!r}; give {accepted.form}")
    return value
