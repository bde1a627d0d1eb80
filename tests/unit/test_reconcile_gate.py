"""What holds a snapshot back, and what does not."""

from collections.abc import Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

import pytest

from data_source_orchestrator.core.claim import Contribution, MergeRules, Record
from data_source_orchestrator.core.errors import ConfigurationError
from data_source_orchestrator.core.held import Loss
from data_source_orchestrator.core.policies import GatePolicy
from data_source_orchestrator.core.snapshot import Snapshot
from data_source_orchestrator.reconcile.gate import judge
from data_source_orchestrator.reconcile.gate_words import sentence
from data_source_orchestrator.reconcile.survivorship import merge

NOON = datetime(2026, 5, 7, 12, tzinfo=UTC)
RULES = MergeRules(groups=("game",), volatile=("popularity",), called=("weapon", "weapons"), parts={"tier": "mode"})
TITLES = {"wzstats": "WZStats", "codmunity": "CODMunity"}

Rows = dict[str, dict[str, Any]]


def snapshot(**said: Rows) -> Snapshot:
    """Merge what sources say, by their keys."""
    return merge(
        (
            Contribution(
                source=source,
                run_id="r",
                checked_at=NOON,
                records=tuple(Record(name, fields) for name, fields in rows.items()),
            )
            for source, rows in said.items()
        ),
        RULES,
        priorities={},
    )


def weapons(count: int, game: str = "mw3", fields: Mapping[str, Any] = MappingProxyType({})) -> Rows:
    return {f"{game}-{number:03}": {"game": game, "name": f"{game} {number}", **fields} for number in range(count)}


def without(rows: Rows, field: str, count: int) -> Rows:
    """Leave a field out of the first rows."""
    return {
        name: {key: value for key, value in row.items() if place >= count or key != field}
        for place, (name, row) in enumerate(rows.items())
    }


def but(rows: Rows, **changes: Any) -> Rows:
    return {name: {**row, **changes} for name, row in rows.items()}


def first(rows: Rows, count: int) -> Rows:
    return dict(list(rows.items())[:count])


def losses(before: Snapshot, after: Snapshot, policy: GatePolicy = GatePolicy(), **more: Any) -> tuple[Loss, ...]:
    return judge(before.entities, after, policy, rules=RULES, **more)


def told(before: Snapshot, after: Snapshot, titles: Mapping[str, str] = TITLES, **more: Any) -> str:
    return sentence(losses(before, after, **more), titles, RULES)


FULL = weapons(100, fields={"tier.wz": "A", "rpm": 800, "popularity.ranked": 3.5})

HARMLESS: dict[str, Rows] = {
    "the same again": FULL,
    "rows in another order": dict(reversed(FULL.items())),
    "new weapons": FULL | weapons(60, "bo8"),
    "new weapons of which little is known yet": FULL | {f"new-{n}": {"name": "?"} for n in range(300)},
    "a new field": but(FULL, weight=3),
    "a balance patch that touches every value": but(FULL, **{"tier.wz": "D", "rpm": 640}),
    "a number that is text now": but(FULL, rpm="640"),
    "numbers that are 0 now": but(FULL, rpm=0),
    "texts that are empty now": but(FULL, **{"tier.wz": ""}),
    "as many weapons gone as are allowed": first(FULL, 90),
    "a field gone from as many as are allowed": without(FULL, "rpm", 20),
    "a field that comes and goes, gone": without(FULL, "popularity.ranked", 100),
    "as many others in place of a few": first(FULL, 92) | weapons(8, "bo8"),
}


@pytest.mark.parametrize("rows", HARMLESS.values(), ids=HARMLESS)
def test_harmless_changes_pass_without_a_word(rows: Rows):
    assert losses(snapshot(wzstats=FULL), snapshot(wzstats=rows)) == ()


HARMFUL: dict[str, tuple[Rows, str]] = {
    "everything gone": ({}, "held: 100 of 100 weapons missing, all mw3 (from WZStats)"),
    "one more weapon gone than is allowed": (
        first(FULL, 89),
        "held: 11 of 100 weapons missing, all mw3 (from WZStats)",
    ),
    "other weapons in place of all": (weapons(100, "bo8"), "held: 100 of 100 weapons missing, all mw3 (from WZStats)"),
    "a mode gone": (without(FULL, "tier.wz", 100), "held: WZStats lost mode wz of all 100 weapons"),
    "a field renamed": (
        {name: {("speed" if key == "rpm" else key): row[key] for key in row} for name, row in FULL.items()},
        "held: WZStats lost rpm of all 100 weapons",
    ),
    "a field null": (but(FULL, rpm=None), "held: WZStats lost rpm of all 100 weapons"),
    "one more without a field than is allowed": (
        without(FULL, "rpm", 21),
        "held: WZStats lost rpm of 21 of 100 weapons",
    ),
    "two fields gone": (
        without(without(FULL, "rpm", 100), "tier.wz", 100),
        "held: WZStats lost rpm of all 100 weapons and mode wz of all 100 weapons",
    ),
}


