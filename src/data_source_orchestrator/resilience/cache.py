"""The result cache: an earlier answer in place of a call, or beside its failure, always labelled with its age.

`look` and `settle` decide what stands before a call and after it, for whoever shares calls already; `execute` is both
with a single flight of its own. It must not know how a call is made safe, nor where entries are kept.
"""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, TypeVar

from msgspec.structs import replace

from data_source_orchestrator.core.age import Age, span
from data_source_orchestrator.core.clock import Clock
from data_source_orchestrator.core.contract import ACCEPTED, Judgement
from data_source_orchestrator.core.deadline import Deadline
from data_source_orchestrator.core.durations import in_seconds
from data_source_orchestrator.core.errors import ConfigurationError
from data_source_orchestrator.core.outcome import Executed, Failure, Skipped, Success
from data_source_orchestrator.core.patience import after_a_call, before_a_call
from data_source_orchestrator.core.policies import CachePolicy
from data_source_orchestrator.core.ports import CacheStore
from data_source_orchestrator.core.verdicts import FailureKind, SkipReason, Verdict
from data_source_orchestrator.resilience.background import Background
from data_source_orchestrator.resilience.memory_cache import MemoryCache
from data_source_orchestrator.resilience.payloads import payloads_of
from data_source_orchestrator.resilience.shelf import Kept, Shelf
from data_source_orchestrator.resilience.single_flight import SingleFlight

T = TypeVar("T")

_LOG = logging.getLogger("data_source_orchestrator")

OUR_FAULT = frozenset({FailureKind.CLIENT, FailureKind.BUG})
"""Kinds that old data must not cover up: we asked wrongly, or our own code is wrong, and waiting will not help."""

COULD_NOT_ASK = frozenset(
    {
        SkipReason.CIRCUIT_OPEN,
        SkipReason.RATE_LIMIT,
        SkipReason.BUDGET,
        SkipReason.RETRY_NOT_FEASIBLE,
        SkipReason.OFFLINE,
    }
)
"""Reasons for which old data stands in: the source would have been asked, had that been possible."""

Call = Callable[[], Awaitable[Executed[T]]]
"""Asks the source, safely; it has its own deadline, and records what it learns."""


@dataclass(frozen=True, slots=True)
class Hit(Generic[T]):
    """An earlier answer that may be served at once; where it is `stale`, only while a new one is being fetched."""

    executed: Executed[T]
    stale: bool


class ResultCache(Generic[T]):
    """Keeps one source's accepted answers by key, and serves them as a policy allows.

    Answers are kept in `store`, by default in memory. With a `payload_type` they are kept as bytes, and every caller
    gets an object of his own, decoded and judged by `judge`; without one everybody gets the very same object, to be
    read and not changed. Only inside an open `background` are stale answers refreshed there; else in the foreground.
    """

    def __init__(  # noqa: PLR0913 — each is another thing that is handed in
        self,
        policy: CachePolicy,
        *,
        source: str,
        clock: Clock,
        store: CacheStore | None = None,
        payload_type: type[T] | None = None,
        judge: Callable[[T], Judgement] = lambda _: ACCEPTED,
        background: Background | None = None,
        warn: Callable[[str], None] = _LOG.warning,
    ) -> None:
        store = MemoryCache() if store is None else store
        if payload_type is None and not store.keeps_objects:
            raise ConfigurationError(
                f"{source} has a cache that outlasts the process, and no payload_type: tell the type of its payload,"
                " or keep it in memory"
            )
        self.policy = policy
        self.source = source
        self._background = background
        self._flights: SingleFlight[Executed[T]] = SingleFlight()
        self._shelf = Shelf(
            source,
            store,
            clock=clock,
            payloads=payloads_of(payload_type, source),
            max_entries=policy.max_entries,
            judge=judge,
            warn=warn,
        )

    async def execute(self, key: str, call: Call[T]) -> Executed[T]:
        """Return an earlier answer where one may be served, else what the call gives; who asks meanwhile shares it."""
        hit = await self.look(key)
        if hit is not None and (not hit.stale or self._refreshes(key, call)):
            return hit.executed
        return await self.refresh(key, call)

    async def refresh(self, key: str, call: Call[T]) -> Executed[T]:
        """Ask whatever is kept, sharing a call that is under way; older data may still stand beside a failure."""
        return await self._flights.run(key, partial(self._asked, key, call))

    async def look(self, key: str, deadline: Deadline | None = None) -> Hit[T] | None:
        """Return the earlier answer that the policy lets stand before a call, if there is one.

        The store is waited for until the deadline at most, and never for long.
        """
        ttl, revalidate = in_seconds(self.policy.ttl), in_seconds(self.policy.stale_while_revalidate)
        kept = await self._shelf.read(key, oldest=max(ttl, revalidate), within=before_a_call(deadline))
        if kept is None:
            return None
        if kept.age < ttl:
            return Hit(self._hit(kept, f"it is asked for at most every {span(ttl)}"), stale=False)
        if kept.age <= revalidate:
            return Hit(self._hit(kept, "a new answer is still being fetched"), stale=True)
        return None

    async def settle(self, key: str, executed: Executed[T], deadline: Deadline | None = None) -> Executed[T]:
        """Keep a new answer; give a failure, or a call that was not let through, the older data that may stand by."""
        outcome = executed.outcome
        match outcome:
            case Success(age=None) if outcome.data is not None:
                await self._shelf.write(key, outcome.data, within=after_a_call(deadline))
            case Failure(kind=kind) if kind not in OUR_FAULT:
                why = f"its source failed ({kind}): {outcome.message}"
                return await self._beside(key, executed, outcome, why, deadline)
            case Skipped(reason=reason) if reason in COULD_NOT_ASK:
                why = outcome.detail or f"it was not asked ({reason})"
                return await self._beside(key, executed, outcome, why, deadline)
            case _:
                pass
        return executed

    async def forget(self, deadline: Deadline | None = None) -> bool:
        """Let go of all that is kept of the source, as when its fetcher was replaced; False where the store refuses.

        Then nothing is served until it has been done.
        """
        return await self._shelf.clear(within=before_a_call(deadline))

    async def _asked(self, key: str, call: Call[T]) -> Executed[T]:
        return await self.settle(key, await call())

    def _refreshes(self, key: str, call: Call[T]) -> bool:
        """Return whether the background is open, where a new answer is now being fetched if it was not before."""
        refresh = partial(self.refresh, key, call)
        return self._background is not None and self._background.start((self, key), refresh)

    def _hit(self, kept: Kept[T], reason: str) -> Executed[T]:
        """Return what says nothing of the source: no attempt, no latency, and a verdict that nobody counts."""
        age = Age(checked_at=kept.checked_at, seconds=kept.age, reason=reason)
        outcome = Success(
            source=self.source,
            data=kept.data,
            attempts=0,
            duration=0.0,
            latency=0.0,
            age=age,
            set_aside=kept.set_aside,
        )
        return Executed(outcome=outcome, verdict=Verdict.RELEASED)

    async def _beside(
        self, key: str, executed: Executed[T], missed: Failure | Skipped, reason: str, deadline: Deadline | None
    ) -> Executed[Any]:
        """Return the same ending with older data beside it, if some is kept that is not too old."""
        oldest = in_seconds(self.policy.stale_if_error)
        kept = await self._shelf.read(key, oldest=oldest, within=after_a_call(deadline)) if oldest else None
        if kept is None:
            return executed
        age = Age(checked_at=kept.checked_at, seconds=kept.age, reason=reason)
        return replace(executed, outcome=replace(missed, stale_data=kept.data, age=age))
