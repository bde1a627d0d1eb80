"""Lists of rows, contradictions between them, and the warnings that tell of both."""

from typing import Any

import pytest

from cod_sources.decoding import Decoded
from cod_sources.notes import LONGEST, TOLD_OF_A_KIND, Notes
from cod_sources.rows import by_identity, member, read_rows
from cod_sources.salvage import Odd
from cod_sources.statements import Statement, records_of
from data_source_orchestrator.core.claim import Record
from data_source_orchestrator.core.errors import FetchError


def number(item: Any) -> Decoded[int]:
    if not isinstance(item, int):
        raise ValueError("no number")  # noqa: TRY004 — bad data is told by ValueError
    return Decoded(item)


def read(raw: object, notes: Notes) -> list[int]:
    return [one.row for one in read_rows(raw, "weapons", number, str, notes)]


def test_a_row_that_cannot_be_read_is_set_aside_with_a_warning_that_names_its_path():
    notes = Notes()
    assert read([*range(9), {"name": "M4"}], notes) == list(range(9))
    assert notes.sentences() == ["weapons[9] ('M4') is set aside: no number"]


def test_more_than_one_row_in_ten_set_aside_spoils_the_list():
    with pytest.raises(FetchError, match=r"2 of 10 rows of weapons cannot be read.*weapons\[8\]") as caught:
        read([*range(8), "a", "b"], Notes())
    assert caught.value.kind == "content"


def test_a_list_is_not_read_on_once_too_much_of_it_is_set_aside():
    tried: list[object] = []

    def decode(item: object) -> Decoded[int]:
        tried.append(item)
        return number(item)

    with pytest.raises(FetchError, match=r"^at least 21 of 200 rows of weapons cannot be read.*\[0\]: no number$"):
        read_rows(["x"] * 200, "weapons", decode, str, Notes())
    assert len(tried) == 21


def test_a_refused_list_does_not_speak_of_rows_that_are_set_aside():
    with pytest.raises(FetchError) as caught:
        read(["x"], Notes())
    assert "set aside" not in str(caught.value)


def test_a_row_without_identity_is_set_aside_like_one_that_cannot_be_read():
    def identify(row: int) -> str:
        if row == 3:
            raise ValueError("it has no identity")
        return str(row)

    notes = Notes()
    found = read_rows(list(range(20)), "weapons", number, identify, notes)
    assert [one.identity for one in found] == [str(row) for row in range(20) if row != 3]
    assert notes.sentences() == ["weapons[3] is set aside: it has no identity"]


def levelled(item: dict[str, Any]) -> Decoded[str]:
    odd = tuple(Odd(key, f"{key} is odd") for key in ("level", "tier") if key in item)
    return Decoded(item["name"], odd)


def levels(notes: Notes, rows: int, **odd: int) -> list[str]:
    """Read rows of which the first so many have each odd field."""
    items = [{"name": f"K-{n}", **{key: "x" for key, many in odd.items() if n < many}} for n in range(rows)]
    return [one.row for one in read_rows(items, "weapons", levelled, str, notes)]


def test_a_row_with_an_odd_field_stays_and_is_told_with_its_path_and_reason():
    notes = Notes()
    assert levels(notes, 10, level=1) == [f"K-{n}" for n in range(10)]
    assert notes.sentences() == ["weapons[0] ('K-0') is read in part: level is odd"]


def test_a_field_that_is_odd_in_every_row_costs_no_row_and_is_told_once_with_the_count():
    notes = Notes()
    assert len(levels(notes, 97, level=97, tier=9)) == 97
    assert notes.sentences() == [
        "level could not be read in 97 of 97 rows of weapons: level is odd; the first is weapons[0] ('K-0')",
        *(f"weapons[{n}] ('K-{n}') is read in part: tier is odd" for n in range(5)),
        "and 4 more odd fields",
    ]


