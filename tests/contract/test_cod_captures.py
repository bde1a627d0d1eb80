"""The three sources over the captured upstreams, as they were and changed at random.

No parser knows a captured value, and no test here does but for the number of rows.
"""

import copy
import html
import json
import logging
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random  # noqa: TID251 — seeded, for changes that are the same every time
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cod_sources import codarmory, codmunity, plugin, wzstats
from cod_sources.names import collapse, entity_id
from cod_sources.notes import Notes
from cod_sources.rankings import read_ranking
from cod_sources.transfer_state import find_answer
from data_source_orchestrator.core.claim import Record
from data_source_orchestrator.core.context import FetchContext, HttpResponse
from data_source_orchestrator.core.deadline import Deadline
from data_source_orchestrator.core.errors import FetchError
from data_source_orchestrator.resilience.payloads import payloads_of
from data_source_orchestrator.resilience.wanted import judged
from data_source_orchestrator.testing import VirtualClock
from data_source_orchestrator.web import Response

HOME = "http://127.0.0.1:1"
HOMES = dict.fromkeys(("CODARMORY_BASE_URL", "WZSTATS_BASE_URL", "CODMUNITY_BASE_URL"), HOME)
STATE = "codmunity/weapon-stats.ssr-transfer-state.json"
WORDS = ("weaponId", "imageVersion", "_extra", "undefined")


@pytest.fixture(params=range(4))
def random(request: pytest.FixtureRequest) -> Random:
    return Random(request.param)


@dataclass
class Served:
    """An upstream played by texts, by path."""

    texts: Mapping[str, str]

    async def get(
        self, url: str, *, params: Any = None, headers: Any = None, max_body: Any = None, page: Any = None
    ) -> Response:
        assert params is headers is None
        assert max_body, "a shipped source says how much it may be sent"
        assert bool(page) is (urlsplit(url).path == codmunity.PAGE), "a shipped source says what is a page"
        return Response(url=url, status=200, headers={}, body=self.texts[urlsplit(url).path].encode())

    async def get_json(self, url: str, *, params: Any = None, headers: Any = None, max_body: Any = None) -> Any:
        raise NotImplementedError

    async def get_text(
        self, url: str, *, params: Any = None, headers: Any = None, max_body: Any = None, page: Any = None
    ) -> str:
        raise NotImplementedError

    async def forget(self, answer: HttpResponse) -> None:
        raise AssertionError(f"{answer.url} was captured, and could not be read")

    async def check(self, url: str, *, page: Any = None) -> None:
        assert bool(page) is (urlsplit(url).path == codmunity.PAGE)
        assert urlsplit(url).path in self.texts


def page(state: str) -> str:
    script = state.replace("<", "\\u003c")
    return f'<html><body><script id="serverApp-state" type="application/json">{script}</script></body></html>'


def served(upstream: Path) -> Served:
    ranking = "/website/pages/meta-loadouts-ranking"
    files = {f"/src/database/{name}.json": f"codarmory/{name}.json" for name in codarmory.FILES}
    files[wzstats.PATH] = "wzstats/weapons-and-tier-lists.json"
    files[f"{ranking}/warzoneranked"] = "codmunity/meta-loadouts-ranking.warzoneranked.trimmed.json"
    files[f"{ranking}/mpranked"] = "codmunity/meta-loadouts-ranking.mpranked.json"
    texts = {path: (upstream / name).read_text() for path, name in files.items()}
    return Served({**texts, codmunity.PAGE: page((upstream / STATE).read_text())})


