"""What has come in for one who waits, taken all at once: cheaper than a queue that wakes him for each."""

import asyncio
from typing import Generic, TypeVar

T = TypeVar("T")


class Arrivals(Generic[T]):
    """Things that come in at any moment, in order; only one task may wait for them."""

    def __init__(self) -> None:
        self._here: list[T] = []
        self._waiter: asyncio.Future[None] | None = None

    def put(self, thing: T) -> None:
        """Add what has come in."""
        self._here.append(thing)
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def next(self) -> list[T]:
        """Return all that has come in since the last time, waiting until there is something."""
        if not self._here:
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        here, self._here = self._here, []
        return here
