"""The gate over the captured upstreams, changed at random: what harms is held, what does not passes without a word.

A few of each kind, over three thousand of all with DSO_TEST_EFFORT=full. It is the gate alone: contracts stop most of
what harms before that.
"""

import json
import os
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from random import Random  # noqa: TID251 — seeded, for changes that are the same every time
from typing import Any

import pytest

from cod_sources import codarmory, codmunity, wzstats
from cod_sources.notes import Notes
from cod_sources.rules import RULES
from cod_sources.transfer_state import find_answer
from data_source_orchestrator.core.claim import Contribution, Record
from data_source_orchestrator.core.policies import GatePolicy
from data_source_orchestrator.core.snapshot import Snapshot
from data_source_orchestrator.reconcile import judge, merge

NOON = datetime(2026, 5, 7, 12, tzinfo=UTC)
EACH = 300 if os.environ.get("DSO_TEST_EFFORT") == "full" else 6
"""Changes of each kind."""
PRIORITIES = {"codarmory": 1, "wzstats": 2, "codmunity": 3}

OWN = ("attachments", "unlock", "max_level", "tier", "ballistics")
"""How the names of fields begin that only one of the sources gives."""

Rows = dict[str, dict[str, Any]]
Said = dict[str, Rows]
Change = Callable[[Rows, Random], Rows]


def merged(said: Mapping[str, Rows]) -> Snapshot:
    contributions = (
        Contribution(
            source=source,
            run_id="r",
            checked_at=NOON,
            records=tuple(Record(name, fields) for name, fields in rows.items()),
        )
        for source, rows in said.items()
    )
    return merge(contributions, RULES, priorities=PRIORITIES)


@pytest.fixture(scope="module")
def said() -> Said:
    """Return what the captured upstreams say, or skip where they are not beside the checkout."""
    upstream = Path(__file__).parents[3] / "shared" / "upstream"
    if not upstream.is_dir():
        pytest.skip("the captured upstream files are not beside this checkout")
    files = {name: json.loads((upstream / f"codarmory/{name}.json").read_text()) for name in codarmory.FILES}
    state = (upstream / "codmunity/weapon-stats.ssr-transfer-state.json").read_text()
    tiers = json.loads((upstream / "wzstats/weapons-and-tier-lists.json").read_text())
    records = {
        "codarmory": codarmory.read(files, Notes()).records,
        "wzstats": wzstats.read(tiers, Notes()).records,
        "codmunity": codmunity.read(find_answer(state, codmunity.COMPARATOR, "the page"), (), Notes()).records,
    }
    return {source: {each.entity: dict(each.fields) for each in rows} for source, rows in records.items()}


def fields_of(rows: Rows) -> list[str]:
    return sorted({field for row in rows.values() for field in row} - {"name"})


def some(rows: Rows, share: float, random: Random) -> set[str]:
    return set(random.sample(sorted(rows), max(1, round(share * len(rows)))))


def truncated(rows: Rows, random: Random) -> Rows:
    """The list ends after a part of it."""
    return dict(list(rows.items())[: int(len(rows) * random.uniform(0, 0.75))])


def dropped(rows: Rows, random: Random) -> Rows:
    """Rows are missing here and there."""
    gone = some(rows, random.uniform(0.25, 0.9), random)
    return {name: row for name, row in rows.items() if name not in gone}


def renamed(rows: Rows, random: Random) -> Rows:
    """A key has another name, in every row."""
    old = widespread(rows, random)
    return {name: {f"{f}_v2" if f == old else f: row[f] for f in row} for name, row in rows.items()}


def nulled(rows: Rows, random: Random) -> Rows:
    """A key is null in most rows that had it."""
    old = widespread(rows, random)
    gone = some({name: row for name, row in rows.items() if old in row}, random.uniform(0.25, 1), random)
    return {name: {**row, old: None} if name in gone else row for name, row in rows.items()}


def widespread(rows: Rows, random: Random) -> str:
    """Return a field that only this source gives and that at least ten of its rows have."""
    names = [
        field
        for field in fields_of(rows)
        if field.startswith(OWN) and sum(row.get(field) is not None for row in rows.values()) >= 10
    ]
    return random.choice(names)


def of_another_game(rows: Rows, random: Random) -> Rows:
    """Every row is of another game than it was, so that its weapon is another one."""
    game = random.choice(["bf6", "delta"])
    return {f"{name.rsplit('-', 1)[0]}-{game}": {**row, "game": game} for name, row in rows.items()}


HARMFUL: dict[str, Change] = {
    change.__name__: change for change in (truncated, dropped, renamed, nulled, of_another_game)
}


def reordered(rows: Rows, random: Random) -> Rows:
    return dict(random.sample(sorted(rows.items()), len(rows)))


def with_new_weapons(rows: Rows, random: Random) -> Rows:
    new = {f"new{number}-bo8": {"name": f"New {number}", "game": "bo8"} for number in range(random.randint(1, 80))}
    return {**rows, **new}


def with_a_new_field(rows: Rows, random: Random) -> Rows:
    return {name: {**row, f"new_{random.randint(1, 9)}": 1} for name, row in rows.items()}


def balanced(rows: Rows, random: Random) -> Rows:
    """A balance patch touches many values: numbers and tiers move."""
    share = random.uniform(0.1, 1)
    return {
        name: {field: moved(value, random) if random.random() < share else value for field, value in row.items()}
        for name, row in rows.items()
    }


def moved(value: Any, random: Random) -> Any:
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int | float):
        return value * random.uniform(0.5, 1.5)
    return random.choice("SABCD") if isinstance(value, str) and len(value) == 1 else value


def without_a_few(rows: Rows, random: Random) -> Rows:
    gone = set(random.sample(sorted(rows), 2))
    return {name: row for name, row in rows.items() if name not in gone}


def with_a_few_unranked(rows: Rows, random: Random) -> Rows:
    """Two weapons fall out of each list, as they do every week."""
    result = {name: dict(row) for name, row in rows.items()}
    for field in [field for field in fields_of(rows) if field.startswith("tier.")]:
        for name in random.sample(sorted(name for name, row in rows.items() if field in row), 2):
            result[name].pop(field, None)
    return result


HARMLESS: dict[str, Change] = {
    change.__name__: change
    for change in (
        reordered,
        with_new_weapons,
        with_a_new_field,
        balanced,
        without_a_few,
        with_a_few_unranked,
    )
}


def share_held(said: Said, change: Change) -> float:
    """Change one source after another, and return the share of changes that is held."""
    random = Random(20261125)
    before = merged(said).entities
    held = 0
    for number in range(EACH):
        source = sorted(PRIORITIES)[number % len(PRIORITIES)]
        after = merged({**said, source: change(said[source], random)})
        held += bool(judge(before, after, GatePolicy(), rules=RULES))
    return held / EACH


@pytest.mark.parametrize("change", HARMLESS.values(), ids=HARMLESS)
def test_what_does_no_harm_passes(said: Said, change: Change):
    assert share_held(said, change) == 0


@pytest.mark.parametrize("change", HARMFUL.values(), ids=HARMFUL)
def test_what_harms_is_held(said: Said, change: Change):
    assert share_held(said, change) == 1
