"""Where redirects may lead, with the addresses of loopback standing for public and inner ones."""

import asyncio
import socket
from contextlib import asynccontextmanager
from typing import Any

import pytest

from data_source_orchestrator.core.clock import SystemClock
from data_source_orchestrator.core.context import HttpClient
from data_source_orchestrator.core.errors import FetchError
from data_source_orchestrator.testing.fault_server import FaultServer, Reply, Request, answer, hang_up, redirect
from data_source_orchestrator.web import HttpPolicy, HttpPool

pytestmark = pytest.mark.real_time

HOME, INNER = "127.0.0.1", "127.0.0.2"

DISGUISES = [
    "0x7f000002",
    "0x7f.2",
    "0177.0.0.2",
    "017700000002",
    "127.2",
    "2130706434",
    "127.0.0.2.",
    "①②⑦.0.0.2",
    "127%2e0.0.2",
    "[::ffff:127.0.0.2]",
    "[::ffff:7f00:2]",
    "[::127.0.0.2]",
    "[64:ff9b::127.0.0.2]",
    "[2002:7f00:2::]",
    "[::]",
    "0.0.0.0",  # noqa: S104 — to be refused
]
"""Spellings of an inner address, and addresses that carry it."""


@asynccontextmanager
async def upstream(routes: dict[str, Reply], policy: HttpPolicy = HttpPolicy()):  # noqa: B008 — a frozen record
    """Serve the same routes on every address of loopback."""
    pool = HttpPool(policy, clock=SystemClock())
    async with FaultServer(routes, host="0.0.0.0") as server, pool.use():  # noqa: S104 — two origins need two addresses
        server.host = HOME
        yield server, pool.client(received=lambda _: None)


async def failure(client: HttpClient, url: str):
    with pytest.raises(FetchError) as caught:
        await client.get(url)
    return caught.value


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_followed_and_the_answer_names_where_it_came_from(status: int):
    async with upstream({"/a": redirect("/b?c=1", status=status), "/b": answer("ok")}) as (server, client):
        response = await client.get(server.url("/a"))
    assert (response.text(), response.url, response.status) == ("ok", server.url("/b?c=1"), 200)


async def test_redirects_in_a_circle_are_client():
    async with upstream({"/a": redirect("/b"), "/b": redirect("/a")}) as (server, client):
        error = await failure(client, server.url("/a"))
        assert len(server.requests) == 2
    assert error.kind == "client"
    assert "in a circle" in str(error)


async def test_as_many_redirects_as_allowed_are_followed_and_no_more():
    async def onward(request: Request, writer: asyncio.StreamWriter):
        await redirect(f"/{int(request.path[1:]) + 1}")(request, writer)

    async with upstream({"*": onward, "/5": answer("there")}) as (server, client):
        assert await client.get_text(server.url("/0")) == "there"
    async with upstream({"*": onward}, HttpPolicy(max_redirects=3)) as (server, client):
        error = await failure(client, server.url("/0"))
        assert len(server.requests) == 4
    assert error.kind == "client"
    assert "more than 3 times" in str(error)


async def test_a_redirect_within_the_operators_own_address_is_followed_to_another_port():
    async with upstream({"/": answer("next door")}) as (neighbour, _), upstream({}) as (server, client):
        server.routes["/"] = redirect(neighbour.url("/"))
        assert await client.get_text(server.url("/")) == "next door"


async def test_a_redirect_to_an_inner_address_is_blocked_before_anything_is_sent_there():
    async with upstream({"/b": answer("secret")}) as (inner, _), upstream({}) as (server, client):
        server.routes["/a"] = redirect(inner.url("/b", host=INNER))
        error = await failure(client, server.url("/a"))
        assert inner.connections == 0
    assert error.kind == "blocked"
    assert f"at {INNER}, which is not public" in str(error)
    assert "http.trusted" in str(error)


@pytest.mark.parametrize("host", DISGUISES)
async def test_an_inner_address_in_disguise_is_not_reached_either(host: str):
    async with upstream({"/b": answer("secret")}) as (server, client):
        server.routes["/a"] = redirect(server.url("/b", host=host))
        error = await failure(client, server.url("/a"))
        assert [request.path for request in server.requests] == ["/a"]
    assert error.kind in {"blocked", "client", "connection"}


async def test_an_inner_address_that_the_operator_trusts_is_followed():
    async with upstream({"/b": answer("ok")}, HttpPolicy(trusted=("127.0.0.0/30",))) as (server, client):
        server.routes["/a"] = redirect(server.url("/b", host=INNER))
        assert await client.get_text(server.url("/a")) == "ok"


async def test_a_connection_kept_alive_opens_no_back_door():
    async with upstream({"/b": answer("secret")}) as (server, client):
        inner = server.url("/b", host=INNER)
        server.routes["/a"] = redirect(inner)
        assert await client.get_text(inner) == "secret", "what is asked for by its own address is trusted"
        assert (await failure(client, server.url("/a"))).kind == "blocked"
        assert [request.path for request in server.requests] == ["/b", "/a"]


