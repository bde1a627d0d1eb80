"""How fresh what is served is, in one sentence and in figures, under virtual time."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from data_source_orchestrator import (
    ConfigurationError,
    DataSourceOrchestrator,
    FetchError,
    FreshnessPolicy,
    MergeRules,
    OrchestratorConfig,
    Record,
    RetryConfig,
    Source,
    SourceCoordinator,
    SqliteStore,
)
from data_source_orchestrator.cli.status_sentence import sentence
from data_source_orchestrator.orchestration.status import Status
from data_source_orchestrator.testing import VirtualClock, scripted

DOWN = FetchError("server", "the server is down")
HOUR = 3600.0
DAY = 24 * HOUR


@asynccontextmanager
async def house(folder: Path, *sources: Source[Any], **members: Any) -> AsyncIterator[DataSourceOrchestrator]:
    """Run a process's worth of orchestrator over the store in a folder."""
    store = await SqliteStore.open(folder / "dso.db")
    try:
        async with DataSourceOrchestrator(
            SourceCoordinator(sources, clock=VirtualClock()),
            OrchestratorConfig(timeout=60),
            RetryConfig(max_retries=0),
            store=store,
            **members,
        ) as orchestrator:
            yield orchestrator
    finally:
        await store.close()


def ballistics(*steps: Any, **members: Any) -> Source[Any]:
    given = steps or ([Record("m4", {"ballistics": 1})], DOWN)
    members = {"title": "CODMunity", "provides": ("ballistics",), **members}
    return scripted("codmunity", *given, **members)


def tiers(*steps: Any, **members: Any) -> Source[Any]:
    given = steps or ([Record("m4", {"tier": "A"})],)
    members = {"title": "WZStats", "provides": ("tier",), "update_frequency": "weekly", **members}
    return scripted("wzstats", *given, **members)


async def told(orchestrator: DataSourceOrchestrator) -> tuple[bool, str]:
    status = orchestrator.get_status()
    return status.good, sentence(status)


SENTENCES = {
    "just read": (0, True, "All fresh"),
    "30 h": (31, True, "All fresh except ballistics from CODMunity: serving 31 h old data, expires in 65 h"),
    "50 h": (50, False, "All fresh except ballistics from CODMunity: serving 50 h old data, expires in 46 h"),
    "97 h": (97, False, "All fresh except ballistics from CODMunity: expired 1 h ago, and counts no longer"),
    "all late": (
        10 * 24,
        False,
        (
            "Nothing is fresh: ballistics from CODMunity: expired 6 days ago, and counts no longer;"
            " tier from WZStats: serving 10 days old data, expires in 18 days"
        ),
    ),
}


@pytest.mark.parametrize(("hours", "good", "words"), SENTENCES.values(), ids=SENTENCES)
async def test_A21_one_sentence_tells_what_is_not_fresh_how_old_it_is_and_how_long_it_counts(
    tmp_path: Path, hours: float, good: bool, words: str
):
    async with house(tmp_path, ballistics(), tiers()) as orchestrator:
        await orchestrator.sync()
        await asyncio.sleep(hours * HOUR)
        assert await told(orchestrator) == (good, words)


async def test_a_source_that_was_never_read_is_named_among_those_that_were(tmp_path: Path):
    async with house(tmp_path, ballistics(DOWN), tiers()) as orchestrator:
        await orchestrator.sync()
        assert await told(orchestrator) == (False, "All fresh except ballistics from CODMunity: never read")


async def test_what_an_operator_disabled_enters_no_verdict(tmp_path: Path):
    async with house(tmp_path, ballistics(), tiers()) as orchestrator:
        await orchestrator.sync()
        await orchestrator.disable("codmunity")
        await asyncio.sleep(3 * DAY)
        assert await told(orchestrator) == (True, "All fresh")
        await orchestrator.disable("wzstats")
        assert await told(orchestrator) == (False, "Every source is disabled: `dso enable KEY` switches one on")


async def test_without_any_source_nothing_is_fresh(tmp_path: Path):
    async with house(tmp_path) as orchestrator:
        good, words = await told(orchestrator)
        assert (good, words.startswith("No source is registered")) == (False, True)