async def fetched(key: str, http: Served) -> tuple[Any, list[str]]:
    clock = VirtualClock()
    warnings: list[str] = []
    deadline = Deadline.after(clock, 10)
    source = next(source for source in plugin.sources(HOMES) if source.key == key)
    ctx = FetchContext(
        http=http,
        deadline=deadline,
        attempt=1,
        clock=clock,
        log=logging.getLogger("test"),
        warn=lambda message: warnings.append(message),  # noqa: PLW0108 — `append` does not call its argument a message
    )
    payload = await source.fetcher(ctx)
    judgement = source.contract.judge(source.records(payload))
    assert (judgement.breach, judgement.set_aside, judgement.warnings) == (None, frozenset(), ())
    assert source.records(payload) is payload.records
    await source.probe(ctx)  # type: ignore[misc]  # all three have one
    return payload, warnings


@pytest.mark.parametrize("key", ["codarmory", "wzstats", "codmunity"])
async def test_a_payload_comes_back_out_of_a_cache_that_outlasts_the_process_as_it_went_in(upstream: Path, key: str):
    payload, _ = await fetched(key, served(upstream))
    source = next(source for source in plugin.sources(HOMES) if source.key == key)
    assert source.payload_type is not None
    payloads = payloads_of(source.payload_type, key)
    again = payloads.unpack(payloads.pack(payload))
    assert type(again) is type(payload)
    assert replace(again, records=()) == replace(payload, records=())
    assert said(again.records) == json.loads(json.dumps(said(payload.records)))
    assert judged(source, again).breach is None


def armory(upstream: Path) -> dict[str, Any]:
    return {name: json.loads((upstream / "codarmory" / f"{name}.json").read_text()) for name in codarmory.FILES}


