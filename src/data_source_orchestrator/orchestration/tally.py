"""Counts what each source asks of whom until that is kept: in the run's transaction, added to what is there."""

from collections.abc import Mapping

from data_source_orchestrator.core.events import (
    CallDelayed,
    Event,
    RequestFinished,
    SourceChecked,
    SourceFinished,
    SourceForgotten,
)
from data_source_orchestrator.core.outcome import Outcome, Skipped
from data_source_orchestrator.core.ports import Transaction
from data_source_orchestrator.core.verdicts import SkipReason
from data_source_orchestrator.fanout.hub import Hub
from data_source_orchestrator.health.traffic import SourceTraffic, asked, traffic_from_json, traffic_to_json

KIND = "traffic"
"""The kind of the documents."""

Traffic = Mapping[str, SourceTraffic]
"""What sources asked, by key."""


class Tally:
    """What this process has counted and no store holds yet."""

    def __init__(self, hub: Hub) -> None:
        self._counted: dict[str, SourceTraffic] = {}
        hub.follow(self._heard, RequestFinished, CallDelayed, SourceFinished, SourceChecked, SourceForgotten)

    @property
    def counted(self) -> Traffic:
        """What was counted since it was taken last."""
        return dict(self._counted)

    def take(self) -> Traffic:
        """Hand over what was counted, to be kept."""
        taken, self._counted = self._counted, {}
        return taken

    def give_back(self, taken: Traffic) -> None:
        """Take back what could not be kept."""
        self._counted = together(taken, self._counted)

    def _heard(self, event: Event) -> None:
        match event:
            case RequestFinished(source=key, request=request):
                self._add(key, asked(request, event.at))
            case CallDelayed(source=key, seconds=seconds):
                self._add(key, SourceTraffic(delays=1, delayed=seconds))
            case SourceFinished(executed=executed):
                self._add(executed.outcome.source, _wanted(executed.outcome))
            case SourceChecked(source=key):
                self._add(key, SourceTraffic(fetches=1))
            case SourceForgotten(source=key):
                self._counted.pop(key, None)
            case _:
                pass

    def _add(self, key: str, more: SourceTraffic) -> None:
        self._counted[key] = self._counted.get(key, SourceTraffic()) + more


def together(one: Traffic, other: Traffic) -> dict[str, SourceTraffic]:
    """Return what both have counted."""
    keys = one.keys() | other.keys()
    return {key: one.get(key, SourceTraffic()) + other.get(key, SourceTraffic()) for key in keys}


def put_traffic(transaction: Transaction, counted: Traffic, forgotten: frozenset[str]) -> None:
    """Add what was counted to what the store holds, but for sources that were forgotten meanwhile."""
    stored = stored_traffic(transaction)
    for key in counted.keys() | (forgotten & stored.keys()):
        before = SourceTraffic() if key in forgotten else stored.get(key, SourceTraffic())
        total = before + counted.get(key, SourceTraffic())
        transaction.put_document(KIND, key, traffic_to_json(total))


def stored_traffic(transaction: Transaction) -> dict[str, SourceTraffic]:
    """Return what the store holds."""
    return {key: traffic_from_json(document) for key, document in transaction.documents(KIND).items()}


def _wanted(outcome: Outcome[object]) -> SourceTraffic:
    """Return what an execution counts as: somebody was asked, or we held back."""
    if isinstance(outcome, Skipped) and outcome.reason is SkipReason.ROBOTS:
        return SourceTraffic(fetches=1, forbidden=1)
    if isinstance(outcome, Skipped) and outcome.reason is SkipReason.RATE_LIMIT:
        return SourceTraffic(held_back=1)
    return SourceTraffic(fetches=int(outcome.attempts > 0))
