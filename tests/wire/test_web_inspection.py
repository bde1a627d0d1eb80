"""What the client tells of the answers that it has accepted, so that they can be looked at: all of it but secrets."""

import pytest

from data_source_orchestrator.core.clock import SystemClock
from data_source_orchestrator.core.errors import FetchError
from data_source_orchestrator.core.served import Served
from data_source_orchestrator.testing.fault_server import FaultServer, answer
from data_source_orchestrator.web import HttpPool

pytestmark = pytest.mark.real_time

HEADERS = {
    "Content-Type": "text/plain",
    "Set-Cookie": "session=hunter2",
    "X-Api-Key": "hunter2",
    "X-Trace": "hunter2",
    "Last-Modified": "Wed, 25 Nov 2026 20:00:00 GMT",
}


async def test_an_accepted_answer_is_told_without_secrets_and_before_it_is_parsed():
    served: list[Served] = []
    pool = HttpPool(clock=SystemClock())
    reply = answer(b"{not json", headers=HEADERS)
    async with FaultServer({"*": reply}) as server, pool.use():
        client = pool.client(received=lambda _: None, served=served.append)
        with pytest.raises(FetchError, match="JSON"):
            await client.get_json(server.url("/rows?token=hunter2&game=mw2"))
    (one,) = served
    assert (one.status, one.body, one.length) == (200, b"{not json", 9)
    assert one.url.endswith("/rows?token=***&game=mw2")
    assert {"Content-Type", "Last-Modified"} <= set(one.headers)
    assert "hunter2" not in f"{one.url}{one.headers}"
