"""The laws of fingerprints and of their judgement, for any documents at all."""

import statistics
from collections import Counter
from random import Random  # noqa: TID251 — hypothesis hands it in
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_source_orchestrator.drift.alignment import aligned
from data_source_orchestrator.drift.fingerprint import MOST_LEVELS, MOST_PATHS, Fingerprint, Kinds, fingerprint
from data_source_orchestrator.drift.judge import judge
from data_source_orchestrator.drift.paths import ANY, ROWS, segment, split, written
from data_source_orchestrator.drift.robust import deviation, median
from data_source_orchestrator.drift.rules import null_rate_jumped, volume_moved

scalars = st.none() | st.booleans() | st.integers(-3, 3) | st.floats(-1, 1) | st.sampled_from(["", "x", "2024", "\x00"])
names = st.sampled_from([*"abcdefghijkl", "a.b", "{}", "[]", "17", "2024-11-25", "\ud800", "x" * 90])
documents = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=6) | st.dictionaries(names, inner, max_size=10), max_leaves=60
)
plain = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.sampled_from("abcd"), inner, max_size=4),
    max_leaves=40,
)
usuals = st.lists(st.floats(0, 1000), min_size=1, max_size=12)


def shuffled(value: Any, random: Random) -> Any:
    """Return a document with its rows and members in another order."""
    if isinstance(value, list):
        return random.sample([shuffled(each, random) for each in value], len(value))
    if isinstance(value, dict):
        return {name: shuffled(value[name], random) for name in random.sample(list(value), len(value))}
    return value


def counted(value: Any, path: str, kinds: dict[str, Counter[str]]) -> dict[str, Counter[str]]:
    """Count a document's values by place, one after another: a model of the fingerprint, for few plain names."""
    match value:
        case None | "":
            kind = "nothing"
        case bool():
            kind = "boolean"
        case int() | float():
            kind = "number"
        case str():
            kind = "text"
        case list():
            kind = "list"
        case _:
            kind = "object"
    kinds.setdefault(path, Counter())[kind] += 1
    for each in value if isinstance(value, list) else ():
        counted(each, f"{path}[]", kinds)
    for name, each in value.items() if isinstance(value, dict) else ():
        counted(each, f"{path}.{name}", kinds)
    return kinds


@given(plain)
def test_a_fingerprint_counts_what_a_walk_through_the_document_counts(document: Any):
    model = {path: Kinds(**counts) for path, counts in counted(document, "", {}).items()}
    assert fingerprint(document) == Fingerprint(paths=model)


@given(documents, st.randoms(use_true_random=False))
def test_the_order_of_rows_and_members_says_nothing(document: Any, random: Random):
    assert fingerprint(shuffled(document, random)) == fingerprint(document)


@given(documents)
def test_a_path_is_read_as_it_was_written_and_can_be_shown(document: Any):
    for path in fingerprint(document).paths:
        assert written(split(path)) == path
        assert path.isprintable()


@given(st.text())
def test_any_name_is_one_segment(name: str):
    path = (".rows", segment(name), ROWS, segment(name), ANY)
    assert split(written(path)) == path


@given(st.dictionaries(st.integers(0, 10**9).map(str), plain, min_size=1), st.dictionaries(names, plain, max_size=3))
def test_a_map_of_ids_has_as_many_places_as_one_with_all_its_entries_under_one_id(entries: Any, fields: Any):
    one = fingerprint({"map": entries, "list": list(entries.values())}).paths
    in_map = {path.removeprefix(".map.{}") for path in one if path.startswith(".map.{}")}
    in_list = {path.removeprefix(".list[]") for path in one if path.startswith(".list[]")}
    assert in_map == in_list
    assert fingerprint({**fields, "17": 1, "18": 1}).paths[ANY].number >= 2


@given(st.integers(0, 4000), st.integers(1, 40), st.integers(1, 60), st.randoms(use_true_random=False))
def test_a_document_of_any_width_and_depth_has_a_bounded_fingerprint(
    width: int, siblings: int, depth: int, random: Random
):
    document: Any = {f"{random.random()}": 1 for _ in range(width)}
    for level in range(depth):
        document = {f"n{chr(97 + number % 26) * (1 + number // 26)}": document for number in range(siblings)}
        if level % 3 == 0:
            document = [document, {f"k{random.getrandbits(40):x}": None}]
    told = fingerprint(document)
    assert len(told.paths) <= 3 * MOST_PATHS
    assert all(len(split(path)) <= MOST_LEVELS + 1 for path in told.paths)


