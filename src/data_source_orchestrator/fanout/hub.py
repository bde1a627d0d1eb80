"""The one place where events are emitted; a listener can neither raise into a run nor hold it up for long."""

import asyncio
import logging

from data_source_orchestrator.core.events import Emit, Event

_LOG = logging.getLogger("data_source_orchestrator")


class Hub:
    """Hands each event to every listener that hears its kind, in the order in which they came."""

    def __init__(self) -> None:
        self._listeners: tuple[tuple[Emit, tuple[type[Event], ...]], ...] = ()
        self._hearing: dict[type[Event], tuple[Emit, ...]] = {}

    def listen(self, listener: Emit, *kinds: type[Event]) -> None:
        """Hand all later events, or those of these kinds, to `listener`, which must not wait."""
        self._listeners = (*self._listeners, (listener, kinds or (Event,)))
        self._hearing = {}

    def leave(self, listener: Emit) -> None:
        """Hand no more events to `listener`."""
        self._listeners = tuple(known for known in self._listeners if known[0] is not listener)
        self._hearing = {}

    def hears(self, kind: type[Event]) -> bool:
        """Return whether anybody hears events of this kind, so that they are worth making."""
        return bool(self._listeners) and bool(self._listeners_of(kind))

    def emit(self, event: Event) -> None:
        """Hand an event to every listener; one that raises is told in the log, and the others still hear it."""
        for listener in self._listeners_of(type(event)):
            try:
                listener(event)
            except (Exception, asyncio.CancelledError):  # noqa: BLE001 — whatever it raised is its own affair, and is told
                _LOG.exception("a listener raised on %s", event.type)

    def _listeners_of(self, kind: type[Event]) -> tuple[Emit, ...]:
        hearing = self._hearing.get(kind)
        if hearing is None:
            hearing = tuple(listener for listener, kinds in self._listeners if issubclass(kind, kinds))
            self._hearing[kind] = hearing
        return hearing
