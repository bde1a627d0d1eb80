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
    """One transaction on what runs leave behind: documents, runs, contributions, entities and snapshots."""

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

    def put_contribution(self, contribution: Contribution) -> None:
        """Keep a contribution in place of its source's last one."""
        checked = codec.moment_text(contribution.checked_at)
        body = codec.contribution_body(contribution)
        self._change("put_contribution", [(contribution.source, contribution.run_id, checked, body)])

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