@pytest.mark.parametrize(("many", "told"), [(2, 2), (3, 1)])
def test_up_to_a_tenth_of_the_rows_an_odd_field_is_told_row_by_row(many: int, told: int):
    notes = Notes()
    levels(notes, 20, level=many)
    assert len(notes.sentences()) == told


@pytest.mark.parametrize("raw", [[], {}, None, "rows", 3])
def test_an_empty_list_or_none_at_all_is_never_believed(raw: object):
    with pytest.raises(FetchError, match="weapons is") as caught:
        read(raw, Notes())
    assert caught.value.kind == "content"


@pytest.mark.parametrize("document", [{}, {"weapons": None}, [], None])
def test_a_missing_member_is_a_change_of_format(document: object):
    with pytest.raises(FetchError, match="has no 'weapons'"):
        member(document, "weapons", "the answer")


def test_at_most_five_warnings_of_a_kind_are_told_and_the_rest_counted():
    notes = Notes()
    for index in range(12):
        notes.add("rows set aside", f"row {index}")
    notes.add("unknown tiers", "tier S")
    assert notes.sentences() == [*(f"row {index}" for index in range(5)), "and 7 more rows set aside", "tier S"]


def test_warnings_that_are_only_counted_are_not_kept():
    notes = Notes()
    for index in range(1000):
        notes.add("rows set aside", f"row {index}")
    assert sum(len(kept) for kept in notes._told.values()) == TOLD_OF_A_KIND
    assert notes.sentences()[-1] == "and 995 more rows set aside"


def test_a_warning_is_cut_where_an_upstream_fills_it():
    notes = Notes()
    notes.add("rows set aside", "x" * 10_000)
    assert len(notes.sentences()[0]) <= LONGEST + 1


def test_rows_that_say_the_same_collapse_into_one_record():
    notes = Notes()
    said = [Statement("m4-mw2", f"weapons[{index}]", {"name": "M4", "tier.mw3": "A"}) for index in (0, 5)]
    assert records_of(said, notes) == (Record("m4-mw2", {"name": "M4", "tier.mw3": "A"}),)
    assert notes.sentences() == []


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_a_field_two_rows_disagree_about_is_dropped_with_both_named_whatever_their_order(order: tuple[int, int]):
    """S3 to S21: ties are never decided by list order."""
    rows = [
        Statement("m4-mw2", "weapons[0]", {"name": "M4", "max_level": 20}),
        Statement("m4-mw2", "weapons[1]", {"name": "M4", "max_level": 21}),
    ]
    notes = Notes()
    assert records_of([rows[index] for index in order], notes) == (Record("m4-mw2", {"name": "M4"}),)
    (told,) = notes.sentences()
    assert all(word in told for word in ("m4-mw2", "max_level", "weapons[0]", "20", "weapons[1]", "21"))


def test_a_third_row_does_not_settle_what_two_dispute():
    said = [Statement("m4-mw2", f"weapons[{value}]", {"max_level": value}) for value in (20, 21, 20)]
    assert records_of(said, Notes()) == (Record("m4-mw2", {}),)


def test_an_absent_field_contradicts_nothing_and_zero_does():
    said = [Statement("m4-mw2", path, {"max_level": value}) for path, value in (("a", None), ("b", 3), ("c", None))]
    assert records_of(said, Notes()) == (Record("m4-mw2", {"max_level": 3}),)
    said.append(Statement("m4-mw2", "d", {"max_level": 0}))
    assert records_of(said, Notes()) == (Record("m4-mw2", {}),)


def test_rows_that_others_refer_to_are_not_believed_where_they_differ():
    notes = Notes()
    found = read_rows([1, 2, 11, 1], "weapons", number, lambda row: str(row % 10), notes)
    assert by_identity(found, notes) == {"2": 2}
    repeated, disputed = notes.sentences()
    assert "weapons[3] is set aside: it repeats weapons[0]" in repeated
    assert "weapons[0] and weapons[2] differ about '1'" in disputed
