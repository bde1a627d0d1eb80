"""The life of a held snapshot beside a model of plain sets: published, held, accepted, rejected, superseded, expired.

Two processes take turns over one real SQLite file, and any of their transactions may die at any of its statements.
"""

import asyncio
import tempfile
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar, cast

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from data_source_orchestrator.core.claim import Contribution, MergeRules, Record
from data_source_orchestrator.core.errors import ConfigurationError
from data_source_orchestrator.core.policies import GatePolicy
from data_source_orchestrator.core.ports import Transaction
from data_source_orchestrator.history import SqliteStore
from data_source_orchestrator.orchestration.commit import Batch, Kept, commit
from data_source_orchestrator.orchestration.gate import Ruling, gate_of
from data_source_orchestrator.orchestration.publish import Publication

T = TypeVar("T")

NOON = datetime(2026, 5, 7, 12, tzinfo=UTC)
INTERVALS = {"farm": 100.0, "shop": 1000.0}
POLICY = GatePolicy(entities=0.25, coverage=1.0, fewest=2)
NAMES = "abcdefgh"

FULL = frozenset(NAMES)
contents = (
    st.just(FULL) | st.sampled_from(NAMES).map(lambda name: FULL - {name}) | st.frozensets(st.sampled_from(NAMES))
)
"""What a source says: which entities there are; often all, or all but one, as good days are."""


@dataclass
class Model:
    """What the gate is, said plainly. `published` and `held` tell who says that an entity is there."""

    now: float = 0.0
    registered: set[str] = field(default_factory=lambda: set(INTERVALS))
    last: dict[str, tuple[frozenset[str], float]] = field(default_factory=dict)
    standing: dict[str, tuple[frozenset[str], float]] = field(default_factory=dict)
    rejected: dict[str, frozenset[str]] = field(default_factory=dict)
    published: dict[str, set[str]] = field(default_factory=dict)
    held: dict[str, set[str]] | None = None
    blamed: set[str] = field(default_factory=set)

    def sync(self, said: dict[str, frozenset[str]]) -> bool:
        """Take what sources say, and return whether that is held."""
        before = dict(self.last)
        taken = {source for source, content in said.items() if self.rejected.get(source) != content}
        self.last |= {source: (said[source], self.now) for source in taken}
        old = {s for s, (_, at) in self.last.items() if s in self.registered and self.now - at > 4 * INTERVALS[s]}
        living = {source for source in self.last if source in self.registered} - old
        merged: dict[str, set[str]] = {}
        for source in living:
            for name in self.last[source][0]:
                merged.setdefault(name, set()).add(source)
        known = {name: who - old for name, who in self.published.items() if who - old}
        lost = known.keys() - merged.keys()
        if len(lost) < POLICY.fewest or len(lost) <= POLICY.entities * len(known):
            self.let_through(merged)
            self.rejected = {source: said for source, said in self.rejected.items() if source not in taken}
            return False
        self.held = merged
        self.blamed = {source for name in lost for source in known[name]}
        self.standing = {source: before[source] for source in taken if source in before} | self.standing
        return True

    def let_through(self, merged: dict[str, set[str]]) -> None:
        self.published, self.held, self.standing = merged, None, {}

    def reject(self) -> None:
        for source in self.blamed & self.standing.keys():
            self.rejected[source] = self.last[source][0]
            self.last[source] = self.standing[source]
        self.held, self.standing = None, {}


class DiedError(Exception):
    """A process ended in the middle of a transaction."""


class Dying:
    """A transaction whose process dies at its n-th change."""

    def __init__(self, inner: Transaction, lives: int) -> None:
        self._inner = inner
        self._lives = lives

    def __getattr__(self, name: str) -> Any:
        reached = getattr(self._inner, name)
        if not name.startswith(("put", "remove", "confirm", "hold", "keep", "clear")):
            return reached

        def dying(*arguments: Any) -> Any:
            if self._lives == 0:
                raise DiedError
            self._lives -= 1
            return reached(*arguments)

        return dying


class GateMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.model = Model()
        self.runner = asyncio.Runner()
        path = Path(self.folder.name) / "dso.db"
        self.stores = [self.run(SqliteStore.open(path)) for _ in range(2)]

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)

    def teardown(self) -> None:
        for store in self.stores:
            self.run(store.close())
        self.runner.close()
        self.folder.cleanup()

    def at(self, moment: float) -> datetime:
        return NOON + timedelta(seconds=moment)

    def publication(self, said: dict[str, frozenset[str]]) -> Batch:
        contributions = tuple(
            Contribution(
                source=source,
                run_id="r",
                checked_at=self.at(self.model.now),
                records=tuple(Record(name, {"there": True}) for name in sorted(content)),
            )
            for source, content in said.items()
        )
        registered = self.model.registered
        return Batch(
            breakers={},
            publication=Publication(
                contributions=contributions,
                carried={},
                rules=MergeRules(),
                intervals={source: INTERVALS[source] for source in registered},
                priorities=dict.fromkeys(registered, 1),
                titles={source: source for source in registered},
                gate=POLICY,
                at=self.at(self.model.now),
            ),
        )

    def ruling(self, *, accept: bool, snapshot: str = "") -> Batch:
        return Batch(breakers={}, ruling=Ruling(accept=accept, at=self.at(self.model.now), why="so", snapshot=snapshot))

    def write(self, process: int, batch: Batch) -> Kept:
        return self.run(self.stores[process].write(lambda transaction: commit(transaction, batch)))

    def read(self, process: int, work: Callable[[Transaction], T]) -> T:
        return self.run(self.stores[process].read(work))

    @rule(process=st.integers(0, 1), farm=st.none() | contents, shop=st.none() | contents)
    def sync(self, process: int, farm: frozenset[str] | None, shop: frozenset[str] | None) -> None:
        answers = {"farm": farm, "shop": shop}
        said = {s: content for s, content in answers.items() if content is not None and s in self.model.registered}
        batch = self.publication(said)
        was_held = self.model.held
        held = self.model.sync(said)
        change = self.write(process, batch).change
        assert change is not None
        assert (change.held is not None) is held
        if held:
            assert change.held_anew is (was_held is None or was_held.keys() != (self.model.held or {}).keys())

    @initialize()
    def everybody_speaks(self) -> None:
        self.sync(0, FULL, FULL)

    @rule(process=st.integers(0, 1), who=st.sampled_from(["farm", "shop", "both"]), left=st.integers(0, 6))
    def lose(self, process: int, who: str, left: int) -> None:
        """Sources lose much at once, as on a bad day."""
        content = frozenset(NAMES[:left])
        self.sync(process, None if who == "shop" else content, None if who == "farm" else content)

    @rule(
        process=st.integers(0, 1),
        lives=st.integers(0, 8),
        farm=st.none() | contents,
        kind=st.sampled_from(["sync", "accept", "reject"]),
    )
    def die(self, process: int, lives: int, farm: frozenset[str] | None, kind: str) -> None:
        """A process dies somewhere inside; a transaction that ends before that would count, and is not begun."""
        said = {} if farm is None or "farm" not in self.model.registered else {"farm": farm}
        batch = self.publication(said) if kind == "sync" else self.ruling(accept=kind == "accept")

        def dying(transaction: Transaction) -> None:
            commit(cast("Transaction", Dying(transaction, lives)), batch)
            raise DiedError  # it dies before the end at the latest

        try:
            self.run(self.stores[process].write(dying))
        except (DiedError, ConfigurationError):
            return
        raise AssertionError("it lived on")

    @rule(seconds=st.sampled_from([1.0, 150.0, 150.0, 401.0, 4001.0]))
    def wait(self, seconds: float) -> None:
        self.model.now += seconds

    @rule(source=st.sampled_from([*sorted(INTERVALS), "", "", ""]))
    def register_or_unregister(self, source: str) -> None:
        """Seldom: most often nobody touches the settings."""
        self.model.registered ^= {source} if source else set()

    @precondition(lambda self: self.model.held is not None)
    @rule(process=st.integers(0, 1), accept=st.booleans())
    def decide(self, process: int, accept: bool) -> None:
        assert self.model.held is not None
        self.write(process, self.ruling(accept=accept))
        if accept:
            self.model.let_through(self.model.held)
        else:
            self.model.reject()

    @precondition(lambda self: self.model.held)
    @rule(process=st.integers(0, 1), accept=st.booleans())
    def decide_on_another_snapshot(self, process: int, accept: bool) -> None:
        """An operator who looked before another process held something else is told, and nothing happens."""
        try:
            self.write(process, self.ruling(accept=accept, snapshot="no such id"))
        except ConfigurationError:
            return
        raise AssertionError("what nobody saw was decided")

    @precondition(lambda self: self.model.held is None)
    @rule(process=st.integers(0, 1), accept=st.booleans())
    def decide_where_nothing_is_held(self, process: int, accept: bool) -> None:
        taken_again = accept and bool(self.model.rejected)
        try:
            self.write(process, self.ruling(accept=accept))
        except ConfigurationError:
            assert not taken_again
            return
        assert taken_again
        self.model.rejected = {}

    @rule(process=st.integers(0, 1))
    def end_and_begin_anew(self, process: int) -> None:
        self.run(self.stores[process].close())
        self.stores[process] = self.run(SqliteStore.open(Path(self.folder.name) / "dso.db"))

    @invariant()
    def every_process_sees_what_the_model_says(self) -> None:
        for process in range(2):
            self.read(process, self.compare)

    def compare(self, transaction: Transaction) -> None:
        model, gate = self.model, gate_of(transaction)
        assert {name: set(_speakers(entity)) for name, entity in transaction.entities().items()} == model.published
        assert transaction.held_entities().keys() == (model.held or {}).keys()
        assert (gate.held is not None) is (model.held is not None)
        assert {source for source, _ in gate.rejected} == model.rejected.keys()
        assert {
            source: (frozenset(record.entity for record in held.records), held.checked_at)
            for source, held in transaction.contributions().items()
        } == {source: (content, self.at(at)) for source, (content, at) in model.last.items()}
        assert transaction.standing().keys() == model.standing.keys()


def _speakers(entity: Any) -> list[str]:
    there = entity.fields["there"]
    return [there.claim.source, *(claim.source for claim in there.outranked)]


TestGate = GateMachine.TestCase
TestGate.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)
