"""An upstream that plays a script as guarded calls do, and a cache over it, for the tests of the result cache."""

import asyncio
from typing import Any

from data_source_orchestrator.core.errors import FetchError, StoreError
from data_source_orchestrator.core.outcome import Executed, Failure, Skipped, Success
from data_source_orchestrator.core.policies import CachePolicy
from data_source_orchestrator.core.ports import CacheEntry
from data_source_orchestrator.core.verdicts import FailureKind, SkipReason, Verdict
from data_source_orchestrator.resilience.cache import ResultCache
from data_source_orchestrator.resilience.memory_cache import MemoryCache
from data_source_orchestrator.testing import VirtualClock


class Upstream:
    """Gives one line of its script per call, the last one again and again; each call lasts `lasts` seconds.

    A line is a kind of failure, a reason to skip, an error to raise, or data.
    """

    def __init__(self, *lines: Any, lasts: float = 0.0) -> None:
        self.lines = lines
        self.lasts = lasts
        self.calls = self.running = self.cancelled = 0

    async def __call__(self) -> Executed[Any]:
        self.calls += 1
        line = self.lines[min(self.calls, len(self.lines)) - 1]
        self.running += 1
        try:
            await asyncio.sleep(self.lasts)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        finally:
            self.running -= 1
        if isinstance(line, BaseException):
            raise line
        return executed(line)


ERRORS = {kind: FetchError(kind, "it is down") for kind in FailureKind}
"""One error for each kind, so that equal endings are equal."""


def executed(line: Any) -> Executed[Any]:
    if isinstance(line, FailureKind):
        failure = Failure(source="prices", kind=line, error=ERRORS[line], attempts=2, duration=1.5)
        return Executed(outcome=failure, verdict=Verdict.FAILURE)
    if isinstance(line, SkipReason):
        return Executed(outcome=Skipped(source="prices", reason=line), verdict=Verdict.RELEASED)
    success = Success(source="prices", data=line, attempts=1, duration=0.5, latency=0.5, warnings=("odd",))
    return Executed(outcome=success, verdict=Verdict.SUCCESS)


class Hanging(MemoryCache):
    """A store beside the process that never answers while it hangs."""

    keeps_objects = False
    hangs = True

    async def get(self, source: str, key: str) -> CacheEntry | None:
        await self._answer()
        return await super().get(source, key)

    async def put(self, source: str, key: str, entry: CacheEntry, *, max_entries: int) -> None:
        await self._answer()
        await super().put(source, key, entry, max_entries=max_entries)

    async def _answer(self) -> None:
        if self.hangs:
            await asyncio.get_running_loop().create_future()


class Broken(MemoryCache):
    """A store that fails while it is told to."""

    reads = writes = True

    async def get(self, source: str, key: str) -> CacheEntry | None:
        if not self.reads:
            raise StoreError("it cannot be read")
        return await super().get(source, key)

    async def put(self, source: str, key: str, entry: CacheEntry, *, max_entries: int) -> None:
        if not self.writes:
            raise OSError("it cannot be written")
        await super().put(source, key, entry, max_entries=max_entries)


def cached(clock: VirtualClock, *, ttl: float = 60, swr: float = 0, sie: float = 0, **more: Any) -> ResultCache[Any]:
    policy = CachePolicy(ttl=ttl, stale_while_revalidate=swr, stale_if_error=sie)
    return ResultCache(policy, source="prices", clock=clock, **more)


def data_of(ended: Executed[Any]) -> Any:
    assert isinstance(ended.outcome, Success), ended.outcome
    return ended.outcome.data


def nothing_left() -> bool:
    return asyncio.all_tasks() == {asyncio.current_task()}
