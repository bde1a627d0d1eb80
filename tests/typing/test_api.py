"""The public names as a stranger's type checker sees them: this file is checked by mypy and run by pytest."""

from collections.abc import AsyncGenerator, Callable, Coroutine
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
    guard,
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


safe = guard("prices")


@safe
async def cost(product: str, number: int = 1) -> float:
    return len(product) * number


@safe
def look_up(product: str) -> int:
    return len(product)


class Shop:
    @safe
    async def price(self, product: str) -> float:
        return len(product)


async def test_a_guarded_function_keeps_its_signature_and_a_call_gives_an_outcome_of_what_it_returns():
    assert_type(await cost("milk", number=2), float)
    assert_type(await look_up("milk"), int)
    assert_type(await Shop().price("milk"), float)
    taken: Callable[[str], Coroutine[Any, Any, int]] = look_up
    assert await taken("milk") == 4
    assert_type(await safe.call(len, "milk"), Outcome[int])
    outcome = await safe.call(Shop.price, Shop(), "milk")
    assert_type(outcome, Outcome[float])
    assert told(outcome) == "4"


async def test_arguments_that_do_not_fit_are_seen_by_the_type_checker():
    async def never_called() -> None:
        await cost(5)  # type: ignore[arg-type]  # that is the subject
        await cost("milk", price=2)  # type: ignore[call-arg]  # that is the subject

    assert callable(never_called)
