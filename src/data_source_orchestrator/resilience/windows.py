"""Rolling windows: how many of the last attempts, or of those of the last seconds, were bad.

Integers in arrays of a fixed size, so that an attempt costs the same however many are remembered. They know neither a
clock nor what makes an attempt bad.
"""

from array import array
from collections.abc import Iterator
from typing import Protocol

from data_source_orchestrator.core.claim import Json

SLOTS = 10
"""Parts of a window by time, which moves on by one of them at once; after Polly's rolling health metrics."""

_LARGEST = 10**12  # of a stored number; an array could hold no more than 2^63


class Window(Protocol):
    """What a rule over attempts asks of a window; `total` and `bad` are right after each `add`."""

    total: int
    bad: int

    def add(self, bad: int, now: float) -> None:
        """Remember an attempt that ended at that moment: 1 where it was bad, else 0."""
        ...

    def tally(self, now: float) -> tuple[int, int]:
        """Return how many are remembered at that moment and how many of them were bad, and change nothing."""
        ...

    def clear(self) -> None:
        """Forget all."""
        ...

    def to_state(self) -> Json:
        """Return what is remembered, None where that is nothing; it only changes by `add` and `clear`."""
        ...

    def restore(self, state: Json, now: float) -> None:
        """Remember what a window of the same shape told; of any other shape, or unreadable, nothing."""
        ...


class CountWindow:
    """The last `size` attempts, as a ring of bytes."""

    def __init__(self, size: int) -> None:
        self._size = size
        self.clear()

    def clear(self) -> None:
        """Forget all."""
        self.total = self.bad = self._next = 0
        self._ring = bytearray(self._size)

    def add(self, bad: int, now: float) -> None:  # noqa: ARG002 — how long ago does not matter here
        """Remember an attempt in place of the oldest."""
        place = self._next
        self.bad += bad - self._ring[place]
        self._ring[place] = bad
        self._next = place + 1 if place + 1 < self._size else 0
        if self.total < self._size:
            self.total += 1

    def tally(self, now: float) -> tuple[int, int]:  # noqa: ARG002 — as above
        """Return how many are remembered, and how many of them were bad."""
        return self.total, self.bad

    def to_state(self) -> Json:
        """Return the results as text, the oldest first, 1 for a bad one."""
        if not self.total:
            return None
        oldest_first = self._ring[self._next :] + self._ring[: self._next]
        return {"window": self._size, "results": "".join(map(str, oldest_first[-self.total :]))}

    def restore(self, state: Json, now: float) -> None:
        """Remember the results that a window of this size told."""
        self.clear()
        match state:
            case {"window": self._size, "results": str(results)} if len(results) <= self._size:
                if not results.strip("01"):
                    for result in results:
                        self.add(int(result), now)


class TimeWindow:
    """The attempts of the last `seconds`, give or take a tenth: a count for each of ten slots.

    `now` is in seconds since 1970, so that a slot means the same in the next process.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._width = seconds / SLOTS
        self.clear()

    def clear(self) -> None:
        """Forget all."""
        self.total = self.bad = self._newest = 0
        self._totals = array("q", [0] * SLOTS)
        self._bads = array("q", [0] * SLOTS)

    def add(self, bad: int, now: float) -> None:
        """Remember an attempt in the slot of that moment, or in the newest where that is later."""
        slot = self._slot_at(now)
        if slot != self._newest:
            self._move_on(slot)
        place = self._newest % SLOTS
        self._totals[place] += 1
        self._bads[place] += bad
        self.total += 1
        self.bad += bad

    def tally(self, now: float) -> tuple[int, int]:
        """Return how many of the last seconds are remembered at that moment, and how many of them were bad."""
        oldest = self._slot_at(now) - SLOTS + 1
        held = [(total, bad) for slot, total, bad in self._slots() if slot >= oldest]
        return sum(total for total, _ in held), sum(bad for _, bad in held)

    def to_state(self) -> Json:
        """Return each slot's number, total and bad, the oldest first; those that have run out meanwhile included."""
        if not self.total:
            return None
        return {"window_seconds": self._seconds, "slots": [list(slot) for slot in self._slots()]}

    def restore(self, state: Json, now: float) -> None:
        """Remember the slots that a window of this length told; were they of the future, the newest is now."""
        self.clear()
        match state:
            case {"window_seconds": float() | int() as seconds, "slots": list(slots)} if seconds == self._seconds:
                found = _readable(slots)
                if found:
                    self._fill(found, self._slot_at(now))

    def _slot_at(self, now: float) -> int:
        return int(now // self._width)

    def _fill(self, slots: list[tuple[int, int, int]], present: int) -> None:
        newest = max(slot for slot, _, _ in slots)
        ahead = max(0, newest - present)
        self._newest = newest - ahead
        for slot, total, bad in slots:
            if slot > newest - SLOTS:
                place = (slot - ahead) % SLOTS
                self._totals[place] = total
                self._bads[place] = bad
        self.total, self.bad = sum(self._totals), sum(self._bads)

    def _move_on(self, slot: int) -> None:
        """Forget the slots that come round again; an empty window begins wherever time is."""
        if not self.total:
            self._newest = slot
        for passed in range(self._newest + 1, min(slot, self._newest + SLOTS) + 1):
            place = passed % SLOTS
            self.total -= self._totals[place]
            self.bad -= self._bads[place]
            self._totals[place] = self._bads[place] = 0
        self._newest = max(self._newest, slot)

    def _slots(self) -> Iterator[tuple[int, int, int]]:
        for slot in range(self._newest - SLOTS + 1, self._newest + 1):
            if total := self._totals[slot % SLOTS]:
                yield slot, total, self._bads[slot % SLOTS]


def _readable(slots: list[Json]) -> list[tuple[int, int, int]]:
    """Return stored slots, or none at all where they make no sense."""
    found = []
    for each in slots:
        match each:
            case [int(slot), int(total), int(bad)] if 0 <= bad <= total <= _LARGEST:
                found.append((slot, total, bad))
            case _:
                return []
    return found if len(found) <= SLOTS else []
