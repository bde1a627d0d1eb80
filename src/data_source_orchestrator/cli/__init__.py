"""The command `dso`: reads what was typed, acts through the orchestrator's verbs, and tells what came of it.

It keeps no state of its own, and no other room knows it. The house is loaded by the command that needs it, when it
runs.
"""

import sys

__all__ = ["main"]


def main() -> None:
    """Run the command that was typed, and end the process with its exit status."""
    try:
        from data_source_orchestrator.cli.app import run  # noqa: PLC0415 — the command line's libraries are an extra

        status = run(sys.argv[1:])
    except ModuleNotFoundError as error:
        sys.stderr.write(
            f"dso: the command line needs {error.name}, which is not installed;"
            " install data-source-orchestrator[cli], or [all] for everything\n"
        )
        status = 2
    except KeyboardInterrupt:
        status = 130
    sys.exit(status)
