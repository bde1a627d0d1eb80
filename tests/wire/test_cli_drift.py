"""`dso drift` as a person meets it: over the sandbox and its fault switches, with a store that outlasts commands."""

import pytest
from test_cli_rig import Dso, dso

from data_source_orchestrator.drift.watch import ENOUGH

__all__ = ["dso"]

pytestmark = pytest.mark.real_time

DRIFTS = {
    "codarmory=renamed_rows_key": ("codarmory", "weapons.json", "vanished", "[].name"),
    "codarmory=shrunken": ("codarmory", "attachments.json", "volume", "[]"),
    "wzstats=renamed_rows_key": ("wzstats", "weapons-and-tier-lists", "vanished", "weapons"),
    "wzstats=empty": ("wzstats", "weapons-and-tier-lists", "volume", "weapons[]"),
    "codmunity=shrunken": ("codmunity", "stats-comparator", "volume", "weaponStats[]"),
    "codmunity=empty": ("codmunity", "ranking warzoneranked", "volume", "sections[].cards[]"),
}
SOURCES = ("codarmory", "wzstats", "codmunity")


def seen_often(dso: Dso) -> None:
    for _ in range(ENOUGH):
        assert dso("sync").status == 0


def test_before_five_syncs_nothing_is_judged_and_that_is_said(dso: Dso):
    assert "CODArmory: no sync has been shown a document of it yet" in dso("drift").out
    dso("sync", "wzstats")
    dso("sync", "wzstats", "--fault", "wzstats=renamed_rows_key")
    told = dso("drift")
    assert told.status == 0
    assert "WZStats: 1 document, seen in 1 sync; they are judged from 5 on" in told.out
    document = dso("drift", "wzstats", "--json").document["sources"]["wzstats"]
    assert document == {"weapons-and-tier-lists": {"sightings": 1, "judged": False, "findings": []}}


def test_a_source_that_serves_what_it_always_did_is_said_to(dso: Dso):
    seen_often(dso)
    assert dso("drift").out.splitlines() == [
        "✓ CODArmory: 6 documents, made as usual",
        "✓ WZStats: 1 document, made as usual",
        "✓ CODMunity: 3 documents, made as usual",
    ]
    assert "Drift" not in dso("sync").out


def test_each_fault_that_changes_what_is_served_is_told_with_its_place_and_ends_with_it(dso: Dso):
    seen_often(dso)
    for fault, (key, name, change, path) in DRIFTS.items():
        dso("sync", "--fault", fault)
        found = dso("drift", key, "--json").document["sources"][key][name]["findings"]
        assert (change, path) in [(each["change"], each["path"]) for each in found], fault
        for each in found:
            assert list(each) == ["change", "path", "before", "after", "since", "told"]
            assert each["told"].startswith(f"{name}, {each['path']}: ")
        assert dso("sync", "--json").document["drift"] == {}, fault


@pytest.mark.parametrize("fault", ["codmunity=renamed_state_key", "wzstats=challenge", "codarmory=truncated"])
def test_what_changes_no_documents_form_is_no_drift(dso: Dso, fault: str):
    seen_often(dso)
    dso("sync", "--fault", fault, "--max-retries", "0")
    assert dso("sync", "--json").document["drift"] == {}
    assert "made as usual" in dso("drift", fault.partition("=")[0]).out


def test_sync_and_doctor_name_the_source_in_one_line_and_drift_says_since_when(dso: Dso):
    seen_often(dso)
    synced = dso("sync", "--fault", "wzstats=shrunken")
    assert "\n! Drift: documents of WZStats (1 change) are not made as usual; `dso drift` tells\n" in synced.out
    doctor = dso("doctor").out
    assert "How that is made: documents are not made as usual, of wzstats (1 change)" in doctor
    told = dso("drift", "wzstats").out
    assert "! WZStats: 1 change in 1 document\n" in told
    assert "  weapons-and-tier-lists, weapons[]: 5 rows, where 128 were usual; since 20" in told
    assert "`dso drift wzstats --accept`" in told
    assert "CODArmory" not in told


def test_an_operator_accepts_one_source_and_no_other(dso: Dso):
    seen_often(dso)
    dso("sync", "--fault", "wzstats=shrunken", "--fault", "codmunity=shrunken")
    accepted = dso("drift", "wzstats", "--accept")
    assert (accepted.status, accepted.out) == (0, "✓ WZStats: 1 document, made as usual\n")
    assert dso("sync", "--json", "--fault", "wzstats=shrunken", "--fault", "codmunity=shrunken").document["drift"] == {
        "codmunity": 2
    }


def test_a_fetch_is_shown_to_nobody(dso: Dso):
    seen_often(dso)
    dso("fetch", "--fault", "wzstats=shrunken")
    assert "made as usual" in dso("drift", "wzstats").out


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("wzstat",), "did you mean 'wzstats'?"),
        (("wzstat", "--accept"), "did you mean 'wzstats'?"),
        (("--accept",), "flag --accept needs the source whose documents are as they should be; give its KEY"),
    ],
)
def test_whoever_names_no_source_is_told_what_to_name(dso: Dso, words: tuple[str, ...], told: str):
    ended = dso("drift", *words)
    assert (ended.status, ended.out) == (2, "")
    assert told in ended.err
