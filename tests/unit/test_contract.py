"""What a contract refuses when it is built, what it says of rows, and what becomes of them in each mode."""

import math
from dataclasses import dataclass
from typing import Any

import pytest

from data_source_orchestrator import Baseline, ConfigurationError, Contract, ContractMode, Field, Record, Tally
from data_source_orchestrator.core.contract import ANYTHING, Judgement

PRICE = Field("price", required=True, lowest=0, highest=100, unit="EUR")
ROWS: list[dict[str, Any]] = [{"id": f"r{n}", "price": n} for n in range(20)]


def judged(contract: Contract, rows: list[Any], baseline: Baseline = Baseline()) -> Judgement:  # noqa: B008 — a frozen record
    return contract.judge(rows, baseline, source="shop")


def breach(contract: Contract, rows: list[Any], baseline: Baseline = Baseline()) -> str:  # noqa: B008 — a frozen record
    judgement = judged(contract, rows, baseline)
    assert judgement.breach is not None
    assert judgement.breach.kind == "content"
    assert judgement.tally is None, "a bad payload adds nothing to the baseline"
    return str(judgement.breach)


def good(contract: Contract, rows: list[Any], baseline: Baseline = Baseline()) -> None:  # noqa: B008 — a frozen record
    judgement = judged(contract, rows, baseline)
    assert (judgement.breach, judgement.set_aside, judgement.warnings) == (None, frozenset(), ())


def changed(place: int, **members: Any) -> list[dict[str, Any]]:
    return [{**row, **members} if number == place else row for number, row in enumerate(ROWS)]


def without(place: int, name: str) -> list[dict[str, Any]]:
    return [
        {key: value for key, value in row.items() if key != name} if number == place else row
        for number, row in enumerate(ROWS)
    ]


@pytest.mark.parametrize(
    ("members", "told"),
    [
        ({"lowest": 5, "highest": 3}, r"price\.lowest is 5 and contract\.fields\.price\.highest 3; no number is both"),
        ({"lowest": math.nan}, r"price\.lowest is nan; give a finite number, or None"),
        ({"highest": True}, r"price\.highest is True; give a finite number"),
        ({"highest": "3"}, r"price\.highest is '3'; give a finite number"),
        ({"coverage": 1.5}, r"price\.coverage is 1\.5; give a number from 0 to 1"),
        ({"coverage": -0.1}, r"price\.coverage is -0\.1; give a number from 0 to 1"),
        ({"steady": 1}, r"price\.steady is 1; give True or False"),
        ({"required": "yes"}, r"price\.required is 'yes'; give True or False"),
        ({"required": True, "coverage": 0.5}, r"price\.coverage is 0\.5 of a field that is required of every row"),
        ({"required": True, "allowed": ()}, r"price\.allowed is empty, so that no row could carry the field"),
        ({"allowed": ["a"]}, r"price\.allowed is \['a'\]; give a tuple of values, or None"),
        ({"allowed": (1, 500), "highest": 100}, r"price\.allowed holds 500, and 100 or less is accepted"),
        ({"allowed": ("a", 5), "kind": str}, r"price\.allowed holds 5, and text is accepted"),
        ({"known": ("a", 5)}, r"price\.known is \('a', 5\); give a tuple of words"),
        ({"known": ("a", "c"), "allowed": ("a", "b")}, r"price\.known holds 'c', and one of a, b is accepted"),
        ({"kind": "float"}, r"price\.kind is 'float'; give a type, or a tuple of types"),
        ({"kind": ()}, r"price\.kind is \(\); give a type"),
        ({"kind": str, "lowest": 0}, r"price\.kind is <class 'str'>, which has no range"),
    ],
)
def test_a_field_that_contradicts_itself_is_refused_with_what_is_accepted(members: dict[str, Any], told: str):
    with pytest.raises(ConfigurationError, match=told):
        Field("price", **members)


@pytest.mark.parametrize("name", ["", ".*", 5, None])
def test_a_field_needs_a_name(name: Any):
    with pytest.raises(ConfigurationError, match=r"a field's name is .*; give text"):
        Field(name)


