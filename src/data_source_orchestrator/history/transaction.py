"""What can be read and written inside one SQLite transaction.

It knows rows and their order, and speaks to other rooms in their words only.
"""

from collections.abc import Iterable
from datetime import datetime

from data_source_orchestrator.core.claim import Contribution, Json
from data_source_orchestrator.core.outcome import Failure, Outcome, Skipped, Success
from data_source_orchestrator.core.ports import RunRow
from data_source_orchestrator.core.snapshot import Entity
from data_source_orchestrator.history import codec
from data_source_orchestrator.history.atomic import Atomic, Values


class SqliteTransaction(Atomic):
    """One transaction on what runs leave behind: documents, runs, contributions, entities, snapshots, what is held."""

    def documents(self, kind: str) -> dict[str, Json]:
        """Return all small documents of a kind by key."""
        return dict(self._rows("documents", lambda key, text: (key, codec.from_text(text)), (kind,)))

    def put_document(self, kind: str, key: str, value: Json) -> None:
        """Keep a document in place of the one of the same kind and key."""
        self._change("put_document", [(kind, key, codec.to_text(value))])

    def add_run(self, run: RunRow) -> None:
        """Keep a run and its outcomes, without their data."""
        started = codec.moment_text(run.started_at)
        outcomes = [(*_outcome_row(run.id, outcome), outcome.source in run.offline) for outcome in run.outcomes]
        self._change("add_run", [(run.id, run.verb, started, run.duration, run.sufficient, run.interrupted)])
        self._change("add_outcome", outcomes)

    def contributions(self) -> dict[str, Contribution]:
        """Return each source's last good contribution by key."""
        return {held.source: held for held in self._rows("contributions", codec.contribution_of)}

    def last_checked(self) -> dict[str, datetime]:
        """Return when each source's last good contribution was accepted, by key."""
        return dict(self._rows("last_checked", lambda source, checked_at: (source, codec.moment_of(checked_at))))

    def put_contribution(self, contribution: Contribution) -> None:
        """Keep a contribution in place of its source's last one."""
        self._change("put_contribution", [_contribution_row(contribution)])

    def entities(self) -> dict[str, Entity]:
        """Return the entities of the current snapshot by id."""
        return {entity.id: entity for entity in self._rows("entities", codec.entity_of)}

    def put_entities(self, entities: Iterable[Entity]) -> None:
        """Keep these entities in place of those of the same id."""
        self._change("put_entity", [(entity.id, codec.entity_text(entity)) for entity in entities])

    def remove_entities(self, ids: Iterable[str]) -> None:
        """Let go of entities that nobody claims any longer."""
        self._change("remove_entity", [(name,) for name in ids])

    def confirm_snapshot(self, snapshot_id: str, entities: int, at: datetime) -> None:
        """Note that this snapshot is current at that moment, adding it where it was never seen."""
        self._change("confirm_snapshot", [(snapshot_id, entities, codec.moment_text(at))])

    def held_entities(self) -> dict[str, Entity]:
        """Return the entities of the snapshot that is held back, by id."""
        return {entity.id: entity for entity in self._rows("held_entities", codec.entity_of)}

    def hold_entities(self, entities: Iterable[Entity]) -> None:
        """Hold back these entities in place of those that were held; nothing is held where there are none."""
        self._change("clear_held_entities", [()])
        self._change("put_held_entity", [(entity.id, codec.entity_text(entity)) for entity in entities])

    def standing(self) -> dict[str, Contribution]:
        """Return what sources had said before something was held, by key, where they say something else since."""
        return {held.source: held for held in self._rows("standing", codec.contribution_of)}

    def keep_standing(self, contributions: Iterable[Contribution]) -> None:
        """Keep what sources had said, unless something older is kept of them already."""
        self._change("put_standing", [_contribution_row(contribution) for contribution in contributions])

    def clear_standing(self) -> None:
        """Let go of what sources had said before."""
        self._change("clear_standing", [()])


def _contribution_row(contribution: Contribution) -> Values:
    checked = codec.moment_text(contribution.checked_at)
    return contribution.source, contribution.run_id, checked, codec.contribution_body(contribution)


def _outcome_row(run_id: str, outcome: Outcome[object]) -> Values:
    status, kind, message = _ending(outcome)
    warnings = codec.to_text(outcome.warnings)
    return run_id, outcome.source, status, outcome.attempts, outcome.duration, kind, message, warnings


def _ending(outcome: Outcome[object]) -> tuple[str, str | None, str | None]:
    match outcome:
        case Success():
            return "success", None, None
        case Failure():
            return "failure", outcome.kind.value, _storable(outcome.message)
        case Skipped():
            return "skipped", outcome.reason.value, _storable(outcome.detail)


def _storable(message: str) -> str:
    """Return text that UTF-8 can hold: an upstream's words may carry half a surrogate pair."""
    return message.encode("utf-8", "backslashreplace").decode("utf-8")
