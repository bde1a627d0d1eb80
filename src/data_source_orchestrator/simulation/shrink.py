"""Cuts a world down to what it takes to break a law: greedily, part by part, while the same law is broken.

A world is plain data, so that cutting it down is surgery on lists.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar

from data_source_orchestrator.core.errors import ConfigurationError
from data_source_orchestrator.simulation.play import play
from data_source_orchestrator.simulation.strategies import HostPlan
from data_source_orchestrator.simulation.world import Action, Fault, SourcePlan, World

T = TypeVar("T")

MOST_PLAYS = 2_000
"""Plays after which a world is small enough."""

Breaks = Callable[[World], bool]


def shrink(world: World, law: str) -> World:
    """Return a smaller world that still breaks the law, the same one for the same world."""
    return smallest(world, lambda smaller: _breaks(smaller, law))


def smallest(world: World, breaks: Breaks) -> World:
    """Return a world of which no single part can go without `breaks` becoming false, or the smallest found so far."""
    plays = MOST_PLAYS
    found = True
    while found and plays > 0:
        found = False
        for smaller in _smaller(world):
            plays -= 1
            if breaks(smaller):
                world, found = smaller, True
                break
            if plays <= 0:
                break
    return world


def _breaks(world: World, law: str) -> bool:
    try:
        return play(world).breaks(law)
    except ConfigurationError:
        return False  # policies that were possible only together


def _smaller(world: World) -> Iterator[World]:
    """Yield worlds that have less in them, those that lack most first."""
    yield from (replace(world, actions=actions) for actions in _without_some(world.actions))
    yield from (replace(world, faults=faults) for faults in _without_some(world.faults))
    yield from (_without_source(world, plan.key) for plan in world.sources)
    yield from (replace(world, hosts=hosts) for hosts in _without_some(world.hosts))
    yield from _plainer(world)


def _without_some(parts: Sequence[T]) -> Iterator[tuple[T, ...]]:
    """Yield a list without its halves, quarters, …, and at last without each single part (Zeller's ddmin)."""
    size = len(parts)
    while size >= 1:
        for start in range(0, len(parts), size):
            yield (*parts[:start], *parts[start + size :])
        size //= 2


def _without_source(world: World, key: str) -> World:
    return replace(
        world,
        sources=tuple(plan for plan in world.sources if plan.key != key),
        faults=tuple(fault for fault in world.faults if fault.source != key),
        actions=tuple(_asking_others(action, key) for action in world.actions if action.sources != (key,)),
    )


def _asking_others(action: Action, key: str) -> Action:
    return replace(action, sources=tuple(each for each in action.sources if each != key))


def _plainer(world: World) -> Iterator[World]:
    """Yield worlds in which one member of one part is at its default."""
    yield from _at_defaults(world, World(seed=world.seed, sources=()), skip={"sources", "faults", "actions", "hosts"})
    for name, usual in (
        ("sources", SourcePlan(key="")),
        ("faults", Fault(source="", begins=0, ends=0, does="slow")),
        ("actions", Action(at=0, verb="jump")),
        ("hosts", HostPlan(name="")),
    ):
        parts: tuple[Any, ...] = getattr(world, name)
        for place, part in enumerate(parts):
            for plain in _at_defaults(
                part, usual, skip={"key", "name", "source", "ends", "does", "verb", "member", "value", "at"}
            ):
                changed: dict[str, Any] = {name: (*parts[:place], plain, *parts[place + 1 :])}
                yield replace(world, **changed)


def _at_defaults(part: Any, usual: Any, *, skip: set[str]) -> Iterator[Any]:
    """Yield a part with one member at its default, or with less in the plan that the member is."""
    for each in fields(part):
        value, least = getattr(part, each.name), getattr(usual, each.name)
        if each.name in skip or value == least:
            continue
        yield replace(part, **{each.name: least})
        if is_dataclass(value) and not isinstance(value, type):
            for plainer in _at_defaults(value, type(value)(), skip=set()):
                yield replace(part, **{each.name: plainer})
