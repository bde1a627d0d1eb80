"""What a source says of its upstream's answers, through the whole engine and over a real socket."""

from typing import Any

import pytest

from data_source_orchestrator import (
    Classification,
    DataSourceOrchestrator,
    FailureKind,
    FetchContext,
    RetryConfig,
    Sign,
    Source,
    SourceCoordinator,
)
from data_source_orchestrator.core.outcome import Failure
from data_source_orchestrator.testing.fault_server import FaultServer, answer, in_turn

pytestmark = pytest.mark.real_time

UPKEEP = Sign(kind=FailureKind.SERVER, told="is down for maintenance", body=rb".*?be right back")
OWN = Classification(signs=(UPKEEP,), statuses={404: "empty"}, errors={KeyError: "server"})


def house(server: FaultServer, own: Classification = OWN) -> DataSourceOrchestrator:
    async def fetch(ctx: FetchContext) -> Any:
        return (await ctx.http.get_json(server.url("/x")))["rows"]

    source: Source[Any] = Source(key="a", fetcher=fetch, classification=own)
    return DataSourceOrchestrator(SourceCoordinator([source]), retry=RetryConfig(max_retries=1, base_delay=0))


async def ended(orchestrator: DataSourceOrchestrator) -> object:
    outcome = (await orchestrator.fetch()).outcomes["a"]
    return (outcome.kind, outcome.attempts) if isinstance(outcome, Failure) else outcome.attempts


async def test_a_page_in_place_of_data_is_what_its_source_says_and_is_retried_as_that():
    upkeep = answer("<html>We'll be right back</html>", kind="text/html")
    async with FaultServer({"/x": in_turn(upkeep, answer('{"rows": [1]}'))}) as server:
        assert await ended(house(server)) == 2
    async with FaultServer({"/x": upkeep}) as server:
        assert await ended(house(server)) == ("server", 2)
        assert await ended(house(server, Classification())) == ("content", 1)


async def test_so_is_a_status_and_so_is_an_error_of_the_fetcher():
    async with FaultServer({"/x": answer("none", status=404)}) as server:
        assert await ended(house(server)) == ("empty", 1)
    async with FaultServer({"/x": answer("{}")}) as server:
        assert await ended(house(server)) == ("server", 2)
        assert await ended(house(server, Classification())) == ("content", 1)


async def test_it_may_be_changed_while_the_source_is_registered():
    async with FaultServer({"/x": answer("none", status=404)}) as server:
        orchestrator = house(server, Classification())
        assert await ended(orchestrator) == ("client", 1)
        orchestrator.coordinator.update_source("a", classification=OWN)
        assert await ended(orchestrator) == ("empty", 1)
