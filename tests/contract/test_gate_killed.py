"""A process that is killed while it holds, accepts or rejects: the gate is as it was before, or as it is after.

Run as a program, this file is that process; it kills itself when SQLite begins its n-th statement.
"""

import asyncio
import os
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from data_source_orchestrator.core.claim import Contribution, MergeRules, Record
from data_source_orchestrator.core.errors import ConfigurationError
from data_source_orchestrator.core.policies import GatePolicy
from data_source_orchestrator.core.ports import Transaction
from data_source_orchestrator.history import SqliteStore
from data_source_orchestrator.history.transaction import SqliteTransaction
from data_source_orchestrator.orchestration.commit import Batch, commit
from data_source_orchestrator.orchestration.gate import Ruling, gate_of
from data_source_orchestrator.orchestration.publish import Publication

pytestmark = pytest.mark.real_time

NOON = datetime(2026, 5, 7, 12, tzinfo=UTC)
STEP = 1 if os.environ.get("DSO_TEST_EFFORT") == "full" else 9
"""How many statements lie between two deaths."""


def spoken(names: str) -> Batch:
    """Return a run in which the one source says that these are there."""
    records = tuple(Record(name, {"there": True}) for name in names)
    contribution = Contribution(source="farm", run_id="r", checked_at=NOON, records=records)
    publication = Publication(
        contributions=(contribution,),
        carried={},
        rules=MergeRules(),
        intervals={"farm": 60.0},
        priorities={"farm": 1},
        titles={"farm": "Farm"},
        gate=GatePolicy(),
        at=NOON,
    )
    return Batch(breakers={}, publication=publication)


ACTS = {
    "hold": spoken("abc"),
    "supersede": spoken("abcdefghij"),
    "accept": Batch(breakers={}, ruling=Ruling(accept=True, at=NOON)),
    "reject": Batch(breakers={}, ruling=Ruling(accept=False, at=NOON)),
}
BEFORE = {"hold": ("abcdefghi",), **dict.fromkeys(("supersede", "accept", "reject"), ("abcdefghi", "abc"))}
"""What the source has said before each act."""


def everything(transaction: Transaction) -> tuple[object, ...]:
    """Return all that the gate is about, to be compared."""
    return (
        transaction.entities(),
        transaction.held_entities(),
        transaction.contributions(),
        transaction.standing(),
        {kind: transaction.documents(kind) for kind in ("gate", "rejected", "content", "timeliness")},
        gate_of(transaction),
    )


async def made(path: Path, act: str) -> tuple[tuple[object, ...], tuple[object, ...]]:
    """Make a store as it stands before an act, and return what it holds then, and what it would hold after it."""
    after = await SqliteStore.open(path.with_suffix(".after"))
    before = await SqliteStore.open(path)
    for store in (before, after):
        for names in BEFORE[act]:
            batch = spoken(names)
            await store.write(lambda transaction, batch=batch: commit(transaction, batch))  # type: ignore[misc]
    await after.write(lambda transaction: commit(transaction, ACTS[act]))
    states = await before.read(everything), await after.read(everything)
    await before.close()
    await after.close()
    return states


async def held_now(path: Path) -> tuple[object, ...]:
    store = await SqliteStore.open(path)
    try:
        return await store.read(everything)
    finally:
        await store.close()


@pytest.mark.timeout(300)
@pytest.mark.parametrize("act", ACTS)
def test_whoever_is_killed_leaves_the_gate_as_it_was_or_as_it_is_after(tmp_path: Path, act: str):
    path = tmp_path / "dso.db"
    before, after = asyncio.run(made(path, act))
    assert before != after
    for statement in range(1, 200, STEP):
        ended = subprocess.run([sys.executable, __file__, str(path), act, str(statement)], check=False)  # noqa: S603 — our own program
        if ended.returncode == 0:
            break
        assert ended.returncode == -signal.SIGKILL
        assert asyncio.run(held_now(path)) == before
    assert statement > STEP  # it did die before
    assert asyncio.run(held_now(path)) == after


@pytest.mark.parametrize("act", ["accept", "reject"])
async def test_of_two_processes_that_decide_the_same_at_once_one_does_and_the_other_is_told(tmp_path: Path, act: str):
    path = tmp_path / "dso.db"
    await made(path, act)
    stores = [await SqliteStore.open(path) for _ in range(2)]
    try:
        decisions = [store.write(lambda transaction: commit(transaction, ACTS[act])) for store in stores]
        ended = await asyncio.gather(*decisions, return_exceptions=True)
        refused = [each for each in ended if isinstance(each, ConfigurationError)]
        assert len(refused) == 1
        gate = await stores[0].read(gate_of)
        assert (gate.held, len(gate.decisions)) == (None, 1)
    finally:
        for store in stores:
            await store.close()


async def act_and_die(path: Path, act: str, statement: int) -> None:
    left = [statement]

    def count(_: str) -> None:
        left[0] -= 1
        if not left[0]:
            os.kill(os.getpid(), signal.SIGKILL)

    def work(transaction: Transaction) -> None:
        assert isinstance(transaction, SqliteTransaction)
        transaction._connection.set_trace_callback(count)
        commit(transaction, ACTS[act])

    store = await SqliteStore.open(path)
    await store.write(work)
    await store.close()


if __name__ == "__main__":
    asyncio.run(act_and_die(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])))
