"""Finds the plug-ins that are installed beside the library."""

from collections.abc import Iterable
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from data_source_orchestrator.core.errors import ConfigurationError, nearest
from data_source_orchestrator.core.plugin import Environment, Plugin
from data_source_orchestrator.core.source import Source

GROUP = "data_source_orchestrator.plugins"
"""The entry-point group in which a package offers a `Plugin`."""


def installed_plugins(names: Iterable[str] | None = None) -> tuple[Plugin, ...]:
    """Return the installed plug-ins, sorted by name; with `names` only these, each of which must be there."""
    found = {point.name: point for point in entry_points(group=GROUP)}
    for name in names or ():
        if name not in found:
            near = nearest(name, found)
            hint = f"did you mean {near!r}?" if near else f"installed: {', '.join(sorted(found)) or 'none'}"
            raise ConfigurationError(f"no plug-in is called {name!r}; {hint}")
    wanted = sorted(found) if names is None else list(dict.fromkeys(names))
    return tuple(_load(found[name]) for name in wanted)


def sources_of(plugins: Iterable[Plugin], environment: Environment) -> list[Source[Any]]:
    """Return the sources that plug-ins build for an environment."""
    return [source for plugin in plugins for source in plugin.sources(environment)]


def _load(point: EntryPoint) -> Plugin:
    try:
        plugin = point.load()
    except Exception as error:
        raise ConfigurationError(
            f"the plug-in {point.name!r} ({point.value}) cannot be loaded: {error}; mend or uninstall it,"
            " or name the plug-ins you want in the setting `plugins`"
        ) from error
    if not isinstance(plugin, Plugin):
        raise ConfigurationError(f"the plug-in {point.name!r} ({point.value}) is {plugin!r}; it must be a Plugin")
    return plugin