async def test_A21_a_304_or_the_same_again_makes_it_fresh_but_no_newer(tmp_path: Path):
    async with house(tmp_path, tiers()) as orchestrator:
        await orchestrator.sync()
        first = orchestrator.get_status()
        await asyncio.sleep(DAY)
        await orchestrator.sync()
        second = orchestrator.get_status()
        [before], [after] = first.sources, second.sources
        assert before.unchanged_since == after.unchanged_since
        assert before.view.checked_at is not None
        assert after.view.checked_at is not None
        assert (after.view.checked_at - before.view.checked_at).total_seconds() >= DAY


async def test_A21_an_old_age_is_no_flaw_unless_the_source_declares_how_old_it_may_be(tmp_path: Path):
    async with house(
        tmp_path, tiers(), ballistics([Record("m4", {"ballistics": 1})], max_data_age=DAY)
    ) as orchestrator:
        await orchestrator.sync()
        await asyncio.sleep(DAY + 60)
        await orchestrator.sync()
        good, words = await told(orchestrator)
        assert not good
        assert words == "All fresh except ballistics from CODMunity: it has said the same for longer than it declares"


async def test_A21_a_source_that_goes_back_to_an_older_copy_is_told(tmp_path: Path):
    old, new = [Record("m4", {"tier": "A"})], [Record("m4", {"tier": "B"})]
    async with house(tmp_path, tiers(old, new, old, [Record("m4", {"tier": "C"})])) as orchestrator:
        await orchestrator.sync()
        await orchestrator.sync()
        assert (await told(orchestrator))[0]
        await orchestrator.sync()
        words = "Nothing is fresh: tier from WZStats: it says again what it had said before something newer"
        assert await told(orchestrator) == (False, words)
        await orchestrator.sync()
        assert (await told(orchestrator))[0]


async def test_A21_a_capability_is_as_fresh_as_the_least_fresh_that_still_counts_and_tells_who_is_missing(
    tmp_path: Path,
):
    both = {"provides": ("tier",), "update_frequency": "daily"}
    first = scripted("a", [Record("m4", {"tier": "A"})], DOWN, **both)
    second = scripted("b", [Record("m4", {"tier": "A"})], **both)
    async with house(tmp_path, first, second) as orchestrator:
        seen: list[Status] = []
        await orchestrator.sync()
        for days in (1.5, 1.0, 2.0):
            await asyncio.sleep(days * DAY)
            await orchestrator.sync()
            seen.append(orchestrator.get_status())
        tier = [status.capabilities[0] for status in seen]
        assert [str(each.freshness) for each in tier] == ["late", "stale", "fresh"]
        assert [(each.sources, each.without) for each in tier] == [
            (("a", "b"), ()),
            (("a", "b"), ()),
            (("b",), ("a",)),
        ]


async def test_the_budget_is_used_by_the_time_that_was_not_fresh_and_the_record_outlasts_the_process(tmp_path: Path):
    policy = FreshnessPolicy(objective=0.9, days=10)
    async with house(tmp_path, ballistics(), freshness=policy) as orchestrator:
        await orchestrator.sync()
        await asyncio.sleep(2.25 * DAY)
        [source] = orchestrator.get_status().sources
        assert source.objective is not None
        assert source.objective.used == pytest.approx(1, rel=0.001)  # a day that was not fresh, of the one allowed
    async with house(tmp_path, ballistics([Record("m4", {"ballistics": 2})]), freshness=policy) as orchestrator:
        await orchestrator.sync()
        [source] = orchestrator.get_status().sources
        assert source.objective is not None
        assert source.objective.used == pytest.approx(1, rel=0.001)
        assert orchestrator.get_status().capabilities[0].objective == source.objective


async def test_A21_a_capability_that_nobody_publishes_has_no_freshness(tmp_path: Path):
    source = tiers(provides=("tier", "win_rate"))
    async with house(tmp_path, source, rules=MergeRules()) as orchestrator:
        assert [each.published for each in orchestrator.get_status().capabilities] == [True, True]  # nobody knows yet
        await orchestrator.sync()
        await asyncio.sleep(100 * DAY)
        assert [each.published for each in orchestrator.get_status().capabilities] == [True, False]


@pytest.mark.parametrize("age", [-1, "x", True])
def test_a_data_age_that_cannot_be_meant_is_refused(age: Any):
    with pytest.raises(ConfigurationError, match="max_data_age"):
        tiers(max_data_age=age)
