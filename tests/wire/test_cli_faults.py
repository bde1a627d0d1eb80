"""Every fault switch of the sandbox through the command: its kind, how long it took, what is stored, what is read."""

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from time import monotonic  # noqa: TID251 — the subject is real time

import pytest
from test_cli_rig import Dso, dso

from cod_sources.sandbox import FAULTS

__all__ = ["dso"]

pytestmark = pytest.mark.real_time

LIMITS = "[sources.wzstats]\ntimeout = 1.2\nattempt_timeout = 1\n[retry]\nmax_retries = 0"

LONGEST = 1.2 + 1
"""Seconds: the source's own limit, and the grace of what was cancelled."""


@dataclass(frozen=True, slots=True)
class Told:
    kind: str
    sentence: str


CASES = {
    "latency=30": Told("timeout", "no answer within 1 s"),
    "error_rate": Told("server", "answered 500 Internal Server Error"),
    "rate_limited=60": Told("rate_limited", "answered 429 Too Many Requests and asks to wait 60 s"),
    "challenge": Told("blocked", "answered with a challenge page instead of data"),
    "truncated": Told("content", "ended"),
    "trickle": Told("timeout", "no answer within 1 s"),
    "empty": Told("content", "an empty list"),
    "shrunken": Told("content", "fewer than 40 rows are not believed"),
    "renamed_rows_key": Told("content", "the upstream has changed its format"),
    "wrong_game": Told("content", "game"),
}


def stored(dso: Dso) -> list[list[tuple[object, ...]]]:
    """Return all that is kept of what sources said and what was made of it."""
    tables = ("contributions", "entities")
    with closing(sqlite3.connect(dso.data / "sandbox.db")) as connection:
        return [connection.execute(f"SELECT * FROM {table} ORDER BY 1").fetchall() for table in tables]  # noqa: S608 — our own names


def test_every_fault_has_its_case_here():
    assert {*FAULTS} == {case.partition("=")[0] for case in CASES} | {"renamed_state_key", "disallowed"}


@pytest.mark.parametrize("fault", CASES)
def test_a_fault_has_its_kind_ends_in_time_spoils_nothing_and_is_told(dso: Dso, fault: str):
    dso.write(LIMITS)
    good = dso("sync", "wzstats", "--json").document["snapshot"]
    before = stored(dso)

    began = monotonic()
    ended = dso("sync", "wzstats", "--json", "--fault", f"wzstats={fault}")
    took = monotonic() - began

    outcome = ended.document["sources"]["wzstats"]
    assert ended.status == 1
    assert (outcome["status"], outcome["attempts"]) == ("failure", 1)
    assert outcome["error"]["kind"] == CASES[fault].kind
    assert outcome["duration_s"] <= LONGEST
    assert took < LONGEST + 5
    assert ended.document["snapshot"] == {**good, "new": 0, "unchanged": good["entities"]}
    assert stored(dso) == before
    assert CASES[fault].sentence in outcome["error"]["message"]
    assert dso("health", "--json").document["sources"]["wzstats"]["last_failure"]["kind"] == CASES[fault].kind


def test_a_page_that_robots_txt_forbids_is_skipped_spoils_nothing_and_is_held_against_nobody(dso: Dso):
    good = dso("sync", "codmunity", "--json").document["snapshot"]
    ended = dso("sync", "codmunity", "--json", "--fault", "codmunity=disallowed")
    outcome = ended.document["sources"]["codmunity"]
    assert (ended.status, outcome["status"], outcome["attempts"]) == (1, "skipped", 1)
    assert outcome["error"]["kind"] == "robots"
    assert "/robots.txt does not allow data-source-orchestrator to ask for http" in outcome["error"]["message"]
    assert ended.document["snapshot"] == {**good, "new": 0, "unchanged": good["entities"]}
    assert dso("health", "--json").document["sources"]["codmunity"]["status"] == "healthy"


