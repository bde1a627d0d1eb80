"""The one place where events are emitted; no listener can raise into a run, nor hold it up."""

import asyncio
import logging
from dataclasses import dataclass

from data_source_orchestrator.core.events import Emit, Event
from data_source_orchestrator.core.listening import PATIENCE, Listener, Listening, name_of

_LOG = logging.getLogger("data_source_orchestrator")


@dataclass(frozen=True, slots=True)
class _Known:
    """Somebody who hears events of these kinds, and what is called for that."""

    given: Emit
    kinds: tuple[type[Event], ...]
    called: Emit


class Hub:
    """Hands each event to everybody who hears its kind, in the order in which they came."""

    def __init__(self) -> None:
        self._known: tuple[_Known, ...] = ()
        self._hearing: dict[type[Event], tuple[Emit, ...]] = {}

    @property
    def listeners(self) -> tuple[Listening, ...]:
        """How those fare who listen."""
        return tuple(known.called.fares for known in self._known if isinstance(known.called, Listener))

    def listen(self, listener: Emit, *kinds: type[Event]) -> None:
        """Let `listener` hear all later events, or those of these kinds, in a thread of its own.

        It may raise or take its time; of one that hangs, events beyond ten thousand are dropped. Raises
        `ConfigurationError` for an async function.
        """
        self._add(_Known(listener, kinds or (Event,), Listener(listener)))

    def follow(self, fold: Emit, *kinds: type[Event]) -> None:
        """Call `fold` for all later events, or those of these kinds, at once and in the emitter's own thread.

        It must not wait: it holds up everybody.
        """
        self._add(_Known(fold, kinds or (Event,), fold))

    def leave(self, hear: Emit) -> None:
        """Hand no more events to whoever listens or follows; what was handed over before is still heard."""
        self._known = tuple(known for known in self._known if known.given != hear)
        self._hearing = {}

    async def heard_out(self, within: float = PATIENCE) -> bool:
        """Wait until all who listen have heard what was told so far; False where one has not after so many seconds."""
        listeners = [known.called for known in self._known if isinstance(known.called, Listener)]
        return all(await asyncio.gather(*(listener.heard_out(within) for listener in listeners)))

    def hears(self, kind: type[Event]) -> bool:
        """Return whether anybody hears events of this kind, so that they are worth making."""
        hearing = self._hearing.get(kind)  # asked for every call
        return bool(self._hearers_of(kind) if hearing is None else hearing)

    def emit(self, event: Event) -> None:
        """Hand an event to everybody who hears its kind; of a fold that raises, the log tells."""
        for hear in self._hearers_of(type(event)):
            try:
                hear(event)
            except (Exception, asyncio.CancelledError):  # noqa: BLE001 — whatever it raised is its own affair, and is told
                _LOG.exception("%s raised on %s", name_of(hear), event.type)

    def _add(self, known: _Known) -> None:
        self._known = (*self._known, known)
        self._hearing = {}

    def _hearers_of(self, kind: type[Event]) -> tuple[Emit, ...]:
        hearing = self._hearing.get(kind)
        if hearing is None:
            hearing = tuple(known.called for known in self._known if issubclass(kind, known.kinds))
            self._hearing[kind] = hearing
        return hearing
