"""How long a session lives, and what a good answer is."""

import asyncio
import gc
import gzip
import subprocess
import sys
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest

from data_source_orchestrator.core.clock import SystemClock
from data_source_orchestrator.core.context import HttpClient
from data_source_orchestrator.core.errors import ConfigurationError, FetchError
from data_source_orchestrator.testing.fault_server import (
    FaultServer,
    Request,
    answer,
    hang_up,
    head,
    in_turn,
    late,
    trickle,
)
from data_source_orchestrator.web import HttpPolicy, HttpPool
from data_source_orchestrator.web.client import PARSED_AT_ONCE

real_time = pytest.mark.real_time


def pool(**policy: Any) -> HttpPool:
    return HttpPool(HttpPolicy(**policy), clock=SystemClock())


def client(of: HttpPool, received: Callable[[int], None] = lambda _: None) -> HttpClient:
    return of.client(received=received)


async def fetched(http: HttpPool, path: str = "/"):
    async with FaultServer({"*": answer("ok")}) as server, http.use():
        return await client(http).get_text(server.url(path))


@real_time
async def test_an_answer_has_address_status_body_and_headers_of_any_case():
    http = pool()
    async with FaultServer({"/x": answer(b'{"a": 1}', status=201, headers={"ETag": '"1"'})}) as server, http.use():
        response = await client(http).get(server.url("/x"), params={"b": [1, 2]}, headers={"X-Trace": "7"})
    assert (response.url, response.status, response.body) == (server.url("/x?b=1&b=2"), 201, b'{"a": 1}')
    assert response.headers["etag"] == response.headers["ETAG"] == '"1"'
    assert response.json() == {"a": 1}
    (request,) = server.requests
    assert (request.method, request.query, request.headers["x-trace"]) == ("GET", {"b": ["1", "2"]}, "7")
    assert request.headers["accept-encoding"] == "gzip, deflate"


@real_time
@pytest.mark.parametrize(("spaces", "aside"), [(0, False), (PARSED_AT_ONCE, True)])
async def test_a_large_json_body_is_parsed_in_a_daemon_thread_and_a_small_one_at_once(spaces: int, aside: bool):
    parsed_in: list[threading.Thread] = []

    def watch(frame: FrameType, _event: str, _about: object) -> None:
        if frame.f_code.co_name == "parse_json":
            parsed_in.append(threading.current_thread())

    http = pool()
    async with FaultServer({"*": answer(" " * spaces + "[1]")}) as server, http.use():
        threading.setprofile(watch)  # of threads that start from now on
        try:
            assert await client(http).get_json(server.url("/")) == [1]
        finally:
            threading.setprofile(None)
    assert {(thread.name, thread.daemon) for thread in parsed_in} == ({("dso-fetcher-json", True)} if aside else set())


@real_time
async def test_what_is_wrong_with_a_large_json_body_is_a_failure_like_any_other():
    http = pool()
    async with FaultServer({"*": answer(" " * PARSED_AT_ONCE + "[1")}) as server, http.use():
        with pytest.raises(FetchError, match="sent what is no JSON") as caught:
            await client(http).get_json(server.url("/"))
    assert caught.value.kind == "content"


@real_time
async def test_we_say_honestly_who_is_asking():
    http = pool()
    async with FaultServer({"*": answer()}) as server, http.use():
        await client(http).get(server.url())
        assert server.requests[0].headers["user-agent"].startswith("data-source-orchestrator/")
    named = pool(user_agent="price-bot/1 (ops at a.example)")
    async with FaultServer({"*": answer()}) as server, named.use():
        await client(named).get(server.url())
        assert server.requests[0].headers["user-agent"] == "price-bot/1 (ops at a.example)"


@real_time
async def test_bytes_are_told_as_they_arrive_over_all_requests_of_an_attempt():
    packed = gzip.compress(b"x" * 10_000)
    routes = {"/a": answer("12345"), "/b": answer(packed, headers={"Content-Encoding": "gzip"})}
    http, told = pool(), list[int]()
    async with FaultServer(routes) as server, http.use():
        attempt = client(http, told.append)
        await attempt.get(server.url("/a"))
        assert await attempt.get_text(server.url("/b")) == "x" * 10_000
    assert told[0] == 5
    assert told == sorted(told)
    assert told[-1] == 5 + len(packed)


@real_time
async def test_a_body_is_told_while_it_still_trickles():
    http, told = pool(), list[int]()
    async with FaultServer({"*": trickle(b"abc", every=0.02)}) as server, http.use():
        assert await client(http, told.append).get_text(server.url()) == "abc"
    assert told == [1, 2, 3]


@real_time
async def test_connections_are_kept_alive_between_the_clients_of_a_pool():
    http = pool()
    async with FaultServer({"*": answer("ok")}) as server, http.use():
        for _ in range(3):
            await client(http).get(server.url())
        assert (server.connections, len(server.requests)) == (1, 3)


@real_time
async def test_a_request_is_never_sent_again_even_where_a_kept_connection_breaks():
    http = pool()
    async with FaultServer({"*": in_turn(answer("ok"), hang_up(), answer("ok"))}) as server, http.use():
        await client(http).get(server.url())
        with pytest.raises(FetchError) as caught:
            await client(http).get(server.url())
        assert len(server.requests) == 2
        assert await client(http).get_text(server.url()) == "ok"
    assert caught.value.kind == "connection"