def tiers(upstream: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((upstream / "wzstats" / "weapons-and-tier-lists.json").read_text())
    return document


def comparator(upstream: Path) -> dict[str, Any]:
    return find_answer((upstream / STATE).read_text(), codmunity.COMPARATOR, "the page")


def said(records: tuple[Record, ...]) -> dict[str, dict[str, Any]]:
    assert len({record.entity for record in records}) == len(records)
    return {record.entity: dict(record.fields) for record in records}


def read_armory(files: Any) -> dict[str, dict[str, Any]]:
    return said(codarmory.read(files, Notes()).records)


def read_tiers(document: Any) -> dict[str, dict[str, Any]]:
    return said(wzstats.read(document, Notes()).records)


def read_page(answer: Any) -> dict[str, dict[str, Any]]:
    return said(codmunity.read(answer, [], Notes()).records)


def disguised(value: Any, random: Random) -> Any:
    """Return the same document with every object's keys in another order and keys that nobody asked for."""
    if isinstance(value, list):
        return [disguised(item, random) for item in value]
    if not isinstance(value, dict):
        return value
    items = [(key, disguised(item, random)) for key, item in value.items()]
    items += [(word, random.choice([None, "", 0, [], {}])) for word in WORDS if random.random() < 0.2]
    random.shuffle(items)
    return dict(items)


async def test_all_97_weapons_of_codarmory_are_read_without_a_warning(upstream: Path):
    payload, warnings = await fetched("codarmory", served(upstream))
    assert len(payload.weapons) == len(payload.records) == 97
    counts = (payload.attachments, payload.categories, payload.platforms)
    assert [len(rows) for rows in counts] == [1502, 10, 34]
    assert [len(rows) for rows in (payload.attachment_categories, payload.attachment_stats)] == [20, 135]
    assert warnings == []


async def test_codarmorys_weapons_have_a_category_and_all_their_attachments(upstream: Path):
    payload, _ = await fetched("codarmory", served(upstream))
    for weapon, record in zip(payload.weapons, payload.records, strict=True):
        assert {one["id"] for one in record.fields["attachments"]} == set(weapon.attachments)
        assert {"name", "game", "category", "slot", "unlock.type"} <= set(record.fields)


async def test_all_177_weapons_of_wzstats_are_read_without_a_warning(upstream: Path):
    payload, warnings = await fetched("wzstats", served(upstream))
    assert len(payload.weapons) == len(payload.records) == 177
    kits = [record for record in payload.records if "+" in record.entity]
    assert len(kits) == 16
    weapons = {record.entity: record for record in payload.records if "+" not in record.entity}
    assert all(weapons[record.fields["base"]].fields["name"] == record.fields["name"] for record in kits)
    assert warnings == []


async def test_every_tier_is_the_one_that_the_document_says(upstream: Path):
    payload, _ = await fetched("wzstats", served(upstream))
    records = said(payload.records)
    names = {one.id: entity_id(one.name, one.game, one.conversion_kit_id) for one in payload.weapons}
    told = {
        (names[id_], f"tier.{mode}", tier)
        for mode, lists in tiers(upstream)["wzStatsTierList"].items()
        if isinstance(lists, dict)
        for tier, ids in lists.items()
        for id_ in ids
    }
    assert told == {(e, f, v) for e, fields in records.items() for f, v in fields.items() if f.startswith("tier.")}


async def test_all_46_weapons_of_codmunity_are_read_and_every_damage_row_is_verified(upstream: Path):
    payload, warnings = await fetched("codmunity", served(upstream))
    assert len(payload.weapons) == len(payload.weapon_stats) == len(payload.records) == 46
    served_rows = sum(len(row["simple_damage"] or ()) for row in comparator(upstream)["weaponStats"])
    merged = [row for record in payload.records for row in record.fields.get("ballistics.damage_range", ())]
    assert len(merged) == served_rows > 0
    assert not [warning for warning in warnings if "does not list" not in warning]


async def test_popularity_comes_from_the_cards_of_the_mode_that_was_asked(upstream: Path):
    payload, _ = await fetched("codmunity", served(upstream))
    assert set(payload.rankings) == {"warzoneranked", "mpranked"}
    cards = {card.entity: card.popularity for card in payload.rankings["warzoneranked"].cards}
    told = {
        e: f["popularity.warzoneranked"] for e, f in said(payload.records).items() if "popularity.warzoneranked" in f
    }
    assert told == {entity: share for entity, share in cards.items() if entity in said(payload.records)} != {}
    assert all(card.entity.endswith("-bo7") for card in payload.rankings["mpranked"].cards)


async def test_86_of_codarmorys_97_weapons_meet_a_row_of_wzstats_and_only_by_whole_names(upstream: Path):
    one, _ = await fetched("codarmory", served(upstream))
    other, _ = await fetched("wzstats", served(upstream))
    met = set(said(one.records)) & set(said(other.records))
    assert len(met) == 86
    names = {source: said(payload.records) for source, payload in (("one", one), ("other", other))}
    assert all(collapse(names["one"][id_]["name"]) == collapse(names["other"][id_]["name"]) for id_ in met)


async def test_a_page_without_the_comparator_is_a_failure_of_content(upstream: Path):
    other = (upstream / "codmunity" / "ssr-transfer-state.json").read_text()
    http = served(upstream)
    for text in (other, page(other)):
        with pytest.raises(FetchError) as caught:
            await fetched("codmunity", Served({**http.texts, codmunity.PAGE: text}))
        assert caught.value.kind == "content"


def test_a_ranking_of_the_other_mode_is_refused(upstream: Path):
    files = {"mpranked": "warzoneranked.trimmed", "warzoneranked": "mpranked"}
    for path, name in files.items():
        raw = json.loads((upstream / "codmunity" / f"meta-loadouts-ranking.{name}.json").read_text())
        with pytest.raises(FetchError) as caught:
            read_ranking(raw, path, Notes())
        assert caught.value.kind == "content"


def test_the_order_of_keys_and_keys_nobody_knows_change_nothing(upstream: Path, random: Random):
    assert read_armory(disguised(armory(upstream), random)) == read_armory(armory(upstream))
    assert read_tiers(disguised(tiers(upstream), random)) == read_tiers(tiers(upstream))
    assert read_page(disguised(comparator(upstream), random)) == read_page(comparator(upstream))


def test_the_order_of_rows_changes_nothing(upstream: Path, random: Random):
    files, document, answer = armory(upstream), tiers(upstream), comparator(upstream)
    for rows in (*files.values(), document["weapons"], answer["weapons"], answer["weaponStats"]):
        random.shuffle(rows)
    assert read_armory(files) == read_armory(armory(upstream))
    assert read_tiers(document) == read_tiers(tiers(upstream))
    assert read_page(answer) == read_page(comparator(upstream))


def test_rows_that_are_dropped_take_nothing_with_them(upstream: Path, random: Random):
    files, document, answer = armory(upstream), tiers(upstream), comparator(upstream)
    files["weapons"] = random.sample(files["weapons"], 60)
    document["weapons"] = random.sample(document["weapons"], 90)
    gone = {row["slug"] for row in random.sample(answer["weapons"], 15)}
    for key in ("weapons", "weaponStats"):
        answer[key] = [row for row in answer[key] if row["slug"] not in gone]
    for read, whole, part, rows in (
        (read_armory, armory(upstream), files, 60),
        (read_tiers, tiers(upstream), document, 90),
        (read_page, comparator(upstream), answer, 31),
    ):
        before, after = read(whole), read(part)
        assert len(after) == rows
        # A kit whose weapon was dropped has no base any longer; nothing else changes.
        assert all({**before[entity], "base": None} == {**fields, "base": None} for entity, fields in after.items())


def test_rows_that_are_renamed_are_read_under_their_new_names(upstream: Path, random: Random):
    def renamed(row: dict[str, Any]) -> None:
        for key in {"name", "WeaponName", "gun"} & set(row):
            row[key] = f"{word} {row[key][::-1]}"

    word = "".join(random.choices("bcdfgh", k=5))
    files, document, answer = armory(upstream), tiers(upstream), comparator(upstream)
    for rows in (files["weapons"], document["weapons"], answer["weapons"], answer["weaponStats"]):
        for row in rows:
            renamed(row)
    for read, whole, part in (
        (read_armory, armory(upstream), files),
        (read_tiers, tiers(upstream), document),
        (read_page, comparator(upstream), answer),
    ):
        before, after = read(whole), read(part)
        assert len(after) == len(before)
        assert all(entity.startswith(word) for entity in after)
        assert all(set(one) == set(other) for one, other in zip(before.values(), after.values(), strict=True))


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=20), st.booleans(), st.booleans())
def test_the_state_is_found_whatever_its_key_its_script_and_its_escapes(
    upstream: Path,
    key: str,
    escapes: bool,
    envelope: bool,
):
    (entry,) = json.loads((upstream / STATE).read_text()).values()
    text = json.dumps({"1": {"u": "https://a.example/menu", "s": 200, "b": {}}, key: entry if envelope else entry["b"]})
    if escapes:
        for raw, told in (("&", "&a;"), ('"', "&q;"), ("'", "&s;"), ("<", "&l;"), (">", "&g;")):
            text = text.replace(raw, told)
    else:
        text = text.replace("<", "\\u003c")
    script = f'<p>{html.escape(key)}</p><script type="application/json">{text}</script>'
    found = find_answer(script, codmunity.COMPARATOR, "the page")
    assert found == comparator(upstream)


