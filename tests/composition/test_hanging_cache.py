"""A cache's store that hangs: no run waits for it beyond its limit, no fetch fails by it, and it is told once."""

import asyncio
import gc
from typing import Any

import pytest
from test_result_cache_rig import Broken, Upstream, cached, data_of, executed, nothing_left

from data_source_orchestrator import (
    CachePolicy,
    DataSourceOrchestrator,
    Failure,
    OrchestratorConfig,
    RetryConfig,
    Source,
    SourceCoordinator,
)
from data_source_orchestrator.core.deadline import Deadline
from data_source_orchestrator.core.errors import StoreError
from data_source_orchestrator.core.patience import GRACE, PATIENCE
from data_source_orchestrator.core.ports import CacheEntry
from data_source_orchestrator.core.verdicts import FailureKind, SkipReason
from data_source_orchestrator.resilience.memory_cache import MemoryCache
from data_source_orchestrator.testing import VirtualClock

TOLD = "it does not answer"


class Hanging(MemoryCache):
    """A store outside of this process that answers after so many seconds, for ever none where it hangs.

    Where it is `stubborn` it swallows its cancellation, as a thread does that cannot be interrupted. An `error` is
    raised in place of every answer, however late.
    """

    keeps_objects = False
    reads_at_once = False

    def __init__(
        self, *, hangs: bool = False, lasts: float = 0.0, stubborn: bool = False, error: BaseException | None = None
    ) -> None:
        super().__init__()
        self.error = error
        self.hangs = hangs
        self.lasts = lasts
        self.stubborn = stubborn
        self.asked = self.cancelled = 0

    async def _answer(self) -> None:
        self.asked += 1
        ends = asyncio.get_running_loop().time() + (10_000 if self.hangs else self.lasts)
        while (left := ends - asyncio.get_running_loop().time()) > 0:
            try:
                await asyncio.sleep(left)
            except asyncio.CancelledError:
                self.cancelled += 1
                if not self.stubborn:
                    raise self.error or asyncio.CancelledError from None
        if self.error is not None:
            raise self.error

    async def get(self, source: str, key: str) -> CacheEntry | None:
        if not self.reads_at_once:
            await self._answer()
        return await super().get(source, key)

    async def put(self, source: str, key: str, entry: CacheEntry, *, max_entries: int) -> None:
        await self._answer()
        await super().put(source, key, entry, max_entries=max_entries)

    async def remove(self, source: str, key: str) -> None:
        await self._answer()
        await super().remove(source, key)

    async def clear(self, source: str) -> None:
        await self._answer()
        await super().clear(source)


async def second() -> int:
    await asyncio.sleep(1)
    return 7


def orchestrate(store: Hanging, fetcher: Any = second, *, timeout: float = 5, **members: Any) -> DataSourceOrchestrator:
    source = Source(key="a", fetcher=fetcher, payload_type=int, **{"cache": CachePolicy(ttl=60), **members})
    coordinator = SourceCoordinator([source], clock=VirtualClock())
    config = OrchestratorConfig(timeout=timeout)
    return DataSourceOrchestrator(coordinator, config, RetryConfig(max_retries=0), cached=store)


def now() -> float:
    return asyncio.get_running_loop().time()


@pytest.mark.parametrize("stubborn", [False, True])
async def test_a_hung_store_is_waited_for_once_and_the_fetch_goes_on_without_a_cache(
    stubborn: bool, caplog: pytest.LogCaptureFixture
):
    orchestrator, began = orchestrate(Hanging(hangs=True, stubborn=stubborn)), now()
    assert (await orchestrator.fetch())["a"] == 7
    assert now() - began <= 1 + 2 * PATIENCE
    began = now()
    assert (await orchestrator.fetch())["a"] == 7
    if stubborn:  # what hangs still is not waited for again
        assert now() - began == pytest.approx(1)
    told = [record.message for record in caplog.records if TOLD in record.message]
    assert [sum(f"cannot be {done}" in line for line in told) for done in ("read", "written")] == [1, 1]


