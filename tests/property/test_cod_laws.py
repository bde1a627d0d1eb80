"""Laws of identity and verification, and that no answer of an upstream, however odd, raises anything but a refusal."""

import copy
import json
import math
import re
from collections.abc import Callable
from dataclasses import MISSING, fields, replace
from functools import partial
from random import Random  # noqa: TID251 — only the type; hypothesis hands the generator in
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from cod_sources import codarmory, codmunity, wzstats
from cod_sources.damage import DamageRow
from cod_sources.names import collapse, entity_id
from cod_sources.notes import Notes
from cod_sources.rankings import CARD_KEYS, Card, Ranking, popularity, read_ranking
from cod_sources.statements import Statement, records_of
from cod_sources.transfer_state import find_answer
from cod_sources.ttk import HEALTH, HITSCAN_SHARE, Weapon, breach
from data_source_orchestrator.core.claim import Record
from data_source_orchestrator.core.errors import FetchError

Reader = Callable[[Any], Any]

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)

ARMORY: dict[str, Any] = {
    "weapons": [
        {"id": f"k{n}", "game_id": "mw2", "category_id": "smgs", "name": f"K-{n}", "max_level": n, "attachments": ["a"]}
        for n in range(4)
    ],
    "attachments": [{"id": "a", "game_id": "mw2", "category_id": "optics", "name": "Dot", "pros": [], "cons": []}],
    "categories": [{"id": "smgs", "name": "SMGs", "slot": "primary"}],
    "platforms": [{"id": "k", "name": "K"}],
    "attachment-categories": [{"id": "optics", "name": "Optics"}],
    "attachment-stats": [{"id": "ads", "name": "ADS"}],
}
TIERS: dict[str, Any] = {
    "weapons": [
        {"id": f"k{n}", "name": f"K-{n}", "game": "mw3", "conversionKitId": "" if n else "kit"} for n in range(4)
    ],
    "wzStatsTierList": {"updatedAt": "x", "mw3": {"META": ["k0", "k1"], "A": [], "D": ["k2", "k3"]}},
}
ROW = {"dropoff": 0, "chest": 30, "time_between_shots": 80, "shots_to_kill": 10, "ttk": 720, "enemies_per_magazine": 3}
PAGE: dict[str, Any] = {
    "weapons": [{"WeaponName": f"K-{n}", "appGame": "bo7", "Category": "SMG"} for n in range(4)],
    "weaponStats": [
        {"gun": f"K-{n}", "appGame": "bo7", "rpm": 750, "bv": 800, "mag_size": 30, "simple_damage": [ROW]}
        for n in range(4)
    ],
}
RANKING: dict[str, Any] = {
    "metas": [{"name": "r", "game": "warzone-2", "collection": "c"}],
    "sections": [
        {
            "name": "meta",
            "cards": [
                {"WeaponName": "K-1", "appGame": "warzone-2", "meta": "r", "collec": "c", "weaponGame": "bo7"}
                | {"popularity": 3.5, "attachments": {"Optic": {"weapon": 0, "level": "x"}}}
            ],
        }
    ],
}


def said_by_cards(ranking: Ranking) -> tuple[Record, ...]:
    return records_of(popularity(ranking), Notes())


READERS: tuple[tuple[dict[str, Any], Reader], ...] = (
    (ARMORY, lambda raw: codarmory.read(raw, Notes()).records),
    (TIERS, lambda raw: wzstats.read(raw, Notes()).records),
    (PAGE, lambda raw: codmunity.read(raw, [], Notes()).records),
    (RANKING, lambda raw: said_by_cards(read_ranking(raw, "warzoneranked", Notes()))),
)


def optional(row_type: Any, keys: Any = None) -> dict[str, Any]:
    """Return the upstream's keys of the fields that a row can do without, each with what it accepts."""
    names = {field.name: (keys or {}).get(field.name, (field.name,)) for field in fields(row_type)}
    return {
        names[field.name][0]: field.type
        for field in fields(row_type)
        if (field.default is not MISSING or field.default_factory is not MISSING)
        if names[field.name] and not field.metadata
    }


