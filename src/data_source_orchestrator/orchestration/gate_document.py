"""What the gate holds, and what was decided of it, as JSON documents, so that any process knows it."""

from collections.abc import Mapping

from data_source_orchestrator.core.claim import Json
from data_source_orchestrator.core.held import GateDecision, Held, Loss
from data_source_orchestrator.health.strict import items, members, moment, text, whole

SCHEMA = "dso.held/1"


def held_to_json(held: Held) -> Json:
    """Return the document of a held snapshot, without its entities."""
    return {
        "schema": SCHEMA,
        "snapshot_id": held.snapshot_id,
        "entities": held.entities,
        "since": held.since.isoformat(),
        "at": held.at.isoformat(),
        "sentence": held.sentence,
        "losses": [loss_to_json(loss) for loss in held.losses],
    }


def held_from_json(document: Json) -> Held | None:
    """Return what a document says is held; None where nothing is, or the document is not one of ours."""
    try:
        told = members(document, SCHEMA)
        return Held(
            snapshot_id=_text_or_none(told["snapshot_id"]),
            entities=whole(told["entities"]),
            since=moment(told["since"]),
            at=moment(told["at"]),
            sentence=text(told["sentence"]),
            losses=tuple(map(_loss, items(told["losses"]))),
        )
    except (KeyError, TypeError, ValueError):
        return None


def loss_to_json(loss: Loss) -> dict[str, Json]:
    """Return a loss as JSON."""
    return {
        "lost": loss.lost,
        "of": loss.of,
        "field": loss.field,
        "value": loss.value,
        "sources": list(loss.sources),
        "examples": list(loss.examples),
        "all_of": loss.all_of,
    }


def decision_to_json(decision: GateDecision) -> dict[str, Json]:
    """Return a decision as JSON."""
    return {
        "at": decision.at.isoformat(),
        "verdict": decision.verdict,
        "snapshot_id": decision.snapshot_id,
        "sentence": decision.sentence,
        "why": decision.why,
    }


def decision_of(document: Json) -> GateDecision:
    """Return the decision that `decision_to_json` wrote, or raise what reading it raises."""
    match document:
        case {"at": at, "verdict": verdict, "snapshot_id": snapshot_id, "sentence": sentence, "why": why}:
            return GateDecision(
                at=moment(at),
                verdict=text(verdict),
                snapshot_id=_text_or_none(snapshot_id),
                sentence=text(sentence),
                why=text(why),
            )
        case _:
            raise ValueError("not a decision")


def _loss(document: Json) -> Loss:
    told = document if isinstance(document, Mapping) else {}
    return Loss(
        lost=whole(told["lost"]),
        of=whole(told["of"]),
        field=_text_or_none(told["field"]),
        value=_text_or_none(told["value"]),
        sources=tuple(map(text, items(told["sources"]))),
        examples=tuple(map(text, items(told["examples"]))),
        all_of=_text_or_none(told["all_of"]),
    )


def _text_or_none(value: Json) -> str | None:
    return None if value is None else text(value)
