"""What it costs to hear that nothing has changed, against fetching it: 943 kB in the shape of CODArmory's attachments.

`uv run python benchmarks/not_modified.py`. The server is a process of its own, and only the CPU time of the process
that asks is counted. A full fetch is a request, its strict JSON and its typed rows, as the shipped source reads them.
Beside it: 304 with the answers kept in memory, and in a SQLite file; and the same bytes sent once more under 200.
"""

import asyncio
import tempfile
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

from loopback_server import ATTACHMENTS, LARGE, served
from measure import Contestant, race
from peers import Work
from rung import Rung, tell

from cod_sources.codarmory import Attachment
from cod_sources.decoding import decode_row
from cod_sources.notes import Notes
from cod_sources.rows import read_rows
from data_source_orchestrator import HttpPolicy, HttpPool, SqliteResponses
from data_source_orchestrator.core.context import HttpResponse
from data_source_orchestrator.core.ports import ResponseStore
from data_source_orchestrator.web.parsed import ParseMemory

ROUNDS = 11
TIMES = 20

FULL, MEMORY, FILE, AGAIN = "a full fetch", "304, kept in memory", "304, kept in a file", "200 with the same bytes"


def parse(answer: HttpResponse) -> object:
    """Return the typed rows."""
    rows = read_rows(
        answer.json(), "attachments.json", lambda item: decode_row(item, Attachment), lambda row: row.id, Notes()
    )
    if len(rows) != len(ATTACHMENTS):
        raise SystemExit(f"{len(rows)} of {len(ATTACHMENTS)} rows were read")
    return rows


async def asking(
    url: str, opened: AsyncExitStack, *, cache: bool, remembers: bool, store: ResponseStore | None = None
) -> Work:
    """Return a fetch; what `remembers` is parsed once."""
    pool = HttpPool(HttpPolicy(cache=cache), responses=store)
    await opened.enter_async_context(pool.use())
    memory = ParseMemory()

    async def fetch() -> object:
        http = pool.client(confirmed=True)
        answer = await http.get(url)
        parsed = (memory if remembers else ParseMemory()).of("codarmory", http)
        return await parsed("attachments", [answer], lambda: parse(answer))

    return fetch


async def prepared(opened: AsyncExitStack) -> dict[str, Work]:
    """Return what is compared."""
    url = (await opened.enter_async_context(served())).replace("/rows", "/attachments")
    folder = Path(opened.enter_context(tempfile.TemporaryDirectory()))
    file = await SqliteResponses.open(folder / "responses.db", max_bytes=10**8)
    opened.push_async_callback(file.close)
    return {
        FULL: await asking(url, opened, cache=False, remembers=False),
        MEMORY: await asking(url, opened, cache=True, remembers=True),
        FILE: await asking(url, opened, cache=True, remembers=True, store=file),
        AGAIN: await asking(url, opened, cache=False, remembers=True),
    }


def rungs() -> list[Rung]:
    """Measure, print what each costs, and return our rung."""
    with asyncio.Runner() as runner:
        opened = AsyncExitStack()
        try:
            works = runner.run(prepared(opened))

            def contestant(work: Callable[[], Awaitable[object]]) -> Contestant:
                async def whole() -> None:
                    for _ in range(TIMES):
                        await work()

                return Contestant(lambda: runner.run(whole()), TIMES)

            taken = race({name: contestant(work) for name, work in works.items()}, rounds=ROUNDS)
        finally:
            runner.run(opened.aclose())
    taken.tell(f"one answer of {len(LARGE) / 1000:.0f} kB, CPU", FULL)
    whole = f"{len(LARGE) / 1000:.0f} kB ({taken.microseconds(FULL).value / 1000:.1f} ms)"
    return [
        Rung(
            figure=f"a 304, against a full fetch of {whole}",
            measured=taken.ratio(MEMORY, FULL),
            must=0.10,
            aim=0.05,
            beside={name: taken.ratio(name, FULL) for name in (FILE, AGAIN)},
        )
    ]


if __name__ == "__main__":
    tell(rungs())