@pytest.mark.pair("deadline", "cache")
@pytest.mark.parametrize("limit", [0.1, 1.5, 3, 20])
async def test_a_hung_store_leaves_the_call_most_of_its_time_and_ends_with_the_runs_limit(limit: float):
    async def half() -> int:
        await asyncio.sleep(limit / 2)
        return 7

    orchestrator, began = orchestrate(Hanging(hangs=True), half, timeout=limit), now()
    assert (await orchestrator.fetch())["a"] == 7
    assert now() - began <= limit + GRACE


async def test_a_source_that_times_out_still_has_its_older_data_beside_it_and_no_hung_store_holds_it_up():
    store = Hanging()
    down: list[bool] = []

    async def upstream() -> int:
        await asyncio.sleep(100 if down else 0)
        return 7

    orchestrator = orchestrate(store, upstream, timeout=3, cache=CachePolicy(ttl=0, stale_if_error=600))
    await orchestrator.fetch()
    down.append(True)
    store.lasts = 0.01
    outcome = (await orchestrator.fetch()).outcomes["a"]
    assert isinstance(outcome, Failure)
    assert (outcome.kind, outcome.stale_data) == (FailureKind.TIMEOUT, 7)
    store.hangs, began = True, now()
    outcome = (await orchestrator.fetch()).outcomes["a"]
    assert isinstance(outcome, Failure)
    assert (outcome.kind, outcome.stale_data) == (FailureKind.TIMEOUT, None)
    assert now() - began <= 3 + GRACE


@pytest.mark.parametrize("line", [FailureKind.SERVER, SkipReason.CIRCUIT_OPEN])
async def test_a_hung_store_with_older_data_is_waited_for_until_the_deadline(clock: VirtualClock, line: object):
    cache = cached(clock, sie=600, store=Hanging(hangs=True), payload_type=str)
    assert await cache.settle("k", executed(line), Deadline.after(clock, 0.5)) == executed(line)
    assert now() == 0.5


async def test_a_hung_store_leaves_most_of_a_deadline_to_whoever_wants_it_to_forget(clock: VirtualClock):
    cache = cached(clock, store=Hanging(hangs=True), payload_type=str)
    assert not await cache.forget(Deadline.after(clock, 0.4))
    assert now() == 0.1


async def test_a_hung_store_that_is_still_to_forget_leaves_most_of_a_deadline_to_whoever_reads(clock: VirtualClock):
    store = Hanging(error=StoreError("not now"))
    cache = cached(clock, store=store, payload_type=str)
    assert not await cache.forget()
    store.hangs = True
    assert await cache.look("k", Deadline.after(clock, 0.4)) is None
    assert now() == 0.1


async def test_an_entry_of_no_use_that_the_store_is_slow_to_let_go_of_is_told_and_holds_nobody_up(clock: VirtualClock):
    told: list[str] = []
    store = Hanging()
    await cached(clock, store=store, payload_type=str).execute("k", Upstream("words"))
    store.lasts = 0.075
    changed = cached(clock, store=store, payload_type=int, warn=told.append)
    assert await changed.look("k", Deadline.after(clock, 0.4)) is None
    assert told == []
    store.lasts, store.reads_at_once = 5, True
    await store.put("prices", "k", CacheEntry(stored_at=clock.now(), payload=b"words"), max_entries=9)
    began = now()
    assert await changed.look("k", Deadline.after(clock, 0.4)) is None
    assert now() - began == pytest.approx(0.1)
    assert told == [f"prices: its cache cannot be written and is passed over: {TOLD}"]