async def test_a_name_that_changes_its_address_is_judged_by_where_it_really_leads(monkeypatch: pytest.MonkeyPatch):
    asked = list[str]()

    def rebinding(host: str, port: int, *_: Any, **__: Any):
        asked.append(host)
        address = HOME if len(asked) == 1 else INNER
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    async with upstream({"/b": answer("secret")}) as (inner, _), upstream({}) as (server, client):
        server.routes["/a"] = redirect(inner.url("/b", host="rebind.example"))
        error = await failure(client, server.url("/a", host="rebind.example"))
        assert inner.connections == 0
    assert asked == ["rebind.example"] * 2
    assert error.kind == "blocked"
    assert f"rebind.example:{inner.port} at {INNER}" in str(error)


@pytest.mark.parametrize("location", ["ftp://127.0.0.1/x", "file:///etc/passwd", "gopher://a.example"])
async def test_a_redirect_to_another_scheme_is_blocked(location: str):
    async with upstream({"/a": redirect(location)}) as (server, client):
        assert (await failure(client, server.url("/a"))).kind == "blocked"


async def test_of_a_name_with_several_addresses_only_a_public_one_is_taken(monkeypatch: pytest.MonkeyPatch):
    def several(_host: str, port: int, *_: Any, **__: Any):
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in ("127.0.0.3", INNER)]

    monkeypatch.setattr(socket, "getaddrinfo", several)
    policy = HttpPolicy(trusted=(INNER,))  # which stands for a public address here
    async with upstream({"/b": hang_up()}, policy) as (server, client):
        server.routes["/a"] = redirect(server.url("/b", host="several.example"))
        error = await failure(client, server.url("/a"))
        assert [request.path for request in server.requests] == ["/a", "/b"]
    assert error.kind == "connection"
    assert "hung up" in str(error), "and what it fails with is told, not the address that was passed over"


async def test_no_name_that_looks_up_inner_addresses_alone_is_reached(monkeypatch: pytest.MonkeyPatch):
    def inner(_host: str, port: int, *_: Any, **__: Any):
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in (INNER, "127.0.0.3")]

    monkeypatch.setattr(socket, "getaddrinfo", inner)
    async with upstream({"/b": answer("secret")}) as (server, client):
        server.routes["/a"] = redirect(server.url("/b", host="public.example"))
        assert (await failure(client, server.url("/a"))).kind == "blocked"
        assert [request.path for request in server.requests] == ["/a"]


async def test_userinfo_that_a_redirect_names_is_sent_nowhere():
    async with upstream({"/b": answer("ok")}) as (server, client):
        server.routes["/a"] = redirect(server.url("/b").replace("//", "//root:hunter2@"))
        response = await client.get(server.url("/a"))
        assert response.url == server.url("/b")
        assert "authorization" not in server.requests[1].headers


async def test_credentials_that_stayed_behind_do_not_come_back_with_a_later_redirect():
    async with upstream({}) as (other, _), upstream({"/home": answer("ok")}) as (server, client):
        server.routes["/a"] = redirect(other.url("/b"))
        other.routes["/b"] = redirect(server.url("/home"))
        await client.get(server.url("/a"), headers={"Authorization": "Bearer hunter2"})
        assert "authorization" in server.requests[0].headers
        assert "authorization" not in server.requests[1].headers


async def test_neither_cookies_nor_the_address_before_are_told_to_anybody():
    setting = answer(status=302, headers={"Location": "/b", "Set-Cookie": "session=1; Path=/"})
    async with upstream({"/a": setting, "/b": answer("ok")}) as (server, client):
        await client.get(server.url("/a"))
        await client.get(server.url("/b"))
        for request in server.requests:
            assert not {"cookie", "referer"} & set(request.headers)


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "ftp://127.0.0.1/x", "gopher://a.example", "data:text/plain,x", "//a.example/x", "x"]
)
async def test_only_http_and_https_are_asked_at_all(url: str):
    async with upstream({}) as (_, client):
        error = await failure(client, url)
    assert error.kind == "client"
    assert "begins with http:// or https://" in str(error)


async def test_credentials_stay_behind_on_a_change_of_origin():
    async with upstream({"/b": answer("ok")}) as (other, _), upstream({"/a": redirect("/a2")}) as (server, client):
        server.routes["/a2"] = redirect(other.url("/b"))
        await client.get(
            server.url("/a").replace("//", "//user:hunter2@"),
            headers={"Cookie": "s=1", "X-Api-Key": "k", "X-Trace": "7"},
        )
        first, second = server.requests
        (last,) = other.requests
    for kept in (first, second):
        assert kept.headers["authorization"].startswith("Basic ")
        assert kept.headers["cookie"] == "s=1"
    assert not {"authorization", "cookie", "x-api-key"} & set(last.headers)
    assert last.headers["x-trace"] == "7"
    assert last.headers["user-agent"].startswith("data-source-orchestrator/")
