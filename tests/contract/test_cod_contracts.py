"""The three sources' contracts over the captured upstreams: what harms is refused or set aside, the rest passes."""

import copy
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from cod_sources import codarmory, codmunity, contracts, wzstats
from cod_sources.notes import Notes
from cod_sources.transfer_state import find_answer
from data_source_orchestrator import Baseline, Contract, FetchError, Record
from data_source_orchestrator.core.claim import Json
from data_source_orchestrator.core.contract import Judgement

Document = Any
Read = Callable[[Document, Notes], Any]


@dataclass(frozen=True)
class Upstream:
    """One upstream's captured document, what reads it, and the contract of what is read."""

    document: Document
    read: Read
    contract: Contract

    def records(self, document: Document) -> tuple[tuple[Record, ...], list[str]]:
        notes = Notes()
        return self.read(document, notes).records, notes.sentences()

    def judged(self, document: Document, baseline: Baseline = Baseline()) -> Judgement:  # noqa: B008 — a frozen record
        return self.contract.judge(self.records(document)[0], baseline)

    @property
    def baseline(self) -> Baseline:
        tally = self.judged(self.document).tally
        assert tally is not None
        return Baseline().after(tally)

    def fate(self, document: Document) -> tuple[str, str]:
        """Return what becomes of a document after a good one: refused, aside, told or silent; and what is said."""
        try:
            records, notes = self.records(document)
        except FetchError as error:
            return f"refused{'' if error.kind == 'content' else f' as {error.kind}'}", str(error)
        judgement = self.contract.judge(records, self.baseline)
        told = [*notes, *judgement.warnings]
        if judgement.breach is not None:
            return "refused", str(judgement.breach)
        if judgement.set_aside or any(word in note for word in NOT_BELIEVED for note in told):
            return "aside", "; ".join(told)
        return ("told" if told else "silent"), "; ".join(told)


def armory(upstream: Path) -> Upstream:
    files = {name: json.loads((upstream / "codarmory" / f"{name}.json").read_text()) for name in codarmory.FILES}
    return Upstream(files, codarmory.read, contracts.CODARMORY)


def tiers(upstream: Path) -> Upstream:
    document = json.loads((upstream / "wzstats" / "weapons-and-tier-lists.json").read_text())
    return Upstream(document, wzstats.read, contracts.WZSTATS)


def comparator(upstream: Path) -> Upstream:
    text = (upstream / "codmunity" / "weapon-stats.ssr-transfer-state.json").read_text()
    answer = find_answer(text, codmunity.COMPARATOR, "the page")
    return Upstream(answer, lambda document, notes: codmunity.read(document, [], notes), contracts.CODMUNITY)


NOT_BELIEVED = ("set aside", "left out", "is not merged", "neither is believed")
"""What is said of a part that is kept out."""

LOADED = {"codarmory": armory, "wzstats": tiers, "codmunity": comparator}


@pytest.mark.parametrize("key", LOADED)
def test_a_captured_payload_passes_without_a_word_first_and_again(upstream: Path, key: str):
    one = LOADED[key](upstream)
    assert one.fate(one.document) == ("silent", "")
    first = one.judged(one.document)
    assert (first.breach, first.set_aside, first.warnings) == (None, frozenset(), ())


Change = Callable[[Document], object]


def each(rows: str, act: Callable[[dict[str, Any]], Any]) -> Change:
    """Change every row of a list."""

    def change(document: Document) -> None:
        for row in document[rows]:
            act(row)

    return change


def one(rows: str, act: Callable[[dict[str, Any]], Any], place: int = 5) -> Change:
    """Change one row of a list."""
    return lambda document: act(document[rows][place])


def drop(name: str) -> Callable[[dict[str, Any]], Any]:
    return lambda row: row.pop(name, None)


def give(name: str, value: Any) -> Callable[[dict[str, Any]], Any]:
    return lambda row: row.update({name: value})


def rename(name: str, other: str) -> Callable[[dict[str, Any]], Any]:
    return lambda row: row.update({other: row.pop(name, None)})


def retype(name: str, kind: Callable[[Any], Any]) -> Callable[[dict[str, Any]], Any]:
    return lambda row: row.update({name: kind(row.get(name))})


def truncate(rows: str, share: float) -> Change:
    def change(document: Document) -> None:
        del document[rows][int(share * len(document[rows])) :]

    return change


