"""A store of HTTP answers that neither fails nor holds up a fetch: what it cannot give is asked for anew."""

import logging
from collections.abc import Coroutine, Sequence
from typing import Any, TypeVar

from data_source_orchestrator.core.clock import Clock
from data_source_orchestrator.core.patience import PATIENCE, Patience
from data_source_orchestrator.core.ports import ResponseStore, StoredResponse
from data_source_orchestrator.web.caching.memory import MemoryResponses

R = TypeVar("R")

MOST_VARIANTS = 8
"""Answers that are kept of one address; an upstream could else invent a new `Vary` with each of them."""

_LOG = logging.getLogger("data_source_orchestrator")


class Shelf:
    """Where answers are kept; whoever waits for its store waits a second at most."""

    def __init__(self, store: ResponseStore, *, clock: Clock) -> None:
        self._store = store
        self._patience = None if isinstance(store, MemoryResponses) else Patience(clock)
        self._failing = False

    async def get(self, address: str) -> Sequence[StoredResponse]:
        """Return the variants that are kept of an address, none where the store does not tell."""
        found = await self._step(self._store.get(address)) or ()
        if len(found) < MOST_VARIANTS:
            return found
        oldest, *rest = sorted(found, key=lambda kept: kept.received_at)
        await self.remove(oldest.address, oldest.variant)
        return rest

    async def put(self, response: StoredResponse) -> None:
        """Keep an answer."""
        await self._step(self._store.put(response))

    async def refresh(self, response: StoredResponse) -> None:
        """Keep all but the body of an answer whose body is kept already."""
        await self._step(self._store.refresh(response))

    async def remove(self, address: str, variant: str) -> None:
        """Let go of an answer."""
        await self._step(self._store.remove(address, variant))

    async def _step(self, step: Coroutine[Any, Any, R]) -> R | None:
        try:
            result = await (step if self._patience is None else self._patience.wait_for(step, PATIENCE))
        except Exception as error:  # noqa: BLE001 — a store is somebody else's code, and no answer depends on it
            self._tell(error)
            return None
        self._failing = False
        return result

    def _tell(self, error: Exception) -> None:
        """Tell that the store began to fail, and not of each step."""
        if not self._failing:
            self._failing = True
            _LOG.warning("the HTTP cache keeps and finds nothing for now: %s", error)
