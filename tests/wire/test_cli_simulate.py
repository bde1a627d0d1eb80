"""`dso simulate` as a person meets it."""

import json
from pathlib import Path

import pytest
from test_cli_rig import Dso, dso

__all__ = ["dso"]

pytestmark = pytest.mark.real_time

OUTAGE = Path(__file__).parents[2] / "examples" / "outage.toml"


def test_worlds_are_played_and_counted(dso: Dso):
    ended = dso("simulate", "--seeds", "40", "--start", "5", "--jobs", "2")
    assert (ended.status, ended.err) == (0, "")
    assert ended.out.startswith("40 worlds from seed 5: ")
    assert ended.out.endswith("every law held\n")


def test_worlds_are_told_to_programs(dso: Dso):
    document = dso("simulate", "--seeds", "3", "--json").document
    assert document["schema"] == "dso.simulate/1"
    assert document["scenario"] is None
    assert document["seeds"]["worlds"] == 3
    assert document["seeds"]["broken"] is None


def test_an_outage_is_told_in_a_table_and_a_timeline(dso: Dso):
    ended = dso("simulate", "--scenario", str(OUTAGE))
    assert (ended.status, ended.err) == (0, "")
    lines = ended.out.splitlines()
    assert lines[0].startswith("120 syncs in 4 h, one every 2 min: ")
    assert [word in lines[2] for word in ("Goodput", "Wasted", "Oldest data", "Back after")] == [True] * 4
    assert any(line.startswith("WZStats    ✓✓✓✓✓✓✓✓✓✗✗") for line in lines)
    assert any(line.startswith("   outage           ▔▔▔▔▔") for line in lines)


def test_an_outage_is_told_to_programs_and_obeys_the_settings(dso: Dso):
    (dso.folder / "patient.toml").write_text("[sources.wzstats.breaker]\nfailures = 1000\n")
    usual = dso("simulate", "--scenario", str(OUTAGE), "--json").document["scenario"]
    patient = dso("simulate", "--scenario", str(OUTAGE), "--config", "patient.toml", "--json").document["scenario"]
    assert usual["sources"]["wzstats"]["trips"] > 0
    assert patient["sources"]["wzstats"]["trips"] == 0
    assert patient["sources"]["wzstats"]["wasted_calls"] > usual["sources"]["wzstats"]["wasted_calls"]
    assert usual["sources"]["codarmory"]["goodput"] == 1.0
    json.dumps(usual, allow_nan=False)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((), "give either --seeds N"),
        (("--seeds", "1", "--scenario", "x.toml"), "give either --seeds N"),
        (("--seeds", "0"), "flag --seeds is '0'; give a whole number of 1 or more"),
        (("--seeds", "many"), "flag --seeds is 'many'"),
        (("--seeds", "1", "--start", "-1"), "flag --start is '-1'"),
        (("--seeds", "1", "--jobs", "0"), "flag --jobs is '0'"),
        (("--scenario", "nowhere.toml"), "file nowhere.toml, given by --scenario, cannot be read"),
        (("--scenario", "bad.toml"), "file bad.toml [[outage]] 1 source: no source is called 'wzstat'; did you mean"),
        (("--scenario", "latin.toml"), "file latin.toml is not UTF-8 text"),
    ],
)
def test_wrong_use_is_told_in_one_sentence(dso: Dso, arguments: tuple[str, ...], told: str):
    (dso.folder / "bad.toml").write_text('[[outage]]\nsource = "wzstat"\nfrom = 0\nuntil = 9\n')
    (dso.folder / "latin.toml").write_bytes(b"# \xe9\n")
    ended = dso("simulate", *arguments)
    assert (ended.status, ended.out) == (2, "")
    assert told in ended.err
    assert ended.err.count("\n") == 1
