"""`dso sandbox`: the plug-ins' made-up upstreams alone, until somebody ends them, for programs of any language."""

import asyncio
from collections.abc import Mapping
from typing import Any

from data_source_orchestrator.assemble import made_up_upstreams
from data_source_orchestrator.cli.documents import document
from data_source_orchestrator.cli.failures import SUFFICIENT
from data_source_orchestrator.cli.layout import Column, Row, say, table
from data_source_orchestrator.cli.logs import told_on
from data_source_orchestrator.cli.options import SandboxOptions, number
from data_source_orchestrator.cli.running import run as run_until_ended
from data_source_orchestrator.cli.screen import Screen, screen_of_process
from data_source_orchestrator.cli.settled import data_folder, faults, settled
from data_source_orchestrator.core.errors import ConfigurationError
from data_source_orchestrator.fanout.discovery import installed_plugins
from data_source_orchestrator.settings import Settings

COLUMNS = (Column(heading="Fault"), Column(heading="For"), Column(heading="The upstream"))


def run(options: SandboxOptions) -> int:
    """Serve until ended, or tell what can be thrown."""
    screen = screen_of_process(as_json=options.json)
    settings = settled(options)
    if options.list_faults:
        return _list(settings, screen)
    port = number(options.port)
    if not isinstance(port, int):
        raise ConfigurationError(f"flag --port is {port!r}; give a whole number, such as 8000, or 0")
    with told_on(screen, data_folder(settings)):
        return run_until_ended(_serve(settings, faults(options), port, screen))


async def _serve(settings: Settings, thrown: Mapping[str, str], port: int, screen: Screen) -> int:
    async with made_up_upstreams(settings, faults=thrown, port=port) as variables:
        if not variables:
            raise ConfigurationError("no plug-in here has made-up upstreams; install one, or name it in `plugins`")
        screen.document(document("sandbox", variables=dict(variables), faults=dict(thrown), switches=None))
        screen.show(say(f"export {name}={url}") for name, url in variables.items())
        screen.tell("serving made-up upstreams on this machine; Ctrl-C ends them")
        await asyncio.Event().wait()
    return SUFFICIENT


def _list(settings: Settings, screen: Screen) -> int:
    switches = [switch for plugin in installed_plugins(settings.plugins) for switch in plugin.faults()]
    told: Any = [
        {"name": each.name, "spelling": each.spelling, "meaning": each.meaning, "sources": list(each.sources)}
        for each in switches
    ]
    screen.document(document("sandbox", variables=None, faults=None, switches=told))
    rows = [Row([say(each.spelling), say(", ".join(each.sources)), say(each.meaning)]) for each in switches]
    screen.show(table(COLUMNS, rows, screen.out))
    screen.show([say(""), say("Throw them as --fault KEY=SPEC; several for one source are joined by +.")])
    return SUFFICIENT
