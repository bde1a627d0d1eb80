"""HTTP answers in this process's memory: bounded in bytes, and the least recently used goes first."""

from collections import OrderedDict
from collections.abc import Sequence
from threading import Lock

from data_source_orchestrator.core.durations import count
from data_source_orchestrator.core.ports import StoredResponse

Place = tuple[str, str]


class MemoryResponses:
    """Keeps answers for as long as the process lives; may be used from several threads. `max_bytes` bounds them all."""

    def __init__(self, *, max_bytes: int) -> None:
        self._max_bytes = count(max_bytes, "max_bytes", least=1)
        self._kept: OrderedDict[Place, StoredResponse] = OrderedDict()  # the least recently used first
        self._variants: dict[str, list[str]] = {}
        self._bytes = 0
        self._lock = Lock()

    async def get(self, address: str) -> Sequence[StoredResponse]:
        """Return the variants that are kept of an address."""
        with self._lock:
            return [self._kept[address, variant] for variant in self._variants.get(address, ())]

    async def put(self, response: StoredResponse) -> None:
        """Keep an answer, and let go of the least recently used ones; one larger than all the room is not kept."""
        with self._lock:
            self._drop((response.address, response.variant))
            if response.size <= self._max_bytes:
                self._add(response)

    async def refresh(self, response: StoredResponse) -> None:
        """Keep an answer in place of the one of the same body, if that is still kept."""
        place = response.address, response.variant
        with self._lock:
            known = self._kept.get(place)
            if known is not None and known.digest == response.digest:
                self._drop(place)
                self._add(response)

    async def remove(self, address: str, variant: str) -> None:
        """Let go of an answer, if there is one."""
        with self._lock:
            self._drop((address, variant))

    def _add(self, response: StoredResponse) -> None:
        self._kept[response.address, response.variant] = response
        self._variants.setdefault(response.address, []).append(response.variant)
        self._bytes += response.size
        while self._bytes > self._max_bytes:
            self._drop(next(iter(self._kept)))

    def _drop(self, place: Place) -> None:
        dropped = self._kept.pop(place, None)
        if dropped is None:
            return
        self._bytes -= dropped.size
        variants = self._variants[place[0]]
        variants.remove(place[1])
        if not variants:
            del self._variants[place[0]]