@pytest.mark.parametrize(("rows", "words"), HARMFUL.values(), ids=HARMFUL)
def test_losses_are_held_and_told(rows: Rows, words: str):
    assert told(snapshot(wzstats=FULL), snapshot(wzstats=rows)) == words


def test_the_sentence_tells_what_how_many_and_from_whom():
    here = weapons(87, fields={"tier.warzone": "A"})
    gone = weapons(41, "bo6", {"tier.bo6": "B"})
    elsewhere = {name: {"tier.bo6": "C"} for name in list(here)[:30]}
    before = snapshot(codmunity=here | gone, wzstats=elsewhere)
    assert told(before, snapshot(codmunity=here)) == (
        "held: 41 of 128 weapons missing, all bo6 (from CODMunity); WZStats lost mode bo6 of all 30 weapons"
    )


def test_the_first_snapshot_is_never_held():
    assert losses(Snapshot(), snapshot(wzstats=FULL)) == ()


def test_a_game_that_vanishes_is_held_although_it_is_a_small_part_of_all():
    small = weapons(5, "bo7")
    before, after = snapshot(wzstats=FULL | small), snapshot(wzstats=FULL)
    assert told(before, after) == "held: 5 of 5 weapons of bo7 missing (from WZStats)"


def test_fewer_than_the_fewest_hold_nothing_however_great_their_share():
    assert losses(snapshot(wzstats=weapons(2)), Snapshot()) == ()
    assert losses(snapshot(wzstats=weapons(3)), Snapshot()) != ()
    assert losses(snapshot(wzstats=weapons(2)), Snapshot(), GatePolicy(fewest=2)) != ()


def test_what_another_source_still_says_is_not_lost():
    before = snapshot(wzstats=FULL, codmunity=FULL)
    assert losses(before, snapshot(codmunity=FULL)) == ()


def test_what_only_expired_sources_said_is_no_loss():
    before = snapshot(wzstats=FULL, codmunity=weapons(50, "bo7"))
    after = snapshot(wzstats=FULL)
    assert losses(before, after, expired=frozenset({"codmunity"})) == ()
    assert told(before, after) == "held: 50 of 150 weapons missing, all bo7 (from CODMunity)"


def test_what_a_living_source_lost_is_a_loss_although_another_that_said_it_has_expired():
    before = snapshot(wzstats=FULL, codmunity=FULL)
    after = snapshot(wzstats=first(FULL, 50))
    words = "held: 50 of 100 weapons missing, all mw3 (from WZStats)"
    assert told(before, after, expired=frozenset({"codmunity"})) == words


def test_what_an_unregistered_source_said_is_lost_and_that_it_left_is_told():
    before = snapshot(wzstats=FULL, farm=weapons(50, "bo7"))
    words = "held: 50 of 150 weapons missing, all bo7 (from farm (no longer registered))"
    assert told(before, snapshot(wzstats=FULL)) == words


def test_a_prefix_is_told_in_place_of_its_fields_where_it_is_as_good_as_gone():
    rows = weapons(60, fields={"tier.a": 1}) | weapons(40, "bo6", {"tier.b": 2})
    gone = without(without(rows, "tier.a", 95), "tier.b", 95)
    assert told(snapshot(wzstats=rows), snapshot(wzstats=gone)) == "held: WZStats lost tier of 95 of 100 weapons"


def test_a_part_is_told_in_place_of_its_prefix_where_it_explains_the_loss():
    rows = weapons(60, fields={"tier.a": 1}) | weapons(40, "bo6", {"tier.b": 2})
    gone = {name: {key: value for key, value in row.items() if key != "tier.b"} for name, row in rows.items()}
    assert told(snapshot(wzstats=rows), snapshot(wzstats=gone)) == "held: WZStats lost mode b of all 40 weapons"


def test_many_losses_are_counted():
    rows = weapons(10, fields={f"f{number}": 1 for number in range(9)})
    words = told(snapshot(wzstats=rows), snapshot(wzstats={name: {"name": "x"} for name in rows}))
    assert words.endswith("; and 7 more losses")


def test_a_gate_that_is_off_holds_nothing():
    assert losses(snapshot(wzstats=FULL), Snapshot(), GatePolicy(enabled=False)) == ()


@pytest.mark.parametrize(
    "members", [{"entities": 1.1}, {"coverage": -0.1}, {"fewest": 0}, {"enabled": "yes"}, {"entities": float("nan")}]
)
def test_a_policy_that_cannot_be_meant_is_refused(members: dict[str, Any]):
    with pytest.raises(ConfigurationError, match="gate"):
        GatePolicy(**members)