@pytest.mark.parametrize(
    ("members", "told"),
    [
        ({"mode": "enforced"}, r"contract\.mode is 'enforced'; give one of enforce, warn, quarantine; did you mean"),
        ({"mode": None}, r"contract\.mode is None; give one of enforce, warn, quarantine"),
        ({"minimum_rows": -1}, r"contract\.minimum_rows is -1; give a whole number of 0 or more"),
        ({"maximum_rows": 0}, r"contract\.maximum_rows is 0; give a whole number of 1 or more"),
        (
            {"minimum_rows": 9, "maximum_rows": 8},
            r"minimum_rows is 9 and contract\.maximum_rows 8; no payload has both",
        ),
        ({"largest_shrink": 1.2}, r"contract\.largest_shrink is 1\.2; give a number from 0 to 1"),
        ({"largest_quarantine": "all"}, r"contract\.largest_quarantine is 'all'; give a number from 0 to 1"),
        ({"row_type": "Record"}, r"contract\.row_type is 'Record'; give a type, or None for any"),
        ({"fields": [PRICE]}, r"contract\.fields is \[Field.*; give a tuple of Field"),
        ({"fields": ("price",)}, r"contract\.fields is \('price',\); give a tuple of Field"),
        ({"fields": (PRICE, Field("price"))}, r"contract\.fields names 'price' twice"),
        ({"rules": ("adds_up",)}, r"contract\.rules is .*; give a tuple of functions"),
        ({"unique": "id"}, r"contract\.unique is 'id'; give a tuple of keys"),
        ({"unique": ((),)}, r"contract\.unique is \(\(\),\); give a tuple of keys"),
        ({"unique": ("id",)}, r"contract\.unique holds 'id', which is not required: .*Field\('id', required=True\)"),
        ({"unique": (("price", "id"),), "fields": (PRICE,)}, r"contract\.unique holds 'id', which is not required"),
        ({"unique": ("entity",)}, r"contract\.unique holds 'entity', which is not required"),
    ],
)
def test_a_contract_that_contradicts_itself_is_refused_with_what_is_accepted(members: dict[str, Any], told: str):
    with pytest.raises(ConfigurationError, match=told):
        Contract(**members)


def test_a_record_always_has_its_entity():
    contract = Contract(row_type=Record, unique=("entity",))
    assert "no two rows may have the same" in breach(contract, [Record("a", {"n": 1}), Record("a", {"n": 2})])


@pytest.mark.parametrize("rows", [[], [1, None, "x"], [{}], [{"id": 1}, {"id": 1}]])
def test_a_source_without_a_contract_may_give_anything_after_anything(rows: list[Any]):
    baseline = Baseline((Tally(1000),))
    assert ANYTHING.judge(rows, baseline) == Judgement()
    assert not ANYTHING.compares


@pytest.mark.parametrize(
    ("value", "accepted"),
    [
        (0, True), (100, True), (99.5, True), (None, False), (-1, False), (100.1, False), ("5", False), (True, False),
        (math.nan, False), (math.inf, False), ([], False),
    ],
)  # fmt: skip
def test_a_number_lies_within_its_range_and_is_a_number(value: Any, accepted: bool):
    contract = Contract(fields=(PRICE,))
    if accepted:
        good(contract, changed(3, price=value))
    else:
        assert "row 4 (r3)" in breach(contract, changed(3, price=value))


@pytest.mark.parametrize(
    ("kind", "value", "accepted"),
    [
        (str, "x", True), (str, 5, False), (bool, True, True), (bool, 1, False), (int, 5, True), (int, 5.0, False),
        (int, True, False), (float, 5, True), (float, 5.5, True), (float, False, False), (float, -math.inf, False),
        (list, [], True), (list, (), False), ((list, tuple), (), True), (dict, {}, True), ((str, int), 5, True),
        ((str, int), True, False), ((str, bool), True, True),
    ],
)  # fmt: skip
def test_a_value_is_of_the_fields_kind(kind: Any, value: Any, accepted: bool):
    assert Field("x", kind=kind).accepts(value) is accepted
    assert (Contract(fields=(Field("x", kind=kind),)).judge([{"x": value}]).breach is None) is accepted


