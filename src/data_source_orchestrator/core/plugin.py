"""What an installed package offers: sources, how to merge them, and a made-up upstream to try them on."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, Protocol

from data_source_orchestrator.core.claim import MergeRules
from data_source_orchestrator.core.source import Source

Environment = Mapping[str, str]
"""Variables by name, handed in; nobody below reads the process's own."""


class Sandbox(Protocol):
    """Starts made-up upstreams on loopback and gives the variables that point the sources at them."""

    def __call__(self, *, faults: Mapping[str, str], port: int) -> AbstractAsyncContextManager[Environment]:
        """Serve until the context ends.

        `faults` are the switches to throw, by source key; `port` is the first of the ports to listen on, 0 for
        any that are free.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """An environment variable that a plug-in reads, for documentation and for `dso doctor`."""

    name: str
    meaning: str
    default: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A way in which a sandbox's upstream can be made to misbehave, as it is spelt, and for which sources."""

    name: str
    spelling: str
    meaning: str
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plugin:
    """An entry point of the group `data_source_orchestrator.plugins`.

    `sources` builds the sources for an environment, raising `ConfigurationError` for a variable it cannot read.
    `faults` tells what the sandbox's upstreams can be made to do.
    """

    name: str
    sources: Callable[[Environment], Sequence[Source[Any]]]
    rules: MergeRules = MergeRules()
    sandbox: Sandbox | None = None
    faults: Callable[[], Sequence[Fault]] = tuple
    variables: tuple[Variable, ...] = ()
