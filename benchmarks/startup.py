"""What it costs to begin: the import against `import asyncio`, `dso --help` against an empty Typer program.

`uv run python benchmarks/startup.py`; whole processes, in the CPU time that they use.
"""

import resource
import subprocess
import sys

from measure import Contestant, race
from rung import Rung, tell

ROUNDS = 9
ASYNCIO, IMPORT, FRONT = "import asyncio", "import data_source_orchestrator", "… and DataSourceOrchestrator"
TYPER, HELP = "an empty Typer program --help", "dso --help"

EMPTY_TYPER = """
import typer
app = typer.Typer()
@app.command()
def one(): "Do one thing."
@app.command()
def two(): "Do another."
app()
"""


def children() -> float:
    """Return the CPU time of all processes that were started here and have ended, in seconds."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def program(code: str, *arguments: str) -> Contestant:
    """Return what runs a program in a process of its own."""
    command = [sys.executable, "-c", code, *arguments]
    return Contestant(lambda: subprocess.run(command, check=True, stdout=subprocess.DEVNULL))  # noqa: S603 — our own programs


def rungs() -> list[Rung]:
    """Measure, print both ladders, and return our two rungs."""
    imports = {
        ASYNCIO: program("import asyncio"),
        IMPORT: program("import data_source_orchestrator"),
        FRONT: program("from data_source_orchestrator import DataSourceOrchestrator"),
    }
    helps = {
        TYPER: program(EMPTY_TYPER, "--help"),
        HELP: program("from data_source_orchestrator.cli import main; main()", "--help"),
    }
    imported = race(imports, rounds=ROUNDS, clock=children)
    imported.tell("importing, CPU", ASYNCIO)
    helped = race(helps, rounds=ROUNDS, clock=children)
    helped.tell("--help, CPU", TYPER)
    beside = {FRONT: imported.ratio(FRONT, ASYNCIO)}
    return [
        Rung(
            figure="`import data_source_orchestrator`, against `import asyncio`",
            measured=imported.ratio(IMPORT, ASYNCIO),
            must=2.5,
            aim=1.5,
            beside=beside,
        ),
        Rung(
            figure="`dso --help`, against an empty Typer program",
            measured=helped.ratio(HELP, TYPER),
            must=1.5,
            aim=1.2,
        ),
    ]


if __name__ == "__main__":
    tell(rungs())