async def test_what_was_to_be_forgotten_when_the_caller_was_cancelled_is_still_owed(clock: VirtualClock):
    store = Hanging()
    cache = cached(clock, store=store, payload_type=str)
    await cache.execute("k", Upstream("first"))
    store.lasts = 0.5
    forgetting = asyncio.ensure_future(cache.forget())
    await asyncio.sleep(0.1)
    forgetting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await forgetting
    store.lasts = 0
    assert data_of(await cache.execute("k", Upstream("second"))) == "second"


async def test_a_store_that_answers_again_is_used_again_and_told_again_when_it_hangs_again(clock: VirtualClock):
    store, told = Hanging(hangs=True), list[str]()
    cache = cached(clock, store=store, payload_type=str, warn=told.append)
    await cache.execute("k", Upstream("first"))
    assert [TOLD in line for line in told] == [True, True]  # neither read nor written
    store.hangs = False
    await asyncio.sleep(0)
    await cache.execute("k", Upstream("second"))
    assert data_of(await cache.execute("k", Upstream("third"))) == "second"
    store.hangs = True
    assert data_of(await cache.execute("k", Upstream("fourth"))) == "fourth"
    assert len(told) == 4


async def test_while_one_step_hangs_no_other_is_begun(clock: VirtualClock):
    store = Hanging(hangs=True, stubborn=True)
    cache = cached(clock, store=store, payload_type=str, warn=lambda _: None)
    for _ in range(5):
        await cache.execute("k", Upstream("data"))
    assert store.asked == 1
    assert now() == pytest.approx(PATIENCE, abs=0.01)


async def test_a_caller_who_is_cancelled_while_the_store_is_slow_leaves_nothing_behind(clock: VirtualClock):
    store = Hanging(lasts=0.5)
    cache = cached(clock, store=store, payload_type=str)
    caller = asyncio.create_task(cache.look("k"))
    await asyncio.sleep(0.1)
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    assert store.cancelled == 1
    assert nothing_left()


async def test_a_caller_who_is_cancelled_while_the_store_hangs_is_let_go_all_the_same(clock: VirtualClock):
    cache = cached(clock, store=Hanging(hangs=True, stubborn=True), payload_type=str)
    caller = asyncio.create_task(cache.look("k"))
    await asyncio.sleep(0.1)
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    assert now() == pytest.approx(PATIENCE, abs=0.01)


async def test_a_store_whose_task_is_cancelled_from_elsewhere_is_passed_over(clock: VirtualClock):
    told = list[str]()
    cache = cached(clock, store=Hanging(error=asyncio.CancelledError()), payload_type=str, warn=told.append)
    assert await cache.look("k") is None
    assert told == ["prices: its cache cannot be read and is passed over: its task was cancelled by somebody else"]


async def test_memory_is_never_waited_for_and_costs_no_task(clock: VirtualClock, monkeypatch: pytest.MonkeyPatch):
    cache = cached(clock, store=Broken())
    await cache.settle("k", executed("data"))
    monkeypatch.setattr(asyncio, "create_task", None)
    hit = await cache.look("k", Deadline.after(clock, 0))
    assert hit is not None
    assert data_of(hit.executed) == "data"


async def test_what_a_hung_store_raises_at_last_is_heard_by_nobody(
    clock: VirtualClock, caplog: pytest.LogCaptureFixture
):
    cache = cached(clock, store=Hanging(hangs=True, error=OSError("too late")), payload_type=str, warn=lambda _: None)
    assert await cache.look("k") is None
    await asyncio.sleep(200)
    del cache
    gc.collect()
    assert not caplog.records


async def test_what_could_not_be_cleared_is_cleared_before_anything_new_is_kept(clock: VirtualClock):
    store = Hanging()
    cache = cached(clock, store=store, payload_type=str, warn=lambda _: None)
    await cache.settle("k", executed("old"))
    store.hangs = True
    assert not await cache.forget()
    store.hangs = False
    await asyncio.sleep(0)
    await cache.settle("k", executed("new"))
    hit = await cache.look("k")
    assert hit is not None
    assert data_of(hit.executed) == "new"
    assert await cache.look("other") is None