def pad_with_copies(rows: str) -> Change:
    """Halve a list, and make it as long as it was with copies of what is left."""

    def change(document: Document) -> None:
        half = document[rows][: len(document[rows]) // 2]
        document[rows] = half + copy.deepcopy(half)

    return change


def double_one(rows: str) -> Change:
    return lambda document: document[rows].append(copy.deepcopy(document[rows][5]))


def contradict_one(rows: str, name: str, value: Any) -> Change:
    return lambda document: document[rows].append({**document[rows][5], name: value})


def swap(rows: str, name: str, before: str | None, after: str) -> Change:
    """Let every row of one game, or every row at all, say that it is of another."""
    return each(rows, lambda row: row.update({name: after}) if before in {None, row[name]} else None)


def without_game(rows: str, name: str, game: str) -> Change:
    def change(document: Document) -> None:
        document[rows] = [row for row in document[rows] if row[name] != game]

    return change


def in_tiers(act: Callable[[dict[str, Any]], Any]) -> Change:
    return lambda document: act(document["wzStatsTierList"])


def every_mode(act: Callable[[dict[str, Any]], Any]) -> Change:
    def change(document: Document) -> None:
        for mode in document["wzStatsTierList"].values():
            if isinstance(mode, dict):
                act(mode)

    return change


def damage_off(row: dict[str, Any]) -> None:
    for tier in row["simple_damage"] or ():
        tier["ttk"] = (tier["ttk"] or 0) + 50


HARMFUL: Mapping[str, tuple[str, Change, str]] = {
    # CODArmory
    "a weapon loses its name": ("codarmory", one("weapons", drop("name")), "aside"),
    "every weapon loses its category": ("codarmory", each("weapons", drop("category_id")), "refused"),
    "names are renamed": ("codarmory", each("weapons", rename("name", "title")), "refused"),
    "games are renamed": ("codarmory", each("weapons", rename("game_id", "game")), "refused"),
    "attachments are renamed": ("codarmory", each("weapons", rename("attachments", "parts")), "refused"),
    "ids become numbers": ("codarmory", each("weapons", retype("id", len)), "refused"),
    "levels become texts": ("codarmory", each("weapons", retype("max_level", str)), "refused"),
    "a level is below 1": ("codarmory", one("weapons", give("max_level", 0)), "aside"),
    "half of the weapons": ("codarmory", truncate("weapons", 0.5), "refused"),
    "three quarters of the weapons": ("codarmory", truncate("weapons", 0.75), "refused"),
    "no weapons": ("codarmory", truncate("weapons", 0), "refused"),
    "weapons padded with copies": ("codarmory", pad_with_copies("weapons"), "refused"),
    "a weapon twice": ("codarmory", double_one("weapons"), "aside"),
    "a weapon contradicted": ("codarmory", contradict_one("weapons", "max_level", 9), "aside"),
    "a null in place of a weapon": ("codarmory", lambda files: files["weapons"].__setitem__(3, None), "aside"),
    "all names null": ("codarmory", each("weapons", give("name", None)), "refused"),
    "all mw3 is mw2": ("codarmory", swap("weapons", "game_id", "mw3", "mw2"), "refused"),
    "all is of a new game": ("codarmory", swap("weapons", "game_id", None, "bo9"), "refused"),
    "one is of another franchise": ("codarmory", one("weapons", give("game_id", "bf6")), "refused"),
    "mw3 is gone": ("codarmory", without_game("weapons", "game_id", "mw3"), "refused"),
    "what unlocks is renamed": ("codarmory", each("weapons", rename("unlock_id", "unlocked_by")), "refused"),
    "half of the attachments": ("codarmory", truncate("attachments", 0.5), "refused"),
    "half of the platforms": ("codarmory", truncate("platforms", 0.5), "refused"),
    "half of the categories": ("codarmory", truncate("categories", 0.5), "refused"),
    "attachments of other ids": ("codarmory", each("attachments", retype("id", lambda id_: f"{id_}0")), "refused"),
    # WZStats
    "kits are renamed": ("wzstats", each("weapons", rename("conversionKitId", "kitId")), "refused"),
    "a row without a name": ("wzstats", one("weapons", drop("name")), "aside"),
    "types and display types are gone": (
        "wzstats", each("weapons", lambda row: (row.pop("type"), row.pop("displayType"))), "refused",
    ),
    "types are unknown": (
        "wzstats", each("weapons", lambda row: row.update(type="GUN", displayType="GUN")), "refused",
    ),
    "whether weapons are new is renamed": ("wzstats", each("weapons", rename("isNew", "new")), "refused"),
    "the weapons of kits are null": ("wzstats", each("weapons", give("baseWeaponId", None)), "refused"),
    "tier lists are renamed": ("wzstats", lambda d: d.update(tiers=d.pop("wzStatsTierList")), "refused"),
    "the tiers of all modes are renamed": ("wzstats", every_mode(rename("META", "S")), "refused"),
    "a tier becomes an object": ("wzstats", in_tiers(lambda t: t["mw3"].update(A={"x": 1})), "refused"),
    "a mode is gone": ("wzstats", in_tiers(drop("alMazrah")), "refused"),
    "a mode is renamed": ("wzstats", in_tiers(rename("bo6", "blackOps6")), "refused"),
    "a mode is empty": ("wzstats", in_tiers(lambda t: t.update(mwz={tier: [] for tier in t["mwz"]})), "refused"),
    "a mode is null": ("wzstats", in_tiers(give("bo6Ranked", None)), "refused"),
    "all modes are empty": ("wzstats", every_mode(lambda t: t.update({tier: [] for tier in t})), "refused"),
    "half of the rows": ("wzstats", truncate("weapons", 0.5), "refused"),
    "rows padded with copies": ("wzstats", pad_with_copies("weapons"), "refused"),
    "a row twice": ("wzstats", double_one("weapons"), "aside"),
    "all bo6 is mw2": ("wzstats", swap("weapons", "game", "bo6", "mw2"), "refused"),
    "bo6 is gone": ("wzstats", without_game("weapons", "game", "bo6"), "refused"),
    # CODMunity
    "a weapon loses its game": ("codmunity", one("weapons", drop("appGame"), 4), "aside"),
    "figures lose their names": (
        "codmunity", each("weaponStats", lambda row: [row.pop(k, None) for k in ("gun", "WeaponName", "name")]),
        "refused",
    ),
    "rates of fire are renamed": ("codmunity", each("weaponStats", rename("rpm", "fireRate")), "refused"),
    "rates of fire become texts": ("codmunity", each("weaponStats", retype("rpm", str)), "refused"),
    "velocities are null": ("codmunity", each("weaponStats", give("bv", None)), "refused"),
    "aiming takes seconds": (
        "codmunity", each("weaponStats", retype("ads", lambda ads: ads and ads / 1000)), "refused",
    ),
    "rates of fire are a thousandfold": (
        "codmunity", each("weaponStats", retype("rpm", lambda rpm: rpm and rpm * 1000)), "refused",
    ),
    "a rate of fire beyond all measure": (
        "codmunity", one("weaponStats", lambda row: row.update(rpm=9000, simple_damage=[])), "aside",
    ),
    "damage tables are gone": ("codmunity", each("weaponStats", drop("simple_damage")), "refused"),
    "no time to kill adds up": ("codmunity", each("weaponStats", damage_off), "refused"),
    "the times to kill of one weapon": (
        "codmunity", lambda d: damage_off(next(r for r in d["weaponStats"] if r["simple_damage"])), "aside",
    ),
    "the figures of bo7 are of bo6": ("codmunity", swap("weaponStats", "appGame", "bo7", "bo6"), "refused"),
    "the catalogue's bo7 is mw2": ("codmunity", swap("weapons", "appGame", "bo7", "mw2"), "refused"),
    "a quarter of the figures is gone": ("codmunity", truncate("weaponStats", 0.75), "refused"),
    "half of the figures": ("codmunity", truncate("weaponStats", 0.5), "refused"),
    "half of the catalogue and of the figures": (
        "codmunity", lambda d: (truncate("weapons", 0.5)(d), truncate("weaponStats", 0.5)(d)), "refused",
    ),
    "figures padded with copies": ("codmunity", pad_with_copies("weaponStats"), "refused"),
    "one of another franchise": ("codmunity", one("weapons", give("appGame", "bf6")), "refused"),
}  # fmt: skip


@pytest.mark.parametrize("name", HARMFUL)
def test_what_harms_is_refused_or_set_aside_and_told(upstream: Path, name: str):
    key, change, expected = HARMFUL[name]
    one = LOADED[key](upstream)
    document = copy.deepcopy(one.document)
    change(document)
    assert document != one.document
    fate, told = one.fate(document)
    assert (fate, bool(told)) == (expected, True), told


def rounded_balance_patch(row: dict[str, Any]) -> None:
    """Change a weapon's figures as a balance patch does, and its damage table with them."""
    if not row["rpm"]:
        return
    rpm, bv = round(row["rpm"] * 1.03), row["bv"] and row["bv"] * 0.97
    for tier in row["simple_damage"] or ():
        shots = tier["shots_to_kill"]
        tier["time_between_shots"] = round(60_000 / rpm, 1)
        if shots and (bv or not tier["dropoff"]):
            flight = max(0, tier["dropoff"] - 0.05 * bv) / bv * 1000 if bv else 0
            tier["ttk"] = round((shots - 1) * 60_000 / rpm + flight, 1)
        if shots:
            tier["enemies_per_magazine"] = (row["mag_size"] + 5) // shots
    row.update(rpm=rpm, bv=bv, mag_size=row["mag_size"] and row["mag_size"] + 5, ads=row["ads"] and row["ads"] - 7)


def reversed_rows(document: Document) -> None:
    for rows in document.values():
        if isinstance(rows, list):
            rows.reverse()


def next_season(mode: dict[str, Any]) -> None:
    """Move about every third weapon one tier down."""
    tiers = list(mode)
    for above, below in reversed(list(pairwise(tiers))):
        mode[below] = mode[below] + [id_ for id_ in mode[above] if len(id_) % 3 == 0]
        mode[above] = [id_ for id_ in mode[above] if len(id_) % 3]


HARMLESS: Mapping[str, tuple[str, Change]] = {
    "CODArmory in another order": ("codarmory", reversed_rows),
    "CODArmory with a field nobody knows": ("codarmory", each("weapons", give("image", "a.png"))),
    "CODArmory with a tenth fewer weapons": ("codarmory", truncate("weapons", 0.9)),
    "CODArmory with new weapons": (
        "codarmory",
        lambda files: files["weapons"].extend(
            {**files["weapons"][n], "id": f"new-{n}", "name": f"New {n}"} for n in range(30)
        ),
    ),
    "CODArmory with higher levels": ("codarmory", each("weapons", retype("max_level", lambda n: n and n + 5))),
    "CODArmory with weapons that have no attachments any longer": (
        "codarmory", lambda files: [row.update(attachments=[]) for row in files["weapons"][:20]],
    ),
    "WZStats in another order": ("wzstats", reversed_rows),
    "WZStats with a field nobody knows": ("wzstats", each("weapons", give("imageVersion", 3))),
    "WZStats with new weapons": (
        "wzstats",
        lambda d: d["weapons"].extend({**d["weapons"][n], "id": f"new-{n}", "name": f"New {n}"} for n in range(20)),
    ),
    "WZStats after a new season": ("wzstats", every_mode(next_season)),
    "WZStats with a mode that it had before": ("wzstats", in_tiers(give("bo7Ranked", {"META": ["c9"], "A": []}))),
    "CODMunity in another order": ("codmunity", reversed_rows),
    "CODMunity with fields nobody knows": ("codmunity", each("weaponStats", give("recoil", 3))),
    "CODMunity after a balance patch": ("codmunity", each("weaponStats", rounded_balance_patch)),
    "CODMunity with new weapons": (
        "codmunity",
        lambda d: d["weapons"].extend(
            {**d["weapons"][n], "WeaponName": f"New {n}", "slug": f"new-{n}"} for n in range(3)
        ),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", HARMLESS)
def test_what_does_not_harm_passes_without_a_word(upstream: Path, name: str):
    key, change = HARMLESS[name]
    one = LOADED[key](upstream)
    document = copy.deepcopy(one.document)
    change(document)
    assert document != one.document
    assert one.fate(document) == ("silent", "")


@pytest.mark.parametrize(
    ("key", "change", "told"),
    [
        ("wzstats", lambda d: d["weapons"].append({**d["weapons"][0], "id": "x", "game": "bo8"}), "game: bo8 is new"),
        ("wzstats", in_tiers(give("bo8Ranked", {"META": ["c9"]})), "tier.*: bo8Ranked is new"),
    ],
)
def test_a_new_game_or_mode_is_told_and_its_data_goes_on(upstream: Path, key: str, change: Change, told: str):
    one = LOADED[key](upstream)
    document = copy.deepcopy(one.document)
    change(document)
    assert one.fate(document) == ("told", told)


def test_the_rule_on_damage_names_the_row_and_the_figure_that_does_not_follow():
    row: dict[str, Json] = {"dropoff": 33, "chest": 25, "time_between_shots": 75, "shots_to_kill": 12, "ttk": 900}
    figures: dict[str, Json] = {"ballistics.rpm": 800, "ballistics.bullet_velocity": 820}
    wrong = contracts.damage_adds_up(Record("xm4-bo6", {**figures, "ballistics.damage_range": [row]}))
    assert wrong == "from 33 m, ttk is 900, and 825 follows from the weapon's figures"
    sound = {**figures, "ballistics.damage_range": [{**row, "ttk": 825}]}
    assert contracts.damage_adds_up(Record("xm4-bo6", sound)) is None
    assert contracts.damage_adds_up(Record("knife-bo6", {})) is None
