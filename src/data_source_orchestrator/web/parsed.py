"""What fetchers made of answers, remembered for as long as an upstream serves the same bodies: bounded by their size.

A body is the same by its digest, whether upstream said 304 or sent it once more. It must not know what is parsed.
"""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any, TypeVar

from data_source_orchestrator.core.context import HttpClient, HttpResponse, Parsed
from data_source_orchestrator.core.threads import FETCHER_THREAD, in_thread

T = TypeVar("T")

MOST_BYTES = 64 * 1024 * 1024
"""Bytes of the bodies of which is remembered what was made of them."""

MOST_RESULTS = 1_000
"""How much is remembered at most, however small the bodies are."""

Place = tuple[str, str]
Bodies = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class _Made:
    """What was made of bodies; `shown` is whether somebody looked at the documents that were shown meanwhile."""

    bodies: Bodies
    size: int
    result: Any
    shown: bool


class ParseMemory:
    """Remembers by source what was parsed; the least recently used goes first. May be used from several threads."""

    def __init__(self, *, max_bytes: int = MOST_BYTES) -> None:
        self._max_bytes = max_bytes
        self._made: OrderedDict[Place, _Made] = OrderedDict()  # the least recently used first
        self._bytes = 0
        self._lock = Lock()

    def of(self, source: str, http: HttpClient, *, shown: bool = False) -> Parsed:
        """Return what parses for a source's fetcher, which was answered by `http`.

        `shown` is whether somebody looks at the documents that are shown while it parses: a body of which nobody has
        seen any is then parsed once more.
        """

        async def parsed(what: str, answers: Sequence[HttpResponse], parse: Callable[[], T], /) -> T:
            bodies = tuple((answer.digest, answer.headers.get("content-type", "")) for answer in answers)
            known = self._known((source, what), bodies)
            if known is not None and (known.shown or not shown):
                return known.result  # type: ignore[no-any-return]  # it is what this very `parse` made
            try:
                result = await in_thread(parse, name=FETCHER_THREAD + source)
            except Exception:
                for answer in answers:
                    await http.forget(answer)
                raise
            size = sum(len(answer.body) for answer in answers)
            self._remember((source, what), _Made(bodies, size, result, shown))
            return result

        return parsed

    def forget(self, source: str) -> None:
        """Let go of what is remembered of a source."""
        with self._lock:
            for place in [place for place in self._made if place[0] == source]:
                self._drop(place)

    def _known(self, place: Place, bodies: Bodies) -> _Made | None:
        with self._lock:
            made = self._made.get(place)
            if made is None or made.bodies != bodies:
                return None
            self._made.move_to_end(place)
            return made

    def _remember(self, place: Place, made: _Made) -> None:
        with self._lock:
            self._drop(place)
            self._made[place] = made
            self._bytes += made.size
            while self._bytes > self._max_bytes or len(self._made) > MOST_RESULTS:
                self._drop(next(iter(self._made)))

    def _drop(self, place: Place) -> None:
        made = self._made.pop(place, None)
        self._bytes -= 0 if made is None else made.size