def test_a_breach_names_the_first_rows_what_they_hold_and_what_is_accepted():
    rows = [{**row, "price": -row["price"] - 1} for row in ROWS]
    assert breach(Contract(fields=(PRICE,)), rows) == (
        "price: 0 to 100 EUR is accepted, and 20 of 20 rows hold something else:"
        " row 1 (r0) holds -1, row 2 (r1) holds -2, row 3 (r2) holds -3, …"
    )


def test_a_missing_required_field_is_named_with_its_rows():
    for rows in (changed(3, price=None), without(3, "price")):
        told = breach(Contract(fields=(PRICE,)), rows)
        assert told == "price: every row has to carry it, and 1 of 20 rows do not: row 4 (r3)"


def test_what_an_upstream_serves_cannot_make_a_breach_long():
    fields = tuple(Field(f"f{n}", kind=int) for n in range(50))
    rows = [{"id": "i" * 10_000, **{f"f{n}": "x" * 10_000 for n in range(50)}} for _ in range(500)]
    told = breach(Contract(fields=fields), rows)
    assert len(told) < 4_000
    assert told.endswith("and 45 more rules are broken")


@pytest.mark.parametrize(("carried", "enough"), [(20, True), (10, True), (9, False), (0, False)])
def test_a_share_of_the_rows_has_to_carry_an_optional_field(carried: int, enough: bool):
    contract = Contract(fields=(Field("price", coverage=0.5),))
    rows = [row if number < carried else {"id": row["id"]} for number, row in enumerate(ROWS)]
    if enough:
        good(contract, rows)
    else:
        assert breach(contract, rows) == f"price: {carried} of 20 rows carry it, and at least 50% have to"


def test_a_field_is_found_in_whatever_kind_of_row_there_is():
    @dataclass
    class Priced:
        price: Any

    contract = Contract(fields=(PRICE,))
    for bad, fine in (
        ({"price": -1}, {"price": 1}),
        (Record("milk", {"price": -1}), Record("milk", {"price": 1})),
        (Priced(-1), Priced(1)),
    ):
        good(contract, [fine])
        assert "holds -1" in breach(contract, [bad])
    for rowless in (5, "price", None, [1]):
        assert "every row has to carry it" in breach(contract, [rowless])


def test_a_dotted_name_is_a_key_or_a_path():
    contract = Contract(fields=(Field("price.euro", required=True, lowest=0),))
    good(contract, [{"price.euro": 1}, {"price": {"euro": 2}}])
    assert "row 2 holds -2" in breach(contract, [{"price.euro": 1}, {"price": {"euro": -2}}])
    assert "row 1" in breach(contract, [{"price": 5}])


def test_a_prefix_stands_for_every_field_below_it():
    contract = Contract(fields=(Field("tier.*", required=True, allowed=("A", "B")),))
    good(contract, [{"tier.wz": "A"}, {"tier.mp": "B", "tier.wz": None}])
    assert "row 1 holds 'S' in tier.mp" in breach(contract, [{"tier.wz": "A", "tier.mp": "S"}])
    assert "every row has to carry it" in breach(contract, [{"tier.wz": "A"}, {"tier.wz": None}])


def test_a_row_of_another_type_is_named():
    told = breach(Contract(row_type=dict), [{}, 5])
    assert told == "row type: a row has to be a dict, and 1 of 2 rows are not: row 2 is 5"


@pytest.mark.parametrize(
    ("rows", "aside"),
    [
        ([{"id": 1, "n": 1}, {"id": 1, "n": 1}, {"id": 2}], {1}),
        ([{"id": 1, "n": 1}, {"id": 1, "n": 2}, {"id": 2}], {0, 1}),
        ([{"id": [1]}, {"id": [1]}, {"id": [2]}], {1}),
        ([{"id": 1}, {"id": 2}, {"id": 3}], set()),
    ],
)
def test_of_rows_with_one_key_a_repetition_is_set_aside_and_a_contradiction_wholly(rows: list[Any], aside: set[int]):
    contract = Contract(mode="quarantine", largest_quarantine=1, fields=(Field("id", required=True),), unique=("id",))
    assert judged(contract, rows).set_aside == aside


