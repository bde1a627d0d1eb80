"""The shipped fault server itself: resets at a byte, handshakes that fail."""

import asyncio
import ssl

import pytest

from data_source_orchestrator.core.clock import SystemClock
from data_source_orchestrator.core.errors import FetchError
from data_source_orchestrator.testing import FaultServer
from data_source_orchestrator.testing.bad_tls import (
    Handshake,
    hang_up_in_handshake,
    not_tls,
    silent_handshake,
    tls_alert,
)
from data_source_orchestrator.testing.fault_server import reset_at
from data_source_orchestrator.web.pool import HttpPool

pytestmark = pytest.mark.real_time


@pytest.mark.parametrize("byte", [0, 1, 5])
async def test_a_body_is_broken_off_at_exactly_that_byte(byte: int):
    async with FaultServer({"/": reset_at(byte, b"0123456789")}) as server:
        reader, writer = await asyncio.open_connection(server.host, server.port)
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        head = await reader.readuntil(b"\r\n\r\n")
        assert b"Content-Length: 10" in head
        assert await reader.readexactly(byte) == b"0123456789"[:byte]
        with pytest.raises(ConnectionResetError):
            await reader.readexactly(1)
        writer.close()


@pytest.mark.parametrize(
    ("handshake", "told"),
    [
        (tls_alert(), "HANDSHAKE_FAILURE"),
        (tls_alert(70), "PROTOCOL_VERSION"),
        (not_tls(), "WRONG_VERSION_NUMBER|RECORD_LAYER"),
    ],
)
async def test_a_handshake_that_fails_is_an_error_of_tls(handshake: Handshake, told: str):
    async with FaultServer(handshake=handshake) as server:
        with pytest.raises(ssl.SSLError, match=told):
            await asyncio.open_connection(server.host, server.port, ssl=ssl.create_default_context())


async def test_a_handshake_can_end_with_the_connection_or_never():
    async with FaultServer(handshake=hang_up_in_handshake()) as server:
        with pytest.raises(OSError):  # noqa: PT011 — which one depends on the platform
            await asyncio.open_connection(server.host, server.port, ssl=ssl.create_default_context())
    async with FaultServer(handshake=silent_handshake) as server:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await asyncio.open_connection(server.host, server.port, ssl=ssl.create_default_context())


@pytest.mark.parametrize("handshake", [tls_alert(), not_tls(), hang_up_in_handshake()])
async def test_our_client_tells_a_failed_handshake_as_a_connection_failure(handshake: Handshake):
    async with FaultServer(handshake=handshake) as server:
        pool = HttpPool(clock=SystemClock())
        async with pool.use():
            with pytest.raises(FetchError) as told:
                await pool.client(received=lambda _total: None).get(server.url("/"))
    assert server.url("/").startswith("https://")
    assert told.value.kind == "connection"
