"""What the HTTP cache never keeps, how it is bounded, and that no trouble of its own is a fetch's."""

import asyncio
import gzip
import sys
from collections.abc import Sequence
from typing import Any

import pytest
from test_web_cache_rig import Rig, date, rig

from data_source_orchestrator.core.errors import ConfigurationError, FetchError, StoreError
from data_source_orchestrator.core.patience import PATIENCE
from data_source_orchestrator.core.ports import StoredResponse
from data_source_orchestrator.testing.fault_server import FaultServer, answer, challenge, redirect
from data_source_orchestrator.web import HttpPolicy, HttpPool
from data_source_orchestrator.web.caching.memory import MemoryResponses
from data_source_orchestrator.web.caching.shelf import MOST_VARIANTS
from data_source_orchestrator.web.client import PARSED_AT_ONCE

pytestmark = pytest.mark.real_time

FRESH = {"Cache-Control": "max-age=60", "ETag": '"1"'}


class Watched(MemoryResponses):
    """A store in memory that tells all that it was ever given."""

    def __init__(self, *, max_bytes: int = 10**9) -> None:
        super().__init__(max_bytes=max_bytes)
        self.given: list[StoredResponse] = []

    async def put(self, response: StoredResponse) -> None:
        self.given.append(response)
        await super().put(response)

    async def refresh(self, response: StoredResponse) -> None:
        self.given.append(response)
        await super().refresh(response)


async def is_kept(client: Rig, path: str = "/", **asking: Any) -> bool:
    """Return whether what is asked for once is there when it is asked for again."""
    await client.get(path, **asking)
    return (await client.get(path, **asking)).from_cache


async def test_secrets_are_in_no_kept_header_and_the_answer_itself_still_has_them():
    secrets = {"Set-Cookie": "id=S3CRET", "X-Auth-Token": "S3CRET", "Authentication-Info": "S3CRET"}
    store = Watched()
    async with rig({**FRESH, **secrets, "X-Plain": "yes"}, store=store) as client:
        first = await client.get()
        client.origin.unchanged = {"ETag": '"1"', **secrets}
        second = await client.get(confirmed=True)
    assert (first.headers["set-cookie"], second.headers["x-plain"]) == ("id=S3CRET", "yes")
    assert len(store.given) == 2
    assert "S3CRET" not in repr(store.given)


@pytest.mark.parametrize("secret", ["Authorization", "Cookie", "X-Api-Key", "Private-Token"])
async def test_what_was_told_to_somebody_with_credentials_is_kept_only_where_it_is_for_all(secret: str):
    for directives, kept in (("max-age=60", False), ("max-age=60, s-maxage=60", False), ("public, max-age=60", True)):
        store = Watched()
        async with rig({"Cache-Control": directives}, store=store) as client:
            assert await is_kept(client, headers={secret: "S3CRET"}) is kept
        assert bool(store.given) is kept
        assert "S3CRET" not in repr(store.given)


async def test_credentials_in_the_address_are_credentials():
    async with rig(FRESH) as client:
        url = client.server.url("/").replace("//", "//user:S3CRET@")
        for _ in range(2):
            assert not (await client.pool.client().get(url)).from_cache


@pytest.mark.parametrize("query", ["?token=S3CRET", "?a=1&X-Amz-Signature=S3CRET", "?api%5Fkey=S3CRET"])
async def test_an_address_with_a_secret_in_it_is_not_kept_even_where_its_answer_is_for_all(query: str):
    store = Watched()
    async with rig({"Cache-Control": "public, max-age=60"}, store=store) as client:
        assert not await is_kept(client, f"/{query}")
        client.server.routes["/to"] = redirect(f"/{query}")
        client.server.routes["/from"] = redirect("/plain")
        assert not await is_kept(client, "/to")
        assert not await is_kept(client, f"/from{query}", confirmed=True)
    assert not store.given


async def test_what_it_varies_by_is_kept_as_a_digest():
    store = Watched()
    async with rig({"Cache-Control": "public, max-age=60", "Vary": "Authorization"}, store=store) as client:
        assert await is_kept(client, headers={"Authorization": "Bearer S3CRET"})
        assert not (await client.get(headers={"Authorization": "Bearer OTHER"})).from_cache
    assert "S3CRET" not in repr(store.given)


@pytest.mark.parametrize(
    "fails", [answer(status=500), answer(status=404), challenge(), challenge(status=200, sign=False)]
)
async def test_errors_and_challenges_are_never_kept_and_what_was_kept_before_stays(fails: Any):
    store = Watched()
    async with rig(FRESH, store=store) as client:
        await client.get()
        client.origin.fails = fails
        client.ages(99)
        with pytest.raises(FetchError):
            await client.get()
        client.origin.fails = None
        assert (await client.get()).revalidated
    assert {kept.status for kept in store.given} == {200}
    assert {kept.body for kept in store.given} == {client.origin.body}


