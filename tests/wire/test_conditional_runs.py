"""Runs that ask upstreams under conditions: nothing comes twice or is parsed twice, and no failure is hidden."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from cod_sources.sandbox import Sandbox
from data_source_orchestrator import (
    Contract,
    DataSourceOrchestrator,
    Failure,
    FetchContext,
    HttpPolicy,
    Record,
    RetryConfig,
    Source,
    SourceCoordinator,
    SqliteStore,
    Success,
)
from data_source_orchestrator.assemble import assemble
from data_source_orchestrator.core.events import BytesReceived
from data_source_orchestrator.settings import load
from data_source_orchestrator.testing import Recorder
from data_source_orchestrator.testing.fault_server import FaultServer, Reply, Request, answer, in_turn

pytestmark = pytest.mark.real_time

KEYS = ["codarmory", "wzstats", "codmunity"]
FRESH = {"ETag": '"1"', "Cache-Control": "max-age=600, stale-if-error=600"}


@asynccontextmanager
async def process(sandbox: Sandbox, folder: Path, *, cache: bool = True) -> AsyncIterator[DataSourceOrchestrator]:
    """Give what one process of the command builds."""
    settings = load(environ=dict(sandbox.variables), folder=folder)
    settings = replace(settings, http=replace(settings.http, cache=cache))
    async with assemble(settings, data_dir=folder) as whole:
        yield whole.orchestrator


async def synced(orchestrator: DataSourceOrchestrator) -> tuple[set[str], dict[str, Any]]:
    """Synchronise; return the sources of which a body came over the wire, and what each gave."""
    with Recorder().listening(orchestrator.coordinator.hub) as heard:
        result = (await orchestrator.sync()).result
    return {event.source for event in heard.of(BytesReceived)}, {key: result.outcomes[key] for key in KEYS}


async def test_a_second_process_asks_for_everything_and_is_sent_nothing_twice(tmp_path: Path):
    """A23: `sync` always asks upstream, conditionally."""
    async with Sandbox() as sandbox:
        async with process(sandbox, tmp_path) as orchestrator:
            received, first = await synced(orchestrator)
        assert received == set(KEYS)
        asked = dict(sandbox.requests)
        async with process(sandbox, tmp_path) as orchestrator:
            received, second = await synced(orchestrator)
        assert received == set()
        assert {key: sandbox.requests[key] - asked[key] for key in KEYS} == asked
    for key in KEYS:
        assert isinstance(second[key], Success)
        assert (second[key].data, second[key].warnings) == (first[key].data, first[key].warnings)


async def test_a_body_that_was_confirmed_is_not_parsed_again_and_its_warnings_are_told_again(tmp_path: Path):
    async with Sandbox() as sandbox, process(sandbox, tmp_path) as orchestrator:
        _, first = await synced(orchestrator)
        received, second = await synced(orchestrator)
    assert received == set()
    for key in KEYS:
        assert second[key].data is first[key].data
        assert second[key].warnings == first[key].warnings


async def test_a_body_that_is_sent_once_more_is_not_parsed_again(tmp_path: Path):
    async with Sandbox() as sandbox, process(sandbox, tmp_path, cache=False) as orchestrator:
        _, first = await synced(orchestrator)
        received, second = await synced(orchestrator)
    assert received == set(KEYS)
    for key in KEYS:
        assert second[key].data is first[key].data


async def test_a06_a_run_in_which_everything_was_only_confirmed_adds_nothing_to_the_latencies(tmp_path: Path):
    async with Sandbox() as sandbox, process(sandbox, tmp_path) as orchestrator:
        await synced(orchestrator)
        before = {key: orchestrator.coordinator.get_health(key) for key in KEYS}
        _, second = await synced(orchestrator)
        after = {key: orchestrator.coordinator.get_health(key) for key in KEYS}
    async with Sandbox() as other, process(other, tmp_path) as orchestrator:
        await orchestrator.fetch("wzstats")
        kept = orchestrator.coordinator.get_health("wzstats")
    for key in KEYS:
        assert second[key].latency is None
        assert after[key].latencies == before[key].latencies
        assert after[key].successes == before[key].successes + 1
    assert (len(kept.latencies), kept.successes) == (2, 3)


async def test_documents_are_watched_also_where_a_mere_fetch_has_parsed_them_before_and_where_they_were_confirmed(
    tmp_path: Path,
):
    async with Sandbox() as sandbox, process(sandbox, tmp_path) as orchestrator:
        await orchestrator.fetch()
        received, first = await synced(orchestrator)
        _, second = await synced(orchestrator)
        watched = orchestrator.get_drift()
    assert received == set()
    assert {key: len(watched[key]) for key in KEYS} == {"codarmory": 6, "wzstats": 1, "codmunity": 3}
    assert {standing.sightings for key in KEYS for standing in watched[key].values()} == {2}
    for key in KEYS:
        assert second[key].data is first[key].data


@asynccontextmanager
async def watching(folder: Path, fetch: Any, **members: Any) -> AsyncIterator[DataSourceOrchestrator]:
    """Give an orchestrator over a store, with one source that is made by hand."""
    source: Source[Any] = Source(
        key="prices",
        fetcher=fetch,
        records=lambda rows: [Record(f"{number}", {"n": number}) for number in range(len(rows))],
        **members,
    )
    store = await SqliteStore.open(folder / "dso.db")
    try:
        coordinator, retry = SourceCoordinator([source]), RetryConfig(max_retries=1, base_delay=0)
        async with DataSourceOrchestrator(
            coordinator, retry=retry, store=store, http=HttpPolicy(cache=True)
        ) as orchestrator:
            yield orchestrator
    finally:
        await store.close()


async def test_what_was_shown_by_an_attempt_that_then_failed_is_shown_again(tmp_path: Path):
    async def parsed(ctx: FetchContext, path: str) -> Any:
        response = await ctx.http.get(server.url(path))

        def parse() -> Any:
            document = response.json()
            ctx.show(path, document, body=response.body)
            return document

        return await ctx.parsed(path, [response], parse)

    async def fetch(ctx: FetchContext) -> Any:
        return [*await parsed(ctx, "/first"), *await parsed(ctx, "/second")]

    rows = answer('[{"n": 1}]', headers=FRESH)
    routes = {"/first": rows, "/second": in_turn(answer(status=503), rows)}
    async with FaultServer(routes) as server, watching(tmp_path, fetch) as orchestrator:
        for _ in range(3):
            await orchestrator.sync()
        watched = orchestrator.get_drift()["prices"]
    assert {name: standing.sightings for name, standing in watched.items()} == {"/first": 2, "/second": 3}


async def test_what_a_contract_refused_is_still_known_to_have_drifted_when_another_accepts_it(tmp_path: Path):
    async def fetch(ctx: FetchContext) -> Any:
        response = await ctx.http.get(server.url())

        def parse() -> Any:
            document = response.json()
            ctx.show("prices.json", document, body=response.body)
            return document

        return await ctx.parsed("rows", [response], parse)

    usual, renamed = ([{name: "x"} for _ in range(count)] for name, count in (("name", 40), ("title", 39)))
    async with (
        FaultServer({"*": answer(json.dumps(usual))}) as server,
        watching(tmp_path, fetch, contract=Contract(minimum_rows=40)) as orchestrator,
    ):
        for _ in range(6):
            await orchestrator.sync()
        server.routes["*"] = answer(json.dumps(renamed))
        for accepted in (False, True, True):
            report = await orchestrator.sync()
            assert isinstance(report.result.outcomes["prices"], Success) is accepted
            [standing] = orchestrator.get_drift()["prices"].values()
            assert {finding.path for finding in standing.findings} == {"[].name", "[].title"}
            orchestrator.coordinator.update_source("prices", contract=Contract(minimum_rows=1))


async def test_what_upstream_changes_meanwhile_arrives(tmp_path: Path):
    async with Sandbox() as sandbox, process(sandbox, tmp_path) as orchestrator:
        await synced(orchestrator)
        sandbox.set_fault("wzstats", "shrunken")
        received, second = await synced(orchestrator)
        assert received == {"wzstats"}
        assert [type(second[key]) for key in KEYS] == [Success, Failure, Success]
        received, third = await synced(orchestrator)
        assert received == set()
        assert third["wzstats"].message == second["wzstats"].message  # upstream says that it means it
        sandbox.set_fault("wzstats", "")
        received, fourth = await synced(orchestrator)
        assert received == {"wzstats"}
        assert isinstance(fourth["wzstats"], Success)


def ours(url: str, policy: HttpPolicy) -> DataSourceOrchestrator:
    async def fetch(ctx: FetchContext) -> Any:
        return await ctx.http.get_json(url)

    source = Source(key="prices", fetcher=fetch, max_retries=0)
    return DataSourceOrchestrator(SourceCoordinator([source]), http=policy)


async def test_an_upstream_that_fails_is_seen_to_fail_whatever_its_headers_allowed_before():
    """X1: an outage is never data."""
    routes = {"*": in_turn(answer("[1]", headers=FRESH), answer(status=503))}
    async with FaultServer(routes) as server, ours(server.url(), HttpPolicy(cache=True)) as orchestrator:
        assert (await orchestrator.fetch())["prices"] == [1]
        failed = (await orchestrator.fetch()).outcomes["prices"]
        assert isinstance(failed, Failure)
        assert (failed.kind, failed.stale_data) == ("server", None)
        assert orchestrator.coordinator.get_health("prices").consecutive_failures == 1


async def test_a_source_made_by_hand_has_no_cache_unless_its_policy_says_so():
    """A19: the library keeps nothing unless it is told to."""
    async with FaultServer({"*": answer("[1]", headers=FRESH)}) as server:
        for policy in (HttpPolicy(), HttpPolicy(cache=True)):
            orchestrator = ours(server.url(), policy)
            for _ in range(2):
                await orchestrator.fetch()
    assert ["if-none-match" in request.headers for request in server.requests] == [False, False, False, True]


def told(condition: list[str], reply: Reply) -> Reply:
    async def telling(request: Request, writer: Any) -> None:
        condition.append(request.headers.get("if-none-match", ""))
        await reply(request, writer)

    return telling


async def test_an_answer_that_cannot_be_parsed_is_asked_for_anew_and_not_confirmed_for_ever():
    conditions: list[str] = []

    async def fetch(ctx: FetchContext) -> Any:
        response = await ctx.http.get(server.url())
        return await ctx.parsed("rows", [response], lambda: [int(row) for row in response.text().split()])

    source = Source(key="prices", fetcher=fetch, max_retries=0)
    replies = in_turn(answer("1 x", headers=FRESH), answer("1 2", headers=FRESH), answer(status=304, headers=FRESH))
    orchestrator = DataSourceOrchestrator(SourceCoordinator([source]), http=HttpPolicy(cache=True))
    async with FaultServer({"*": told(conditions, replies)}) as server:
        assert isinstance((await orchestrator.fetch()).outcomes["prices"], Failure)
        assert [(await orchestrator.fetch())["prices"] for _ in range(2)] == [[1, 2], [1, 2]]
    assert conditions == ["", "", '"1"']


async def test_a_run_to_which_anything_new_came_has_a_latency():
    async def fetch(ctx: FetchContext) -> Any:
        return [await ctx.http.get_json(server.url(path)) for path in ("/same", "/new")]

    routes = {"/same": in_turn(answer("1", headers=FRESH), answer(status=304, headers=FRESH)), "/new": answer("2")}
    orchestrator = DataSourceOrchestrator(
        SourceCoordinator([Source(key="prices", fetcher=fetch)]), http=HttpPolicy(cache=True)
    )
    async with FaultServer(routes) as server:
        for _ in range(2):
            outcome = (await orchestrator.fetch()).outcomes["prices"]
            assert isinstance(outcome, Success)
            assert outcome.latency is not None


async def test_of_a_source_that_was_reset_nothing_parsed_is_remembered():
    parsings = count(1)

    async def fetch(ctx: FetchContext) -> Any:
        return await ctx.parsed("rows", [await ctx.http.get(server.url())], lambda: next(parsings))

    orchestrator = DataSourceOrchestrator(SourceCoordinator([Source(key="prices", fetcher=fetch)]))
    async with FaultServer({"*": answer("1")}) as server:
        assert [(await orchestrator.fetch())["prices"] for _ in range(2)] == [1, 1]
        await orchestrator.reset("prices")
        assert (await orchestrator.fetch())["prices"] == 2
