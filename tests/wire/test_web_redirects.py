"""Where redirects may lead, with the addresses of loopback standing for public and inner ones."""

import asyncio
import socket
from contextlib import asynccontextmanager
from typing import Any

import pytest

from data_source_orchestrator.core.clock import SystemClock
from data_source_orchestrator.core.context import HttpClient
from data_source_orchestrator.core.errors import FetchError
from data_source_orchestrator.testing.fault_server import FaultServer, Reply, Request, answer, redirect
from data_source_orchestrator.web import HttpPolicy, HttpPool

pytestmark = pytest.mark.real_time

HOME, INNER = "127.0.0.1", "127.0.0.2"


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


@pytest.mark.parametrize("host", ["0x7f000002", "127.2", "2130706434", "[::ffff:127.0.0.2]", "[::]", "0.0.0.0"])  # noqa: S104 — to be refused
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
