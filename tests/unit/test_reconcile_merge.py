import hashlib
from datetime import UTC, datetime, timedelta

import pytest

from data_source_orchestrator.core.claim import Contribution, Json, MergeRules, Record
from data_source_orchestrator.core.snapshot import Claim
from data_source_orchestrator.reconcile import merge

NOON = datetime(2026, 5, 7, 12, tzinfo=UTC)


def said(source: str, *records: tuple[str, dict[str, Json]], run: str = "r1", at: datetime = NOON) -> Contribution:
    return Contribution(
        source=source,
        run_id=run,
        checked_at=at,
        records=tuple(Record(entity, fields) for entity, fields in records),
    )


def published(*contributions: Contribution, rules: MergeRules | None = None, **priorities: int) -> dict[str, Json]:
    """Return the values of the entity `pear` after a merge."""
    return merge(contributions, rules or MergeRules(), priorities=priorities).entities["pear"].values()


def test_nothing_merged_is_a_snapshot_without_an_id():
    snapshot = merge([], MergeRules(), priorities={})
    assert snapshot.id is None
    assert snapshot.entities == {}


def test_fields_of_several_sources_meet_in_one_entity():
    fruit = published(said("farm", ("pear", {"weight": 120})), said("shop", ("pear", {"price": 3})), farm=1, shop=2)
    assert fruit == {"weight": 120, "price": 3}


def test_a_published_value_names_its_claim_and_those_that_it_outranks_in_their_order():
    farm = said("farm", ("pear", {"weight": 120}), run="r1", at=NOON)
    shop = said("shop", ("pear", {"weight": 125}), run="r2", at=NOON + timedelta(hours=1))
    blog = said("blog", ("pear", {"weight": 130}), run="r3", at=NOON + timedelta(hours=2))
    snapshot = merge([blog, shop, farm], MergeRules(), priorities={"farm": 1, "shop": 2, "blog": 3})
    held = snapshot.entities["pear"].fields["weight"]
    assert held.claim == Claim(source="farm", value=120, run_id="r1", checked_at=NOON)
    assert held.outranked == (
        Claim(source="shop", value=125, run_id="r2", checked_at=NOON + timedelta(hours=1)),
        Claim(source="blog", value=130, run_id="r3", checked_at=NOON + timedelta(hours=2)),
    )


def test_without_a_declared_order_the_lower_priority_is_believed_and_equal_ones_by_key():
    farm, shop = said("farm", ("pear", {"weight": 1})), said("shop", ("pear", {"weight": 2}))
    assert published(farm, shop, farm=2, shop=1) == {"weight": 2}
    assert published(farm, shop, farm=1, shop=1) == {"weight": 1}


def test_a_declared_order_beats_priority_and_whom_it_does_not_name_comes_after():
    farm, shop, blog = (said(name, ("pear", {"weight": at})) for at, name in enumerate(("farm", "shop", "blog")))
    rules = MergeRules(order={"weight": ("blog",)})
    snapshot = merge([farm, shop, blog], rules, priorities={"farm": 2, "shop": 1, "blog": 3})
    held = snapshot.entities["pear"].fields["weight"]
    assert [held.claim.source, *(claim.source for claim in held.outranked)] == ["blog", "shop", "farm"]


@pytest.mark.parametrize(
    ("field", "believed"),
    [
        ("size", "shop"),
        ("size.width", "farm"),
        ("size.height", "shop"),
        ("size.height.top", "shop"),
        ("size.width.top", "shop"),
        ("sizes", "farm"),
    ],
)
def test_the_order_is_that_of_the_exact_field_else_of_the_prefix_before_its_first_dot(field: str, believed: str):
    rules = MergeRules(order={"size": ("shop",), "size.width": ("farm",), "size.height": ("shop", "farm")})
    contributions = [said("farm", ("pear", {field: "farm"})), said("shop", ("pear", {field: "shop"}))]
    assert published(*contributions, rules=rules, farm=1, shop=2) == {field: believed}


def test_a_source_without_a_priority_comes_last():
    assert published(said("aaa", ("pear", {"n": 1})), said("shop", ("pear", {"n": 2})), shop=900) == {"n": 2}


@pytest.mark.parametrize("value", [0, 0.0, False, "", [], {}])
def test_an_empty_value_is_a_claim(value: Json):
    """A09: only None is absent."""
    assert published(said("farm", ("pear", {"n": value})), said("shop", ("pear", {"n": 7})), farm=1) == {"n": value}


