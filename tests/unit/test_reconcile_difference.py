from datetime import UTC, datetime

from data_source_orchestrator.core.claim import Json
from data_source_orchestrator.core.snapshot import Claim, Entity, FieldValue, Snapshot
from data_source_orchestrator.reconcile import Difference, compare


def entity(name: str, values: dict[str, Json], source: str = "farm", run: str = "r1") -> Entity:
    at = datetime(2026, 5, 7, tzinfo=UTC)
    claims = {field: Claim(source=source, value=v, run_id=run, checked_at=at) for field, v in values.items()}
    return Entity(id=name, fields={field: FieldValue(claim=claim) for field, claim in claims.items()})


def between(before: list[Entity], after: list[Entity]) -> Difference:
    return compare({e.id: e for e in before}, Snapshot(id="x", entities={e.id: e for e in after}))


def test_entities_are_new_changed_unchanged_or_gone():
    before = [entity("fig", {"n": 1}), entity("pear", {"n": 1}), entity("plum", {"n": 1})]
    after = [entity("apple", {"n": 1}), entity("pear", {"n": 2}), entity("plum", {"n": 1})]
    assert between(before, after) == Difference(new=("apple",), changed=("pear",), unchanged=("plum",), gone=("fig",))


def test_another_source_or_run_behind_the_same_values_is_no_change():
    changed = between([entity("pear", {"n": 1})], [entity("pear", {"n": 1}, source="shop", run="r2")])
    assert changed == Difference(unchanged=("pear",))


def test_one_and_one_point_zero_are_one_value_and_true_is_another():
    assert between([entity("pear", {"n": [1]})], [entity("pear", {"n": [1.0]})]).unchanged == ("pear",)
    assert between([entity("pear", {"n": 1})], [entity("pear", {"n": True})]).changed == ("pear",)


def test_a_field_more_or_less_is_a_change():
    assert between([entity("pear", {"n": 1})], [entity("pear", {"n": 1, "m": 2})]).changed == ("pear",)
    assert between([entity("pear", {"n": 1, "m": 2})], [entity("pear", {"n": 1})]).changed == ("pear",)


def test_a_tuple_and_a_list_of_the_same_are_no_change():
    assert between([entity("pear", {"n": ["a"]})], [entity("pear", {"n": ("a",)})]).unchanged == ("pear",)


def test_before_anything_was_kept_all_is_new():
    assert between([], [entity("fig", {}), entity("apple", {})]) == Difference(new=("apple", "fig"))
