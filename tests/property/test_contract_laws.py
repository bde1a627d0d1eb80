"""The judge of contracts against a small one that looks at one row after another, and asks nothing cheaply."""

import math
from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from data_source_orchestrator import Baseline, Contract, ContractMode, Field, Tally

NAMES = ("a", "b", "t.x", "t.y")
WORDS = ("u", "v", "w")

values = st.one_of(
    st.none(),
    st.sampled_from(WORDS),
    st.integers(-3, 12),
    st.sampled_from([0.5, 9.75, math.nan, math.inf]),
    st.booleans(),
    st.just([1]),
)
rows_of_any_kind = st.lists(st.dictionaries(st.sampled_from(NAMES), values, max_size=4), max_size=25)
some_rows = st.lists(
    st.fixed_dictionaries({"a": st.integers(0, 30)}, optional={"b": st.sampled_from(WORDS), "t.x": st.integers(0, 9)}),
    max_size=25,
)
shares = st.sampled_from([0.0, 0.1, 0.25, 0.5, 1.0])


@st.composite
def fields(draw: st.DrawFn, name: str) -> Field:
    required = draw(st.booleans())
    coverage = 0.0 if required else draw(shares)
    accepted: dict[str, Any] = draw(
        st.sampled_from(
            [
                {},
                {"kind": str},
                {"kind": int},
                {"kind": (str, int)},
                {"kind": bool},
                {"lowest": 0, "highest": 9.5},
                {"kind": int, "lowest": 1},
                {"allowed": ("u", "v")},
                {"allowed": (1, 2), "kind": int},
            ]
        )
    )
    return Field(name, required=required, coverage=coverage, **accepted)


@st.composite
def contracts(draw: st.DrawFn) -> Contract:
    declared = tuple(draw(fields(name)) for name in draw(st.sets(st.sampled_from(["a", "b", "t.*"]))))
    required = [field.name for field in declared if field.required and field.prefix is None]
    return Contract(
        mode=draw(st.sampled_from(list(ContractMode))),
        minimum_rows=draw(st.integers(0, 5)),
        maximum_rows=draw(st.sampled_from([None, 8, 20])),
        largest_shrink=draw(shares),
        largest_quarantine=draw(shares),
        fields=declared,
        unique=tuple(draw(st.sets(st.sampled_from(required)))) if required else (),
        rules=draw(st.sampled_from([(), (no_u_beside_three,)])),
    )


def no_u_beside_three(row: Mapping[str, Any]) -> str | None:
    return "u stands beside 3" if row.get("b") == "u" and row.get("a") == 3 else None


baselines = st.lists(st.integers(0, 30), max_size=9).map(lambda counts: Baseline(tuple(map(Tally, counts))))


def fits(field: Field, value: Any) -> bool:
    kinds = field.kind if isinstance(field.kind, tuple) else (field.kind,) if field.kind else ()
    if not kinds and (field.lowest is not None or field.highest is not None):
        kinds = (float,)
    if field.allowed is not None and not any(value == one and type(value) is type(one) for one in field.allowed):
        return False
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if kinds and not any((kind is float and number) or (kind is not float and type(value) is kind) for kind in kinds):
        return False
    if number and (field.lowest is not None or field.highest is not None or kinds):
        low = -math.inf if field.lowest is None else field.lowest
        high = math.inf if field.highest is None else field.highest
        return math.isfinite(value) and low <= value <= high
    return True


def carried(field: Field, row: Mapping[str, Any]) -> list[Any]:
    if field.name.endswith(".*"):
        found = [value for name, value in row.items() if name.startswith(field.name[:-1])]
    else:
        found = [row.get(field.name)]
    return [value for value in found if value is not None]


def bad_rows(contract: Contract, rows: Sequence[Mapping[str, Any]]) -> set[int]:
    bad = set()
    for place, row in enumerate(rows):
        for field in contract.fields:
            held = carried(field, row)
            if (field.required and not held) or not all(fits(field, value) for value in held):
                bad.add(place)
    bad |= {p for p, row in enumerate(rows) if p not in bad and any(rule(row) for rule in contract.rules)}
    for (name,) in contract.keys:
        for place, row in enumerate(rows):
            alike = [p for p, other in enumerate(rows) if same(other.get(name), row.get(name))]
            if len(alike) > 1 and (place != alike[0] or not all(same_row(rows[p], row) for p in alike)):
                bad.add(place)
    return bad


def same(one: Any, other: Any) -> bool:
    return one is not None and other is not None and (one is other or one == other)


def same_row(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return dict(one) == dict(other)


def expected(contract: Contract, rows: Sequence[Mapping[str, Any]], baseline: Baseline) -> tuple[bool, set[int]]:
    """Return whether the payload is refused, and the places of the rows that are set aside."""
    quarantine, warn = contract.mode is ContractMode.QUARANTINE, contract.mode is ContractMode.WARN
    bad = bad_rows(contract, rows)
    aside = bad if quarantine else set()
    good = [row for place, row in enumerate(rows) if place not in aside]
    wrong = contract.maximum_rows is not None and len(rows) > contract.maximum_rows
    wrong |= len(aside) > contract.largest_quarantine * len(rows)
    wrong |= bool(bad) and not quarantine
    wrong |= len(good) < contract.minimum_rows
    counts = [tally.rows for tally in baseline.tallies]
    wrong |= bool(counts) and len(good) < (1 - contract.largest_shrink) * median(counts) - 1e-9
    for field in contract.fields:
        holding = sum(bool(carried(field, row)) for row in good)
        wrong |= bool(good) and holding < field.coverage * len(good) - 1e-9
    if wrong and not warn:
        return True, set()
    return False, aside


@given(contracts(), rows_of_any_kind | some_rows, baselines)
def test_the_judge_agrees_with_one_that_looks_at_one_row_after_another(
    contract: Contract, rows: list[dict[str, Any]], baseline: Baseline
):
    refused, aside = expected(contract, rows, baseline)
    judgement = contract.judge(rows, baseline)
    assert (judgement.breach is not None) is refused
    assert judgement.set_aside == frozenset(aside)
    if judgement.breach is None and contract.compares:
        assert judgement.tally == Tally(len(rows) - len(aside))


@given(contracts(), rows_of_any_kind, baselines)
def test_a_payload_that_passes_without_a_word_passes_in_every_mode(
    contract: Contract, rows: list[dict[str, Any]], baseline: Baseline
):
    members = {name: getattr(contract, name) for name in contract.__dataclass_fields__}
    judgements = [Contract(**members | {"mode": mode}).judge(rows, baseline) for mode in ContractMode]
    silent = [j.breach is None and not j.warnings and not j.set_aside for j in judgements]
    assert len(set(silent)) == 1


@given(contracts(), rows_of_any_kind | some_rows, baselines, st.randoms(use_true_random=False))
def test_the_order_of_rows_decides_nothing_but_which_repetition_is_set_aside(
    contract: Contract, rows: list[dict[str, Any]], baseline: Baseline, random: Any
):
    shuffled = rows[:]
    random.shuffle(shuffled)
    one, other = contract.judge(rows, baseline), contract.judge(shuffled, baseline)
    assert (one.breach is None) == (other.breach is None)
    assert len(one.set_aside) == len(other.set_aside)


@given(contracts(), rows_of_any_kind, baselines)
def test_every_sentence_is_bounded(contract: Contract, rows: list[dict[str, Any]], baseline: Baseline):
    judgement = contract.judge(rows, baseline)
    assert all(len(sentence) < 1000 for sentence in judgement.warnings)
    assert len(str(judgement.breach or "")) < 4000