def test_none_is_no_claim_and_leaves_the_field_to_others():
    """S3: null is never averaged in, and never published."""
    farm = said("farm", ("pear", {"n": None, "m": None}))
    assert published(farm, said("shop", ("pear", {"n": 7})), farm=1, shop=2) == {"n": 7}


def test_what_one_source_says_twice_in_different_ways_is_no_claim_of_its():
    """S4: list order settles nothing."""
    for numbers in ((1, 2), (2, 1), (1, 2, 1)):
        records: list[tuple[str, dict[str, Json]]] = [("pear", {"n": number, "m": 5}) for number in numbers]
        farm = said("farm", *records)
        assert published(farm, said("shop", ("pear", {"n": 7})), farm=1, shop=2) == {"m": 5, "n": 7}
        assert published(farm) == {"m": 5}


def test_what_one_source_says_twice_alike_is_one_claim_and_none_contradicts_nothing():
    farm = said("farm", ("pear", {"n": 1}), ("pear", {"n": None}), ("pear", {"n": 1.0}))
    held = merge([farm], MergeRules(), priorities={}).entities["pear"].fields["n"]
    assert held.value == 1
    assert held.outranked == ()


def test_what_one_source_says_twice_alike_is_told_with_its_latest_confirmation():
    """A21: the age of a claim is that of the last answer that confirmed it."""
    early = said("farm", ("pear", {"n": 9}), run="r2", at=NOON)
    late = said("farm", ("pear", {"n": 9}), run="r1", at=NOON + timedelta(hours=1))
    for contributions in ([early, late], [late, early]):
        held = merge(contributions, MergeRules(), priorities={}).entities["pear"].fields["n"]
        assert (held.claim.run_id, held.claim.checked_at) == ("r1", NOON + timedelta(hours=1))


@pytest.mark.parametrize("numbers", [(1, 1.0), (1.0, 1)])
def test_two_spellings_of_one_number_are_published_in_the_same_one_whichever_came_first(numbers: tuple[float, float]):
    records: list[tuple[str, dict[str, Json]]] = [("pear", {"n": number}) for number in numbers]
    assert repr(published(said("farm", *records))) == "{'n': 1.0}"


def test_true_contradicts_one():
    assert published(said("farm", ("pear", {"n": True}), ("pear", {"n": 1}))) == {}


def test_a_record_makes_an_entity_even_where_nothing_of_it_is_believed():
    snapshot = merge([said("farm", ("pear", {"n": None}))], MergeRules(), priorities={})
    assert snapshot.entities["pear"].values() == {}
    assert snapshot.id is not None


@pytest.mark.parametrize("value", [float("nan"), float("inf"), [1, {"deep": float("nan")}]])
def test_nan_and_infinity_are_refused_with_whoever_said_them(value: Json):
    """S16: NaN passed."""
    with pytest.raises(ValueError, match=r"farm says of pear, n: (nan|inf) is no number"):
        published(said("farm", ("pear", {"n": value})))


@pytest.mark.parametrize("value", [NOON, b"bytes", {1: "one"}, {1, 2}])
def test_what_json_cannot_hold_is_refused(value: Json):
    with pytest.raises(ValueError, match="farm says of pear, n: "):
        published(said("farm", ("pear", {"n": value})))


def test_the_id_is_the_hash_of_entities_fields_and_values_and_does_not_change_between_releases():
    farm = said("farm", ("pear", {"n": 1.0, "name": "Jäger"}), ("fig", {"tags": ["a", {"b": None}]}))
    text = r'{"fig":{"tags":["a",{"b":null}]},"pear":{"n":1,"name":"J\u00e4ger"}}'
    assert merge([farm], MergeRules(), priorities={}).id == hashlib.sha256(text.encode()).hexdigest()


@pytest.mark.parametrize("other", [{"n": 2}, {"m": 1}, {"n": "1"}, {"n": True}, {"n": [1]}, {"n": 1, "m": 0}, {}])
def test_another_value_makes_another_id(other: dict[str, Json]):
    one: dict[str, Json] = {"n": 1}
    ids = {merge([said("farm", ("pear", fields))], MergeRules(), priorities={}).id for fields in (one, other)}
    assert len(ids) == 2
