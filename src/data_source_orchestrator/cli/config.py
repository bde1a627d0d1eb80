"""`dso config`: which value each setting has here, and where it was set."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from rich.console import Console
from rich.text import Text

from data_source_orchestrator.assemble import configured_sources, hosts_of
from data_source_orchestrator.cli.documents import as_json, document
from data_source_orchestrator.cli.failures import SUFFICIENT
from data_source_orchestrator.cli.layout import Column, Row, paragraph, say, table
from data_source_orchestrator.cli.options import Common
from data_source_orchestrator.cli.screen import screen_of_process
from data_source_orchestrator.cli.settled import data_folder, settled
from data_source_orchestrator.cli.words import NONE
from data_source_orchestrator.core.claim import Json
from data_source_orchestrator.core.source import Source
from data_source_orchestrator.settings import SETTINGS, Setting, Settings
from data_source_orchestrator.settings.reference import ANY, HOST, SOURCE
from data_source_orchestrator.settings.spelling import Key, spelled
from data_source_orchestrator.settings.written import written

COLUMNS = (Column(heading="Setting"), Column(heading="Value"), Column(heading="Set by"))

DEFAULT, PLUG_IN = "default", "plug-in"
"""Where a value comes from that nobody has set here."""

OFF = object()
"""Stands for a member of a policy that is not switched on."""

REST = "A source's defaults, and policies that are off, are not told here; --json tells all defaults."


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A setting in force: its key, its value, and who has set it."""

    key: Key
    value: object
    origin: str


def run(options: Common) -> int:
    """Tell the settings."""
    screen = screen_of_process(as_json=options.json)
    settings = settled(options)
    held = [each for each in _held(settings, configured_sources(settings)) if each.value is not OFF]
    screen.document(document("config", settings={".".join(each.key): _document(each) for each in held}))
    screen.show(_told(held, screen.out))
    return SUFFICIENT


def _held(settings: Settings, sources: Sequence[Source[Any]]) -> Iterator[Held]:
    """Return every setting of the reference as it is here, all of them for each host and each source."""
    origins = settings.origins
    for setting in SETTINGS:
        key = setting.key.split(".")
        if key[0] not in ANY:
            yield _of(tuple(key), _general(settings, key), origins)
    for host, limits in hosts_of(sources, settings).items():
        for _, members in _below(f"{HOST}.limits."):
            yield _of(("hosts", host, "limits", *members), _member(limits, members), origins)
    for source in sources:
        for setting, members in _below(f"{SOURCE}."):
            yield _of_source(source, members, setting.default, origins)


def _below(above: str) -> list[tuple[Setting, list[str]]]:
    """Return the settings of a table, each with what follows in its key."""
    return [(each, each.key.removeprefix(above).split(".")) for each in SETTINGS if each.key.startswith(above)]


def _general(settings: Settings, key: Sequence[str]) -> object:
    match key:
        case ["run", "budget", name]:
            return getattr(settings.budget, name)
        case ["store", "data_dir"]:
            return str(data_folder(settings))
        case _:
            return _member(settings, key)


def _of(key: Key, value: object, origins: Mapping[str, str]) -> Held:
    return Held(key=key, value=value, origin=origins.get(".".join(key), DEFAULT))


def _of_source(source: Source[Any], members: Sequence[str], default: object, origins: Mapping[str, str]) -> Held:
    value = _member(source, members)
    held = _of(("sources", source.key, *members), value, origins)
    return replace(held, origin=PLUG_IN) if held.origin == DEFAULT and value != default else held


def _member(thing: object, path: Iterable[str]) -> object:
    """Return what stands at the end of a path of members, `OFF` where it ends before."""
    for name in path:
        if thing is None:
            return OFF
        thing = getattr(thing, name)
    return thing


def _document(held: Held) -> Json:
    return {"value": as_json(held.value), "set_by": held.origin}


def _told(held: Sequence[Held], console: Console) -> list[Text]:
    rows = [Row(_cells(each)) for each in held if _is_notable(each)]
    return [*table(COLUMNS, rows, console), Text(), *paragraph(say(REST), console)]


def _is_notable(held: Held) -> bool:
    """Return whether this would be missed: of a source, what is no default, and whatever is switched on."""
    if held.key[0] != "sources" or held.origin != DEFAULT:
        return True
    return len(held.key) > len(("sources", "KEY", "name")) and held.key[2] not in {"breaker", "contract"}


def _cells(held: Held) -> list[Text]:
    value = NONE if held.value is None else written(held.value)
    return [say(spelled(held.key)), say(value), say(held.origin)]