async def test_a_kept_body_is_decoded_and_no_header_says_otherwise():
    async with rig({**FRESH, "Content-Encoding": "gzip"}) as client:
        client.origin.body = gzip.compress(b'{"a": 1}')
        await client.get()
        again = await client.get()
    assert (again.from_cache, again.json(), again.text()) == (True, {"a": 1}, '{"a": 1}')
    assert not {"content-encoding", "content-length"} & {name.lower() for name in again.headers}


async def test_an_answer_after_a_redirect_is_used_only_where_upstream_leads_there_again_and_confirms_it():
    async with rig(FRESH) as client:
        client.server.routes["/old"] = redirect("/new")
        await client.get("/old")
        second = await client.get("/old")
        assert (second.revalidated, second.url) == (True, client.server.url("/new"))
        client.server.routes["/old"] = redirect("/elsewhere")
        third = await client.get("/old")
        assert (third.from_cache, third.url) == (False, client.server.url("/elsewhere"))
        assert client.origin.asked == ["plain", '"1"', '"1"', "plain"]
        client.server.routes["/old"] = answer(status=500)
        with pytest.raises(FetchError):
            await client.get("/old")


async def test_addresses_that_differ_only_in_form_are_one():
    async with rig(FRESH) as client:
        await client.get("/a?x=1", params={"y": "2 3"})
        assert (await client.get("/a?x=1&y=2+3#part")).from_cache
        assert not (await client.get("/a?x=1")).from_cache


async def test_an_answer_that_may_not_be_kept_any_longer_takes_the_kept_one_with_it():
    async with rig(FRESH) as client:
        await client.get()
        client.origin.headers = {"Cache-Control": "no-store", "ETag": '"2"'}
        for _ in range(2):
            await client.get(confirmed=True)
        assert client.origin.asked == ["plain", '"1"', "plain"]


@pytest.mark.parametrize("word", ["no-store", "private"])
async def test_a_304_can_say_to_keep_the_answer_no_longer(word: str):
    async with rig(FRESH) as client:
        await client.get()
        client.origin.unchanged = {"Cache-Control": word, "ETag": '"1"'}
        assert (await client.get(confirmed=True)).revalidated
        await client.get(confirmed=True)
        assert client.origin.asked == ["plain", '"1"', "plain"]


@pytest.mark.parametrize(("size", "kept"), [(900, True), (1001, False)])
async def test_an_answer_larger_than_one_may_be_is_not_kept(size: int, kept: bool):
    async with rig(FRESH, cache_entry_bytes=1000) as client:
        client.origin.body = bytes(size)
        assert await is_kept(client) is kept


async def test_a_kept_answer_larger_than_this_call_accepts_is_not_used():
    async with rig(FRESH) as client:
        client.origin.body = bytes(1000)
        assert (await client.get(max_body=1000)).status == 200
        with pytest.raises(FetchError, match="decodes to more than"):
            await client.get(max_body=999)


async def test_all_answers_together_are_bounded_and_the_least_recently_used_goes_first():
    async with rig(FRESH, cache_bytes=3_500) as client:
        client.origin.body = bytes(1000)
        for path in ("/a", "/b", "/c"):
            await client.get(path)
        assert (await client.get("/a")).from_cache
        await client.get("/d")
        assert [(await client.get(path)).from_cache for path in ("/a", "/d", "/c")] == [True] * 3
        assert not (await client.get("/b")).from_cache


async def test_an_answer_that_varies_by_something_else_takes_the_place_of_the_one_before():
    async with rig({**FRESH, "Vary": "Accept"}) as client:
        await client.get()
        client.origin.headers, client.origin.body = {"Cache-Control": "max-age=60", "ETag": '"2"'}, b"new"
        assert (await client.get(confirmed=True)).body == b"new"
        assert (await client.get()).body == b"new"


async def test_an_upstream_that_varies_by_something_new_each_time_fills_no_memory():
    store = Watched()
    async with rig(FRESH, store=store) as client:
        for number in range(3 * MOST_VARIANTS):
            client.ages(1)
            client.origin.headers["Vary"] = f"X-{number}"
            await client.get(headers={f"X-{number}": "1"})
        assert len(await store.get(store.given[0].address)) <= MOST_VARIANTS


@pytest.mark.parametrize("large", [False, True])
async def test_an_answer_that_turns_out_to_be_no_data_is_not_confirmed_but_asked_for_anew(large: bool):
    async with rig(FRESH) as client:
        client.origin.body = b'{"rows": ' + b" " * (PARSED_AT_ONCE if large else 1)
        for _ in range(2):
            with pytest.raises(FetchError, match="no JSON"):
                await client.pool.client().get_json(client.server.url())
        client.origin.body = b"\xff"
        with pytest.raises(FetchError, match="no utf-8"):
            await client.pool.client().get_text(client.server.url())
        client.origin.body = b"[1]"
        assert await client.pool.client().get_json(client.server.url()) == [1]
        assert client.origin.asked == ["plain"] * 4


