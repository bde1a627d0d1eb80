"""Settings become a running whole: everything is built here, and closed in reverse.

Also the home of the seed's ready-made pair, the one exception to "no module state", built on first use.
"""

import functools
import logging
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from data_source_orchestrator.core.claim import ENTITIES, MergeRules
from data_source_orchestrator.core.durations import WholeNumber
from data_source_orchestrator.core.errors import ConfigurationError, StoreError, StoreFlaw, UnknownSourceError, nearest
from data_source_orchestrator.core.plugin import Environment, Plugin
from data_source_orchestrator.core.policies import LimitPolicy
from data_source_orchestrator.core.source import Source
from data_source_orchestrator.fanout.coordinator import SourceCoordinator
from data_source_orchestrator.fanout.discovery import installed_plugins, sources_of
from data_source_orchestrator.history.cache import SqliteCache
from data_source_orchestrator.history.inspection import InspectionFolder
from data_source_orchestrator.history.responses import SqliteResponses
from data_source_orchestrator.history.store import SqliteStore
from data_source_orchestrator.orchestration.commit import Batch, commit
from data_source_orchestrator.orchestration.orchestrator import DataSourceOrchestrator
from data_source_orchestrator.settings import (
    Settings,
    SourceOverrides,
    host_limits,
    host_of,
    load,
    refuse_strangers,
    with_host,
)
from data_source_orchestrator.web.policy import HttpPolicy

if TYPE_CHECKING:
    orchestrator: DataSourceOrchestrator
    source_coordinator: SourceCoordinator

_LOG = logging.getLogger("data_source_orchestrator")

STORE = "dso.db"
"""The store's file in the data folder."""

SANDBOX_STORE = "sandbox.db"
"""Where made-up data goes, so that it never mixes with real data."""

BREACHES, SANDBOX_BREACHES = "breaches", "sandbox-breaches"
"""The folders, in the data folder, of what upstreams served that was no data."""

NO_FAULTS: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    """A running whole: the orchestrator, what it was built from, the file that holds its store, and where breaches are.

    `trouble` is why nothing can be kept, where it was to stand all the same: it reads what is there, or has no store.
    """

    orchestrator: DataSourceOrchestrator
    settings: Settings
    plugins: tuple[Plugin, ...]
    environment: Environment
    store: Path
    inspection: InspectionFolder
    trouble: StoreError | None = None


OpenStore = Callable[[Path], Awaitable[SqliteStore | StoreError]]
"""Opens the store in a file, or gives what keeps it from being used where the whole is to stand without one."""


@asynccontextmanager
async def assemble(
    settings: Settings,
    *,
    data_dir: Path,
    sandbox: bool = False,
    faults: Mapping[str, str] = NO_FAULTS,
    open_store: OpenStore = SqliteStore.open,
) -> AsyncIterator[Whole]:
    """Build an orchestrator with its store from settings; with `sandbox` over the plug-ins' made-up upstreams.

    `faults` are the sandbox's switches to throw, by source key.
    """
    plugins = installed_plugins(settings.plugins)
    path = data_dir / (SANDBOX_STORE if sandbox else STORE)
    inspection = InspectionFolder(data_dir / (SANDBOX_BREACHES if sandbox else BREACHES))
    async with AsyncExitStack() as stack:
        environment = dict(settings.environment)
        if sandbox:
            environment |= await stack.enter_async_context(made_up_upstreams(settings, faults=faults))
        sources = _configured(plugins, environment, settings)
        if sandbox:
            sources = _made_up(sources, plugins, environment)
        _refuse_beyond(sources, settings)
        coordinator = _coordinator(sources, settings, hosts_of(sources, settings))
        opened = await open_store(path)
        store, trouble = (None, opened) if isinstance(opened, StoreError) else (opened, opened.trouble)
        if store is not None:
            stack.push_async_callback(store.close)
        cached = await _cache(path, sources) if trouble is None else None
        if cached is not None:
            stack.push_async_callback(cached.close)
        # Made-up upstreams stand elsewhere each time, so that nothing of theirs would ever be found again.
        responses = await _responses(path, settings.http) if trouble is None and not sandbox else None
        if responses is not None:
            stack.push_async_callback(responses.close)
        orchestrator = DataSourceOrchestrator(
            coordinator,
            settings.run,
            settings.retry,
            store=store,
            rules=_rules(plugins),
            http=settings.http,
            budget=settings.budget,
            cached=cached,
            gate=settings.gate,
            freshness=settings.freshness,
            inspection=inspection if trouble is None else None,
            responses=responses,
        )
        await stack.enter_async_context(orchestrator)
        yield Whole(
            orchestrator=orchestrator,
            settings=settings,
            plugins=plugins,
            environment=environment,
            store=path,
            inspection=inspection,
            trouble=trouble,
        )


