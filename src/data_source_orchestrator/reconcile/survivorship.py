"""Which claim is published where several sources speak of one field: the first by declared order.

What a source says twice in different ways is no claim of its, and neither is None; 0, False, "" and [] are.
"""

from collections.abc import Iterable, Mapping
from functools import reduce
from math import inf

from data_source_orchestrator.core.claim import Contribution, Json, MergeRules
from data_source_orchestrator.core.snapshot import Claim, Entity, FieldValue, Snapshot
from data_source_orchestrator.reconcile.canonical import canonical, digest, same

_Said = dict[str, dict[str, dict[str, list[Claim]]]]
"""Claims by entity, field and source."""


def merge(contributions: Iterable[Contribution], rules: MergeRules, *, priorities: Mapping[str, int]) -> Snapshot:
    """Merge what sources say into one snapshot, whatever the order it arrives in.

    Every entity that a record names is in it, also one of which nothing can be believed. Raises `ValueError` for
    NaN, infinity and whatever else JSON cannot hold.
    """
    said = _gather(contributions)
    ranking = _Ranking(rules, priorities)
    entities = {name: _entity(name, said[name], ranking) for name in sorted(said)}
    if not entities:
        return Snapshot()
    return Snapshot(id=digest({name: entity.values() for name, entity in entities.items()}), entities=entities)


class _Ranking:
    """Who is believed before whom, field by field."""

    def __init__(self, rules: MergeRules, priorities: Mapping[str, int]) -> None:
        self._order = rules.order
        self._priorities = priorities

    def sort(self, field: str, sources: Iterable[str]) -> list[str]:
        """Return the sources, most believed first."""
        named = self._named(field)
        return sorted(sources, key=lambda source: self._rank(source, named))

    def _named(self, field: str) -> tuple[str, ...]:
        if field in self._order:
            return self._order[field]
        return self._order.get(field.partition(".")[0], ())

    def _rank(self, source: str, named: tuple[str, ...]) -> tuple[int, float, str]:
        place = named.index(source) if source in named else len(named)
        return place, self._priorities.get(source, inf), source


def _gather(contributions: Iterable[Contribution]) -> _Said:
    said: _Said = {}
    for contribution in contributions:
        for record in contribution.records:
            fields = said.setdefault(record.entity, {})
            for name, value in record.fields.items():
                if value is None:
                    continue
                claim = _claim(contribution, record.entity, name, value)
                fields.setdefault(name, {}).setdefault(claim.source, []).append(claim)
    return said


def _claim(by: Contribution, entity: str, field: str, value: Json) -> Claim:
    try:
        canonical(value)
    except ValueError as error:
        raise ValueError(f"{by.source} says of {entity}, {field}: {error}; nothing was merged") from error
    return Claim(source=by.source, value=value, run_id=by.run_id, checked_at=by.checked_at)


def _entity(name: str, said: Mapping[str, Mapping[str, list[Claim]]], ranking: _Ranking) -> Entity:
    fields: dict[str, FieldValue] = {}
    for field in sorted(said):
        claims = {source: claim for source, doubled in said[field].items() if (claim := _agreed(doubled))}
        if claims:
            first, *outranked = (claims[source] for source in ranking.sort(field, claims))
            fields[field] = FieldValue(claim=first, outranked=tuple(outranked))
    return Entity(id=name, fields=fields)


def _agreed(claims: list[Claim]) -> Claim | None:
    """Return the latest of one source's claims, or None where they contradict each other."""
    first, *others = claims
    if not all(same(first.value, other.value) for other in others):
        return None
    return reduce(_later, others, first)


def _later(one: Claim, other: Claim) -> Claim:
    # Equal values may be written differently (1 and 1.0): their text settles it, never the order of arrival.
    return max(one, other, key=lambda claim: (claim.checked_at, claim.run_id, repr(claim.value)))
