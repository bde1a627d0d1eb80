"""The result caches of all sources that want one, each for as long as its source fetches with the same fetcher."""

from dataclasses import dataclass
from typing import Any

from data_source_orchestrator.core.clock import Clock
from data_source_orchestrator.core.contract import Judgement
from data_source_orchestrator.core.deadline import Deadline
from data_source_orchestrator.core.events import Event, SourceForgotten
from data_source_orchestrator.core.patience import PATIENCE, Patience
from data_source_orchestrator.core.policies import CachePolicy
from data_source_orchestrator.core.ports import CacheStore
from data_source_orchestrator.core.source import Fetcher, Source
from data_source_orchestrator.resilience.cache import ResultCache
from data_source_orchestrator.resilience.memory_cache import MemoryCache
from data_source_orchestrator.resilience.wanted import judged


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
        self._patience = Patience(clock)
        self._known: dict[str, _Cached] = {}
        self._to_forget: dict[str, object] = {}  # with what tells one forgetting of a source from the next

    def heard(self, event: Event) -> None:
        """Let go of what is kept of a source that was unregistered or reset, before it is asked for again."""
        if isinstance(event, SourceForgotten):
            self._known.pop(event.source, None)
            self._to_forget[event.source] = object()

    async def forget(self) -> None:
        """Do now what was to be done before a source is asked for again, or raise `StoreError`."""
        while self._to_forget:
            key, told = next(iter(self._to_forget.items()))
            await self._memory.clear(key)
            if self._store is not None:
                await self._patience.wait_for(self._store.clear(key), PATIENCE)
            self._forgot(key, told)

    async def of(self, source: Source[Any], policy: CachePolicy, deadline: Deadline) -> ResultCache[Any]:
        """Return a source's cache; what another fetcher has left in it is let go first."""
        known = self._known.get(source.key)
        if known is not None and known.fetcher is not source.fetcher:
            self._to_forget[source.key] = object()
        if known is None or known.fetcher is not source.fetcher or known.policy != policy:
            known = self._known[source.key] = _Cached(source.fetcher, policy, self._made(source, policy))
        told = self._to_forget.get(source.key)
        if told is not None and await known.cache.forget(deadline):
            self._forgot(source.key, told)
        return known.cache

    def serves(self, source: Source[Any], cache: ResultCache[Any]) -> bool:
        """Return whether this is the source's cache now, and nothing has been forgotten since it was found."""
        known = self._known.get(source.key)
        return known is not None and known.cache is cache

    def _forgot(self, key: str, told: object) -> None:
        if self._to_forget.get(key) is told:  # else it has been reset again meanwhile
            del self._to_forget[key]

    def _made(self, source: Source[Any], policy: CachePolicy) -> ResultCache[Any]:
        kept = self._store is not None and source.payload_type is not None

        def judge(payload: Any) -> Judgement:
            return judged(source, payload)  # it was compared with those before it when it came

        return ResultCache(
            policy,
            source=source.key,
            clock=self._clock,
            store=self._store if kept else self._memory,
            payload_type=source.payload_type,
            judge=judge,
        )