async def _cache(path: Path, sources: Iterable[Source[Any]]) -> SqliteCache | None:
    """Open the result cache in the store's file, if a source keeps there; where it cannot be, memory is used."""
    keeping = [source for source in sources if source.cache_policy is not None]
    for source in keeping:
        if source.payload_type is None:
            _LOG.warning("%s has a cache and no payload_type: what it keeps ends with this process", source.key)
    if not any(source.payload_type is not None for source in keeping):
        return None
    try:
        return await SqliteCache.open(path)
    except StoreError as error:
        _LOG.warning("what caches keep ends with this process: %s", error)
        return None


async def _responses(path: Path, http: HttpPolicy) -> SqliteResponses | None:
    """Open what the HTTP cache keeps in the store's file; where it cannot be, memory is used."""
    if not http.cache:
        return None
    try:
        return await SqliteResponses.open(path, max_bytes=http.cache_bytes)
    except StoreError as error:
        _LOG.warning("what the HTTP cache keeps ends with this process: %s", error)
        return None


async def store_to_read(path: Path) -> SqliteStore:
    """Open a store for whoever only reads: where it cannot be written, what is there is read as it is."""
    try:
        return await SqliteStore.open(path)
    except StoreError as trouble:
        if trouble.flaw in {StoreFlaw.DAMAGED, StoreFlaw.LOCKED}:
            raise
        with suppress(StoreError):
            return await SqliteStore.open_to_read(path, trouble)
        raise


async def store_or_trouble(path: Path) -> SqliteStore | StoreError:
    """Open a store that can be read and written: what it remembers is read, and part of it written again as it is."""
    try:
        store = await SqliteStore.open(path)
    except StoreError as error:
        return error
    try:
        await store.write(lambda transaction: commit(transaction, Batch(breakers={})))
    except StoreError as error:
        await store.close()
        return error
    return store


@asynccontextmanager
async def made_up_upstreams(
    settings: Settings, *, faults: Mapping[str, str] = NO_FAULTS, port: int = 0
) -> AsyncIterator[Environment]:
    """Serve the plug-ins' sandboxes alone, and give the variables that point their sources there.

    `port` is the first port of the first sandbox, 0 any that is free; the others take any.
    """
    plugins = installed_plugins(settings.plugins)
    thrown = _by_plugin(plugins, faults, settings.environment) if faults else {}
    variables: dict[str, str] = {}
    async with AsyncExitStack() as stack:
        for plugin in plugins:
            if plugin.sandbox is not None:
                serving = plugin.sandbox(faults=thrown.get(plugin.name, NO_FAULTS), port=port)
                variables |= await stack.enter_async_context(serving)
                port = 0
        yield variables


def configured_sources(settings: Settings) -> tuple[Source[Any], ...]:
    """Return the installed sources with the settings laid over them; nothing is opened."""
    sources = tuple(_configured(installed_plugins(settings.plugins), settings.environment, settings))
    _refuse_beyond(sources, settings)
    return sources


@functools.cache
def live() -> DataSourceOrchestrator:
    """Return the ready-made orchestrator, built once from the environment and the plug-ins; it has no store."""
    settings = load(environ=os.environ, folder=Path.cwd())
    plugins = installed_plugins(settings.plugins)
    return DataSourceOrchestrator(
        _coordinator(_configured(plugins, settings.environment, settings), settings, settings.hosts),
        settings.run,
        settings.retry,
        rules=_rules(plugins),
        http=settings.http,
        budget=settings.budget,
        gate=settings.gate,
        freshness=settings.freshness,
    )


def __getattr__(name: str) -> Any:
    """Give the seed's `orchestrator` and `source_coordinator`, which are one pair."""
    match name:
        case "orchestrator":
            return live()
        case "source_coordinator":
            return live().coordinator
        case _:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def _by_plugin(
    plugins: Iterable[Plugin], faults: Mapping[str, str], environment: Environment
) -> dict[str, dict[str, str]]:
    """Sort faults by the plug-in that owns their source; raise `UnknownSourceError` for one that none owns."""
    owners = {source.key: plugin.name for plugin in plugins for source in plugin.sources(environment)}
    sorted_out: dict[str, dict[str, str]] = {}
    for key, spec in faults.items():
        if key not in owners:
            raise UnknownSourceError(key, owners)
        sorted_out.setdefault(owners[key], {})[key] = spec
    return sorted_out


def hosts_of(sources: Iterable[Source[Any]], settings: Settings) -> dict[str, LimitPolicy]:
    """Return how much the command asks at most of each host that these sources name."""
    return host_limits({source.host: None for source in sources if source.host is not None}, settings.hosts)


def _coordinator(
    sources: Iterable[Source[Any]], settings: Settings, hosts: Mapping[str, LimitPolicy]
) -> SourceCoordinator:
    return SourceCoordinator(sources, health=settings.health, limits=settings.limits, host_limits=hosts)


