"""`dso status` and `dso gate` as a person and a program meet them."""

from datetime import datetime
from typing import Any

import pytest
from test_cli_rig import Dso, Ended, dso

__all__ = ["dso"]

pytestmark = pytest.mark.real_time

PLUGIN = """
import os
from data_source_orchestrator import MergeRules, Plugin, Record, source

def pears():
    return [Record(f"pear-{n}", {"n": n, **({"price": 1} if "cheap" in os.environ["PEARS"] else {})})
            for n in range(int(os.environ["PEARS"].split()[0]))]

def sources(env):
    return [
        source(key="farm", title="Farm", provides=("price", "mood"), update_frequency="hourly")(pears),
        source(key="shop", title="Shop", provides=("stock",))(lambda: [Record("shelf", {"stock": 1})]),
    ]

plugin = Plugin(name="pear", sources=sources, rules=MergeRules(called=("pear", "pears")))
"""


@pytest.fixture
def farm(dso: Dso, monkeypatch: pytest.MonkeyPatch) -> Dso:
    """Give the command over two sources of our own; the variable PEARS says what the farm grows."""
    about = dso.folder / "plugin" / "pear-1.dist-info"
    about.mkdir(parents=True)
    (about.parent / "grown_pears.py").write_text(PLUGIN)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: pear\nVersion: 1\n")
    (about / "entry_points.txt").write_text("[data_source_orchestrator.plugins]\npear = grown_pears:plugin\n")
    monkeypatch.syspath_prepend(str(about.parent))
    dso.write('plugins = ["pear"]')
    grown(dso, "20 cheap")
    return dso


def grown(dso: Dso, pears: str) -> None:
    dso.set(PEARS=pears)


def typed(dso: Dso, verb: str, *more: str) -> Ended:
    return dso(verb, *more, sandbox=False)


def told(dso: Dso, verb: str, *more: str) -> dict[str, Any]:
    return typed(dso, verb, *more, "--json").document


def test_a_sync_that_is_held_ends_with_1_and_says_what_is_missing_how_many_and_from_whom(farm: Dso):
    assert typed(farm, "sync").status == 0
    grown(farm, "10 cheap")
    ended = typed(farm, "sync")
    assert ended.status == 1
    assert "Held: 10 of 21 pears missing (from Farm)" in ended.out
    document = told(farm, "sync")
    assert document["sufficient"] is True
    held = document["snapshot"]["held"]
    assert held["sentence"] == "held: 10 of 21 pears missing (from Farm)"
    assert held["losses"][0] == {
        "lost": 10,
        "of": 21,
        "field": None,
        "value": None,
        "sources": ["farm"],
        "examples": ["pear-10", "pear-11", "pear-12", "pear-13", "pear-14"],
        "all_of": None,
    }


def test_the_gate_shows_what_is_held_and_the_two_commands_that_decide(farm: Dso):
    assert (typed(farm, "gate").status, told(farm, "gate")["held"]) == (0, None)
    typed(farm, "sync")
    grown(farm, "10 cheap")
    typed(farm, "sync")
    ended = typed(farm, "gate")
    short = told(farm, "gate")["held"]["snapshot_id"][:12]
    assert ended.status == 1
    assert f"`dso gate accept {short}`" in ended.out
    assert f"`dso gate reject {short}`" in ended.out


def test_accepting_publishes_and_the_reason_is_remembered(farm: Dso):
    typed(farm, "sync")
    grown(farm, "10 cheap")
    typed(farm, "sync")
    ended = typed(farm, "gate", "accept", "--why", "frost")
    assert (ended.status, "is published with 11 entities" in ended.out) == (0, True)
    assert typed(farm, "sync").status == 0
    [decision] = told(farm, "gate")["decisions"]
    assert (decision["verdict"], decision["why"]) == ("accepted", "frost")
    assert "accepted, because frost" in typed(farm, "gate").out


