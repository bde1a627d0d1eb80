"""What one run changes in the store: a function of a transaction and of values, run on the store's own thread."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from data_source_orchestrator.core.claim import Json
from data_source_orchestrator.core.contract import Baseline
from data_source_orchestrator.core.events import DriftDetected, SourceForgotten, SourceSwitched
from data_source_orchestrator.core.held import Gate
from data_source_orchestrator.core.ports import Transaction
from data_source_orchestrator.core.snapshot import SnapshotChange
from data_source_orchestrator.health.document import from_json, to_json
from data_source_orchestrator.health.metrics import RunTotals, run_finished, totals_from_json, totals_to_json
from data_source_orchestrator.health.state import SourceHealth
from data_source_orchestrator.health.timeliness import Timeliness
from data_source_orchestrator.orchestration import drifting
from data_source_orchestrator.orchestration.baselines import put_baselines, stored_baselines
from data_source_orchestrator.orchestration.content import KIND as CONTENT
from data_source_orchestrator.orchestration.content import Contents, contents_of
from data_source_orchestrator.orchestration.gate import Ruling, decide, gate_of
from data_source_orchestrator.orchestration.happened import Happened, Ran, SourceHappened, fold, source_of
from data_source_orchestrator.orchestration.paces import Paces, put_paces, stored_paces
from data_source_orchestrator.orchestration.publish import Publication, publish, words_of
from data_source_orchestrator.orchestration.robots_kept import put_robots, stored_robots
from data_source_orchestrator.orchestration.showing import SeenOf, Standings
from data_source_orchestrator.orchestration.tally import Traffic, put_traffic, stored_traffic
from data_source_orchestrator.orchestration.timely import Refreshed, put_timeliness, stored_timeliness
from data_source_orchestrator.orchestration.versioned import NEVER_STORED, Versioned, versioned

TOTALS = "runs"
"""The key of the one document of kind `metrics`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Everything that one transaction keeps; `breakers`, `paces` and `robots` are those that this process offers.

    With it comes a `publication` or an operator's `ruling` on what the gate holds, never both. `seen` is what sources
    showed, and `accepted` the sources whose present documents an operator takes for usual. `traffic` is what this
    process has counted since its last transaction.
    """

    happened: tuple[Happened, ...] = ()
    seen: tuple[SeenOf, ...] = ()
    accepted: tuple[str, ...] = ()
    breakers: Mapping[str, Versioned]
    paces: Paces | None = None
    traffic: Traffic = field(default_factory=dict)
    robots: Mapping[str, Json] = field(default_factory=dict)
    publication: Publication | None = None
    ruling: Ruling | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """The store's view after a transaction: other processes' runs are in it too. `drifted` is what is new of drift."""

    health: Mapping[str, SourceHealth]
    baselines: Mapping[str, Baseline]
    totals: RunTotals
    breakers: Mapping[str, Versioned]
    paces: Mapping[str, Versioned]
    traffic: Traffic
    robots: Mapping[str, Json]
    switches: Mapping[str, Json]
    last_checked: Mapping[str, datetime]
    carried: Mapping[str, frozenset[str]]
    contents: Mapping[str, Contents]
    timeliness: Mapping[str, Timeliness]
    gate: Gate
    standings: Standings
    change: SnapshotChange | None = None
    refreshed: tuple[Refreshed, ...] = ()
    drifted: tuple[DriftDetected, ...] = ()


def commit(transaction: Transaction, batch: Batch) -> Kept:
    """Fold a batch into what the store holds, and return what it holds then."""
    _put_runs(transaction, [each for each in batch.happened if isinstance(each, Ran)])
    of_sources = [each for each in batch.happened if not isinstance(each, Ran)]
    _put_health(transaction, of_sources)
    put_baselines(transaction, of_sources)
    _put_switches(transaction, [each for each in of_sources if isinstance(each, SourceSwitched)])
    _put_breakers(transaction, batch.breakers, {source_of(each) for each in of_sources if _decides(each)})
    if batch.paces is not None:
        put_paces(transaction, batch.paces)
    put_traffic(transaction, batch.traffic, _forgotten(of_sources))
    put_robots(transaction, batch.robots)
    drifting.forget(transaction, _forgotten(of_sources))
    drifting.accept_all(transaction, batch.accepted)
    drifted = tuple(drifting.put_seen(transaction, batch.seen) if batch.seen else ())
    if batch.publication is not None:
        published = publish(transaction, batch.publication)
        refreshed = put_timeliness(transaction, batch.publication.intervals, batch.publication.at)
        return replace(remembered(transaction), change=published, refreshed=refreshed, drifted=drifted)
    accepted = decide(transaction, batch.ruling) if batch.ruling is not None else None
    return replace(remembered(transaction), change=accepted, drifted=drifted)


def remembered(transaction: Transaction) -> Kept:
    """Return what the store holds."""
    return Kept(
        health={key: from_json(document) for key, document in transaction.documents("health").items()},
        baselines=stored_baselines(transaction),
        totals=totals_from_json(transaction.documents("metrics").get(TOTALS)),
        breakers={key: versioned(held) for key, held in transaction.documents("breaker").items()},
        paces=stored_paces(transaction),
        traffic=stored_traffic(transaction),
        robots=stored_robots(transaction),
        switches=transaction.documents("switch"),
        last_checked=transaction.last_checked(),
        carried={key: words_of(held) for key, held in transaction.documents("capabilities").items()},
        contents={key: contents_of(held) for key, held in transaction.documents(CONTENT).items()},
        timeliness=stored_timeliness(transaction),
        gate=gate_of(transaction),
        standings=drifting.stored_standings(transaction),
    )


def _forgotten(happened: Iterable[SourceHappened]) -> frozenset[str]:
    return frozenset(each.source for each in happened if isinstance(each, SourceForgotten))


def _put_runs(transaction: Transaction, runs: Sequence[Ran]) -> None:
    totals = totals_from_json(transaction.documents("metrics").get(TOTALS))
    for run in runs:
        transaction.add_run(run.row)
        totals = run_finished(totals, run.metadata)
    transaction.put_document("metrics", TOTALS, totals_to_json(totals))


def _put_health(transaction: Transaction, happened: Iterable[SourceHappened]) -> None:
    stored = transaction.documents("health")
    health: dict[str, SourceHealth] = {}
    for each in happened:
        key = source_of(each)
        before = health[key] if key in health else from_json(stored.get(key))
        health[key] = fold(before, each)
    for key, state in health.items():
        transaction.put_document("health", key, to_json(state))


def _put_switches(transaction: Transaction, switched: Iterable[SourceSwitched]) -> None:
    switches = transaction.documents("switch")
    for each in switched:
        held = switches.get(each.source)
        said = {"enabled": each.enabled, "priority": each.priority}
        changes = {name: value for name, value in said.items() if value is not None}
        switches[each.source] = {**(held if isinstance(held, Mapping) else {}), **changes}
        transaction.put_document("switch", each.source, switches[each.source])


def _decides(happened: SourceHappened) -> bool:
    """Return whether this says what the source's breaker is, whatever other processes think."""
    return isinstance(happened, SourceForgotten) or (isinstance(happened, SourceSwitched) and happened.readmitted)


def _put_breakers(transaction: Transaction, offered: Mapping[str, Versioned], decided: set[str]) -> None:
    """Keep breakers, unless another process has moved the stored one meanwhile; an operator's act is stronger."""
    stored = transaction.documents("breaker")
    for key in offered.keys() | decided:
        held = versioned(stored.get(key))
        mine = offered.get(key, NEVER_STORED)
        current = held.version == mine.version and held.state != mine.state
        if current or key in decided:
            moved = Versioned(version=held.version + 1, state=mine.state)
            transaction.put_document("breaker", key, moved.document)
