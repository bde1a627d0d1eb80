"""The one place where events are emitted; a listener can neither raise into a run nor hold it up for long."""

import logging

from data_source_orchestrator.core.events import Emit, Event

_LOG = logging.getLogger("data_source_orchestrator")


class Hub:
    """Hands each event to every listener, in the order in which they came."""

    def __init__(self) -> None:
        self._listeners: tuple[Emit, ...] = ()

    def listen(self, listener: Emit) -> None:
        """Hand all later events to `listener`, which must not wait."""
        self._listeners = (*self._listeners, listener)

    def leave(self, listener: Emit) -> None:
        """Hand no more events to `listener`."""
        self._listeners = tuple(known for known in self._listeners if known is not listener)

    def emit(self, event: Event) -> None:
        """Hand an event to every listener; one that raises is told in the log, and the others still hear it."""
        for listener in self._listeners:
            try:
                listener(event)
            except Exception:  # noqa: BLE001 — whatever it raised is its own affair, and is told
                _LOG.exception("a listener raised on %s", event.type)