def _configured(plugins: Sequence[Plugin], environment: Environment, settings: Settings) -> list[Source[Any]]:
    """Return the plug-ins' sources with the settings laid over them."""
    sources = sources_of(plugins, environment)
    keys = [source.key for source in sources]
    refuse_strangers(settings, [variable.name for plugin in plugins for variable in plugin.variables], keys)
    _refuse_unknown(settings.sources, keys)
    overridden = _with_settings(sources, settings)
    if settings.hosts:
        real = _with_settings(sources_of(plugins, settings.environment), settings)  # a sandbox has no host of anybody's
        _refuse_strange_hosts(settings, {source.host for source in real if source.host is not None})
    return [_heeding(source) for source in overridden]


def _with_settings(sources: Iterable[Source[Any]], settings: Settings) -> list[Source[Any]]:
    """Lay the settings over sources, and let each name its host."""
    return [with_host(_overridden(each, settings.sources.get(each.key, SourceOverrides()))) for each in sources]


def _heeding(source: Source[Any]) -> Source[Any]:
    """Return a source that keeps the waits its upstream asks for; limits that set no pace of their own do only that."""
    return source.but(limits=LimitPolicy()) if source.limits is None and source.host is None else source


def _made_up(sources: Iterable[Source[Any]], plugins: Iterable[Plugin], environment: Environment) -> list[Source[Any]]:
    """Return the sources whose plug-in has a sandbox; no other may be asked where made-up data is wanted.

    Made-up upstreams are the same from one command to the next, wherever they are served, and nobody's host.
    """
    keys = {source.key for source in sources_of((each for each in plugins if each.sandbox), environment)}
    return [_heeding(_of_nobody(source)) for source in sources if source.key in keys]


def _of_nobody(source: Source[Any]) -> Source[Any]:
    """Return a source that reads from no host of anybody's; one that was named for it by a setting stays."""
    named = source.host if source.host != host_of(source.upstream.partition(" ")[0]) else None
    return source.but(upstream="", host=named)


def _overridden(source: Source[Any], overrides: SourceOverrides) -> Source[Any]:
    """Lay a table of settings over a source; whichever setting switches it off is named, and wins."""
    changed = overrides.apply(source)
    if source.switched_off_by:
        return changed.but(enabled=False)
    if overrides.enabled is False:
        return changed.but(switched_off_by=f"{overrides.origin} enabled")
    return changed


def _refuse_unknown(overrides: Mapping[str, SourceOverrides], known: list[str]) -> None:
    for key, table in overrides.items():
        if key not in known:
            near = nearest(key, known)
            hint = f"did you mean {near!r}?" if near else f"there are {', '.join(known) or 'none'}"
            raise ConfigurationError(f"{table.origin}: no source is called {key!r}; {hint}")


def _refuse_strange_hosts(settings: Settings, named: Collection[str]) -> None:
    """Refuse limits of a host that no source names: nothing would ever keep them."""
    for host in settings.hosts:
        if host not in named:
            origin = next(told for key, told in settings.origins.items() if key.startswith(f"hosts.{host}"))
            there = f"; there are {', '.join(sorted(named))}" if named else ""
            raise ConfigurationError(
                f"{origin}: no source names the host {host!r}{there}; name it under [sources.KEY], as host = {host!r}"
            )


def _refuse_beyond(sources: Sequence[Source[Any]], settings: Settings) -> None:
    """Refuse to demand more sources than there are: no run could ever be sufficient."""
    wanted, most = settings.run.min_successful_sources, max(1, len(sources))
    if wanted <= most:
        return
    origin = settings.origins.get("run.min_successful_sources", "min_successful_sources")
    there = f"there are {len(sources)} sources" if len(sources) > 1 else f"there is {len(sources) or 'no'} source"
    known = f" ({', '.join(source.key for source in sources)})" if sources else ""
    raise ConfigurationError(
        f"{origin} is {wanted}, and {there}{known}, so no run could be sufficient; give {WholeNumber(0, most).form}"
    )


def _rules(plugins: Iterable[Plugin]) -> MergeRules:
    """Return the rules of all plug-ins together; entities go by a name of their own where all agree on it."""
    rules = [plugin.rules for plugin in plugins]
    called = {each.called for each in rules}
    return MergeRules(
        order={field: order for each in rules for field, order in each.order.items()},
        capabilities={word: carrier for each in rules for word, carrier in each.capabilities.items()},
        groups=tuple(dict.fromkeys(field for each in rules for field in each.groups)),
        volatile=tuple(dict.fromkeys(field for each in rules for field in each.volatile)),
        called=called.pop() if len(called) == 1 else ENTITIES,
        parts={prefix: word for each in rules for prefix, word in each.parts.items()},
    )
