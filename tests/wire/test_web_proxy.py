"""Proxies that the environment names."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
import trustme

from data_source_orchestrator.core.clock import SystemClock
from data_source_orchestrator.core.context import HttpClient
from data_source_orchestrator.core.errors import FetchError
from data_source_orchestrator.testing.fault_server import FaultServer, answer, redirect, unused_port
from data_source_orchestrator.web import HttpPool

pytestmark = pytest.mark.real_time

SetVariable = Callable[[str, str], None]
NAMES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


@pytest.fixture(autouse=True)
def proxies(monkeypatch: pytest.MonkeyPatch):
    """Give what sets the environment's proxies, after all of them were taken away."""
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    return monkeypatch.setenv


@asynccontextmanager
async def client() -> AsyncIterator[HttpClient]:
    pool = HttpPool(clock=SystemClock())
    async with pool.use():
        yield pool.client(received=lambda _: None)


@asynccontextmanager
async def tunnel(port: int):
    """A CONNECT proxy to whom every host is that port of loopback; yields its port and the heads it was sent."""
    heads = list[str]()
    lines = asyncio.TaskGroup()

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter):
        with suppress(OSError):
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter):
        heads.append((await reader.readuntil(b"\r\n\r\n")).decode())
        onward = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        lines.create_task(relay(reader, onward[1]))
        lines.create_task(relay(onward[0], writer))

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with lines, server:
        yield server.sockets[0].getsockname()[1], heads


async def test_https_goes_through_a_connect_proxy_with_its_credentials_and_end_to_end_tls(
    proxies: SetVariable, tmp_path: Path
):
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "authority.pem")
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("upstream.example").configure_cert(tls)
    proxies("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
    async with FaultServer({"/x": answer('{"a": 1}')}, tls=tls) as server, tunnel(server.port) as (port, heads):
        proxies("HTTPS_PROXY", f"http://user:hunter2@127.0.0.1:{port}")
        async with client() as http:
            assert await http.get_json("https://upstream.example/x") == {"a": 1}
            with pytest.raises(FetchError, match=r"certificate of other\.example:443 is not accepted") as caught:
                await http.get_json("https://other.example/x")
    assert caught.value.kind == "connection"
    assert heads[0].startswith("CONNECT upstream.example:443 ")
    assert "Proxy-Authorization: Basic dXNlcjpodW50ZXIy\r\n" in heads[0]
    assert "proxy-authorization" not in server.requests[0].headers


async def test_http_goes_through_the_proxy_in_absolute_form(proxies: SetVariable):
    async with FaultServer({"/x": answer("through")}) as proxy:
        proxies("HTTP_PROXY", f"http://user:hunter2@127.0.0.1:{proxy.port}")
        async with client() as http:
            assert await http.get_text("http://upstream.example/x") == "through"
    (request,) = proxy.requests
    assert request.target == "http://upstream.example/x"
    assert request.headers["proxy-authorization"] == "Basic dXNlcjpodW50ZXIy"


async def test_loopback_and_no_proxy_are_asked_directly(proxies: SetVariable):
    async with FaultServer({"/x": answer("direct")}) as server, client() as http:
        proxies("HTTP_PROXY", f"http://127.0.0.1:{unused_port()}")
        assert await http.get_text(server.url("/x")) == "direct"
        assert await http.get_text(server.url("/x", host="localhost")) == "direct"


async def test_a_host_in_no_proxy_is_asked_directly(proxies: SetVariable):
    async with FaultServer({"*": answer("through")}) as proxy:
        proxies("ALL_PROXY", f"127.0.0.1:{proxy.port}")
        proxies("NO_PROXY", "inner.invalid")
        async with client() as http:
            assert await http.get_text("http://upstream.example/x") == "through"
            with pytest.raises(FetchError, match=r"no address is known for inner\.invalid"):
                await http.get("http://inner.invalid/x")


async def test_a_proxy_that_cannot_be_reached_is_connection_and_named_without_its_password(proxies: SetVariable):
    port = unused_port()
    proxies("HTTPS_PROXY", f"http://user:hunter2@127.0.0.1:{port}")
    async with client() as http:
        with pytest.raises(FetchError, match=f"the proxy 127.0.0.1:{port} on the way to upstream.example") as caught:
            await http.get("https://upstream.example/x")
    assert caught.value.kind == "connection"
    assert "hunter2" not in str(caught.value)


async def test_a_proxy_that_refuses_is_connection(proxies: SetVariable):
    async with FaultServer({"*": answer("who are you?", status=407)}) as proxy:
        proxies("HTTPS_PROXY", f"http://127.0.0.1:{proxy.port}")
        async with client() as http:
            with pytest.raises(
                FetchError, match=r"refused the way to upstream\.example:443: it answered 407"
            ) as caught:
                await http.get("https://upstream.example/x")
    assert caught.value.kind == "connection"


async def test_a_proxy_of_a_kind_that_is_not_spoken_is_connection(proxies: SetVariable):
    proxies("ALL_PROXY", "socks5://user:hunter2@127.0.0.1:1080")
    async with client() as http:
        with pytest.raises(FetchError, match="only http:// and https:// proxies") as caught:
            await http.get("http://upstream.example/x")
    assert caught.value.kind == "connection"
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    "host",
    [
        "169.254.169.254",
        "0xa9fea9fe",
        "2852039166",
        "10.0.0.1",
        "10.1",
        "[fd00::1]",
        "service.localhost",
        "redis",
        "metadata.google.internal",
    ],
)
async def test_a_proxy_is_not_sent_to_an_inner_host_on_an_upstreams_word(proxies: SetVariable, host: str):
    async with FaultServer({"/a": redirect(f"http://{host}/b"), "/b": answer("secret")}) as proxy:
        proxies("HTTP_PROXY", f"http://127.0.0.1:{proxy.port}")
        async with client() as http:
            with pytest.raises(FetchError) as caught:
                await http.get("http://upstream.example/a")
        assert [request.path for request in proxy.requests] == ["/a"]
    assert caught.value.kind in {"blocked", "connection"}
    assert proxy.requests[0].target == "http://upstream.example/a"


async def test_the_operators_own_inner_host_may_redirect_within_itself_through_a_proxy(proxies: SetVariable):
    async with FaultServer({"/a": redirect("/b"), "/b": answer("ok")}) as proxy:
        proxies("HTTP_PROXY", f"http://127.0.0.1:{proxy.port}")
        async with client() as http:
            assert await http.get_text("http://10.0.0.1/a") == "ok"