def test_a_key_of_two_fields_is_unique_together():
    fields = (Field("game", required=True), Field("name", required=True))
    contract = Contract(fields=fields, unique=(("game", "name"),))
    good(contract, [{"game": 1, "name": "a"}, {"game": 2, "name": "a"}])
    told = breach(contract, [{"game": 1, "name": "a", "n": 1}, {"game": 1, "name": "a", "n": 2}])
    assert told.startswith("game and name: no two rows may have the same, and 2 of 2 rows do: row 1 (a) as row 2")


def test_a_rule_sees_whole_rows_and_only_those_whose_fields_are_sound():
    def adds_up(row: dict[str, Any]) -> str | None:
        return None if row["price"] < 10 else f"{row['price']} is no price"

    contract = Contract(mode="quarantine", largest_quarantine=1, fields=(PRICE,), rules=(adds_up,))
    judgement = judged(contract, [{"price": 1}, {"price": "x"}, {}, {"price": 11}])
    assert judgement.set_aside == {1, 2, 3}
    assert judgement.warnings[-1] == (
        "set aside: adds_up: every row has to keep this rule, and 1 of 4 rows do not: row 4: 11 is no price"
    )


def test_what_a_rule_raises_passes():
    def broken(_: Any) -> str | None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        Contract(rules=(broken,)).judge([{}])


def test_a_quarantine_sets_bad_rows_aside_up_to_its_share_and_tells_them():
    contract = Contract(mode="quarantine", fields=(PRICE,))
    rows = [{**row, "price": -1} if number in {4, 9} else row for number, row in enumerate(ROWS)]
    judgement = judged(contract, rows)
    assert judgement.breach is None
    assert judgement.set_aside == {4, 9}
    (warning,) = judgement.warnings
    assert warning == (
        "set aside: price: 0 to 100 EUR is accepted, and 2 of 20 rows hold something else:"
        " row 5 (r4) holds -1, row 10 (r9) holds -1"
    )
    assert judgement.tally == Tally(18)
    rows[11] = {"id": "r11"}
    assert breach(contract, rows).endswith("3 of 20 rows would be set aside, and more than 10% are not")


def test_a_quarantine_judges_what_is_left_as_a_whole():
    contract = Contract(mode="quarantine", minimum_rows=20, fields=(PRICE,))
    assert "19 rows, and fewer than 20" in breach(contract, changed(0, price=-1))


def test_a_warning_lets_everything_go_on_and_tells_all_that_is_wrong():
    contract = Contract(mode=ContractMode.WARN, minimum_rows=30, fields=(PRICE,))
    judgement = judged(contract, changed(0, price=-1))
    assert judgement.breach is None
    assert judgement.set_aside == frozenset()
    assert [warning.split(":")[1].strip() for warning in judgement.warnings] == [
        "price",
        "the upstream served 20 rows, and fewer than 30 rows are not believed",
    ]
    assert judgement.tally == Tally(20)
    many = Contract(mode="warn", maximum_rows=3)
    assert judged(many, ROWS).warnings == (
        "its contract is broken: the upstream served 20 rows, and more than 3 are not believed",
    )


def test_more_rows_than_there_can_be_are_refused_unread():
    def unread(_: Any) -> str | None:
        raise AssertionError

    contract = Contract(maximum_rows=19, rules=(unread,))
    assert breach(contract, ROWS) == "the upstream served 20 rows, and more than 19 are not believed"


@pytest.mark.parametrize(("rows", "accepted"), [(8, True), (7, False), (0, False), (20, True)])
def test_a_payload_may_lose_a_fifth_of_the_median_of_the_last_good_ones(rows: int, accepted: bool):
    baseline = Baseline(tuple(map(Tally, (3, 10, 10, 10, 11, 12, 900))))
    if accepted:
        good(Contract(), ROWS[:rows], baseline)
    else:
        assert breach(Contract(), ROWS[:rows], baseline) == (
            f"the upstream served {rows} good rows, and its last 7 good payloads had 10 (median),"
            " so that at least 8 are expected; where that is true and lasting,"
            " `dso contract shop --accept` accepts it"
        )


def test_the_first_payload_is_judged_by_what_the_contract_says_alone():
    good(Contract(minimum_rows=1), ROWS[:1])