def test_damage_rows_that_are_changed_are_told_and_left_out_and_no_others(upstream: Path, random: Random):
    answer = comparator(upstream)
    tables = {row["gun"]: row["simple_damage"] for row in answer["weaponStats"] if row["simple_damage"]}
    changed = random.sample(sorted(tables), 4)
    for gun in changed:
        random.choice([row for row in tables[gun] if row["chest"]])["ttk"] += 1
    notes = Notes()
    before, after = read_page(comparator(upstream)), said(codmunity.read(answer, [], notes).records)
    assert len(notes.sentences()) == 4
    for entity, fields in after.items():
        rows = len(before[entity].get("ballistics.damage_range", ())) - len(fields.get("ballistics.damage_range", ()))
        assert rows == (1 if any(entity.startswith(f"{collapse(gun)}-") for gun in changed) else 0)


ODD: tuple[Any, ...] = ({}, [{}], [[5]])
VERIFIED = {"ballistics.damage_range", "ballistics.ttk"}


@pytest.mark.parametrize(
    "case",
    [
        (armory, read_armory, "weapons", "max_level", {"max_level"}),
        (armory, read_armory, "weapons", "unlock_level", {"unlock.level"}),
        (armory, read_armory, "weapons", "attachments", {"attachments"}),
        (armory, read_armory, "attachments", "pros", set()),
        (armory, read_armory, "categories", "slot", {"slot"}),
        (tiers, read_tiers, "weapons", "isNew", {"is_new"}),
        (tiers, read_tiers, "weapons", "type", {"category"}),
        (tiers, read_tiers, "weapons", "baseWeaponId", {"base"}),
        (comparator, read_page, "weapons", "Category", {"category"}),
        (comparator, read_page, "weaponStats", "ads", {"ballistics.ads_ms"}),
        (comparator, read_page, "weaponStats", "bv", {"ballistics.bullet_velocity", *VERIFIED}),
    ],
)
@pytest.mark.parametrize("share", [0.05, 0.5, 1])
def test_fields_made_odd_in_however_many_rows_cost_no_entity_and_no_other_field(
    upstream: Path, case: tuple[Any, Any, str, str, set[str]], share: float
):
    load, read, rows, key, lost = case
    random = Random(share)
    document = load(upstream)
    changed = random.sample(document[rows], math.ceil(share * len(document[rows])))
    for row in changed:
        row[key] = random.choice(ODD)
    before, after = (
        {entity: {name: value for name, value in fields.items() if name not in lost} for entity, fields in one.items()}
        for one in (read(load(upstream)), read(document))
    )
    assert after == before


