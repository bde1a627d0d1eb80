"""The laws of merging, for any contributions at all."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from data_source_orchestrator.core.claim import Contribution, Json, MergeRules, Record
from data_source_orchestrator.core.snapshot import Claim, Snapshot
from data_source_orchestrator.reconcile import compare, living, merge

START = datetime(2026, 1, 1, tzinfo=UTC)
SOURCES = ("a", "b", "c", "d")
FIELDS = ("n", "t", "t.x", "t.y", "t.x.z")

scalars = st.sampled_from([None, True, False, 0, 1, 2, -3, 0.0, 1.0, -0.0, 2.5, "", "x", "\u00e9", "\ud800"])
pairs = st.tuples(scalars, scalars)
values = scalars | pairs.map(list) | pairs.map(lambda pair: {"p": pair[0], "q": [pair[1]]})
said = st.dictionaries(st.sampled_from(FIELDS), values, max_size=3)
records = st.builds(Record, st.sampled_from(["pear", "fig"]), said)
moments = st.integers(0, 5).map(lambda hours: START + timedelta(hours=hours))
contributions = st.builds(
    Contribution,
    source=st.sampled_from(SOURCES),
    run_id=st.sampled_from(["r1", "r2"]),
    checked_at=moments,
    records=st.lists(records, max_size=3).map(tuple),
)
many = st.lists(contributions, max_size=5)
believed = st.lists(st.sampled_from(SOURCES), max_size=3).map(tuple)
orders = st.dictionaries(st.sampled_from(FIELDS), believed, max_size=3)
rules = orders.map(lambda order: MergeRules(order=order))
priorities = st.dictionaries(st.sampled_from(SOURCES), st.integers(0, 2))


def written(snapshot: Snapshot) -> str:
    """Return a snapshot to the last detail, where `==` would take 1 for 1.0 and for True."""
    return repr(snapshot)


def claims(snapshot: Snapshot) -> list[tuple[str, str, list[Claim]]]:
    return [
        (entity.id, field, [held.claim, *held.outranked])
        for entity in snapshot.entities.values()
        for field, held in entity.fields.items()
    ]


@given(many, rules, priorities, st.data())
def test_the_order_of_arrival_never_matters(
    given_: Sequence[Contribution], by: MergeRules, ranks: dict[str, int], data: st.DataObject
):
    shuffled = [
        replace(contribution, records=tuple(data.draw(st.permutations(contribution.records))))
        for contribution in data.draw(st.permutations(given_))
    ]
    assert written(merge(shuffled, by, priorities=ranks)) == written(merge(given_, by, priorities=ranks))


@given(many, rules, priorities)
def test_merging_the_same_twice_changes_nothing(given_: Sequence[Contribution], by: MergeRules, ranks: dict[str, int]):
    once = merge(given_, by, priorities=ranks)
    twice = merge([*given_, *given_], by, priorities=ranks)
    assert written(twice) == written(once)
    assert compare(once.entities, twice).unchanged == tuple(sorted(once.entities))


@given(many, rules, priorities, st.sampled_from(SOURCES))
def test_removing_a_source_removes_exactly_its_claims(
    given_: Sequence[Contribution], by: MergeRules, ranks: dict[str, int], leaver: str
):
    stayed = [contribution for contribution in given_ if contribution.source != leaver]
    before = [
        (entity, field, [claim for claim in held if claim.source != leaver])
        for entity, field, held in claims(merge(given_, by, priorities=ranks))
    ]
    after = merge(stayed, by, priorities=ranks)
    assert repr(claims(after)) == repr([told for told in before if told[2]])
    assert set(after.entities) == {record.entity for contribution in stayed for record in contribution.records}


@given(many, rules, priorities)
def test_every_published_value_has_a_living_claim(
    given_: Sequence[Contribution], by: MergeRules, ranks: dict[str, int]
):
    """A22."""
    kept, expired = living(given_, {"a": 1800.0, "b": 3600.0, "c": 86400.0}, START + timedelta(hours=5))
    assert sorted(map(repr, (*kept, *expired))) == sorted(repr(c) for c in given_ if c.source != "d")
    alive = {
        repr((record.entity, field, Claim(source=c.source, value=value, run_id=c.run_id, checked_at=c.checked_at)))
        for c in kept
        for record in c.records
        for field, value in record.fields.items()
    }
    told = {repr((e, field, claim)) for e, field, held in claims(merge(kept, by, priorities=ranks)) for claim in held}
    assert told <= alive


@given(many, rules, priorities)
def test_a_source_has_at_most_one_claim_of_a_field_and_the_ranking_is_kept(
    given_: Sequence[Contribution], by: MergeRules, ranks: dict[str, int]
):
    for _, field, held in claims(merge(given_, by, priorities=ranks)):
        order = by.order.get(field, by.order.get(field.split(".")[0], ()))
        places = [(order.index(c.source) if c.source in order else 9, ranks.get(c.source, 9), c.source) for c in held]
        assert places == sorted(set(places))


@given(many, rules, priorities)
def test_identical_values_make_the_same_id_whoever_says_them_and_when(
    given_: Sequence[Contribution], by: MergeRules, ranks: dict[str, int]
):
    """A22: an identical sync adds no version."""
    again = [replace(c, run_id="r9", checked_at=START + timedelta(days=9)) for c in given_]
    once = merge(given_, by, priorities=ranks)
    assert merge(again, by, priorities=ranks).id == once.id
    rewritten = {
        name: Record(name, {f: reordered(v) for f, v in e.values().items()}) for name, e in once.entities.items()
    }
    alone = Contribution(source="z", run_id="r", checked_at=START, records=tuple(rewritten.values()))
    assert merge([alone], by, priorities={}).id == once.id


@given(many, many, rules, priorities)
def test_two_snapshots_have_one_id_exactly_where_nothing_differs(
    one: Sequence[Contribution], other: Sequence[Contribution], by: MergeRules, ranks: dict[str, int]
):
    before, after = merge(one, by, priorities=ranks), merge(other, by, priorities=ranks)
    found = compare(before.entities, after)
    assert (before.id == after.id) == (not found.new and not found.changed and not found.gone)
    assert sorted((*found.new, *found.changed, *found.unchanged)) == sorted(after.entities)
    assert sorted((*found.gone, *found.changed, *found.unchanged)) == sorted(before.entities)


def reordered(value: Json) -> Any:
    """Return the same value written differently: numbers as floats, keys the other way round."""
    match value:
        case bool() | None | str():
            return value
        case int() | float():
            return float(value)
        case dict():
            return {name: reordered(held) for name, held in reversed(value.items())}
        case _:
            return tuple(reordered(held) for held in value)
