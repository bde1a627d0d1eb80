"""What a person and a program are told when it is this machine's own network that is down."""

import json
from typing import Any

import pytest
from test_cli_rig import Dso, dso

__all__ = ["dso"]

URLS = ("CODARMORY_BASE_URL", "WZSTATS_BASE_URL", "CODMUNITY_BASE_URL")
KEYS = ["codarmory", "wzstats", "codmunity"]
EXCUSED = "that CODArmory, WZStats and CODMunity could not be reached is not counted against them, nor as uptime"
NOW = f"Offline: this machine's own network seems to be down, for nobody answered: {EXCUSED};"
EARLIER = f"Offline: this machine's own network seemed to be down just now, for nobody answered: {EXCUSED};"


@pytest.fixture
def offline(dso: Dso) -> Dso:
    """Give the command where nobody can be reached."""
    dso.set(**dict.fromkeys(URLS, "http://127.0.0.1:1"))
    dso.write("[run]\nmax_retries = 0\n")
    return dso


def health(dso: Dso, *more: str) -> dict[str, Any]:
    return dso("health", "--json", *more, sandbox=False).document


@pytest.mark.parametrize("verb", ["sync", "fetch"])
def test_a_run_says_in_one_sentence_that_it_is_our_own_network_and_what_to_do(offline: Dso, verb: str):
    told = offline(verb, sandbox=False)
    assert told.status == 1
    [sentence] = [line for line in told.out.splitlines() if "Offline" in line]
    assert sentence.endswith(f"{NOW} look at its connection, name resolution and proxy, and try again")
    assert offline(verb, "--json", sandbox=False).document["offline"] == KEYS


def test_a_run_that_somebody_answered_names_nobody(dso: Dso):
    assert dso("sync", "--json").document["offline"] == []
    assert "Offline" not in dso("sync").out


def test_however_often_we_are_offline_nobody_is_tripped_and_no_uptime_is_counted(offline: Dso):
    for _ in range(6):
        assert "left alone" not in offline("fetch", sandbox=False).err
    told = health(offline)
    assert told["offline"] == KEYS
    assert told["message"].startswith("0 of 3 sources healthy; our own network was down in the last run of: codarmory,")
    for source in told["sources"].values():
        assert (source["status"], source["uptime"], source["admitted"]) == ("unknown", None, True)
        assert source["message"] == "our own network was down in its last 6 runs"
        assert source["offline"]["runs"] == 6
    numbers = offline("metrics", "--json", sandbox=False).document
    assert (numbers["total_executions"], numbers["failed_executions"]) == (6, 6)
    assert {each["executions"] for each in numbers["source_metrics"].values()} == {0}


def test_health_of_before_stays_and_says_what_kept_the_last_run_from_telling_anything(offline: Dso):
    offline("sync")
    before = offline("health", "--json").document["sources"]["wzstats"]
    # The sandbox's addresses win over the variables, so its store is looked at where nobody serves it.
    offline.data.joinpath("sandbox.db").rename(offline.data / "dso.db")
    offline("fetch", sandbox=False)
    after = health(offline)["sources"]["wzstats"]
    assert after["message"] == f"{before['message']}; since then our own network was down in its last run"
    moved = {"message", "offline", "last_check"}
    assert {k: v for k, v in after.items() if k not in moved} == {k: v for k, v in before.items() if k not in moved}


def test_health_tells_people_when_the_network_was_down_until_somebody_has_answered(offline: Dso):
    offline("fetch", sandbox=False)
    [sentence] = [line for line in offline("health", sandbox=False).out.splitlines() if "Offline" in line]
    assert sentence.endswith(f"{EARLIER} if it still is, look at its connection, name resolution and proxy")


def test_checks_that_nobody_answers_are_told_and_held_against_nobody(offline: Dso):
    told = health(offline, "--probe")
    assert told["offline"] == KEYS
    for source in told["sources"].values():
        assert (source["status"], source["offline"]["runs"]) == ("unknown", 0)
        check = source["last_check"]
        assert (check["ok"], check["offline"]) == (False, True)
        assert check["message"].startswith("connection: ")
        assert source["offline"]["at"] == check["at"]
    people = offline("health", "--probe", sandbox=False).out
    assert EARLIER in people
    assert "offline just now" in people


def test_one_source_that_cannot_be_reached_is_its_own_fault(dso: Dso):
    dso.write("[sources.wzstats]\nenabled = false\n[sources.codmunity]\nenabled = false\n[run]\nmax_retries = 0\n")
    dso.set(CODARMORY_BASE_URL="http://127.0.0.1:1")
    assert dso("fetch", "--json", sandbox=False).document["offline"] == []
    told = health(dso, "--probe")
    assert (told["offline"], told["sources"]["codarmory"]["status"]) == ([], "degraded")
    assert told["sources"]["codarmory"]["last_check"]["offline"] is False


def test_the_doctor_knows_that_our_own_network_was_down_whenever_something_ran(offline: Dso):
    offline("fetch", sandbox=False)
    told = json.loads(offline("doctor", "--json", sandbox=False).out)
    checks = {check["check"]: check for section in told["sections"] for check in section["checks"]}
    assert "this machine's own network seems to be down" in checks["Network connectivity"]["told"]
    assert checks["Retry count"]["told"] == "our own network was down whenever something ran"