LISTS: tuple[tuple[tuple[dict[str, Any], Reader], str, dict[str, Any]], ...] = (
    (READERS[0], "weapons", optional(codarmory.Weapon)),
    (READERS[0], "attachments", optional(codarmory.Attachment)),
    (READERS[0], "categories", optional(codarmory.Category)),
    (READERS[0], "attachment-categories", optional(codarmory.AttachmentCategory)),
    (READERS[1], "weapons", optional(wzstats.Weapon, wzstats.KEYS)),
    (READERS[2], "weapons", optional(codmunity.Weapon, codmunity.WEAPON_KEYS)),
    (READERS[2], "weaponStats", optional(codmunity.WeaponStats, codmunity.STATS_KEYS)),
)
VERIFIED = {"ballistics.damage_range", "ballistics.ttk"}
SAID_FROM = {
    "platform_id": {"platform"},
    "unlock_id": {"unlock.by"},
    **{f"unlock_{name}": {f"unlock.{name}"} for name in ("type", "level", "summary", "description")},
    **{key: {key} for key in ("max_level", "attachments", "slot")},
    **{key: {"category"} for key in ("type", "displayType", "Category")},
    "isNew": {"is_new"},
    "baseWeaponId": {"base"},
    "ads": {"ballistics.ads_ms"},
    "rpm": {"ballistics.rpm", *VERIFIED},
    "bv": {"ballistics.bullet_velocity", *VERIFIED},
    "mag_size": {"ballistics.magazine", *VERIFIED},
}
"""What is said from each key; what is verified by it cannot be said without it."""


def is_odd(kind: Any, value: object) -> bool:
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError:
        return True
    return False


def without(names: set[str], records: tuple[Record, ...]) -> dict[str, dict[str, Any]]:
    return {
        record.entity: {name: value for name, value in record.fields.items() if name not in names} for record in records
    }


def places(value: Any) -> list[tuple[Any, Any]]:
    """Return every container with each of its keys or indices."""
    keys = list(value) if isinstance(value, dict) else list(range(len(value))) if isinstance(value, list) else []
    return [(value, key) for key in keys] + [place for key in keys for place in places(value[key])]


@given(st.text())
def test_collapsing_twice_is_collapsing_once(name: str):
    assert re.fullmatch("[a-z0-9]*", collapse(name))
    assert collapse(collapse(name)) == collapse(name)


@given(
    st.from_regex(r"[A-Za-z0-9]{1,12}", fullmatch=True), st.lists(st.sampled_from(" -_./'!"), min_size=1, max_size=12)
)
def test_punctuation_and_case_never_make_another_name(name: str, marks: list[str]):
    dressed = "".join(letter + mark for letter, mark in zip(name.swapcase(), marks * len(name), strict=False))
    assert collapse(dressed) == collapse(name)


WORD = st.from_regex(r"[a-z0-9]{1,8}", fullmatch=True)
IDENTITY = st.tuples(WORD, st.sampled_from(["mw2", "mw3", "bo6", "bo7"]), st.none() | WORD)


@given(IDENTITY, IDENTITY)
def test_two_identities_have_one_id_only_where_they_are_one(one: tuple[str, str, str], other: tuple[str, str, str]):
    assert (entity_id(*one) == entity_id(*other)) == (one == other)


weapons = st.builds(
    Weapon, rpm=st.integers(20, 1300), bullet_velocity=st.floats(100, 3000), magazine=st.integers(1, 310)
)


def row_of(weapon: Weapon, chest: int, dropoff: float) -> DamageRow:
    assert weapon.rpm
    assert weapon.bullet_velocity
    assert weapon.magazine
    shots = math.ceil(HEALTH / chest)
    flown = max(0.0, dropoff - HITSCAN_SHARE * weapon.bullet_velocity) / weapon.bullet_velocity * 1000
    interval = 60_000 / weapon.rpm
    return DamageRow(
        dropoff=dropoff,
        chest=chest,
        time_between_shots=interval,
        shots_to_kill=shots,
        ttk=(shots - 1) * interval + flown,
        enemies_per_magazine=weapon.magazine // shots,
    )


@given(weapons, st.integers(1, 400), st.floats(0, 150), st.sampled_from([0.0, 0.05, -0.05]))
def test_every_row_made_by_the_identities_is_verified_rounded_or_not(
    weapon: Weapon, chest: int, dropoff: float, rounding: float
):
    row = row_of(weapon, chest, dropoff)
    assert row.ttk is not None
    assert breach(replace(row, ttk=row.ttk + rounding), weapon) is None


