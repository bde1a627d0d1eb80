"""Drift in the captured upstreams: what harms is told with its place, and what does not is passed over."""

import json
from collections.abc import Callable
from pathlib import Path
from random import Random  # noqa: TID251 — seeded, for changes that are the same every time
from typing import Any

import pytest

from data_source_orchestrator.drift.fingerprint import fingerprint
from data_source_orchestrator.drift.judge import judge

WEAPONS, ATTACHMENTS = "codarmory/weapons.json", "codarmory/attachments.json"
TIERS = "wzstats/weapons-and-tier-lists.json"
STATS = "codmunity/weapon-stats.sample.json"
CARDS = "codmunity/meta-loadouts-ranking.mpranked.json"
ALL = (WEAPONS, ATTACHMENTS, TIERS, STATS, CARDS, "codarmory/platforms.json", "codarmory/attachment-stats.json")

Mutation = Callable[[Any, Random], Any]


def loaded(upstream: Path, name: str) -> Any:
    return json.loads((upstream / name).read_text())


def told(before: Any, after: Any) -> list[tuple[str, str]]:
    found = judge(fingerprint(after), [fingerprint(before)] * 5)
    return [(str(each.change), each.path) for each in found]


def rows_of(document: Any) -> list[dict[str, Any]]:
    """Return the longest list of objects in a document, which may be changed in place."""
    lists, level = [], [document]
    while level:
        lists += [each for each in level if isinstance(each, list) and each and isinstance(each[0], dict)]
        inside = (each.values() if isinstance(each, dict) else each for each in level)
        level = [each for held in inside for each in held if isinstance(each, dict | list)]
    return max(lists, key=len)


@pytest.mark.parametrize(("name", "field"), [(WEAPONS, "name"), (ATTACHMENTS, "category_id"), (STATS, "rpm")])
def test_a_renamed_key_is_told_with_both_names(upstream: Path, name: str, field: str):
    before, after = loaded(upstream, name), loaded(upstream, name)
    for row in rows_of(after):
        row["other"] = row.pop(field)
    found = told(before, after)
    assert [(change, path.rpartition(".")[2]) for change, path in found if field in path or "other" in path] == [
        *([("vanished", field)] if field < "other" else []),
        ("appeared", "other"),
        *([("vanished", field)] if field > "other" else []),
    ]
    assert len(found) == 2


@pytest.mark.parametrize(("name", "field"), [(WEAPONS, "max_level"), (TIERS, "isNew"), (STATS, "ads")])
def test_a_column_of_another_type_is_told(upstream: Path, name: str, field: str):
    before, after = loaded(upstream, name), loaded(upstream, name)
    for row in rows_of(after):
        row[field] = None if row[field] is None else str(row[field])
    [(change, path)] = told(before, after)
    assert (change, path.rpartition(".")[2]) == ("type", field)


@pytest.mark.parametrize(("name", "field"), [(WEAPONS, "platform_id"), (ATTACHMENTS, "name"), (TIERS, "game")])
@pytest.mark.parametrize("nothing", [None, ""])
def test_a_column_that_says_nothing_any_longer_is_told(upstream: Path, name: str, field: str, nothing: object):
    before, after = loaded(upstream, name), loaded(upstream, name)
    for row in rows_of(after):
        row[field] = nothing
    [(change, path)] = told(before, after)
    assert (change, path.rpartition(".")[2]) == ("nulls", field)


def test_a_list_that_is_not_there_or_runs_empty_is_told(upstream: Path):
    before = loaded(upstream, TIERS)
    without = {name: value for name, value in before.items() if name != "weapons"}
    assert told(before, without) == [("vanished", ".weapons")]
    assert told(before, {**before, "weapons": []}) == [("volume", ".weapons[]")]
    emptied = [{**row, "attachments": []} for row in loaded(upstream, WEAPONS)]
    assert told(loaded(upstream, WEAPONS), emptied) == [("volume", "[].attachments[]")]