@real_time
async def test_an_upstreams_cookies_are_not_carried_from_one_request_to_another():
    http = pool()
    async with FaultServer({"*": answer("ok", headers={"Set-Cookie": "s=1; Path=/"})}) as server, http.use():
        await client(http).get(server.url(host="localhost"))
        await client(http).get(server.url(host="localhost"))
        assert "cookie" not in server.requests[1].headers


@real_time
async def test_the_session_closes_with_its_last_user_and_its_sockets_are_gone():
    http = pool()
    async with FaultServer({"*": answer("ok")}) as server:
        async with http.use():
            async with http.use():
                await client(http).get(server.url())
            await client(http).get(server.url())
            assert server.connections == 1, "an inner user closes nothing"
        await asyncio.sleep(0.02)
        assert server.open_connections == 0


@real_time
async def test_without_a_user_there_is_no_session_and_the_sentence_says_so():
    http = pool()
    with pytest.raises(ConfigurationError, match=r"async with pool\.use\(\)"):
        await client(http).get("http://127.0.0.1:9/")


@real_time
async def test_a_fetcher_that_is_left_behind_leaves_no_session_behind():
    http = pool()
    async with http.use():
        left = asyncio.create_task(client(http).get("http://127.0.0.1:9/"))
        await asyncio.sleep(0)
    with pytest.raises((ConfigurationError, FetchError)):
        await left


def test_d05_a_pool_works_over_successive_runs_and_leaves_nothing_unclosed():
    http = pool()
    assert [asyncio.run(fetched(http)) for _ in range(3)] == ["ok"] * 3
    gc.collect()


def test_a_pool_works_in_two_threads_at_once():
    http, answers = pool(), list[str]()
    threads = [threading.Thread(target=lambda: answers.append(asyncio.run(fetched(http)))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == ["ok"] * 2


@real_time
async def test_no_more_requests_are_on_the_wire_than_the_policy_allows():
    http, most = pool(max_connections=3), 0

    async def count(request: Request, writer: asyncio.StreamWriter):
        nonlocal most
        most = max(most, server.open_connections)
        await late(0.02, answer(headers={"Connection": "close"}))(request, writer)

    async with FaultServer({"*": count}) as server, http.use():
        await asyncio.gather(*(client(http).get(server.url()) for _ in range(12)))
        assert len(server.requests) == 12
    assert most == 3


@real_time
async def test_a_check_looks_at_the_first_bytes_and_hangs_up():
    http, told = pool(), list[int]()
    async with FaultServer({"*": trickle(b"x" * 1000)}) as server, http.use():
        async with asyncio.timeout(1):
            await client(http, told.append).check(server.url())
        await asyncio.sleep(0.02)
        assert server.open_connections == 0
    assert told == [1]


@real_time
async def test_a_check_of_an_empty_answer_is_content_with_it():
    http = pool()
    async with FaultServer({"*": answer(status=204)}) as server, http.use():
        await client(http).check(server.url())


@real_time
async def test_a_body_without_a_length_ends_with_its_connection():
    http = pool()
    async with FaultServer({"*": hang_up(head(200, {"Content-Type": "text/plain"}) + b"whole")}) as server, http.use():
        assert await client(http).get_text(server.url()) == "whole"


def run_python(program: str):
    return subprocess.run(  # noqa: S603 — our own program
        [sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, timeout=60, check=False
    )


def test_importing_the_room_loads_no_aiohttp():
    loaded = run_python("import sys, data_source_orchestrator.web; print({'aiohttp', 'yarl'} & set(sys.modules))")
    assert (loaded.stdout.strip(), loaded.stderr) == ("set()", "")


def test_without_aiohttp_the_first_request_says_what_to_install():
    ended = run_python("""
import asyncio, sys
sys.modules["aiohttp"] = None
from data_source_orchestrator.core.clock import SystemClock
from data_source_orchestrator.web import HttpPool
async def main():
    pool = HttpPool(clock=SystemClock())
    async with pool.use():
        await pool.client(received=print).get("http://127.0.0.1:9/")
try:
    asyncio.run(main())
except Exception as error:
    print(type(error).__name__, error)
""")
    assert ended.stdout.startswith("ConfigurationError requests over HTTP need the package aiohttp")
    assert "install data-source-orchestrator[http]" in ended.stdout


def test_a_name_server_that_hangs_does_not_hold_up_the_end_of_a_program():
    ended = run_python("""
import asyncio, socket, time
from data_source_orchestrator.core.clock import SystemClock
from data_source_orchestrator.core.context import HttpClient
from data_source_orchestrator.core.errors import FetchError
from data_source_orchestrator.web import HttpPolicy, HttpPool
socket.getaddrinfo = lambda *_, **__: time.sleep(50)
async def main():
    pool = HttpPool(HttpPolicy(connect_timeout=0.1), clock=SystemClock())
    async with pool.use():
        await pool.client(received=print).get("http://slow-dns.example/")
try:
    asyncio.run(main())
except FetchError as error:
    print(error.kind)
""")
    assert (ended.stdout.strip(), ended.stderr) == ("timeout", "")
