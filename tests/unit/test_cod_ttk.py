"""The TTK identities, and damage tables that keep or break them."""

import math
from dataclasses import replace
from typing import Any

import pytest

from cod_sources.damage import DamageRow, as_json, read_damage, time_to_kill, verified
from cod_sources.notes import Notes
from cod_sources.ttk import TOLERANCE_MS, Weapon, breach, flight_time

RIFLE = Weapon(rpm=750, bullet_velocity=800, magazine=30)
NEAR = DamageRow(dropoff=0, chest=30, head=42, time_between_shots=80, shots_to_kill=10, ttk=720, enemies_per_magazine=3)
FAR = DamageRow(dropoff=60, chest=25, time_between_shots=80, shots_to_kill=12, ttk=905, enemies_per_magazine=2)


@pytest.mark.parametrize("row", [NEAR, FAR])
def test_a_row_that_follows_from_its_weapon_is_verified(row: DamageRow):
    assert breach(row, RIFLE) is None


def test_the_rate_is_the_weapons_own_and_not_the_rows():
    """AK-27 and Razor 9mm: the row's final_rpm is another, and is not asked."""
    assert breach(NEAR, replace(RIFLE, rpm=760)) is not None


@pytest.mark.parametrize(
    ("field", "found", "expected"),
    [
        ("time_between_shots", 80.2, 80),
        ("time_between_shots", None, 80),
        ("shots_to_kill", 9, 10),
        ("shots_to_kill", None, 10),
        ("ttk", 721, 720),
        ("ttk", None, 720),
        ("enemies_per_magazine", 4, 3),
        ("enemies_per_magazine", None, 3),
    ],
)
def test_a_figure_that_does_not_follow_is_named_with_what_was_expected(
    field: str, found: float | None, expected: float
):
    change: dict[str, Any] = {field: found}
    wrong = breach(replace(NEAR, **change), RIFLE)
    assert wrong is not None
    assert (wrong.field, wrong.found, wrong.expected) == (field, found, expected)


@pytest.mark.parametrize("sign", [-1, 1])
def test_rounding_is_forgiven_and_no_more(sign: int):
    assert breach(replace(NEAR, ttk=720 + sign * 0.05), RIFLE) is None
    assert breach(replace(NEAR, ttk=720 + sign * (TOLERANCE_MS + 0.001)), RIFLE) is not None


def test_a_row_without_chest_damage_is_sound_only_where_it_kills_nobody():
    harmless = DamageRow(dropoff=22.9, chest=0, time_between_shots=80)
    assert breach(harmless, RIFLE) is None
    for field in ("shots_to_kill", "ttk", "enemies_per_magazine"):
        figure: dict[str, Any] = {field: 5}
        assert breach(replace(harmless, **figure), RIFLE) is not None


def test_a_quotient_that_is_whole_but_for_a_bit_is_not_rounded_up():
    sevenths = replace(NEAR, chest=300 / 7, shots_to_kill=7, ttk=480, enemies_per_magazine=4)
    assert breach(sevenths, RIFLE) is None
    assert breach(replace(sevenths, chest=math.nextafter(300 / 7, 0)), RIFLE) is None


def test_a_bullet_arrives_at_once_for_a_twentieth_of_a_second():
    assert flight_time(40, 800) == flight_time(30, 800) == 0
    assert flight_time(60, 800) == 25
    assert flight_time(0, None) == 0
    assert flight_time(60, None) is None
    assert flight_time(60, 0) is None


def test_a_weapon_without_velocity_is_verified_at_no_distance_and_nowhere_else():
    for velocity in (None, 0):
        slow = replace(RIFLE, bullet_velocity=velocity)
        assert breach(NEAR, slow) is None
        assert breach(FAR, slow) is not None


@pytest.mark.parametrize("rpm", [None, 0])
def test_a_weapon_without_a_rate_of_fire_verifies_nothing(rpm: float | None):
    assert breach(NEAR, replace(RIFLE, rpm=rpm)) is not None


def test_damage_beyond_all_measure_breaks_no_arithmetic():
    assert breach(replace(NEAR, chest=5e-324), RIFLE) is not None
    assert breach(NEAR, replace(RIFLE, rpm=5e-324)) is not None
    assert breach(FAR, replace(RIFLE, bullet_velocity=5e-324)) is not None


def test_a_row_that_breaks_the_identities_is_reported_and_the_others_are_merged():
    notes = Notes()
    rows = verified([replace(FAR, ttk=900), NEAR], RIFLE, "m4-mw2", notes)
    assert rows == (NEAR,)
    (told,) = notes.sentences()
    assert all(word in told for word in ("m4-mw2", "60 m", "ttk", "900", "905"))


def test_the_rows_stand_by_distance_whatever_their_order_and_doubled_ones_once():
    assert verified([FAR, NEAR, FAR], RIFLE, "m4-mw2", Notes()) == (NEAR, FAR)


def test_two_sound_rows_from_one_distance_that_differ_are_both_dropped():
    notes = Notes()
    assert verified([NEAR, replace(NEAR, head=50), FAR], RIFLE, "m4-mw2", notes) == (FAR,)
    assert "2 damage rows from 0 m differ" in notes.sentences()[0]


def test_the_time_to_kill_is_that_of_the_row_at_no_distance():
    assert time_to_kill([NEAR, FAR]) == 720
    assert time_to_kill([FAR]) is None
    assert time_to_kill([DamageRow(dropoff=0, chest=0, time_between_shots=80)]) is None


@pytest.mark.parametrize("raw", [None, []])
def test_no_damage_table_is_no_statement(raw: object):
    notes = Notes()
    assert as_json(read_damage(raw, "Bryson 800", notes)) is None
    assert notes.sentences() == []


def test_a_damage_row_that_cannot_be_read_is_set_aside_and_the_others_are_read():
    notes = Notes()
    rows = read_damage([{"dropoff": 0, "chest": "x"}, {"dropoff": 0, "chest": 30}], "M4", notes)
    assert rows == (DamageRow(dropoff=0, chest=30),)
    assert notes.sentences()[0].startswith("M4: damage row 0 is set aside")


def test_a_damage_table_that_is_no_list_is_left_out_with_a_warning():
    notes = Notes()
    assert read_damage({"0": {}}, "M4", notes) == ()
    assert notes.sentences() == ["M4: the damage table is an object, and a list was expected; it is left out"]
