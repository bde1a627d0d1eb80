"""Whoever listens to events is heard out in a thread of its own: it may raise, wait or hang, and holds up nobody.

It must not know what the events are about.
"""

import asyncio
import contextlib
import inspect
import logging
import threading
import weakref
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from queue import Empty, SimpleQueue

from data_source_orchestrator.core.clock import Clock, SystemClock
from data_source_orchestrator.core.errors import ConfigurationError
from data_source_orchestrator.core.events import Emit, Event

_LOG = logging.getLogger("data_source_orchestrator")

MOST_WAITING = 10_000
"""Events that may wait for a listener that is slower than they come; what comes beyond them is dropped."""

SLOW = 0.5
"""Seconds; a listener that takes longer for one event is called slow."""

PATIENCE = 1.0
"""Seconds that a thread waits for another event before it ends, and the end of the program for a listener."""

LISTENER_THREAD = "dso-listener-"
"""How the names of threads begin in which somebody listens."""


Waiting = SimpleQueue[Event | threading.Event | None]
"""Events to be heard; between them marks to be set when it is their turn, and None at the end of the program."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listening:
    """How a listener fares; all are counts of events since it began to listen, but `slowest`.

    It raised on `errors` of them, took longer than half a second for `slow`, and never heard those that were `dropped`
    because too many waited; `waiting` it has still to hear. `slowest` is the longest that it took for one, in seconds;
    one that it is still at counts already.
    """

    name: str
    errors: int
    slow: int
    slowest: float
    dropped: int
    waiting: int


class Listener:
    """Lets a function hear events in a daemon thread, one after another and in order, and tells how it fares.

    The thread lives while there is something to hear, and a little longer. What goes wrong is told in the log once, and
    again only after it had gone well. `clock` tells how long it takes: by default the machine's, for a thread lives in
    real time whatever time a run is told. Raises `ConfigurationError` for an async function.
    """

    def __init__(self, hear: Emit, *, clock: Clock | None = None) -> None:
        self.name = name_of(hear)
        if inspect.iscoroutinefunction(hear):
            raise ConfigurationError(
                f"{self.name} is an async function, and listeners are called in a thread without an event loop;"
                " give a plain function, which can reach a loop by its call_soon_threadsafe"
            )
        self._hear = hear
        self._monotonic = (SystemClock() if clock is None else clock).monotonic
        self._waiting: Waiting = SimpleQueue()
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []  # one at the most
        self._began: float | None = None
        self._errors = self._slow = self._dropped = 0
        self._slowest = 0.0
        self._told: set[str] = set()
        weakref.finalize(self, _end_with_the_program, self._waiting, self._threads)

    def __call__(self, event: Event) -> None:
        """Let an event be heard; never raises, never waits."""
        with self._lock:
            full = self._waiting.qsize() >= MOST_WAITING
            if full:
                self._dropped += 1
            else:
                self._put(event)
        if full:
            self._tell("behind", f"has {MOST_WAITING} events still to hear, and misses those that come")
        if self._busy_for() > SLOW:
            self._tell("slow", f"takes long for an event, and holds up nobody but itself; now for {event.type}")

    @property
    def fares(self) -> Listening:
        """How it fares now."""
        busy = self._busy_for()
        return Listening(
            name=self.name,
            errors=self._errors,
            slow=self._slow + (busy > SLOW),
            slowest=max(self._slowest, busy),
            dropped=self._dropped,
            waiting=self._waiting.qsize(),
        )

    async def heard_out(self, within: float = PATIENCE) -> bool:
        """Wait until it has heard all that was told so far; False where it has not after so many real seconds."""
        mark = threading.Event()
        with self._lock:
            self._put(mark)
        return await asyncio.to_thread(mark.wait, within)

    def _put(self, thing: Event | threading.Event) -> None:
        self._waiting.put(thing)
        if self._threads:
            return
        thread = threading.Thread(target=self._hear_all, name=f"{LISTENER_THREAD}{self.name}", daemon=True)
        with contextlib.suppress(RuntimeError):  # there can be no thread now, but perhaps with the next event
            thread.start()
            self._threads.append(thread)

    def _hear_all(self) -> None:
        """Hear whatever comes, in this thread, until nothing has come for a while."""
        while True:
            try:
                thing = self._waiting.get(timeout=PATIENCE)
            except Empty:
                if self._ended():
                    return
                continue
            if thing is None:
                return
            if self._waiting.empty():
                self._told.discard("behind")
            if isinstance(thing, threading.Event):
                thing.set()
            else:
                self._heard(thing)

    def _ended(self) -> bool:
        with self._lock:
            if not self._waiting.empty():
                return False
            self._threads.clear()
        return True

    def _heard(self, event: Event) -> None:
        self._began = self._monotonic()
        try:
            self._hear(event)
        except BaseException:  # noqa: BLE001 — it is alone in its thread: whatever it raises ends nothing but this
            self._errors += 1
            self._tell("raised", f"raised on {event.type}", trace=True)
        else:
            self._told.discard("raised")
        took, self._began = self._busy_for(), None
        self._slowest = max(self._slowest, took)
        if took > SLOW:
            self._slow += 1
            self._tell("slow", f"took {took:.1f} s for {event.type}, and held up nobody but itself")
        else:
            self._told.discard("slow")

    def _busy_for(self) -> float:
        began = self._began
        return 0.0 if began is None else self._monotonic() - began

    def _tell(self, what: str, told: str, *, trace: bool = False) -> None:
        if what not in self._told:
            self._told.add(what)
            _LOG.warning("a listener, %s, %s", self.name, told, exc_info=trace)


def _end_with_the_program(waiting: Waiting, threads: Iterable[threading.Thread]) -> None:
    """Let a listener hear what has been told, if that does not take long."""
    waiting.put(None)
    for thread in threads:
        thread.join(PATIENCE)


def name_of(hear: Callable[..., object]) -> str:
    """Return what a listener is called: its own qualified name, or that of its class."""
    return getattr(hear, "__qualname__", None) or type(hear).__qualname__
