"""The public names as a stranger's type checker sees them: this file is checked by mypy and run by pytest."""

from collections.abc import AsyncGenerator
from datetime import timedelta
from typing import Any, assert_type

from data_source_orchestrator import (
    DataSourceOrchestrator,
    Failure,
    FetchContext,
    FetchResult,
    MetaResult,
    OrchestratorConfig,
    Outcome,
    RetryConfig,
    Skipped,
    Source,
    SourceCoordinator,
    Success,
    source,
)


@source(key="prices", timeout=timedelta(seconds=10), max_retries=2)
async def prices(ctx: FetchContext) -> dict[str, int]:
    return dict(await ctx.http.get_json("https://a.example/prices"))


@source(key="stock")
def stock() -> list[str]:
    return ["milk"]


def told(outcome: Outcome[Any]) -> str:
    match outcome:
        case Success(data=data):
            return repr(data)
        case Failure(kind=kind):
            return kind
        case Skipped(reason=reason):
            return reason


def test_a_decorated_function_is_a_source_of_what_it_returns():
    assert_type(prices, Source[dict[str, int]])
    assert_type(stock, Source[list[str]])
    assert stock() == ["milk"]


async def test_calls_return_what_they_say():
    coordinator = SourceCoordinator([stock])
    orchestrator = DataSourceOrchestrator(coordinator, OrchestratorConfig(timeout=timedelta(minutes=1)), RetryConfig())
    result = await orchestrator.fetch_from_all_sources()
    assert_type(result, FetchResult)
    assert_type(await orchestrator.fetch_meta_only(), MetaResult)
    assert_type(orchestrator.stream(), AsyncGenerator[Outcome[Any], None])
    assert told(result.outcomes["stock"]) == "['milk']"
