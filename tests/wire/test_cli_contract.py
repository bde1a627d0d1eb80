"""`dso contract`, and what a person finds after an upstream has served what is no data."""

import gzip
import json
from pathlib import Path

import pytest
from test_cli_rig import Dso, dso

__all__ = ["dso"]

pytestmark = pytest.mark.real_time

BREACH = "the upstream served 5 rows, and fewer than 40 rows are not believed"


def test_a_breach_is_told_counted_and_kept_and_doctor_says_where_to_look(dso: Dso):
    ended = dso("sync", "--fault", "wzstats=shrunken", "--json")
    failed = ended.document["sources"]["wzstats"]
    assert (failed["status"], failed["error"]["kind"], failed["attempts"]) == ("failure", "content", 1)
    assert failed["error"]["message"] == BREACH
    (look,) = (
        check
        for section in dso("doctor", "--json").document["sections"]
        for check in section["checks"]
        if check["check"] == "What the sources serve"
    )
    assert look["finding"] == "look here"
    told = dso("contract", "wzstats", "--json").document
    (folder,) = map(Path, told["breaches"])
    assert look["told"] == f"wzstats: content: {BREACH} (what it served is kept in {folder})"
    assert folder.parent == dso.data / "sandbox-breaches" / "wzstats"
    about = json.loads((folder / "about.json").read_text())
    assert (about["schema"], about["message"]) == ("dso.breach/1", BREACH)
    (answer,) = about["answers"]
    body = gzip.decompress((folder / answer["file"]).read_bytes())
    assert len(json.loads(body)["weapons"]) == 5
    assert answer["bytes"] == answer["bytes_kept"] == len(body)
    assert f"{folder}: {BREACH}" in dso("contract", "wzstats").out


def test_a_person_reads_beside_the_breach_where_what_was_served_is_kept(dso: Dso):
    told = " ".join(dso("sync", "--fault", "wzstats=shrunken").out.split())
    assert f"{BREACH}; `dso contract wzstats` tells where what it served is kept" in told


def test_the_contract_tells_its_fields_and_the_last_good_payloads(dso: Dso):
    assert "No good payload yet" in dso("contract", "codmunity").out
    assert dso("sync").status == 0
    document = dso("contract", "codmunity", "--json").document
    assert document["schema"] == "dso.contract/1"
    assert (document["mode"], document["minimum_rows"], document["rules"]) == ("quarantine", 20, ["damage_adds_up"])
    assert document["fields"]["ballistics.rpm"] == {
        "required": False,
        "coverage": 0.5,
        "steady": True,
        "accepted": "1 to 3,000 rounds/min",
        "known": None,
    }
    (rows,) = document["good_payloads"]
    assert document["median_rows"] == rows > 20
    told = dso("contract", "codmunity").out
    for words in ("1 to 3,000 rounds/min", "Rules: damage_adds_up", "Unique: entity", f"good payload: {rows}"):
        assert words in told


def test_a_lasting_shrink_is_accepted_by_the_operator(dso: Dso):
    assert dso("sync").status == 0
    dso.write("[sources.wzstats.contract]\nminimum_rows = 1\n")
    refused = dso("sync", "--fault", "wzstats=shrunken", "--json").document["sources"]["wzstats"]
    assert "`dso contract wzstats --accept` accepts it" in refused["error"]["message"]
    assert "WZStats's next payload is compared with none before it" in dso("contract", "wzstats", "--accept").out
    accepted = dso("sync", "--fault", "wzstats=shrunken", "--json").document["sources"]["wzstats"]
    assert (accepted["status"], accepted["records"]) == ("success", 5)
    assert dso("contract", "wzstats", "--json").document["good_payloads"] == [5]


def test_an_operator_may_have_a_breach_told_as_a_warning(dso: Dso):
    dso.write('[sources.wzstats.contract]\nmode = "warn"\n')
    told = dso("sync", "--fault", "wzstats=shrunken", "--json").document["sources"]["wzstats"]
    assert (told["status"], told["records"]) == ("success", 5)
    assert f"its contract is broken: {BREACH}" in told["warnings"]
    assert dso("contract", "wzstats", "--json").document["breaches"] == []


def test_what_contradicts_itself_in_the_settings_is_told_at_start_with_its_place(dso: Dso):
    dso.write("[sources.wzstats.contract]\nmaximum_rows = 10\n")
    ended = dso("sync")
    assert ended.status == 2
    assert "contract.minimum_rows is 40 and contract.maximum_rows 10; no payload has both" in ended.err


def test_a_source_that_nobody_knows_is_told_with_the_nearest_key(dso: Dso):
    for more in ((), ("--accept",)):
        ended = dso("contract", "wzstat", *more)
        assert ended.status == 2
        assert "did you mean 'wzstats'?" in ended.err