def test_odd_elements_up_to_a_tenth_of_each_mode_cost_no_tier(upstream: Path, random: Random):
    document = tiers(upstream)
    for mode in (mode for mode in document["wzStatsTierList"].values() if isinstance(mode, dict)):
        elements = sum(len(ids) for ids in mode.values())
        for ids in random.choices(list(mode.values()), k=max(1, elements // 10)):
            ids.insert(random.randint(0, len(ids)), random.choice([None, 7, *ODD]))
    assert read_tiers(document) == read_tiers(tiers(upstream))


def test_a_tier_of_which_every_element_has_become_an_object_refuses_the_answer(upstream: Path):
    document = tiers(upstream)
    mode = max(
        (one for one in document["wzStatsTierList"].values() if isinstance(one, dict)), key=lambda one: len(str(one))
    )
    tier = max(mode, key=lambda tier: len(mode[tier]))
    mode[tier] = [{"id": id_} for id_ in mode[tier]]
    with pytest.raises(FetchError, match="more than one in ten are not believed") as caught:
        read_tiers(document)
    assert caught.value.kind == "content"


def test_an_odd_kit_never_lends_its_tier_to_its_weapon(upstream: Path, random: Random):
    document = tiers(upstream)
    kits = [row for row in document["weapons"] if row["conversionKitId"]]
    for row in random.sample(kits, 8):
        row["conversionKitId"] = random.choice([0, False, 7, *ODD])
    before, after = read_tiers(tiers(upstream)), read_tiers(document)
    assert len(before) - len(after) == 8
    assert all(fields == before[entity] for entity, fields in after.items())


def test_one_row_of_a_wrong_game_refuses_the_whole_answer(upstream: Path, random: Random):
    for read, document, lists, key in (
        (read_armory, armory(upstream), ("weapons", "attachments"), "game_id"),
        (read_tiers, tiers(upstream), ("weapons",), "game"),
        (read_page, comparator(upstream), ("weapons", "weaponStats"), "appGame"),
    ):
        changed = copy.deepcopy(document)
        random.choice(changed[random.choice(lists)])[key] = "bf6"
        with pytest.raises(FetchError, match="bf6"):
            read(changed)
