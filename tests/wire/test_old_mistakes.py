"""The old program's mistakes about outages and invention, tried on the whole house over the sandbox."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from cod_sources import plugin
from cod_sources.sandbox import Sandbox
from data_source_orchestrator import (
    DataSourceOrchestrator,
    Entity,
    Failure,
    FailureKind,
    HealthStatus,
    RetryConfig,
    SourceCoordinator,
    SqliteStore,
    Success,
)

pytestmark = pytest.mark.real_time

QUICK = RetryConfig(base_delay=0.01, max_delay=0.01, max_retries=2)


@asynccontextmanager
async def house(folder: Path, **faults: str) -> AsyncIterator[tuple[DataSourceOrchestrator, Sandbox, SqliteStore]]:
    async with Sandbox(faults=faults) as sandbox:
        store = await SqliteStore.open(folder / "dso.db")
        coordinator = SourceCoordinator(plugin.sources(sandbox.variables))
        try:
            async with DataSourceOrchestrator(
                coordinator, retry=QUICK, store=store, rules=plugin.rules
            ) as orchestrator:
                yield orchestrator, sandbox, store
        finally:
            await store.close()


async def entities(store: SqliteStore) -> dict[str, Entity]:
    return await store.read(lambda transaction: transaction.entities())


async def test_X1_X3_an_outage_that_poses_as_an_empty_list_is_never_data_and_never_health(tmp_path: Path):
    async with house(tmp_path) as (orchestrator, sandbox, store):
        good = await orchestrator.sync()
        for key in ("codarmory", "wzstats", "codmunity"):
            sandbox.set_fault(key, "empty")
        reports = [await orchestrator.sync() for _ in range(3)]
        report = reports[-1]
        kinds = [outcome.kind for outcome in report.result.outcomes.values() if isinstance(outcome, Failure)]
        assert kinds == [FailureKind.CONTENT] * 3
        assert orchestrator.get_overall_health().status is HealthStatus.DOWN
        assert report.snapshot.id == good.snapshot.id  # last good data speaks on, until it expires
        assert len(await entities(store)) == good.snapshot.entities
        assert len(report.missing) == 3


async def test_X2_there_is_one_layer_of_retries_so_requests_are_attempts(tmp_path: Path):
    async with house(tmp_path, wzstats="error_rate=1") as (orchestrator, sandbox, _):
        result = await orchestrator.fetch("wzstats")
        outcome = result.outcomes["wzstats"]
        assert isinstance(outcome, Failure)
        assert outcome.kind is FailureKind.SERVER
        assert outcome.attempts == 3
        assert sandbox.requests["wzstats"] == 3


async def test_nothing_is_invented(tmp_path: Path):
    """S3 S4 S5 S6 S7 S8 S9 S10 S11 S12 S13 S14 S15 S16 S17 S18 S19 S20 S21: every value is somebody's claim.

    Each published value is found, unchanged, in what its source's own payload said of that very entity; nobody
    speaks of win rates, so there are none; and what a source left out is absent, not a default.
    """
    async with house(tmp_path) as (orchestrator, _, store):
        report = await orchestrator.sync()
        said: dict[tuple[str, str, str], list[Any]] = {}
        for key, outcome in report.result.outcomes.items():
            assert isinstance(outcome, Success)
            for row in outcome.data.records:
                for field, value in row.fields.items():
                    said.setdefault((key, row.entity, field), []).append(value)
        kept = await entities(store)
        assert len(kept) > 100
        for entity in kept.values():
            for field, held in entity.fields.items():
                assert held.value in said[held.claim.source, entity.id, field]
                assert not field.startswith(("win_rate", "pick_rate", "base_stats"))
                assert held.value is not None
