"""A listener that remembers: hands out what it heard by type, and waits for what is still to come."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol, Self, TypeVar

from data_source_orchestrator.core.events import Emit, Event

E = TypeVar("E", bound=Event)


class Hub(Protocol):
    """Where events are heard: a coordinator's `hub`."""

    def follow(self, fold: Emit, /) -> None:
        """Call `fold` for all later events, at once."""
        ...

    def leave(self, hear: Emit, /) -> None:
        """Hand no more events to whoever follows."""
        ...


class Recorder:
    """Remembers every event in `events`, in the order in which they came.

    Hand it to `coordinator.hub.follow`, or use `with recorder.listening(hub):`; it hears each event at once.
    """

    def __init__(self) -> None:
        self.events: list[Event] = []
        self._awaited: list[tuple[type[Event], Callable[[Any], bool], asyncio.Future[Any]]] = []

    def __call__(self, event: Event) -> None:
        """Hear an event."""
        self.events.append(event)
        for kind, wanted, waiter in self._awaited:
            if isinstance(event, kind) and wanted(event) and not waiter.done():
                waiter.set_result(event)

    def of(self, kind: type[E]) -> list[E]:
        """Return what was heard of this type, the oldest first."""
        return [event for event in self.events if isinstance(event, kind)]

    def last(self, kind: type[E]) -> E:
        """Return the last event of this type, or raise `LookupError` where there was none."""
        heard = self.of(kind)
        if not heard:
            names = ", ".join(sorted({event.type for event in self.events})) or "nothing"
            raise LookupError(f"no {kind.__name__} was heard, but {names}")
        return heard[-1]

    async def next(self, kind: type[E], wanted: Callable[[E], bool] = lambda _event: True) -> E:
        """Wait for the next event of this type, from now on, for which `wanted` holds.

        On a virtual-time loop one that can never come is a dead wait, which is reported at once.
        """
        entry = (kind, wanted, asyncio.get_running_loop().create_future())
        self._awaited.append(entry)
        try:
            heard: E = await entry[2]
        finally:
            self._awaited.remove(entry)
        return heard

    def forget(self) -> None:
        """Forget what was heard so far."""
        self.events.clear()

    @contextmanager
    def listening(self, hub: Hub) -> Iterator[Self]:
        """Listen to a hub until the context ends."""
        hub.follow(self)
        try:
            yield self
        finally:
            hub.leave(self)
