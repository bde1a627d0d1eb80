"""What can be typed after each verb, as frozen records; Typer reads their fields.

Values are taken as they were typed: what they must be is known to `settings` and to the plug-ins.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from typer import Argument, Option

_WHOLE = re.compile(r"-?[0-9]{1,400}")

KEY = "The source's key, as `dso sources` tells it."
FAULT = Option(
    "--fault",
    metavar="KEY=SPEC",
    help="Make a made-up upstream misbehave, as in wzstats=latency=2; may be repeated. `dso sandbox --list-faults`"
    " tells what there is.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Common:
    """What every verb takes."""

    json: Annotated[
        bool,
        Option(
            "--json", metavar="", help="Print one JSON document on standard output, and all else on standard error."
        ),
    ] = False
    config: Annotated[
        str | None,
        Option("--config", metavar="FILE", help="The settings file, in place of dso.toml in the working folder."),
    ] = None
    data_dir: Annotated[
        str | None,
        Option("--data-dir", metavar="FOLDER", help="The folder of the store, in place of your own data folder."),
    ] = None
    sandbox: Annotated[
        bool,
        Option(
            "--sandbox",
            metavar="",
            help="Ask made-up upstreams on this machine; their data is kept apart from real data.",
        ),
    ] = False

    @classmethod
    def context(cls) -> dict[str, Any]:
        """Return how Typer is to read these options."""
        return {}

    def flags(self) -> Mapping[str, object]:
        """Return the settings that were given, by name; None where not."""
        return {"data_dir": self.data_dir}

    def faults(self) -> tuple[str, ...]:
        """Return the faults that were asked for, each as KEY=SPEC."""
        return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Faulty(Common):
    """What verbs take that can be tried on misbehaving upstreams."""

    fault: Annotated[list[str] | None, FAULT] = None

    def faults(self) -> tuple[str, ...]:
        """Return the faults that were asked for, each as KEY=SPEC."""
        return tuple(self.fault or ())


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchOptions(Faulty):
    """What `sync` and `fetch` take."""

    keys: Annotated[list[str] | None, Argument(metavar="KEY", help="The sources to ask; none means all.")] = None
    timeout: Annotated[
        str | None, Option("--timeout", metavar="SECONDS", help="The whole run's limit, as 60, 30s or 2m.")
    ] = None
    max_retries: Annotated[
        str | None, Option("--max-retries", metavar="N", help="How often a failed source is tried again.")
    ] = None
    sequential: Annotated[
        bool,
        Option("--sequential", metavar="", help="Ask one source after another, by priority, in place of all at once."),
    ] = False
    fail_fast: Annotated[
        bool, Option("--fail-fast", metavar="", help="End the run at the first source that fails.")
    ] = False
    min_successful: Annotated[
        str | None,
        Option("--min-successful", metavar="N", help="How many sources must succeed for the run to be sufficient."),
    ] = None

    def flags(self) -> Mapping[str, object]:
        """Return the settings that were given, by name; None where not."""
        return {
            "data_dir": self.data_dir,
            "timeout": self.timeout,
            "max_retries": number(self.max_retries),
            "parallel_execution": False if self.sequential else None,
            "fail_fast": self.fail_fast or None,
            "min_successful_sources": number(self.min_successful),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class SwitchOptions(Common):
    """What `enable` and `disable` take."""

    key: Annotated[str, Argument(metavar="KEY", help=KEY)]


@dataclass(frozen=True, slots=True, kw_only=True)
class PriorityOptions(SwitchOptions):
    """What `priority` takes."""

    priority: Annotated[str, Argument(metavar="N", help="A whole number; a lower one comes first.")]

    @classmethod
    def context(cls) -> dict[str, Any]:
        """Let -1 be a number and no option."""
        return {"ignore_unknown_options": True}


@dataclass(frozen=True, slots=True, kw_only=True)
class GateOptions(Common):
    """What `gate` takes."""

    action: Annotated[
        str | None,
        Argument(
            metavar="accept|reject", help="Publish what is held, or forget it; without it, what is held is only told."
        ),
    ] = None
    snapshot: Annotated[
        str | None,
        Argument(metavar="SNAPSHOT", help="How the snapshot's id begins that is meant; refused if it is another."),
    ] = None
    why: Annotated[
        str | None, Option("--why", metavar="TEXT", help="Your reason, to be told with the decision later on.")
    ] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractOptions(SwitchOptions):
    """What `contract` takes."""

    accept: Annotated[
        bool,
        Option(
            "--accept",
            metavar="",
            help="Accept that the source has shrunk: compare its next payload with none before it.",
        ),
    ] = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftOptions(Common):
    """What `drift` takes."""

    key: Annotated[
        str | None, Argument(metavar="KEY", help="The source to tell of, as `dso sources` tells it; none means all.")
    ] = None
    accept: Annotated[
        bool,
        Option(
            "--accept", metavar="", help="Take what this source serves now for usual, and close what is open of it."
        ),
    ] = False


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthOptions(Faulty):
    """What `health` takes."""

    probe: Annotated[
        bool, Option("--probe", metavar="", help="Ask every enabled source now, by a light request, before telling.")
    ] = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SourcesOptions(Common):
    """What `sources` takes."""

    politeness: Annotated[
        bool,
        Option("--politeness", metavar="", help="Tell what was asked of each host, to be shown to its owner."),
    ] = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxOptions(Faulty):
    """What `sandbox` takes."""

    port: Annotated[
        str, Option("--port", metavar="N", help="The first of the ports to listen on; 0 takes any that are free.")
    ] = "0"
    list_faults: Annotated[bool, Option("--list-faults", metavar="", help="Tell what can be thrown, and exit.")] = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulateOptions(Common):
    """What `simulate` takes."""

    seeds: Annotated[
        str | None, Option("--seeds", metavar="N", help="Play that many made-up worlds against the engine's laws.")
    ] = None
    start: Annotated[str, Option("--start", metavar="S", help="The seed of the first of them.")] = "0"
    jobs: Annotated[
        str | None, Option("--jobs", metavar="J", help="On how many processes; one for each core unless given.")
    ] = None
    scenario: Annotated[
        str | None,
        Option("--scenario", metavar="FILE", help="Play the outage that this file describes against these settings."),
    ] = None


def number(text: str | None) -> int | str | None:
    """Return a whole number in digits where there is one; what is none is left to whoever says what it should be."""
    return int(text) if text is not None and _WHOLE.fullmatch(text) else text
