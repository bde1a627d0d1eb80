"""What it costs to begin: the import against `import asyncio`, `dso --help` against an empty Typer program.

Whole processes, in turn. `uv run python benchmarks/startup.py`; goals: at most 2.5 and 1.5 times.
"""

import subprocess
import sys
from collections.abc import Callable

from measure import compare

EMPTY_TYPER = """
import typer
app = typer.Typer()
@app.command()
def one(): "Do one thing."
@app.command()
def two(): "Do another."
app()
"""


def program(code: str, *arguments: str) -> Callable[[], object]:
    """Return what runs a program in a process of its own."""
    command = [sys.executable, "-c", code, *arguments]
    return lambda: subprocess.run(command, check=True, stdout=subprocess.DEVNULL)  # noqa: S603 — our own programs


def main() -> None:
    """Print both ladders."""
    print("importing")
    compare(
        {
            "import asyncio": program("import asyncio"),
            "import data_source_orchestrator": program("import data_source_orchestrator"),
            "… and DataSourceOrchestrator": program("from data_source_orchestrator import DataSourceOrchestrator"),
        },
        rounds=15,
    )
    print("\n--help")
    compare(
        {
            "an empty Typer program": program(EMPTY_TYPER, "--help"),
            "dso --help": program("from data_source_orchestrator.cli import main; main()", "--help"),
        },
        rounds=15,
    )


if __name__ == "__main__":
    main()
