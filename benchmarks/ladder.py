"""Take every rung and print the ladder as a table in Markdown; with `--write`, put it into `benchmarks/README.md`.

`uv run --group peers python benchmarks/ladder.py [--write] [name ...]`; five minutes on a quiet machine. Each benchmark
runs in a process of its own, so that none finds the heap as another has left it. The profile is taken for the README.
"""

import argparse
import os
import platform
import re
import sys
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from contextlib import redirect_stdout
from datetime import UTC, datetime
from importlib import import_module
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from rung import Rung

BENCHMARKS = (
    "guarded_call",
    "breaker",
    "fanout",
    "scaling",
    "hung",
    "memory",
    "over_http",
    "not_modified",
    "history",
    "fingerprint",
    "startup",
    "three_sources",
)
README = Path(__file__).with_name("README.md")
LADDER, PROFILE = "ladder", "profile"
"""The two places in it."""

HEAD = (
    "| figure | must | aim | measured | reached | beside it, in the same unit | benchmark |",
    "|---|---|---|---|---|---|---|",
)


def apart(module: str, function: str) -> Any:
    """Call a benchmark in a process of its own; what it prints goes to the error stream."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
        return process.submit(_called, module, function).result()


def _called(module: str, function: str) -> Any:
    with redirect_stdout(sys.stderr):
        return getattr(import_module(module), function)()


def row(rung: Rung, benchmark: str) -> str:
    """Return a rung as a row of the table."""
    cells = (rung.figure, *rung.goals, f"{rung.measured} {rung.unit}", rung.reached, rung.others, f"`{benchmark}.py`")
    return f"| {' | '.join(cells)} |"


def machine() -> str:
    """Return what it was measured on."""
    model = re.search(r"^model name\s*:\s*(.+)$", _cpu_told(), re.MULTILINE)
    python = f"{platform.python_implementation()} {platform.python_version()}"
    return f"{os.cpu_count()} cores, {model[1] if model else platform.machine()}, {platform.system()}, {python}"


def _cpu_told() -> str:
    told = Path("/proc/cpuinfo")
    return told.read_text() if told.is_file() else ""


def load() -> str:
    """Return how many processes wanted to run, on average over the last five minutes."""
    return f"{os.getloadavg()[1]:.1f}" if hasattr(os, "getloadavg") else "unknown"


def ladder(names: Iterable[str]) -> str:
    """Return the table, with when and on what it was taken."""
    rows = [row(rung, name) for name in names for rung in apart(name, "rungs")]
    today = datetime.now(UTC).date().isoformat()  # noqa: TID251 — a benchmark is of its day
    when = f"Taken on {today}: {machine()}; {load()} processes wanted to run, this one included."
    return "\n".join((when, "", *HEAD, *rows))


def put(text: str, place: str, content: str) -> str:
    """Return a text with other content in one of its places, which two comments mark."""
    marked = re.compile(rf"(<!-- {place} -->\n).*?(<!-- /{place} -->)", re.DOTALL)
    return marked.sub(lambda found: f"{found[1]}{content}\n{found[2]}", text)


def main() -> None:
    """Print the table, and write it where that is wanted."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--write", action="store_true", help="put the table into benchmarks/README.md")
    asked.add_argument("names", nargs="*", metavar="name", help=f"of {', '.join(BENCHMARKS)}; all where none is given")
    given = asked.parse_args()
    if unknown := set(given.names) - set(BENCHMARKS):
        asked.error(
            f"there is no benchmark {', '.join(sorted(unknown))} on the ladder; give of {', '.join(BENCHMARKS)}"
        )
    if given.write and given.names:
        asked.error("--write puts the whole ladder into the README; give no names beside it")
    table = ladder(given.names or BENCHMARKS)
    print(table)
    if given.write:
        profile = "\n".join(apart("profiled", "rows"))
        README.write_text(put(put(README.read_text(), LADDER, table), PROFILE, profile))


if __name__ == "__main__":
    main()