@given(
    weapons,
    st.integers(1, 400),
    st.floats(0, 150),
    st.sampled_from(["time_between_shots", "shots_to_kill", "ttk", "enemies_per_magazine"]),
    st.integers(1, 50),
)
def test_every_row_with_one_figure_wrong_is_caught_by_that_figure(
    weapon: Weapon, chest: int, dropoff: float, field: str, error: int
):
    row = row_of(weapon, chest, dropoff)
    change: dict[str, Any] = {field: getattr(row, field) + error}
    wrong = breach(replace(row, **change), weapon)
    assert wrong is not None
    assert wrong.field == field


@given(
    st.lists(st.tuples(WORD, st.sampled_from("abc"), st.integers(0, 2)), max_size=12), st.randoms(use_true_random=False)
)
def test_the_order_of_rows_never_decides_what_is_said(rows: list[tuple[str, str, int]], random: Random):
    said = [Statement(entity, f"rows[{n}]", {field: value}) for n, (entity, field, value) in enumerate(rows)]
    straight = {record.entity: record.fields for record in records_of(said, Notes())}
    random.shuffle(said)
    assert {record.entity: record.fields for record in records_of(said, Notes())} == straight


def outcome(read: Reader, document: Any) -> Any:
    try:
        return read(document)
    except FetchError as error:
        return error.kind


@given(JSON, st.sampled_from(READERS))
def test_whatever_json_comes_is_refused_as_content_where_it_is_not_the_answer(
    raw: object, reader: tuple[dict[str, Any], Reader]
):
    template, read = reader
    assert outcome(read, dict.fromkeys(template, raw)) == "content"
    assert outcome(read, dict.fromkeys(codarmory.FILES, raw) if template is ARMORY else raw) == "content"


@settings(max_examples=400)
@given(st.data(), st.sampled_from(READERS), JSON)
def test_an_answer_with_one_odd_value_anywhere_is_read_or_refused_and_says_no_null(
    data: st.DataObject, reader: tuple[dict[str, Any], Reader], odd: object
):
    document, read = copy.deepcopy(reader[0]), reader[1]
    container, key = data.draw(st.sampled_from(places(document)))
    container[key] = odd
    records = outcome(read, document)
    if records != "content":
        assert all(value is not None for record in records for value in record.fields.values())
        assert json.dumps([dict(record.fields) for record in records], allow_nan=False)


@settings(max_examples=400)
@given(st.data(), st.sampled_from(LISTS))
def test_an_odd_field_that_a_row_can_do_without_costs_no_entity_and_no_other_field(
    data: st.DataObject, rows: tuple[tuple[dict[str, Any], Reader], str, dict[str, Any]]
):
    (template, read), name, optional = rows
    document = copy.deepcopy(template)
    touched: set[str] = set()
    for row in data.draw(st.lists(st.sampled_from(document[name]), min_size=1)):
        key = data.draw(st.sampled_from(sorted(optional)))
        row[key] = data.draw(JSON.filter(partial(is_odd, optional[key])))
        touched |= SAID_FROM.get(key, set())
    assert without(touched, read(document)) == without(touched, read(template))


@given(st.data(), st.sampled_from(["category", "slug", "popularity", "attachments"]))
def test_an_odd_field_that_a_card_can_do_without_costs_no_card_and_no_other_field(data: st.DataObject, name: str):
    document, key = copy.deepcopy(RANKING), CARD_KEYS.get(name, (name,))[0]
    odd = data.draw(JSON.filter(partial(is_odd, optional(Card, CARD_KEYS)[key])))
    document["sections"][0]["cards"][0][key] = odd
    (before,), (after,) = (read_ranking(raw, "warzoneranked", Notes()).cards for raw in (RANKING, document))
    assert after == replace(before, **{name: getattr(after, name)})
    assert getattr(after, name) in (None, {})


@given(st.data(), JSON.filter(lambda value: not isinstance(value, str)))
def test_an_odd_element_of_a_tier_costs_no_entity_and_no_value(data: st.DataObject, odd: object):
    document, read = copy.deepcopy(TIERS), READERS[1][1]
    ids = data.draw(st.sampled_from([ids for ids in document["wzStatsTierList"]["mw3"].values() if ids]))
    ids.insert(data.draw(st.integers(0, len(ids))), odd)
    assert without(set(), read(document)) == without(set(), read(TIERS))


@given(st.text() | JSON.map(json.dumps))
def test_whatever_page_comes_is_refused_as_content_where_it_is_not_the_page(text: str):
    assert outcome(lambda raw: find_answer(raw, codmunity.COMPARATOR, "/page"), text) == "content"
