"""TLS as it goes wrong, with authorities made for the test."""

import asyncio
import ssl
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import trustme

from data_source_orchestrator.core.clock import SystemClock
from data_source_orchestrator.core.errors import FetchError
from data_source_orchestrator.testing.fault_server import (
    FaultServer,
    Reply,
    Request,
    answer,
    head,
    redirect,
    silence,
    trickle,
)
from data_source_orchestrator.web import HttpPool

pytestmark = pytest.mark.real_time


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Give an authority that SSL_CERT_FILE makes this process trust."""
    made = trustme.CA()
    made.cert_pem.write_to_path(tmp_path / "authority.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
    return made


def context(authority: trustme.CA, *names: Any, **options: Any):
    served = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(*names, **options).configure_cert(served)
    return served


@asynccontextmanager
async def upstream(tls: ssl.SSLContext, reply: Reply = answer('{"a": 1}')):  # noqa: B008 — a reply holds no state
    pool = HttpPool(clock=SystemClock())
    async with FaultServer({"*": reply}, tls=tls) as server, pool.use():
        yield server, pool.client(received=lambda _: None)


async def refusal(tls: ssl.SSLContext):
    async with upstream(tls) as (server, client):
        with pytest.raises(FetchError) as caught:
            await client.get(server.url("/x?key=hunter2"))
        assert server.requests == []
        assert f"the TLS certificate of 127.0.0.1:{server.port} is not accepted" in str(caught.value)
    assert caught.value.kind == "connection"
    return str(caught.value)


async def test_an_authority_named_in_ssl_cert_file_is_trusted(authority: trustme.CA):
    async with upstream(context(authority, "127.0.0.1")) as (server, client):
        assert await client.get_json(server.url()) == {"a": 1}
        assert await client.get_json(server.url()) == {"a": 1}
        assert server.connections == 1, "the connection is kept alive"


async def test_a_certificate_made_out_to_another_name_is_connection(authority: trustme.CA):
    assert "it is made out to another name" in await refusal(context(authority, "elsewhere.example"))
    async with upstream(context(authority, "127.0.0.1")) as (server, client):
        with pytest.raises(FetchError, match=r"certificate of localhost:\d+ .* another name"):
            await client.get(server.url(host="localhost"))


async def test_a_certificate_of_an_unknown_authority_is_connection(authority: trustme.CA):  # noqa: ARG001 — trusts another one
    assert "SSL_CERT_FILE" in await refusal(context(trustme.CA(), "127.0.0.1"))


async def test_an_expired_certificate_is_connection(authority: trustme.CA):
    past = datetime(2020, 1, 1, tzinfo=UTC)
    tls = context(authority, "127.0.0.1", not_before=past - timedelta(days=1), not_after=past)
    assert "it has expired" in await refusal(tls)


async def test_a_server_without_tls_behind_https_is_connection():
    pool = HttpPool(clock=SystemClock())

    async def plain(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter):
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(plain, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, pool.use():
        with pytest.raises(FetchError, match="does not speak TLS as it should: wrong version number") as caught:
            await pool.client(received=lambda _: None).get(f"https://127.0.0.1:{port}/")
    assert caught.value.kind == "connection"


async def test_b05_a_request_over_tls_is_cut_without_waiting_for_a_farewell(authority: trustme.CA):
    async with upstream(context(authority, "127.0.0.1"), trickle(b"x" * 1000)) as (server, client):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.5):
                await client.get(server.url())
        await asyncio.sleep(0.1)
        assert server.open_connections == 0


def sockets() -> int:
    files = [file for file in Path("/proc/self/fd").iterdir() if file.is_symlink()]
    return sum(str(file.readlink()).startswith("socket:") for file in files)


@pytest.mark.parametrize("sent", [b"", head(200, {"Content-Length": "1000"}) + b"x"], ids=["no answer", "half a body"])
@pytest.mark.parametrize("secure", [True, False])
async def test_b05_an_upstream_that_has_gone_deaf_keeps_no_socket_of_ours(
    authority: trustme.CA, sent: bytes, secure: bool
):
    async def deaf(_request: Request, writer: asyncio.StreamWriter):
        writer.transport.pause_reading()  # type: ignore[attr-defined]  # typeshed's writer knows no way to read
        writer.write(sent)
        await silence(_request, writer)

    pool = HttpPool(clock=SystemClock())
    async with FaultServer({"*": deaf}, tls=context(authority, "127.0.0.1") if secure else None) as server:
        before = sockets()
        async with pool.use():
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.5):
                    await pool.client(received=lambda _: None).get(server.url())
        assert server.open_connections == 1
        assert sockets() == before + 1, "only the server's end is left, and at once"


async def test_a_check_over_tls_hangs_up_after_the_first_bytes(authority: trustme.CA):
    async with upstream(context(authority, "127.0.0.1"), trickle(b"x" * 1000)) as (server, client):
        async with asyncio.timeout(1):
            await client.check(server.url())
        await asyncio.sleep(0.1)
        assert server.open_connections == 0


async def test_a_redirect_is_held_to_the_same_certificates(authority: trustme.CA):
    async with (
        FaultServer({"*": answer("secret")}, tls=context(trustme.CA(), "127.0.0.1")) as other,
        upstream(context(authority, "127.0.0.1")) as (server, client),
    ):
        server.routes["/a"] = redirect(other.url("/b"))
        with pytest.raises(FetchError, match="is not accepted") as caught:
            await client.get(server.url("/a"))
        assert (caught.value.kind, other.requests) == ("connection", [])


async def test_credentials_do_not_follow_a_redirect_out_of_tls(authority: trustme.CA):
    async with (
        FaultServer({"/b": answer("ok")}) as plain,
        upstream(context(authority, "127.0.0.1")) as (server, client),
    ):
        server.routes["/a"] = redirect(plain.url("/b"))
        await client.get(server.url("/a"), headers={"Authorization": "Bearer hunter2"})
        assert server.requests[0].headers["authorization"] == "Bearer hunter2"
        assert "authorization" not in plain.requests[0].headers


async def test_robots_txt_is_read_under_the_same_certificates(authority: trustme.CA):  # noqa: ARG001 — trusts another one
    async with upstream(context(trustme.CA(), "127.0.0.1")) as (server, client):
        with pytest.raises(FetchError, match=r"while robots\.txt cannot be read: the TLS certificate") as caught:
            await client.get(server.url("/page"), page=True)
        assert (caught.value.kind, server.requests) == ("connection", [])