def test_an_operator_who_may_read_it_all_the_same_says_why(dso: Dso):
    dso.write("[sources.codmunity]\nrobots = false")
    assert dso("sync").err == (
        "dso: file dso.toml [sources.codmunity]: codmunity.robots is False, and nothing says why; give"
        " codmunity.robots_reason, as 'the owner has allowed it by letter', or leave robots on\n"
    )
    dso.write("[sources.codmunity]\nrobots = false\nrobots_reason = 'allowed by letter of 3 May'")
    ended = dso("sync", "codmunity", "--fault", "codmunity=disallowed")
    assert ended.status == 0
    told = dso("sources", "--politeness", "--json").document["sources"]["codmunity"]
    assert told["robots"] == {"obeyed": False, "reason": "allowed by letter of 3 May", "forbidden": 0, "files": []}
    assert "robots.txt is not asked: allowed by letter of 3 May" in dso("sources", "--politeness").out


def test_a_renamed_state_key_alone_is_no_fault_because_the_address_beside_it_still_finds_the_data(dso: Dso):
    good = dso("sync", "codmunity", "--json").document["snapshot"]
    ended = dso("sync", "codmunity", "--json", "--fault", "codmunity=renamed_state_key")
    assert ended.status == 0
    assert ended.document["snapshot"] == {**good, "new": 0, "unchanged": good["entities"]}


def test_a_person_reads_what_failed_and_why_and_until_when_the_old_data_counts(dso: Dso):
    dso("sync")
    ended = dso("sync", "--fault", "wzstats=rate_limited=60", "--fault", "codmunity=challenge")
    assert ended.status == 0
    assert "✗ WZStats    failed: rate limited" in ended.out
    assert "asks to wait 60 s; not tried again: the upstream asked to wait 60 s, and 2" in ended.out
    assert "✗ CODMunity  failed: blocked" in ended.out
    assert "the site wants a browser there" in ended.out
    assert "  tier from WZStats (failed: rate limited): what it said" in ended.out
    assert "still counts, until 20" in ended.out
    assert "✓ Sufficient: 1 of 3 sources succeeded" in ended.out
    assert ended.err == ""


def test_what_was_never_read_is_told_as_unknown(dso: Dso):
    ended = dso("sync", "wzstats", "--fault", "wzstats=challenge")
    assert "Nothing is stored: no source has been read yet" in ended.out
    assert "it was never read, so nothing of it is known" in ended.out
    assert "✗ Insufficient: 0 of 1 source succeeded" in ended.out


def test_several_faults_of_one_source_add_up(dso: Dso):
    dso.write(LIMITS)
    faults = ("--fault", "wzstats=latency=0.3", "--fault", "wzstats=challenge")
    outcome = dso("fetch", "wzstats", "--json", *faults).document["sources"]["wzstats"]
    assert outcome["error"]["kind"] == "blocked"
    assert outcome["duration_s"] >= 0.3


def test_the_first_failure_ends_a_sequential_run_that_fails_fast(dso: Dso):
    flags = ("--sequential", "--fail-fast", "--max-retries", "0")
    told = dso("fetch", "--json", *flags, "--fault", "codarmory=challenge").document["sources"]
    assert [(key, outcome["status"]) for key, outcome in told.items()] == [
        ("codarmory", "failure"),
        ("wzstats", "skipped"),
        ("codmunity", "skipped"),
    ]
    assert told["wzstats"]["error"]["kind"] == "fail_fast"


def test_retries_are_made_as_often_as_the_flag_says(dso: Dso):
    dso.write("[retry]\nbase_delay = 0.01")
    told = dso("fetch", "wzstats", "--json", "--max-retries", "2", "--fault", "wzstats=error_rate").document
    assert told["sources"]["wzstats"]["attempts"] == 3


def test_the_runs_limit_cuts_off_what_takes_longer(dso: Dso):
    told = dso("fetch", "--json", "--timeout", "1s", "--fault", "wzstats=latency=30").document
    assert told["sources"]["wzstats"]["error"]["kind"] == "timeout"
    assert told["sources"]["codarmory"]["status"] == "success"
    assert told["duration_s"] < 3


def test_the_faults_are_listed_with_what_they_do(dso: Dso):
    told = dso("sandbox", "--list-faults").out
    assert [name for name in FAULTS if name not in told] == []
    switches = dso("sandbox", "--list-faults", "--json").document["switches"]
    assert [switch["name"] for switch in switches] == [*FAULTS]
    assert all(list(switch) == ["name", "spelling", "meaning", "sources"] for switch in switches)
