"""What a record may hold, so that no row of one source can spoil what all of them are kept in."""

from collections import OrderedDict
from datetime import UTC, datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_source_orchestrator.core.claim import DEEPEST, Contribution, Record, flaw_of
from data_source_orchestrator.history.codec import contribution_body, contribution_of
from data_source_orchestrator.reconcile.canonical import digest

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


def endless() -> Any:
    value: list[Any] = []
    value.append(value)
    return value


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        0,
        -1.5,
        10**300,
        "",
        "Café ☕ 😀",
        "nul \0",
        [],
        (1, "a"),
        range(3),
        {"min": 1, "max": {"é": [1, None]}},
        OrderedDict(a=1),
        MappingProxyType({"a": 1}),
        nested(DEEPEST),
    ],
    ids=repr,
)
def test_b06_whatever_json_can_hold_may_be_a_value(value: Any):
    assert flaw_of(Record("milk", {"price": value})) is None


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (float("nan"), "price is NaN; give a finite number, or leave the field out"),
        (float("-inf"), "price is -inf; give a finite number"),
        (10**5000, "price is a whole number of more than 14000 bits; give"),
        (Decimal("1.5"), "price is Decimal('1.5'); give None, True, False, a number, text, a list or a mapping"),
        (b"1.5", "price is b'1.5'; give None"),
        ({1}, "price is {1}; give None"),
        (NOON, "price is datetime.datetime("),
        ("half \ud83d", "price is 'half \\ud83d'; give text that UTF-8 can hold"),
        ([1, [2, {"max": float("inf")}]], "price[1][1].max is inf; give"),
        ({"a": {1: 2}}, "price.a has the name 1; give text as names"),
        ({"\ud800": 1}, "price has the name '\\ud800'; give text"),
        (nested(DEEPEST + 1), "is nested more than 64 levels deep; give a flatter value"),
        (endless(), "is nested more than 64 levels deep; give a flatter value"),
    ],
    ids=lambda value: str(value)[:30] if isinstance(value, str | float) else type(value).__name__,
)
def test_b06_what_json_cannot_hold_is_told_with_its_place_and_what_to_give(value: Any, told: str):
    assert told in (flaw_of(Record("milk", {"name": "x", "price": value})) or "")


@pytest.mark.parametrize(
    ("record", "told"),
    [
        (Record(7, {}), "its entity is 7; give text that UTF-8 can hold"),  # type: ignore[arg-type]  # the subject
        (Record("milk\ud800", {}), "its entity is 'milk\\ud800'; give text"),
        (Record("milk", {1: 1, "a": 2}), "it has the name 1; give text as names"),  # type: ignore[dict-item]  # as above
        (Record("milk", [("price", 1)]), "its fields are [('price', 1)]; give a mapping"),  # type: ignore[arg-type]  # as above
    ],
)
def test_b06_entities_and_names_must_be_text(record: Record, told: str):
    assert (flaw_of(record) or "").startswith(told)


def test_a_value_of_a_whole_page_is_quoted_in_short():
    assert len(flaw_of(Record("milk", {"page": b"x" * 10_000})) or "") < 250


texts = st.text(st.characters(), max_size=4) | st.just("\ud800")
scalars = st.none() | st.booleans() | st.integers() | st.floats() | texts | st.decimals() | st.binary(max_size=3)
names = texts | st.integers(0, 9)
anything = st.recursive(
    scalars, lambda v: st.lists(v, max_size=3) | st.tuples(v, v) | st.dictionaries(names, v, max_size=3)
)


@given(texts | st.integers(), st.dictionaries(names, anything, max_size=3))
def test_b06_a_record_without_a_flaw_can_be_kept_named_and_read_again(entity: Any, fields: Any):
    record = Record(entity, fields)
    if flaw_of(record) is not None:
        return
    kept = contribution_body(Contribution(source="a", run_id="r", checked_at=NOON, records=(record,)))
    again = contribution_of("a", "r", NOON.isoformat(), kept).records[0]
    assert again.entity.encode() == entity.encode()
    assert digest({again.entity: again.fields}) == digest({entity: fields})
