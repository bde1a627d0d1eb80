"""A source that does as it is told: each call takes the next step of its script, the last step for ever."""

import asyncio
from dataclasses import dataclass
from typing import Any

from data_source_orchestrator.core.source import Source


@dataclass(frozen=True, slots=True)
class After:
    """Wait that many seconds of the event loop, then take `step`."""

    seconds: float
    step: Any = None


@dataclass(frozen=True, slots=True)
class Hang:
    """Never return; with `stubborn`, not even when cancelled, until that many seconds have passed."""

    stubborn: float = 0.0


class Script:
    """A fetcher made of steps: an exception is raised, a function called, `After` and `Hang` obeyed, else returned.

    `calls` holds the loop's time at the beginning of each call, `running` how many are under way.
    """

    def __init__(self, *steps: Any) -> None:
        self.steps = steps
        self.calls: list[float] = []
        self.running = 0
        self.cancelled = 0

    async def __call__(self) -> Any:
        """Take the next step."""
        step = self.steps[min(len(self.calls), len(self.steps) - 1)]
        self.calls.append(asyncio.get_running_loop().time())
        self.running += 1
        try:
            return await self._take(step)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        finally:
            self.running -= 1

    async def _take(self, step: Any) -> Any:
        if isinstance(step, After):
            await asyncio.sleep(step.seconds)
            return await self._take(step.step)
        if isinstance(step, Hang):
            return await _hang(step.stubborn)
        if isinstance(step, BaseException):
            raise step
        return step() if callable(step) else step


async def _hang(stubborn: float) -> None:
    loop = asyncio.get_running_loop()
    try:
        await loop.create_future()
    except asyncio.CancelledError:
        until = loop.time() + stubborn
        while loop.time() < until:
            try:
                await asyncio.sleep(until - loop.time())
            except asyncio.CancelledError:
                continue
        if not stubborn:
            raise


def scripted(key: str, *steps: Any, **members: Any) -> Source[Any]:
    """Return a source that follows a script; its fetcher is the `Script`."""
    return Source(key=key, fetcher=Script(*steps), **members)


def script_of(source: Source[Any]) -> Script:
    """Return the script of a scripted source."""
    if not isinstance(source.fetcher, Script):
        raise TypeError(f"{source.key!r} is not scripted; make it with scripted(…)")
    return source.fetcher