class Failing:
    """A store that cannot do what it is asked for."""

    async def get(self, address: str) -> Sequence[StoredResponse]:
        raise StoreError(f"{address[:1]} is not there")

    async def put(self, response: StoredResponse) -> None:
        raise OSError(response.url)

    async def refresh(self, response: StoredResponse) -> None:
        raise OSError(response.url)

    async def remove(self, address: str, variant: str) -> None:
        raise ZeroDivisionError(address, variant)


class Hanging(Failing):
    """A store that does not answer, and swallows every cancellation."""

    async def get(self, address: str) -> Sequence[StoredResponse]:
        del address
        while True:
            try:
                await asyncio.sleep(3600)
            except asyncio.CancelledError:
                if self.ended.is_set():
                    raise

    def __init__(self) -> None:
        self.ended = asyncio.Event()


async def test_a_store_that_fails_costs_a_fetch_nothing_and_is_told_once(caplog: pytest.LogCaptureFixture):
    async with rig(FRESH, store=Failing()) as client:
        for _ in range(3):
            assert not (await client.get()).from_cache
        client.origin.body = b"{"
        with pytest.raises(FetchError):
            await client.pool.client().get_json(client.server.url())
    assert [record.getMessage() for record in caplog.records] == [
        f"the HTTP cache keeps and finds nothing for now: {caplog.records[0].args[0]}"  # type: ignore[index]  # a logged error
    ]


async def test_a_store_that_hangs_is_waited_for_a_second_and_then_not_at_all():
    store = Hanging()
    async with rig(FRESH, store=store) as client:
        waiting = asyncio.create_task(client.get())
        while not client.clock._timers:  # noqa: ASYNC110 — a clock set by hand tells nobody that it is waited for
            await asyncio.sleep(0)
        assert not client.origin.asked
        client.ages(PATIENCE)
        assert (await waiting).status == 200
        assert (await client.get()).status == 200  # without another wait, or the hand-set clock would hold it for ever
        store.ended.set()
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            if "Hanging" in repr(task.get_coro()):
                task.cancel()


async def test_a_clock_set_back_makes_no_old_answer_young():
    async with rig({"Cache-Control": "max-age=60, stale-if-error=60", "ETag": '"1"'}) as client:
        for fails in (None, answer(status=500)):
            client.clock._elapsed = 1000
            await client.get(confirmed=True)
            client.clock._elapsed = 0
            client.origin.fails = fails
            if fails is None:
                assert (await client.get()).revalidated
        with pytest.raises(FetchError):
            await client.get()


async def test_several_requests_at_once_do_not_spoil_each_other():
    async with rig({"ETag": '"1"'}) as client:
        answers = await asyncio.gather(*(client.get(f"/{number % 3}") for number in range(12)))
        assert {answer.body for answer in answers} == {client.origin.body}
        assert all(await asyncio.gather(*(is_kept(client, f"/{number}") for number in range(3))))


def test_what_one_event_loop_has_kept_the_next_one_finds():
    pool, found = HttpPool(HttpPolicy(cache=True)), list[bool]()

    async def once() -> None:
        async with FaultServer({"*": answer("ok", headers=FRESH)}, port=port) as server, pool.use():
            found.append((await pool.client(confirmed=True).get(server.url())).from_cache)
            assert ("if-none-match" in server.requests[0].headers) is (len(found) > 1)

    async def free() -> int:
        async with FaultServer() as server:
            return server.port

    port = asyncio.run(free())
    for _ in range(2):
        asyncio.run(once())
    assert found == [False, False]


async def test_without_hishel_one_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "hishel", None)
    for name in [name for name in sys.modules if name.startswith("data_source_orchestrator.web.caching.")]:
        if name.rpartition(".")[2] in {"loop", "turn"}:
            monkeypatch.delitem(sys.modules, name)
    pool = HttpPool(HttpPolicy(cache=True))
    async with pool.use():
        with pytest.raises(ConfigurationError, match=r"http.cache needs .*\[http\]"):
            await pool.client().get("http://127.0.0.1:9/")


async def test_a_confirmation_leaves_the_connection_to_the_next_request():
    async with rig({"ETag": '"1"'}) as client:
        for _ in range(3):
            await client.get()
        assert (client.origin.asked, client.server.connections) == (["plain", '"1"', '"1"'], 1)


async def test_the_date_of_an_answer_without_one_is_when_it_came():
    async with rig(FRESH) as client:
        client.ages(30)
        await client.get()
        assert (await client.get()).headers["date"] == date(30)
        client.ages(60)
        assert (await client.get()).headers["date"] == date(90)
