"""The gate in the store: what is held, how it is let through or forgotten, and whose rejected word is not taken.

Functions of a transaction: whether a snapshot is held is judged elsewhere.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from data_source_orchestrator.core.claim import Contribution, Json
from data_source_orchestrator.core.errors import ConfigurationError
from data_source_orchestrator.core.held import Gate, GateDecision, Held, Loss
from data_source_orchestrator.core.ports import Transaction
from data_source_orchestrator.core.snapshot import Entity, Snapshot, SnapshotChange
from data_source_orchestrator.health.strict import items, moment, text
from data_source_orchestrator.orchestration.content import take_back
from data_source_orchestrator.orchestration.gate_document import (
    decision_of,
    decision_to_json,
    held_from_json,
    held_to_json,
)
from data_source_orchestrator.reconcile.canonical import content_digest
from data_source_orchestrator.reconcile.difference import Difference, compare

KIND, REJECTED = "gate", "rejected"
HELD, DECISIONS = "held", "decisions"
REMEMBERED = 20
"""Decisions that are remembered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruling:
    """What an operator decides of what is held; with `snapshot` only of one whose id begins so."""

    accept: bool
    at: datetime
    why: str = ""
    snapshot: str = ""


def gate_of(transaction: Transaction) -> Gate:
    """Return the gate as it stands."""
    documents = transaction.documents(KIND)
    return Gate(
        held=held_from_json(documents.get(HELD)),
        rejected=tuple((source, at) for source, (_, at) in _rejected(transaction).items()),
        decisions=_decisions(documents.get(DECISIONS)),
    )


def admitted(transaction: Transaction, contributions: Iterable[Contribution]) -> tuple[Contribution, ...]:
    """Return the contributions that do not say again what an operator has rejected of their source."""
    rejected = _rejected(transaction)
    return tuple(
        each
        for each in contributions
        if each.source not in rejected or content_digest(each.records) != rejected[each.source][0]
    )


def forget_rejections(transaction: Transaction, published: Iterable[Contribution]) -> None:
    """Let rejections end whose sources have said something else since, and that is published."""
    rejected = _rejected(transaction)
    for each in published:
        if each.source in rejected:
            transaction.put_document(REJECTED, each.source, None)


def hold(
    transaction: Transaction, after: Snapshot, losses: tuple[Loss, ...], sentence: str, at: datetime
) -> tuple[Held, bool]:
    """Hold a snapshot back; return what is held, and whether this very snapshot was not held yet."""
    before = held_from_json(transaction.documents(KIND).get(HELD))
    held = Held(
        snapshot_id=after.id,
        entities=len(after.entities),
        since=before.since if before else at,
        at=at,
        sentence=sentence,
        losses=losses,
    )
    transaction.put_document(KIND, HELD, held_to_json(held))
    transaction.hold_entities(after.entities.values())
    return held, before is None or before.snapshot_id != held.snapshot_id


def release(transaction: Transaction) -> bool:
    """Hold nothing any longer, and return whether something was held."""
    if held_from_json(transaction.documents(KIND).get(HELD)) is None:
        return False
    transaction.put_document(KIND, HELD, None)
    transaction.hold_entities(())
    transaction.clear_standing()
    return True


def replace_entities(
    transaction: Transaction, before: Mapping[str, Entity], after: Snapshot, at: datetime
) -> Difference:
    """Publish a snapshot in place of the one `before`, and return what that changes."""
    difference = compare(before, after)
    transaction.put_entities(after.entities.values())
    transaction.remove_entities(difference.gone)
    if after.id is not None:
        transaction.confirm_snapshot(after.id, len(after.entities), at)
    return difference


def decide(transaction: Transaction, ruling: Ruling) -> SnapshotChange | None:
    """Do what an operator decided, and return what that published.

    Raises `ConfigurationError` where nothing is held, or another snapshot than the operator meant.
    """
    gate = gate_of(transaction)
    if gate.held is not None:
        _demand(gate.held, ruling)
        if ruling.accept:
            return _accept(transaction, gate.held, ruling)
        _reject(transaction, gate.held, ruling)
        return None
    if ruling.accept and gate.rejected and not ruling.snapshot:
        _readmit(transaction, gate, ruling)
        return None
    raise ConfigurationError("the gate holds nothing, so there is nothing to decide; `dso gate` tells how it stands")


def _demand(held: Held, ruling: Ruling) -> None:
    if not (held.snapshot_id or "").startswith(ruling.snapshot):
        now = f"the snapshot {held.snapshot_id[:12]}" if held.snapshot_id else "one without any entity"
        raise ConfigurationError(
            f"the gate holds {now} by now, not {ruling.snapshot[:12]}; `dso gate` tells what it lacks"
        )


def _accept(transaction: Transaction, held: Held, ruling: Ruling) -> SnapshotChange:
    after = Snapshot(id=held.snapshot_id, entities=transaction.held_entities())
    difference = replace_entities(transaction, transaction.entities(), after, ruling.at)
    release(transaction)
    _note(transaction, "accepted", held.snapshot_id, held.sentence, ruling)
    return change_of(after, difference)


def _reject(transaction: Transaction, held: Held, ruling: Ruling) -> None:
    """Forget what is held, and believe again what those said before it from whom something is missing."""
    blamed = {source for loss in held.losses for source in loss.sources}
    for source, contribution in transaction.standing().items():
        if source in blamed:
            transaction.put_contribution(contribution)
            if digest := take_back(transaction, contribution):
                transaction.put_document(REJECTED, source, [digest, ruling.at.isoformat()])
    release(transaction)
    _note(transaction, "rejected", held.snapshot_id, held.sentence, ruling)


def _readmit(transaction: Transaction, gate: Gate, ruling: Ruling) -> None:
    """Take the rejected word of sources again: the next merge of it is judged as any other."""
    for source, _ in gate.rejected:
        transaction.put_document(REJECTED, source, None)
    told = f"what {', '.join(source for source, _ in gate.rejected)} said is taken again"
    _note(transaction, "readmitted", None, told, ruling)


def change_of(after: Snapshot, difference: Difference) -> SnapshotChange:
    """Return what publishing a snapshot changes."""
    return SnapshotChange(
        id=after.id,
        entities=len(after.entities),
        new=len(difference.new),
        changed=len(difference.changed),
        unchanged=len(difference.unchanged),
        gone=len(difference.gone),
    )


def _note(transaction: Transaction, word: str, snapshot_id: str | None, sentence: str, ruling: Ruling) -> None:
    made = GateDecision(at=ruling.at, verdict=word, snapshot_id=snapshot_id, sentence=sentence, why=ruling.why)
    before = _decisions(transaction.documents(KIND).get(DECISIONS))
    kept: Sequence[GateDecision] = (*before, made)[-REMEMBERED:]
    transaction.put_document(KIND, DECISIONS, [decision_to_json(each) for each in kept])


def _decisions(document: Json) -> tuple[GateDecision, ...]:
    try:
        return tuple(map(decision_of, items(document)))
    except (KeyError, TypeError, ValueError):
        return ()


def _rejected(transaction: Transaction) -> dict[str, tuple[str, datetime]]:
    """Return, by source, the digest of what was rejected of it, and when."""
    found: dict[str, tuple[str, datetime]] = {}
    for source, document in transaction.documents(REJECTED).items():
        match document:
            case [str(digest), str(at)]:
                found[source] = digest, moment(text(at))
            case _:
                pass
    return found