def test_rejecting_keeps_what_is_published_and_the_same_is_not_taken_again(farm: Dso):
    typed(farm, "sync")
    grown(farm, "10 cheap")
    typed(farm, "sync")
    assert typed(farm, "gate", "reject", "--why", "half a page").status == 0
    ended = typed(farm, "sync")
    assert (ended.status, "Farm says again what was rejected" in ended.out) == (0, True)
    assert told(farm, "sync")["snapshot"]["refused"] == ["farm"]
    assert list(told(farm, "gate")["rejected"]) == ["farm"]
    grown(farm, "30 cheap")
    assert told(farm, "sync")["snapshot"]["new"] == 10


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("accept",), "the gate holds nothing, so there is nothing to decide"),
        (("reject",), "the gate holds nothing, so there is nothing to decide"),
        (("axept",), "did you mean 'accept'?"),
        (("--why", "x"), "give `accept` or `reject` before it"),
    ],
)
def test_what_cannot_be_decided_is_wrong_use(farm: Dso, words: tuple[str, ...], sentence: str):
    ended = typed(farm, "gate", *words)
    assert (ended.status, ended.out) == (2, "")
    assert sentence in ended.err


def test_another_snapshot_than_the_one_that_was_seen_is_not_decided_on(farm: Dso):
    typed(farm, "sync")
    grown(farm, "10 cheap")
    typed(farm, "sync")
    ended = typed(farm, "gate", "accept", "0123456789abcdef")
    assert ended.status == 2
    assert "by now, not 0123456789ab" in ended.err
    assert told(farm, "gate")["held"] is not None


def test_an_empty_store_knows_nothing_and_says_what_to_type(farm: Dso):
    ended = typed(farm, "status")
    assert ended.status == 1
    assert ended.out.splitlines()[0].endswith("Nothing is known yet: no source has been read; `dso sync` reads them")
    document = told(farm, "status")
    assert document["capabilities"]["price"]["freshness"] == "never"
    assert document["sources"]["farm"]["achieved"] is None


def test_what_was_just_read_is_all_fresh_and_what_nobody_publishes_is_never_late(farm: Dso):
    typed(farm, "sync")
    ended = typed(farm, "status")
    assert ended.status == 0
    assert ended.out.splitlines()[0].endswith("All fresh")
    assert "mood: not published by the source, and never late" in ended.out
    document = told(farm, "status")
    assert (document["good"], document["objective"], document["days"]) == (True, 0.95, 30)
    mood, price = document["capabilities"]["mood"], document["capabilities"]["price"]
    assert (mood["freshness"], mood["reason"]) == (None, "not published by the source")
    assert (price["freshness"], price["sources"], price["budget_used"]) == ("fresh", ["farm"], 0)
    assert datetime.fromisoformat(price["unchanged_since"]) == datetime.fromisoformat(price["checked_at"])


def test_what_is_unchanged_keeps_its_moment_and_what_changed_has_a_new_one(farm: Dso):
    typed(farm, "sync")
    first = told(farm, "status")["sources"]["farm"]
    typed(farm, "sync")
    second = told(farm, "status")["sources"]["farm"]
    grown(farm, "20")
    typed(farm, "sync")
    third = told(farm, "status")["sources"]["farm"]
    assert first["unchanged_since"] == second["unchanged_since"] < third["unchanged_since"]
    assert first["checked_at"] < second["checked_at"]


def test_a_status_tells_first_that_readers_get_older_data_while_something_is_held(farm: Dso):
    typed(farm, "sync")
    grown(farm, "10 cheap")
    typed(farm, "sync")
    ended = typed(farm, "status")
    assert ended.status == 1
    first = ended.out.splitlines()[0]
    assert "Held for" in first
    assert first.endswith(
        ": 10 of 21 pears missing (from Farm); readers keep what was published before. The sources: all fresh"
    )
    assert told(farm, "status")["gate"]["held"]["entities"] == 11


def test_a_gate_that_is_switched_off_publishes_everything(farm: Dso):
    farm.write('plugins = ["pear"]\n[gate]\nenabled = false')
    typed(farm, "sync")
    grown(farm, "2")
    assert typed(farm, "sync").status == 0


@pytest.mark.parametrize("width", ["80", "120"])
def test_no_line_is_wider_than_the_terminal(farm: Dso, width: str):
    farm.set(COLUMNS=width)
    typed(farm, "sync")
    grown(farm, "10")
    for words in (("sync",), ("status",), ("gate",)):
        assert all(len(line) <= int(width) for line in typed(farm, *words).out.splitlines()), words


def test_reading_verbs_change_nothing(farm: Dso):
    typed(farm, "sync")
    store = farm.data / "dso.db"
    before = store.read_bytes()
    typed(farm, "status")
    typed(farm, "gate")
    assert store.read_bytes() == before
