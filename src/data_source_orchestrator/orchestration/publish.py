"""Turns what sources said last into the current snapshot, inside one transaction."""

from collections.abc import Iterable, Mapping, Sized
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from data_source_orchestrator.core.claim import Contribution, Json, MergeRules
from data_source_orchestrator.core.policies import GatePolicy
from data_source_orchestrator.core.ports import Transaction
from data_source_orchestrator.core.snapshot import Snapshot, SnapshotChange
from data_source_orchestrator.core.source import Source
from data_source_orchestrator.orchestration.content import put_contents
from data_source_orchestrator.orchestration.gate import (
    admitted,
    change_of,
    forget_rejections,
    hold,
    release,
    replace_entities,
)
from data_source_orchestrator.reconcile.difference import compare
from data_source_orchestrator.reconcile.expiry import living
from data_source_orchestrator.reconcile.gate import judge
from data_source_orchestrator.reconcile.gate_words import sentence
from data_source_orchestrator.reconcile.survivorship import merge


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """What a run adds to the snapshot, and by what the snapshot is made and judged."""

    contributions: tuple[Contribution, ...]
    carried: Mapping[str, frozenset[str]]
    rules: MergeRules
    intervals: Mapping[str, float]
    priorities: Mapping[str, int]
    titles: Mapping[str, str]
    gate: GatePolicy
    at: datetime


def publish(transaction: Transaction, publication: Publication) -> SnapshotChange:
    """Keep new contributions, merge them with every other source's last good one, and say what that changed.

    Where the merged snapshot has lost too much, it is held, and the published one stays.
    """
    said_before = transaction.contributions()
    taken = admitted(transaction, publication.contributions)
    for contribution in taken:
        transaction.put_contribution(contribution)
    put_contents(transaction, taken)
    _put_carried(transaction, publication.carried)
    said = {**said_before, **{each.source: each for each in taken}}
    kept, expired = living(said.values(), publication.intervals, publication.at)
    after = merge(kept, publication.rules, priorities=publication.priorities)
    change = _published_or_held(transaction, publication, after, frozenset(each.source for each in expired))
    if change.held is None:
        forget_rejections(transaction, taken)
    else:
        transaction.keep_standing(said_before[each.source] for each in taken if each.source in said_before)
    return replace(
        change,
        reason=None if after.id else _nothing(kept, expired),
        refused=tuple(each.source for each in publication.contributions if each not in taken),
    )


def _published_or_held(
    transaction: Transaction, publication: Publication, after: Snapshot, expired: frozenset[str]
) -> SnapshotChange:
    """Judge a merged snapshot by the published one, and put it in its place unless it has lost too much."""
    before, rules = transaction.entities(), publication.rules
    losses = judge(before, after, publication.gate, expired=expired, rules=rules)
    if not losses:
        change = change_of(after, replace_entities(transaction, before, after, publication.at))
        return replace(change, superseded=release(transaction))
    told = sentence(losses, publication.titles, rules)
    held, anew = hold(transaction, after, losses, told, publication.at)
    return replace(change_of(after, compare(before, after)), held=held, held_anew=anew)


def _put_carried(transaction: Transaction, carried: Mapping[str, frozenset[str]]) -> None:
    stored = transaction.documents("capabilities")
    for key, words in carried.items():
        transaction.put_document("capabilities", key, sorted(words | words_of(stored.get(key))))


def words_of(document: Json) -> frozenset[str]:
    """Return the words of a stored list."""
    known = document if isinstance(document, list | tuple) else ()
    return frozenset(word for word in known if isinstance(word, str))


def _nothing(kept: Sized, expired: Sized) -> str:
    if kept:
        return "no source gave a row that names an entity"
    return "everything that was read has expired" if expired else "no source has been read yet"


def carried_by(
    contributions: Iterable[Contribution], sources: Iterable[Source[Any]], rules: MergeRules
) -> dict[str, frozenset[str]]:
    """Return, by source, the capabilities it provides of which at least one accepted record has carried a value."""
    provides = {source.key: source.provides for source in sources}
    return {
        contribution.source: _carried(contribution, provides.get(contribution.source, ()), rules)
        for contribution in contributions
    }


def not_published(source: Source[Any], carried: Mapping[str, frozenset[str]]) -> tuple[str, ...]:
    """Return what a source declares and no accepted row of it has ever carried; none before its first answer."""
    known = carried.get(source.key)
    return () if known is None else tuple(word for word in source.provides if word not in known)


def _carried(contribution: Contribution, provides: Iterable[str], rules: MergeRules) -> frozenset[str]:
    fields = {field for record in contribution.records for field in record.fields}
    carriers = {capability: rules.capabilities.get(capability, capability) for capability in provides}
    return frozenset(
        capability
        for capability, carrier in carriers.items()
        if any(field == carrier or field.startswith(f"{carrier}.") for field in fields)
    )