def test_a_baseline_remembers_the_last_seven():
    baseline = Baseline()
    for rows in range(1, 11):
        baseline = baseline.after(Tally(rows))
    assert [tally.rows for tally in baseline.tallies] == [4, 5, 6, 7, 8, 9, 10]
    assert baseline.rows == 7


STEADY = Contract(fields=(Field("price", steady=True), Field("t.*", steady=True)))


@pytest.mark.parametrize(("carried", "accepted"), [(20, True), (16, True), (15, False), (0, False)])
def test_of_a_steady_field_a_fifth_of_the_usual_carriers_may_be_lost(carried: int, accepted: bool):
    rows: list[dict[str, Any]] = [{"id": n, "price": 1, "t.x": 1} for n in range(20)]
    tally = judged(STEADY, rows).tally
    assert tally == Tally(20, {}, {"price": 20, "t.*": 20})
    for name in ("price", "t.x"):
        fewer = [row if row["id"] < carried else {**row, name: None} for row in rows]
        if accepted:
            good(STEADY, fewer, Baseline((tally,)))
        else:
            assert (
                f"{carried} rows carry it, and in its last good payload 20 did (median), so that at least 16 are"
                " expected; where that is true and lasting, `dso contract shop --accept` accepts it"
            ) in breach(STEADY, fewer, Baseline((tally,)))


def test_of_a_field_that_was_not_steady_before_nothing_is_expected():
    good(STEADY, [{"id": 1}], Baseline((Tally(1),)))


GAME = Contract(fields=(Field("game", known=("mw2", "bo6")),), largest_shrink=1)


def of_games(**counts: int) -> list[dict[str, str]]:
    return [{"game": game} for game, count in counts.items() for _ in range(count)]


def test_a_new_word_is_a_warning_until_a_good_payload_has_held_it():
    judgement = judged(GAME, of_games(mw2=3, bo8=1))
    assert (judgement.breach, judgement.warnings) == (None, ("game: bo8 is new",))
    assert judgement.tally is not None
    good(GAME, of_games(mw2=3, bo8=1), Baseline((judgement.tally,)))


def test_a_word_that_was_usual_and_is_gone_is_a_breach():
    tally = judged(GAME, of_games(mw2=3, bo6=1)).tally
    assert tally is not None
    assert breach(GAME, of_games(mw2=4), Baseline((tally,))) == (
        "game: bo6 is gone, which was in its last good payload; where that is true and lasting,"
        " `dso contract shop --accept` accepts it"
    )


def test_a_word_that_was_held_by_half_of_the_payloads_may_go():
    half = Baseline((Tally(1, {"game": frozenset({"mw2", "bo6"})}), Tally(1, {"game": frozenset({"mw2"})})))
    good(GAME, of_games(mw2=4), half)


def test_a_payload_without_any_known_word_is_about_something_else():
    assert breach(GAME, of_games(bf6=4), Baseline((Tally(4, {"game": frozenset({"mw2"})}),))) == (
        "game: none of mw2, bo6 occurs, and bf6 instead; the payload is about something else"
    )


def test_the_words_of_a_prefix_are_the_rest_of_its_names():
    contract = Contract(fields=(Field("tier.*", known=()),), largest_shrink=1)
    judgement = judged(contract, [{"tier.wz": "A", "tier.mp": "B"}])
    assert judgement.tally == Tally(1, {"tier.*": frozenset({"wz", "mp"})})
    assert "mp is gone" in breach(contract, [{"tier.wz": "A", "tier.mp": None}], Baseline((judgement.tally,)))


@pytest.mark.parametrize("word", ["\ud800", "a\nb", "x" * 101])
def test_what_cannot_be_a_word_is_none(word: str):
    tally = judged(GAME, [{"game": "mw2"}, {"game": word}]).tally
    assert tally == Tally(2, {"game": frozenset({"mw2"})})


def test_a_field_of_too_many_words_has_no_vocabulary():
    tally = judged(GAME, [{"game": f"g{n}"} for n in range(300)] + of_games(mw2=1)).tally
    assert tally == Tally(301, {"game": frozenset()})
