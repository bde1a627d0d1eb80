"""Whether a new snapshot has lost too much to take the place of the published one.

Only what is there counts, never what it says: a changed value, another order or something new is no loss. What
vanished because all who said it have expired is known and labelled elsewhere, and is no loss either.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from data_source_orchestrator.core.claim import MergeRules
from data_source_orchestrator.core.held import Loss
from data_source_orchestrator.core.policies import GatePolicy
from data_source_orchestrator.core.snapshot import Entity, FieldValue, Snapshot

EXAMPLES = 5
"""Lost entities that are named."""


AS_GOOD_AS_ALL = 0.8
"""A share from which a field is as good as gone."""


@dataclass(frozen=True, slots=True)
class _Part:
    """Something that entities have, the entities that have it, and who says so."""

    said_by: Mapping[str, frozenset[str]]
    allowed: float
    field: str | None = None
    value: str | None = None


def judge(
    before: Mapping[str, Entity],
    after: Snapshot,
    policy: GatePolicy,
    *,
    expired: frozenset[str] = frozenset(),
    rules: MergeRules = MergeRules(),
) -> tuple[Loss, ...]:
    """Return what `after` lacks of `before` beyond what is allowed; nothing means that it may be published.

    `expired` are the sources whose last word is no longer believed; of `rules` it takes how entities are grouped, and
    which fields come and go. A loss of which those before it tell everything is left out.
    """
    if not policy.enabled or _all_there(before, after):
        return ()
    known = {name: entity for name, entity in before.items() if _speakers(entity) - expired}
    carrying = _carrying(after.entities)
    found: list[tuple[_Part, frozenset[str]]] = []
    for part in _parts(known, policy, expired, rules):
        of_field = part.field is not None and part.value is None
        there = carrying.get(part.field or "", set()) if of_field else after.entities.keys()
        lost = frozenset(name for name in part.said_by if name not in there)
        if _too_many(lost, part, policy):
            found.append((part, lost))
    return tuple(_loss(part, lost, known, rules) for part, lost in _essential(found, policy))


def _all_there(before: Mapping[str, Entity], after: Snapshot) -> bool:
    """Tell whether nothing at all is missing, which is so on most days, and is told at once."""
    there = after.entities
    return all(name in there and entity.fields.keys() <= there[name].fields.keys() for name, entity in before.items())


def _too_many(lost: frozenset[str], part: _Part, policy: GatePolicy) -> bool:
    return len(lost) >= policy.fewest and len(lost) > part.allowed * len(part.said_by)


def _parts(
    known: Mapping[str, Entity], policy: GatePolicy, expired: frozenset[str], rules: MergeRules
) -> Iterator[_Part]:
    """Return all that is measured: the entities, their groups, their fields and whatever fields begin with."""
    speakers = {name: _speakers(entity) - expired for name, entity in known.items()}
    yield _Part(speakers, policy.entities)
    for field in rules.groups:
        groups: dict[str, dict[str, frozenset[str]]] = {}
        for name, entity in known.items():
            if (value := _text(entity, field)) is not None:
                groups.setdefault(value, {})[name] = speakers[name]
        for value, members in groups.items():
            yield _Part(members, policy.coverage, field, value)
    for field, said_by in _said_by(known, expired).items():
        if not any(f"{field}.".startswith(f"{name}.") for name in rules.volatile):
            yield _Part(said_by, policy.coverage, field)


def _said_by(known: Mapping[str, Entity], expired: frozenset[str]) -> dict[str, dict[str, frozenset[str]]]:
    """Return, for each field and prefix, the entities that carry it, and who says so.

    A prefix of one field alone is left out: the field says the same, and more clearly.
    """
    said: dict[str, dict[str, frozenset[str]]] = {}
    below: dict[str, set[str]] = {}
    for name, entity in known.items():
        for field, held in entity.fields.items():
            if sources := _claimants(held) - expired:
                for prefix in _prefixes(field):
                    carriers = said.setdefault(prefix, {})
                    carriers[name] = carriers.get(name, sources) | sources
                    below.setdefault(prefix, set()).add(field)
    return {prefix: said_by for prefix, said_by in said.items() if prefix in below[prefix] or len(below[prefix]) > 1}


def _carrying(entities: Mapping[str, Entity]) -> dict[str, set[str]]:
    """Return, for each field and prefix, the entities that carry it."""
    carrying: dict[str, set[str]] = {}
    for name, entity in entities.items():
        for field in entity.fields:
            for prefix in _prefixes(field):
                carrying.setdefault(prefix, set()).add(name)
    return carrying


def _essential(
    found: Iterable[tuple[_Part, frozenset[str]]], policy: GatePolicy
) -> Iterator[tuple[_Part, frozenset[str]]]:
    """Return the losses that say something which those before them do not: entities first, then what is gone.

    Where entities are told to be missing, a field is judged by those that are still there.
    """
    missing: frozenset[str] = frozenset()
    told: list[tuple[str, frozenset[str]]] = []
    for part, lost in sorted(found, key=_weight):
        if part.field is None or part.value is not None:
            if not lost <= missing:
                missing |= lost
                yield part, lost
            continue
        there = replace(part, said_by={name: who for name, who in part.said_by.items() if name not in missing})
        left = lost - missing
        covered = {name for other, its in told if _related(part.field, other) for name in its}
        if _too_many(left, there, policy) and not left <= covered:
            told.append((part.field, left))
            yield there, left


def _weight(found: tuple[_Part, frozenset[str]]) -> tuple[int, bool, int, float, int, str, str]:
    """Return the place of a loss: what is as good as gone tells more than the parts of it that are gone altogether."""
    part, lost = found
    kind = 0 if part.field is None else 1 if part.value is not None else 2
    field, share = part.field or "", len(lost) / len(part.said_by)
    return kind, share < AS_GOOD_AS_ALL, -len(lost), -share, field.count("."), field, part.value or ""


def _related(one: str, other: str) -> bool:
    return f"{one}.".startswith(f"{other}.") or f"{other}.".startswith(f"{one}.")


def _loss(part: _Part, lost: frozenset[str], known: Mapping[str, Entity], rules: MergeRules) -> Loss:
    names = sorted(lost)
    said = Counter(source for name in names for source in part.said_by[name])
    return Loss(
        lost=len(lost),
        of=len(part.said_by),
        field=part.field,
        value=part.value,
        sources=tuple(source for source, _ in sorted(said.items(), key=lambda each: (-each[1], each[0]))),
        examples=tuple(names[:EXAMPLES]),
        all_of=_in_common([known[name] for name in names], rules) if part.value is None else None,
    )


def _in_common(lost: Iterable[Entity], rules: MergeRules) -> str | None:
    """Return the value that all lost entities have in the first field that groups them so."""
    entities = list(lost)
    for field in rules.groups:
        values = {_text(entity, field) for entity in entities}
        if len(values) == 1 and (value := values.pop()) is not None:
            return value
    return None


def _speakers(entity: Entity) -> frozenset[str]:
    return frozenset(source for held in entity.fields.values() for source in _claimants(held))


def _claimants(held: FieldValue) -> frozenset[str]:
    return frozenset(claim.source for claim in (held.claim, *held.outranked))


def _prefixes(field: str) -> Iterator[str]:
    """Return a dotted name and whatever it begins with: `a.b.c` gives `a`, `a.b` and `a.b.c`."""
    place = field.find(".")
    while place != -1:
        yield field[:place]
        place = field.find(".", place + 1)
    yield field


def _text(entity: Entity, field: str) -> str | None:
    held = entity.fields.get(field)
    return held.value if held is not None and isinstance(held.value, str) else None
