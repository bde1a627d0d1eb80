"""The shape of the command: its verbs, and how what was typed becomes options and an exit status.

Whatever a verb needs is loaded when it runs: `--help` costs Typer alone.
"""

import contextlib
import inspect
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import typer

from data_source_orchestrator.cli.options import (
    Common,
    ContractOptions,
    DriftOptions,
    FetchOptions,
    GateOptions,
    HealthOptions,
    PriorityOptions,
    SandboxOptions,
    SimulateOptions,
    SourcesOptions,
    SwitchOptions,
)

UNWRITABLE, WRONG_USE, INTERRUPTED = 1, 2, 130


@dataclass(frozen=True, slots=True, kw_only=True)
class Verb:
    """One command: `does` is `module.function` in this room, which takes the options and returns the exit status."""

    name: str
    options: type[Common]
    does: str
    help: str


VERBS = (
    Verb(
        name="sync",
        options=FetchOptions,
        does="sync.run",
        help="Fetch from all sources, or from those named; check, merge and store what they give; report.",
    ),
    Verb(
        name="fetch",
        options=FetchOptions,
        does="fetch.run",
        help="Fetch from all sources, or from those named, and merge and store nothing of it.",
    ),
    Verb(
        name="sources",
        options=SourcesOptions,
        does="sources.run",
        help="List the sources: priority, switches, freshness, and what each provides.",
    ),
    Verb(
        name="enable",
        options=SwitchOptions,
        does="switches.enable",
        help="Switch a source on, and let it through its circuit breaker at once.",
    ),
    Verb(
        name="disable",
        options=SwitchOptions,
        does="switches.disable",
        help="Switch a source off until it is enabled again.",
    ),
    Verb(
        name="priority",
        options=PriorityOptions,
        does="switches.priority",
        help="Give a source another priority; a lower number comes first.",
    ),
    Verb(
        name="status",
        options=Common,
        does="status.run",
        help="Tell how fresh what is served is, by source and by capability, and whether a snapshot is held; exit"
        " status 0 only if nothing is held, stale, expired or never read.",
    ),
    Verb(
        name="gate",
        options=GateOptions,
        does="gate.run",
        help="Tell what is held back because it has lost too much, and publish or forget it; exit status 1 while"
        " something is held.",
    ),
    Verb(
        name="health",
        options=HealthOptions,
        does="health.run",
        help="Tell how each source is doing, and all of them together.",
    ),
    Verb(
        name="metrics",
        options=Common,
        does="metrics.run",
        help="Tell all runs, and each source's executions, in numbers.",
    ),
    Verb(
        name="contract",
        options=ContractOptions,
        does="contract.run",
        help="Tell what a source's payload has to be, what its last good ones were like, and where those are kept that"
        " were no data.",
    ),
    Verb(
        name="drift",
        options=DriftOptions,
        does="drift.run",
        help="Tell what has changed in how the sources' documents are made: fields, types, null rates, volumes.",
    ),
    Verb(
        name="config",
        options=Common,
        does="config.run",
        help="Tell which value each setting has here, and where it was set.",
    ),
    Verb(
        name="sandbox",
        options=SandboxOptions,
        does="sandbox.run",
        help="Serve made-up upstreams on this machine until Ctrl-C, and print the variables that point there.",
    ),
    Verb(
        name="simulate",
        options=SimulateOptions,
        does="simulate.run",
        help="Play many made-up worlds against the engine's laws, or a described outage against these settings.",
    ),
    Verb(
        name="doctor",
        options=Common,
        does="doctor.run",
        help="Work through what can be wrong, each line with its finding and the next command to type; exit status 0"
        " only if a sync could be kept and be sufficient now.",
    ),
)

EPILOG = (
    "Exit status: 0 sufficient; 1 insufficient, or held by the gate, or the store or standard output cannot be used;"
    " 2 wrong use or configuration; 130 interrupted (143 by SIGTERM)."
)


def run(arguments: Sequence[str]) -> int:
    """Do what was typed, and return the exit status."""
    try:
        status = typer.main.get_command(build()).main(args=list(arguments), prog_name="dso", standalone_mode=False)
    except Exception as error:  # noqa: BLE001 — what is neither wrong use nor a full output is raised again
        return _told(error)
    return status if isinstance(status, int) else 0


def build() -> typer.Typer:
    """Return the command with all its verbs."""
    app = typer.Typer(
        help="Fetch from many unreliable sources at once, and get one answer that can be trusted.",
        epilog=EPILOG,
        add_completion=False,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["--help", "-h"]},
    )
    app.callback(invoke_without_command=True)(_alone)
    for verb in VERBS:
        app.command(verb.name, help=verb.help, context_settings=verb.options.context())(_function(verb))
    return app


def _alone(
    ctx: typer.Context,
    *,
    version: Annotated[bool, typer.Option("--version", metavar="", help="Print the version and exit.")] = False,
) -> None:
    """Answer whoever typed no verb."""
    if version:
        from importlib.metadata import version as installed  # noqa: PLC0415 — nobody else pays for it

        typer.echo(f"dso {installed('data-source-orchestrator')}")
        raise typer.Exit
    if ctx.invoked_subcommand is None:
        with contextlib.redirect_stdout(sys.stderr), contextlib.suppress(OSError):
            typer.echo(ctx.get_help())
        raise typer.Exit(WRONG_USE)


def _function(verb: Verb) -> Callable[..., int]:
    """Return a function whose parameters are the verb's options, as Typer wants to read them."""

    def act(**given: Any) -> int:
        from data_source_orchestrator.cli.failures import guarded  # noqa: PLC0415 — only a verb that runs pays for it

        return guarded(verb.does, verb.options(**given))

    signature = inspect.signature(verb.options)
    act.__name__ = verb.name
    act.__dict__["__signature__"] = signature
    act.__annotations__ = {name: parameter.annotation for name, parameter in signature.parameters.items()}
    return act


def _told(error: Exception) -> int:
    """Tell what was typed wrongly, that the help cannot be printed, or of Ctrl-C; raise what is none of them."""
    from data_source_orchestrator.cli.failures import silence, tell, unwritable  # noqa: PLC0415 — only this needs it

    if isinstance(error, typer.Abort):  # what some versions of Typer make of Ctrl-C outside a verb
        return INTERRUPTED
    told = _wrong_use(error)
    if told is not None:
        tell(told)
        return WRONG_USE
    if not isinstance(error, OSError):
        raise error
    silence(sys.stdout)
    tell(unwritable(error))
    return UNWRITABLE


def _wrong_use(error: Exception) -> str | None:
    """Return one sentence on what was typed wrongly; None for an error of any other sort."""
    format_message = getattr(error, "format_message", None)  # Typer's own click and the separate one have it in common
    if format_message is None:
        return None
    context = getattr(error, "ctx", None)
    command = context.command_path if context else "dso"
    sentence = " ".join(str(format_message()).split()).rstrip(".")
    return f"{sentence}{'' if sentence.endswith('?') else ';'} `{command} --help` tells what is accepted"