@pytest.mark.parametrize("name", [name for name in ALL if name != CARDS])  # which has three cards that differ
@pytest.mark.parametrize("times", [10, 1000])
def test_a_source_that_has_grown_is_told_as_that_alone(upstream: Path, name: str, times: int):
    before, after = loaded(upstream, name), loaded(upstream, name)
    rows = rows_of(after)
    rows[:] = rows * times
    found = told(before, after)
    assert [change for change, _ in found] == ["volume"]


@pytest.mark.parametrize("name", ALL)
def test_a_source_that_lost_half_its_rows_is_told(upstream: Path, name: str):
    before, after = loaded(upstream, name), loaded(upstream, name)
    rows = rows_of(after)
    del rows[: (len(rows) + 1) // 2]
    found = told(before, after)
    assert ("volume" in [change for change, _ in found]) is (len(rows) > 10), "a list of ten may lose some by chance"


def test_a_mode_whose_tiers_were_renamed_is_told_once_and_not_once_for_each_mode(upstream: Path):
    before, after = loaded(upstream, TIERS), loaded(upstream, TIERS)
    for lists in after["wzStatsTierList"].values():
        if isinstance(lists, dict):
            lists["S"] = lists.pop("META")
    assert told(before, after) == [
        ("vanished", ".wzStatsTierList.{}.META"),
        ("appeared", ".wzStatsTierList.{}.S"),
    ]


def shuffled(value: Any, random: Random) -> Any:
    if isinstance(value, list):
        return random.sample([shuffled(each, random) for each in value], len(value))
    if isinstance(value, dict):
        return {name: shuffled(value[name], random) for name in random.sample(list(value), len(value))}
    return value


def with_new_rows(value: Any, random: Random) -> Any:
    rows = rows_of(value)
    rows += [{**row, "id": f"new {random.random()}"} if "id" in row else dict(row) for row in rows[: len(rows) // 6]]
    return value


def without_a_few_rows(value: Any, random: Random) -> Any:
    rows = rows_of(value)
    for _ in range(len(rows) // 12):
        rows.pop(random.randrange(len(rows)))
    return value


def with_new_values(value: Any, random: Random) -> Any:
    match value:
        case list():
            return [with_new_values(each, random) for each in value]
        case dict():
            return {name: with_new_values(each, random) for name, each in value.items()}
        case bool() | None | "":
            return value
        case int() | float():
            return value * random.choice([1, 2]) + random.random()
        case _:
            return f"{value} {random.random()}"


def with_a_few_nulls(value: Any, random: Random) -> Any:
    for row in rows_of(value):
        for name in row:
            if random.random() < 0.04 and not isinstance(row[name], dict | list):
                row[name] = None
    return value


def with_a_few_odd_fields(value: Any, random: Random) -> Any:
    rows = rows_of(value)
    for row in random.sample(rows, 1 + len(rows) // 25):
        row["_extra"] = {"undefined": 1}
    return value


HARMLESS: tuple[Mutation, ...] = (
    shuffled,
    with_new_rows,
    without_a_few_rows,
    with_new_values,
    with_a_few_nulls,
    with_a_few_odd_fields,
)


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("mutation", HARMLESS)
def test_of_a_harmless_change_nothing_is_told(upstream: Path, name: str, mutation: Mutation):
    before = loaded(upstream, name)
    for seed in range(5):
        assert told(before, mutation(loaded(upstream, name), Random(seed))) == []


def test_a_new_mode_and_new_tiers_are_ordinary(upstream: Path):
    before, after = loaded(upstream, TIERS), loaded(upstream, TIERS)
    lists = after["wzStatsTierList"]
    lists["bo7"] = lists["bo7Ranked"] = {"META": ["k7"], "A": [], "B": [], "C": [], "D": []}
    for mode in ("mw3", "bo6", "rankedResurgence", "alMazrah"):
        lists[mode]["META"], lists[mode]["D"] = lists[mode]["D"], lists[mode]["META"]
    assert told(before, after) == []
