"""Ten thousand runs in one process: no task, timer, thread or file may be left, and memory must stay flat.

`uv run python benchmarks/leaks.py [runs]`. Exits with 1 where something is left.
"""

import asyncio
import gc
import os
import sys
import threading
import tracemalloc
from pathlib import Path
from typing import Any

from data_source_orchestrator import (
    DataSourceOrchestrator,
    FetchError,
    OrchestratorConfig,
    RetryConfig,
    Source,
    SourceCoordinator,
)


async def good() -> list[int]:
    """Succeed."""
    await asyncio.sleep(0)
    return [1]


async def bad() -> None:
    """Fail."""
    raise FetchError("server", "down")


async def hung() -> None:
    """Never end."""
    await asyncio.sleep(3600)


def open_files() -> int:
    """Return how many files and sockets this process holds, where the system tells."""
    held = Path("/proc/self/fd")
    return len(os.listdir(held)) if held.is_dir() else 0  # noqa: PTH208 — a count is all that is wanted


async def left_after(orchestrator: DataSourceOrchestrator, runs: int) -> dict[str, int]:
    """Make so many runs and count what is left on the loop."""
    for _ in range(runs):
        await orchestrator.fetch_from_all_sources()
        orchestrator.coordinator.reset()  # or the breaker would spare the failing ones
    await asyncio.sleep(0)
    timers = getattr(asyncio.get_running_loop(), "_scheduled", ())
    gc.collect()
    return {
        "tasks": len(asyncio.all_tasks()) - 1,
        "timers": sum(not timer.cancelled() for timer in timers),
        "threads": threading.active_count() - 1,
        "files": open_files(),
        "bytes": tracemalloc.get_traced_memory()[0],
    }


async def main() -> int:
    """Measure after a tenth of the runs and after all of them."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    sources: list[Source[Any]] = [
        Source(key="good", fetcher=good),
        Source(key="plain", fetcher=lambda: 1),
        Source(key="bad", fetcher=bad, max_retries=0),
        Source(key="hung", fetcher=hung, timeout=0.001),
    ]
    orchestrator = DataSourceOrchestrator(
        SourceCoordinator(sources), OrchestratorConfig(timeout=60), RetryConfig(max_retries=0)
    )
    tracemalloc.start()
    early = await left_after(orchestrator, runs // 10)
    late = await left_after(orchestrator, runs - runs // 10)
    for name, before in early.items():
        print(f"{name:>8}: {before:>10} after {runs // 10} runs, {late[name]:>10} after {runs}")
    flat = late["bytes"] <= early["bytes"] * 1.05 + 65536
    clean = all(late[name] == 0 for name in ("tasks", "timers", "threads")) and late["files"] <= early["files"]
    print("flat and clean" if flat and clean else "SOMETHING IS LEFT")
    return 0 if flat and clean else 1


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