@given(documents, st.randoms(use_true_random=False))
def test_nothing_is_told_of_a_document_like_those_before(document: Any, random: Random):
    usual = [fingerprint(document)] * 5
    assert judge(fingerprint(shuffled(document, random)), usual) == ()


@given(st.lists(documents, min_size=1, max_size=4))
def test_alignment_neither_loses_nor_makes_a_value_and_does_nothing_twice(several: list[Any]):
    before = [fingerprint(each) for each in several]
    after = aligned(before)
    for one, other in zip(before, after, strict=True):
        assert [sum(kinds) for kinds in zip(*one.paths.values(), strict=True)] == [
            sum(kinds) for kinds in zip(*other.paths.values(), strict=True)
        ]
    again = aligned(
        [
            Fingerprint(paths={written(path): kinds for path, kinds in each.paths.items()}, cut=each_cut(each.cut))
            for each in after
        ]
    )
    assert [each.paths for each in again] == [each.paths for each in after]


def each_cut(cut: frozenset[tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(sorted(map(written, cut)))


@given(st.lists(documents, min_size=2, max_size=4))
def test_a_map_in_one_is_a_map_in_all(several: list[Any]):
    after = aligned([fingerprint(each) for each in several])
    maps = {path[:-1] for each in after for path in each.paths if path and path[-1] == ANY}
    for above in maps:
        beside = [
            {path[-1] for path in each.paths if path and path[:-1] == above and path[-1] not in {ANY, ROWS}}
            for each in after
        ]
        knowing = [names for names, each in zip(beside, after, strict=True) if (*above, ANY) in each.paths]
        allowed = set().union(*knowing)
        assert all(names <= allowed for names in beside)


@given(usuals)
def test_the_median_and_its_deviation_are_those_of_the_book(values: list[float]):
    middle = statistics.median(values)
    assert median(values) == pytest.approx(middle)
    assert deviation(values) == pytest.approx(statistics.median(abs(value - middle) for value in values))


@given(usuals, st.floats(0, 1000), st.integers(1, 500))
def test_a_volume_is_judged_as_the_rule_is_written(usual: list[float], rows: float, lists: int):
    """The model: outside what was seen twice, and outside every one of three bands around the median."""
    middle = statistics.median(usual)
    spread = 3.5 * 1.4826 * statistics.median(abs(value - middle) for value in usual)
    band = (0.2, 0.5) if lists == 1 else (0.5, 1.0)
    least = min((1 - band[0]) * middle, middle - spread, middle - 2 * (max(middle, 1) / lists) ** 0.5)
    most = max((1 + band[1]) * middle, middle + spread, middle + 2 * (max(middle, 1) / lists) ** 0.5)
    inner = sorted(usual)[1:-1] if len(usual) > 3 else []
    seen = bool(inner) and inner[0] <= rows <= inner[-1]
    if min(abs(rows - least), abs(rows - most)) > 1e-9:
        assert volume_moved(rows, lists, usual) is (not seen and not least <= rows <= most)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12), st.floats(0, 1), st.integers(1, 2000))
def test_a_null_rate_is_judged_as_the_rule_is_written(usual: list[float], rate: float, values: int):
    middle = statistics.median(usual)
    spread = 3.5 * 1.4826 * statistics.median(abs(value - middle) for value in usual)
    share = (middle * values + 1) / (values + 2)
    allowed = max(0.15, spread) + 2 * (share * (1 - share) / values) ** 0.5
    inner = sorted(usual)[1:-1] if len(usual) > 3 else []
    seen = bool(inner) and inner[0] <= rate <= inner[-1]
    if abs(abs(rate - middle) - allowed) > 1e-9:
        assert null_rate_jumped(rate, values, usual) is (not seen and abs(rate - middle) > allowed)


@given(st.floats(0, 1000), st.floats(0, 1000), st.integers(1, 50))
def test_fewer_than_half_of_odd_days_do_not_change_what_is_told(usual: float, rows: float, lists: int):
    """The same day three times outvotes two others, whatever those are."""
    assert not volume_moved(usual, lists, [usual, usual, usual, rows, rows])
