"""A world out of a seed: sources with chance policies, faults over time, and a list of things that are done.

The numbers are chosen so that limits meet: budgets run dry, breakers trip and recover, cancellations fall into waits.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import get_args

from data_source_orchestrator.core.policies import JITTERS
from data_source_orchestrator.core.verdicts import FailureKind
from data_source_orchestrator.simulation.draws import Draws
from data_source_orchestrator.simulation.seeding_strategies import with_strategies
from data_source_orchestrator.simulation.world import EVERYBODY, Action, Does, Fault, SourcePlan, Verb, World

NAMES = ("ash", "birch", "cedar", "elm", "fir")

HORIZONS = (6.0, 30.0, 180.0)
"""Virtual seconds in which things are done: in a short time much overlaps, in a long one breakers come round."""

KINDS = ("server", "timeout", "connection", "rate_limited", "unknown", *FailureKind)
"""Failure kinds, those that are retried more often."""

DOES: tuple[Does, ...] = (
    *("fail", "fail", "fail", "slow", "slow", "raise", "hang", "hang"),
    *("stubborn", "stubborn", "tidy", "none", "base", "cancelled", "exit"),
)

_OFTEN: dict[Verb, int] = {"fetch": 8, "sync": 3, "stream": 4, "meta": 2, "check": 2, "update": 3, "jump": 2}

VERBS: tuple[Verb, ...] = tuple(verb for verb in get_args(Verb) for _ in range(_OFTEN.get(verb, 1)))
"""What is done, each as often as it is drawn."""


def world_of(seed: int) -> World:
    """Return the world of a seed, always the same."""
    return with_strategies(plain_world_of(seed))


def plain_world_of(seed: int) -> World:
    """Return the world of a seed without limits, hedges and caches."""
    draws = Draws(seed)
    sources = tuple(_source(draws, key) for key in NAMES[: draws.whole(1, len(NAMES))])
    keys = [source.key for source in sources]
    horizon = draws.one_of(HORIZONS)
    world = World(
        seed=seed,
        sources=sources,
        faults=tuple(_fault(draws, draws.one_of(keys), horizon) for _ in range(draws.whole(1, 3 * len(keys)))),
        actions=tuple(_action(draws, keys, at) for at in _moments(draws, horizon)),
        timeout=draws.one_of((2.0, 8.0, 20.0, 60.0)),
        max_retries=draws.whole(0, 4),
        parallel=draws.happens(0.75),
        fail_fast=draws.happens(0.2),
        base_delay=draws.one_of((0.0, 0.1, 0.5, 2.0)),
        jitter=draws.one_of(JITTERS),
        tokens=draws.one_of((0, 12, 30, 500)),
        store_latency=draws.one_of((0.0, 0.01, 0.3)) if draws.happens(0.5) else None,
        store_fails=0.3 if draws.happens(0.3) else 0.0,
    )
    offline = tuple(_offline(draws, horizon) for _ in range(draws.whole(1, 2))) if draws.happens(0.4) else ()
    return replace(world, faults=(*world.faults, *offline))


def _source(draws: Draws, key: str) -> SourcePlan:
    timeout = draws.one_of((0.5, 0.5, 3.0, 10.0, 30.0))
    return SourcePlan(
        key=key,
        latency=draws.one_of((0.0, 0.05, 0.3, 1.0)),
        timeout=timeout,
        attempt_timeout=round(timeout * draws.between(0.1, 1.0), 3) if draws.happens(0.5) else None,
        max_retries=draws.whole(0, 3) if draws.happens(0.3) else None,
        priority=draws.one_of((1, 2, 3, 3, 100)),
        failures=draws.whole(1, 4),
        cool_down=draws.one_of((0.6, 1.0, 5.0, 15.0)),
        meta=draws.happens(0.5),
    )


def _fault(draws: Draws, key: str, horizon: float) -> Fault:
    begins = draws.between(0, horizon) if draws.happens(0.5) else 0.0
    does = draws.one_of(DOES)
    takes = (0.0, 0.01, 0.01, 0.2, 0.9, 3.0) if does in {"fail", "raise"} else (0.0, 0.2, 0.9, 1.0, 3.0, 15.0)
    return Fault(
        source=key,
        begins=begins,
        ends=begins + draws.between(1, horizon),
        does=does,
        share=draws.one_of((0.3, 0.7, 1.0, 1.0)),
        seconds=draws.one_of(takes),
        kind=str(draws.one_of(KINDS)),
        retry_after=draws.one_of((0.0, 0.5, 4.0, 60.0)) if draws.happens(0.3) else None,
    )


def _offline(draws: Draws, horizon: float) -> Fault:
    """Return a time in which our own network is down, now and then from the beginning."""
    begins = draws.between(0, horizon) if draws.happens(0.7) else 0.0
    ends = begins + draws.between(1, horizon)
    seconds = draws.one_of((0.0, 0.01, 0.2, 0.9))
    return Fault(source=EVERYBODY, begins=begins, ends=ends, does="offline", seconds=seconds)


def _moments(draws: Draws, horizon: float) -> list[float]:
    """Return when things are done: scattered, or in a rush that has somebody ask during every wait and every end."""
    count = draws.whole(6, 30)
    if draws.happens(0.7):
        return sorted(draws.between(0, horizon) for _ in range(count))
    pause = draws.one_of((0.2, 0.45, 0.7))
    return [round(pause * place, 2) for place in range(2 * count)]


def _action(draws: Draws, keys: Sequence[str], at: float) -> Action:
    verb = draws.one_of(VERBS)
    match verb:
        case "fetch" | "sync" | "meta" | "stream" | "check":
            return Action(
                at=at,
                verb=verb,
                sources=() if verb == "meta" else draws.some(keys),
                cancel_after=_cancel_after(draws),
                take=draws.whole(1, 3) if verb == "stream" and draws.happens(0.4) else None,
            )
        case "update":
            member, value = _change(draws)
            return Action(at=at, verb=verb, sources=(draws.one_of(keys),), member=member, value=value)
        case "priority":
            return Action(at=at, verb=verb, sources=(draws.one_of(keys),), value=draws.whole(-1, 5))
        case "jump":
            return Action(at=at, verb=verb, value=draws.one_of((-86400.0, -3600.0, -1.0, 1.0, 3600.0, 86400.0 * 400)))
        case _:
            return Action(at=at, verb=verb, sources=(draws.one_of(keys),))


def _cancel_after(draws: Draws) -> float | None:
    """Return None more often than not; and often the very moments at which something else happens."""
    if draws.happens(0.6):
        return None
    return draws.one_of((0.0, 0.05, 0.1, 0.5, 1.0, 2.0, draws.between(0, 12)))


def _change(draws: Draws) -> tuple[str, float]:
    match draws.one_of(("timeout", "attempt_timeout", "max_retries", "failures", "cool_down")):
        case "max_retries":
            return "max_retries", draws.whole(0, 4)
        case "failures":
            return "failures", draws.whole(1, 4)
        case "cool_down":
            return "cool_down", draws.one_of((1.0, 8.0))
        case member:
            return member, draws.one_of((0.4, 2.0, 9.0, 25.0))
