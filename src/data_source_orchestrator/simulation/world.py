"""A whole history as plain data: sources, what befalls their upstreams, and what is done when.

A world is all that a play needs, so that one which breaks a law can be cut down, kept as JSON, and played again.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

from data_source_orchestrator.core.errors import ConfigurationError
from data_source_orchestrator.simulation.strategies import (
    CachePlan,
    HedgePlan,
    HostPlan,
    LimitPlan,
    QuotaPlan,
    thinned,
    with_plans,
)

Does = Literal[
    "slow", "fail", "raise", "hang", "stubborn", "tidy", "none", "breach", "base", "cancelled", "exit", "offline"
]
"""What an upstream does in place of answering; `upstreams` says what each means."""

EVERYBODY = "*"
"""The source of a fault that befalls all upstreams: what is broken is on our side of the wire."""

Verb = Literal[
    "fetch",
    "sync",
    "meta",
    "stream",
    "check",
    "update",
    "priority",
    "enable",
    "disable",
    "unregister",
    "register",
    "reset",
    "jump",
]
"""What can be done at a moment; the first five ask sources, and can be cancelled."""

ASKING: tuple[Verb, ...] = ("fetch", "sync", "meta", "stream", "check")


@dataclass(frozen=True, slots=True, kw_only=True)
class SourcePlan:
    """One source: its policies, and how many seconds its upstream takes for an answer. `meta` is its capability.

    `quota` is what its upstream bears where it stands on no `host`.
    """

    key: str
    latency: float = 0.1
    timeout: float = 10.0
    attempt_timeout: float | None = None
    max_retries: int | None = None
    priority: int = 100
    failures: int = 5
    cool_down: float = 30.0
    meta: bool = False
    host: str | None = None
    limits: LimitPlan | None = None
    quota: QuotaPlan | None = None
    hedge: HedgePlan | None = None
    cache: CachePlan | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What befalls an upstream, or `EVERYBODY`, from `begins` to `ends`, in `share` of the calls that begin then.

    `seconds` is how long the upstream takes over it. `kind` and `retry_after` belong to `fail`.
    """

    source: str
    begins: float
    ends: float
    does: Does
    share: float = 1.0
    seconds: float = 0.0
    kind: str = "server"
    retry_after: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """What is done at a moment.

    `sources` are asked, or changed; none means all. `cancel_after` seconds an asking is cancelled; a `stream` is left
    after `take` outcomes. `member` and `value` are what an `update` changes; `value` is a `priority`'s number and a
    `jump`'s seconds too.
    """

    at: float
    verb: Verb
    sources: tuple[str, ...] = ()
    cancel_after: float | None = None
    take: int | None = None
    member: str = ""
    value: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """A history; `seed` is where the engine's own chance, and the upstreams', comes from.

    `store_latency` is the seconds of each transaction, None where there is no store (a `sync` is a `fetch` then, and
    nothing is refreshed in the background), and `store_fails` the share of writes that fail. `overall` limits all
    sources together; `tokens` is what the extra calls of each source may cost, `run_tokens` those of each run.
    The orchestrator's context `stays_open` until all has ended, or is left as soon as the last call has returned.
    """

    seed: int
    sources: tuple[SourcePlan, ...]
    faults: tuple[Fault, ...] = ()
    actions: tuple[Action, ...] = ()
    timeout: float = 30.0
    max_retries: int = 3
    parallel: bool = True
    fail_fast: bool = False
    base_delay: float = 0.5
    max_delay: float = 10.0
    jitter: str = "quarter"
    tokens: int = 500
    store_latency: float | None = None
    store_fails: float = 0.0
    hosts: tuple[HostPlan, ...] = ()
    overall: LimitPlan | None = None
    run_tokens: int = 500
    stays_open: bool = True

    @property
    def size(self) -> int:
        """How many sources, faults, actions and hosts it is made of."""
        return len(self.sources) + len(self.faults) + len(self.actions) + len(self.hosts)


def to_json(world: World) -> str:
    """Return a world as JSON, what is at its default left out."""
    return json.dumps(_sparse(world), indent=1)


def from_json(text: str) -> World:
    """Return the world that `to_json` wrote, or raise `ConfigurationError`."""
    try:
        given = json.loads(text)
        world = World(
            **with_plans(given)
            | {
                "sources": tuple(SourcePlan(**with_plans(each)) for each in given["sources"]),
                "faults": tuple(Fault(**each) for each in given.get("faults", ())),
                "actions": tuple(_action(each) for each in given.get("actions", ())),
                "hosts": tuple(HostPlan(**with_plans(each)) for each in given.get("hosts", ())),
            }
        )
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigurationError(f"this is no world of `dso simulate`: {error}; give one as it was printed") from error
    _refuse_unknown_words(world)
    return world


def _sparse(world: World) -> dict[str, Any]:
    plain: World = World(seed=0, sources=())
    given = asdict(world)
    kept = {
        name: thinned(name, value) for name, value in given.items() if name == "seed" or value != getattr(plain, name)
    }
    for name, least in (
        ("sources", SourcePlan(key="")),
        ("faults", Fault(source="", begins=-1, ends=-1, does="slow")),
        ("actions", Action(at=-1, verb="jump")),
        ("hosts", HostPlan(name="")),
    ):
        kept[name] = [_changed(each, asdict(least)) for each in kept.get(name, ())]
    return {name: value for name, value in kept.items() if value != [] or name == "sources"}


def _changed(given: Mapping[str, Any], usual: Mapping[str, Any]) -> dict[str, Any]:
    named = {"verb", "does"}
    return {name: thinned(name, value) for name, value in given.items() if name in named or value != usual[name]}


def _action(given: Mapping[str, Any]) -> Action:
    return Action(**{**given, "sources": tuple(given.get("sources", ()))})


def _refuse_unknown_words(world: World) -> None:
    told = {*(action.verb for action in world.actions), *(fault.does for fault in world.faults)}
    unknown = told.difference(get_args(Verb), get_args(Does))
    if unknown:
        raise ConfigurationError(f"this is no world of `dso simulate`: nobody knows {', '.join(sorted(unknown))}")
