"""What a new snapshot changes, by values alone: who said so, and when, is no difference."""

from collections.abc import Mapping
from dataclasses import dataclass

from data_source_orchestrator.core.snapshot import Entity, Snapshot
from data_source_orchestrator.reconcile.canonical import same


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Ids of entities, each in one of four lists, in order of id."""

    new: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    unchanged: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()


def compare(before: Mapping[str, Entity], after: Snapshot) -> Difference:
    """Return what becomes of each entity when `after` takes the place of `before`."""
    both = sorted(before.keys() & after.entities.keys())
    unchanged = {name for name in both if _says_the_same(before[name], after.entities[name])}
    return Difference(
        new=tuple(sorted(after.entities.keys() - before.keys())),
        changed=tuple(name for name in both if name not in unchanged),
        unchanged=tuple(name for name in both if name in unchanged),
        gone=tuple(sorted(before.keys() - after.entities.keys())),
    )


def _says_the_same(one: Entity, other: Entity) -> bool:
    if one.fields.keys() != other.fields.keys():
        return False
    return all(same(held.value, other.fields[name].value) for name, held in one.fields.items())
