"""Every Python example of the documents runs, against the sandbox; the README's against TLS servers on loopback."""

import asyncio
import json
import os
import ssl
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trustme
from snippets import ROOT, python_blocks, run_block

from cod_sources.sandbox import serve
from data_source_orchestrator.assemble import live

FOLDERS = ("docs", "docs/how-to", "docs/reference", "docs/strategies")
DOCUMENTS = sorted(document for folder in FOLDERS for document in (ROOT / folder).glob("*.md"))
EXAMPLES = [
    pytest.param(code, id=f"{document.stem}-{number}")
    for document in DOCUMENTS
    for number, code in enumerate(python_blocks(document))
]

pytestmark = pytest.mark.real_time


@asynccontextmanager
async def sandboxed(monkeypatch: pytest.MonkeyPatch, folder: Path) -> AsyncIterator[dict[str, str]]:
    """Point this process's environment at made-up upstreams, from an empty working folder."""
    async with serve(faults={}, port=0) as variables:
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        monkeypatch.chdir(folder)
        live.cache_clear()
        try:
            yield dict(variables)
        finally:
            live.cache_clear()


@pytest.mark.parametrize("code", EXAMPLES)
async def test_an_example_of_the_documents_runs(
    code: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    async with sandboxed(monkeypatch, tmp_path):
        await run_block(code)
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.seed
async def test_the_seeds_integration_example_syncs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    async with sandboxed(monkeypatch, tmp_path):
        told, complaint, status = await run_program(ROOT / "examples" / "sync_weapons.py")
    assert status == 0, complaint
    assert "sources: codarmory, wzstats, codmunity" in told
    assert "System health: healthy" in told


async def test_the_seeds_integration_example_says_why_nothing_came(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    async with sandboxed(monkeypatch, tmp_path):
        for name in ("CODARMORY", "WZSTATS", "CODMUNITY"):
            monkeypatch.setenv(f"{name}_BASE_URL", "http://127.0.0.1:9")
        monkeypatch.delenv("CODMUNITY_API_BASE_URL")
        monkeypatch.setenv("DATA_ORCHESTRATOR_MAX_RETRIES", "0")
        told, complaint, status = await run_program(ROOT / "examples" / "sync_weapons.py")
    assert status == 1
    assert "codarmory: connection failure after 1 attempt" in complaint
    assert "Traceback" not in told + complaint


async def test_the_readmes_example_prints_the_price_and_the_outcome(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    [code] = python_blocks(ROOT / "README.md")
    program = tmp_path / "example.py"
    program.write_text(code)
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    async with (
        answering(authority, "a.example", {"milk": 2}) as a,
        answering(authority, "b.example", {"milk": 7}) as b,
        proxy({"a.example": a, "b.example": b}) as port,
    ):
        for name in ("HTTPS_PROXY", "https_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{port}")
        told, complaint, status = await run_program(program)
    assert status == 0, complaint
    assert told.startswith("{'milk': 2} stock: success after 1 attempt in")
    assert complaint == ""


async def test_D05_a_program_with_one_instant_fetch_ends_at_once(tmp_path: Path):
    program = tmp_path / "instant.py"
    program.write_text(
        "from data_source_orchestrator import DataSourceOrchestrator, SourceCoordinator, source\n"
        "@source(key='a')\n"
        "def a():\n"
        "    return 1\n"
        "orchestrator = DataSourceOrchestrator(SourceCoordinator([a]))\n"
        "print(orchestrator.fetch_sync()['a'], orchestrator.fetch_sync()['a'])\n"
    )
    told, complaint, status = await asyncio.wait_for(run_program(program), 20)
    assert (told, complaint, status) == ("1 1\n", "", 0)


async def test_D32_the_ready_made_pair_is_one_and_works_over_successive_event_loops(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    program = tmp_path / "pair.py"
    program.write_text(
        "import asyncio, logging\n"
        "logging.getLogger('asyncio').setLevel('ERROR')\n"  # a step that is called slow is one of a busy machine
        "from data_source_orchestrator import orchestrator, source_coordinator\n"
        "assert orchestrator.coordinator is source_coordinator\n"
        "for _ in range(2):\n"
        "    print(asyncio.run(orchestrator.fetch_from_all_sources()).metadata.success_count)\n"
        "source_coordinator.disable_source('wzstats')\n"
        "print(asyncio.run(orchestrator.fetch_from_all_sources()).metadata.success_count)\n"
    )
    async with sandboxed(monkeypatch, tmp_path):
        told, complaint, status = await run_program(program, "-W", "error", "-X", "dev")
    assert (told, complaint, status) == ("3\n3\n2\n", "", 0)


async def run_program(program: Path, *options: str) -> tuple[str, str, int | None]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *options,
        str(program),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=dict(os.environ),
    )
    told, complaint = await process.communicate()
    return told.decode(), complaint.decode(), process.returncode


@asynccontextmanager
async def answering(authority: trustme.CA, host: str, document: object) -> AsyncIterator[int]:
    """Serve one JSON document over TLS, as that host."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(host).configure_cert(context)
    body = json.dumps(document).encode()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\nConnection: close"
        writer.write(head.encode() + b"\r\n\r\n" + body)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=context)
    async with server:
        yield server.sockets[0].getsockname()[1]


@asynccontextmanager
async def proxy(ports: dict[str, int]) -> AsyncIterator[int]:
    """Be the way out of this machine for these hosts, and for nobody else."""
    tunnels: set[asyncio.Task[None]] = set()

    async def connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = (await reader.readuntil(b"\r\n\r\n")).decode()
        host = request.split()[1].partition(":")[0]
        there, here = await asyncio.open_connection("127.0.0.1", ports[host])
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        for source, sink in ((reader, here), (there, writer)):
            task = asyncio.create_task(pump(source, sink))
            tunnels.add(task)
            task.add_done_callback(tunnels.discard)

    server = await asyncio.start_server(connect, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]
        for tunnel in tuple(tunnels):
            tunnel.cancel()


async def pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    try:
        while chunk := await source.read(65536):
            sink.write(chunk)
            await sink.drain()
    except ConnectionError:
        pass
    finally:
        sink.close()
