"""The result caches of all sources that want one, each for as long as its source fetches with the same fetcher."""

from dataclasses import dataclass
from typing import Any

from data_source_orchestrator.core.clock import Clock
from data_source_orchestrator.core.errors import FetchError
from data_source_orchestrator.core.events import Event, SourceForgotten
from data_source_orchestrator.core.policies import CachePolicy
from data_source_orchestrator.core.ports import CacheStore
from data_source_orchestrator.core.source import Fetcher, Source
from data_source_orchestrator.resilience.cache import ResultCache
from data_source_orchestrator.resilience.memory_cache import MemoryCache
from data_source_orchestrator.resilience.wanted import breach_of


@dataclass(frozen=True, slots=True)
class _Cached:
    fetcher: Fetcher[Any]
    policy: CachePolicy
    cache: ResultCache[Any]


class Caches:
    """Finds the cache of a source; `store` keeps what has a payload type, memory keeps the rest."""

    def __init__(self, store: CacheStore | None, clock: Clock) -> None:
        self._store = store
        self._memory = MemoryCache()
        self._clock = clock
        self._known: dict[str, _Cached] = {}
        self._forgotten: set[str] = set()

    def heard(self, event: Event) -> None:
        """Let go of what is kept of a source that was unregistered or reset, before it is asked for again."""
        if isinstance(event, SourceForgotten):
            self._forgotten.add(event.source)

    async def of(self, source: Source[Any], policy: CachePolicy) -> ResultCache[Any]:
        """Return a source's cache; what another fetcher has left in it is let go first."""
        known = self._known.get(source.key)
        replaced = known is not None and known.fetcher is not source.fetcher
        if known is None or replaced or known.policy != policy:
            known = self._known[source.key] = _Cached(source.fetcher, policy, self._made(source, policy))
        if replaced or source.key in self._forgotten:
            self._forgotten.discard(source.key)
            await known.cache.forget()
        return known.cache

    def serves(self, source: Source[Any], cache: ResultCache[Any]) -> bool:
        """Return whether this is the source's cache now, and nothing has been forgotten since it was found."""
        known = self._known.get(source.key)
        return known is not None and known.cache is cache and source.key not in self._forgotten

    def _made(self, source: Source[Any], policy: CachePolicy) -> ResultCache[Any]:
        kept = self._store is not None and source.payload_type is not None

        def breach(payload: Any) -> FetchError | None:
            return breach_of(source, payload)

        return ResultCache(
            policy,
            source=source.key,
            clock=self._clock,
            store=self._store if kept else self._memory,
            payload_type=source.payload_type,
            breach=breach,
        )
